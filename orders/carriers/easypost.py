"""EasyPost's trackers and their events: https://docs.easypost.com/docs/trackers, and /guides/webhooks-guide there.

Its webhooks carry the HMAC-SHA256 of the body, `X-Hmac-Signature: hmac-sha256-hex=…`, keyed with the secret in
Unicode's NFKD form, as its own libraries compute it. Newer ones also carry `X-Hmac-Signature-V2`, which covers
`X-Timestamp`, method, `X-Path` and body; where it is there, it is what counts. Without it a message is as old as it
says itself.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django.utils import timezone

from orders.carriers.base import (
    LONGEST_PLACE,
    LONGEST_WORDS,
    REPLAY_WINDOW,
    BadNotice,
    CarrierScan,
    ParcelNotice,
    ScanMeaning,
    SignedRequest,
    check_scan_count,
    clean_text,
    make_notice,
    read_day,
    read_moment,
    refuse_other_shapes,
)
from shop.periods import Period

PREFIX = "hmac-sha256-hex="
RETRIED_FOR = Period(days=3)  # a message without a time in its signature may be as old as EasyPost tries again
KINDS = frozenset({"tracker.created", "tracker.updated"})

# `status_detail` says more where it is one of these; else `status` decides.
BY_DETAIL = {
    "delivery_exception": ScanMeaning.FAILED_ATTEMPT,
    "refused": ScanMeaning.UNDELIVERABLE,
    "lost": ScanMeaning.UNDELIVERABLE,
    "damaged": ScanMeaning.UNDELIVERABLE,
    "return": ScanMeaning.RETURNED,
}
BY_STATUS = {
    "in_transit": ScanMeaning.IN_TRANSIT,
    "out_for_delivery": ScanMeaning.OUT_FOR_DELIVERY,
    "available_for_pickup": ScanMeaning.READY_TO_COLLECT,
    "delivered": ScanMeaning.DELIVERED,
    "return_to_sender": ScanMeaning.RETURNED,
    "failure": ScanMeaning.UNDELIVERABLE,
}


class EasyPost:
    name = "EasyPost"

    def is_signed(self, request: SignedRequest, secret: str) -> bool:
        key = unicodedata.normalize("NFKD", secret).encode()
        newer = request.headers.get("X-Hmac-Signature-V2", "")
        if newer:
            return _is_fresh(request) and _fits(newer, key, _join_signed_parts(request))
        return _fits(request.headers.get("X-Hmac-Signature", ""), key, request.body)

    def read(self, told: Any) -> ParcelNotice:
        if told["description"] not in KINDS:
            raise BadNotice("Only tracker.created and tracker.updated are of use here; send no others.")
        told_at = read_moment(told["created_at"])
        if timezone.now() - told_at > RETRIED_FOR:
            raise BadNotice(f"This message is more than {RETRIED_FOR} old.")
        return _make_notice_of_tracker(told["id"], told["result"], told_at)


def read_tracker(tracker: Any) -> ParcelNotice:
    """What it answers when it is asked. The same answer has the same `reference`. Raises `BadNotice`."""
    with refuse_other_shapes():
        notice = _make_notice_of_tracker(tracker["id"], tracker, read_moment(tracker["updated_at"]))
    said = repr((notice.scans, notice.estimated_on, notice.told_at)).encode()
    digest = hashlib.blake2s(said, digest_size=16).hexdigest()
    return replace(notice, reference=f"{notice.reference}.{digest}")


def _make_notice_of_tracker(reference: Any, tracker: Any, told_at: datetime) -> ParcelNotice:
    details = check_scan_count(tracker.get("tracking_details") or [])
    return make_notice(
        reference,
        tracker["tracking_code"],
        [_read_scan(each) for each in details],
        estimated_on=read_day(tracker.get("est_delivery_date")),
        told_at=told_at,
    )


def sign_body(body: bytes, secret: str) -> str:
    """The header `X-Hmac-Signature` for a body."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return PREFIX + hmac.new(key, body, "sha256").hexdigest()


def _fits(header: str, key: bytes, signed: bytes) -> bool:
    expected = PREFIX + hmac.new(key, signed, "sha256").hexdigest()
    return hmac.compare_digest(header.strip().lower().encode(), expected.encode())


def _join_signed_parts(request: SignedRequest) -> bytes:
    return f"{request.headers['X-Timestamp']}{request.method}{request.path}".encode() + request.body


def _is_fresh(request: SignedRequest) -> bool:
    """Sent to this address within the replay window."""
    if request.headers.get("X-Path", request.path) != request.path:
        return False
    try:
        sent_at = _read_timestamp(request.headers.get("X-Timestamp", ""))
    except (ValueError, BadNotice):
        return False
    return abs(timezone.now() - sent_at) <= REPLAY_WINDOW


def _read_timestamp(text: str) -> datetime:
    """As in mail, or ISO 8601: both are seen. Raises ValueError or BadNotice."""
    if text[:4].isdigit():
        return read_moment(text)
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_scan(detail: Any) -> CarrierScan:
    meaning = BY_DETAIL.get(detail.get("status_detail")) or BY_STATUS.get(detail.get("status"), ScanMeaning.OTHER)
    return CarrierScan(
        meaning,
        read_moment(detail["datetime"]),
        words=clean_text(detail.get("message"), longest=LONGEST_WORDS),
        place=_describe_place(detail.get("tracking_location") or {}),
    )


def _describe_place(location: Any) -> str:
    parts = (clean_text(location.get(name), longest=LONGEST_PLACE) for name in ("city", "state", "country"))
    return clean_text(", ".join(filter(None, parts)), longest=LONGEST_PLACE)
