"""What carriers tell of a parcel, in our own plain words: the seam between their formats and the shop.

A format is a `ScanFormat`: it checks that a webhook is theirs and reads it into a `ParcelNotice`. Whoever asks a
carrier instead of being told makes a `ParcelNotice` too, and hands it to `orders.fulfilment.scans.store_notice`.
How to add one: docs/how-to/a-carrier.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from django.utils import timezone

from orders.carriers.tracking_numbers import LONGEST_NUMBER, get_bare_number

REPLAY_WINDOW = timedelta(minutes=5)
CLOCKS_DIFFER_BY = timedelta(days=1)  # carriers tell local times as if they were UTC
MOST_SCANS = 300
LONGEST_REFERENCE, LONGEST_WORDS, LONGEST_PLACE = 120, 200, 120


class ScanMeaning(StrEnum):
    """What a scan says of a parcel; OTHER moves nothing, and staff alone read it."""

    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_TO_COLLECT = "ready_to_collect"
    FAILED_ATTEMPT = "failed_attempt"
    UNDELIVERABLE = "undeliverable"
    RETURNED = "returned"
    DELIVERED = "delivered"
    OTHER = "other"


@dataclass(frozen=True)
class CarrierScan:
    """One scan. `words` and `place`: the carrier's, cut to what a row holds."""

    meaning: ScanMeaning
    happened_at: datetime
    words: str = ""
    place: str = ""


@dataclass(frozen=True)
class ParcelNotice:
    """What one message says. `reference`: the sender's own id of the message; `number`: bare (`get_bare_number`).

    `told_at`: of a message that would name the day of arrival if it were known, when the sender wrote it: the latest
    counts. `estimated_on`: that day, None where nobody knows it any more.
    """

    reference: str
    number: str
    scans: tuple[CarrierScan, ...]
    estimated_on: date | None = None
    told_at: datetime | None = None


@dataclass(frozen=True)
class SignedRequest:
    """A webhook as it came in. `headers` are looked up whatever their case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class BadNotice(Exception):  # noqa: N818  (what somebody sent, not a fault of ours)
    """What was sent is no message of that format; the message says what is wrong, for whoever sends it."""


class ScanFormat(Protocol):
    """How one sender tells of parcels."""

    name: str

    def is_signed(self, request: SignedRequest, secret: str) -> bool:
        """Whether it was signed with the secret, as lately as the format can tell."""

    def read(self, told: Any) -> ParcelNotice:
        """What the JSON says. Raises `BadNotice`, or what reading JSON of another shape raises."""


def read_notice(scan_format: ScanFormat, body: bytes) -> ParcelNotice:
    """Raises `BadNotice`, whatever was sent."""
    with refuse_other_shapes():
        return scan_format.read(json.loads(body))


@contextmanager
def refuse_other_shapes() -> Iterator[None]:
    """Raises `BadNotice` for what reading JSON of another shape raises."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BadNotice("This is not a message of that format.") from error


def make_notice(
    reference: Any,
    number: Any,
    scans: list[CarrierScan],
    *,
    estimated_on: date | None = None,
    told_at: datetime | None = None,
) -> ParcelNotice:
    """A notice whose parts are what they have to be. Raises `BadNotice`."""
    if not isinstance(reference, str) or not re.fullmatch(rf"[!-~]{{1,{LONGEST_REFERENCE}}}", reference):
        raise BadNotice(f"The message’s id has 1 to {LONGEST_REFERENCE} printable characters and no spaces.")
    bare = get_bare_number(number) if isinstance(number, str) else ""
    if not bare or len(bare) > LONGEST_NUMBER:
        raise BadNotice("A tracking number has letters and digits.")
    latest = timezone.now() + CLOCKS_DIFFER_BY
    return ParcelNotice(
        reference, bare, tuple(scan for scan in scans if scan.happened_at <= latest), estimated_on, told_at
    )


def check_scan_count(scans: Any) -> list[Any]:
    """The list of scans in a message. Raises `BadNotice` for anything else, and for more than one parcel has."""
    if not isinstance(scans, list) or len(scans) > MOST_SCANS:
        raise BadNotice(f"The scans are a list of at most {MOST_SCANS}.")
    return scans


def read_moment(text: Any) -> datetime:
    """ISO 8601; without an offset it is UTC. Raises `BadNotice`."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadNotice("A time is written as in 2026-03-01T14:05:00Z.") from error


def read_day(text: Any) -> date | None:
    """The day of ISO 8601 as it is written, whatever its offset; None for what is none. No parcel is lost by it."""
    try:
        return datetime.fromisoformat(text).date()
    except (ValueError, TypeError):
        return None


def clean_text(text: Any, *, longest: int) -> str:
    """One line that a row can hold; empty for what is no text."""
    return " ".join(text.replace("\0", " ").split())[:longest] if isinstance(text, str) else ""
