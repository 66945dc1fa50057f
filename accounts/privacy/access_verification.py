"""Verifying the staff's access log: every look has its record, and every record its look, until it is lawfully gone."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from accounts.models import AccessLogEntry, AccessLogRecord
from accounts.models.access_record import ACCESS_RETENTION

COMMIT_DELAY = timedelta(minutes=2)  # a look may be written shortly after the moment it bears
CHUNK = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LedgerBroken(Exception):  # noqa: N818  (a finding, not an error)
    """The first place where what is written once is not what it should be."""


@dataclass
class AccessLogDigest:
    """The records of looks up to one of them, by day of UTC: how many, and SHA-256 over them in their order."""

    last_id: int = 0
    taken_at: datetime | None = None
    days: dict[date, tuple[int, str]] = field(default_factory=dict)


def get_last_record_id() -> int:
    """The last record that is there for good: no earlier one can be committed after this. 0 when there is none."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE accounts_accesslogrecord IN SHARE MODE")  # waits for looks being written
        last: int | None = AccessLogRecord.objects.aggregate(last=Max("id"))["last"]
    return last or 0


def digest_access_log(last_id: int, *, taken_at: datetime) -> AccessLogDigest:
    found: dict[date, tuple[int, Any]] = {}
    records = AccessLogRecord.objects.filter(id__lte=last_id).order_by("id")
    for record in records.iterator(chunk_size=CHUNK):
        day = record.at.astimezone(UTC).date()
        count, over = found.get(day, (0, hashlib.sha256()))
        over.update(f"{record.id} {record.at.astimezone(UTC).isoformat()} {record.chain} ".encode())
        over.update(bytes(record.digest))
        found[day] = (count + 1, over)
    days = {day: (count, over.hexdigest()) for day, (count, over) in sorted(found.items())}
    return AccessLogDigest(last_id, taken_at, days)


def hash_access_entry(entry: AccessLogEntry) -> bytes:
    """What its record holds, as the trigger that writes it makes it."""
    facts = (
        *(entry.pk, entry.staff_id, entry.staff_name, entry.staff_role, entry.order_number, entry.kind),
        *(entry.about, entry.detail, entry.once or "", (entry.at - _EPOCH) // timedelta(microseconds=1), entry.salt),
    )
    return hashlib.sha256("\x1f".join(map(str, facts)).encode()).digest()


def verify_access_log(seen: AccessLogDigest | None, erased: Collection[UUID]) -> None:
    """Raises `LedgerBroken` at the first look that was changed, made up or taken away.

    `seen`: the looks as a checkpoint saw them. `erased`: the chains of customers whose looks went with them.
    """
    _compare_entries()
    _check_missing_entries(erased)
    if seen is not None:
        _compare_with_checkpoint(seen)


def _compare_entries() -> None:
    found = AccessLogEntry.objects.annotate(owner=F("customer__chain")).order_by("pk")
    entries = found.iterator(chunk_size=CHUNK)
    for chunk in iter(lambda: list(islice(entries, CHUNK)), []):
        records = AccessLogRecord.objects.in_bulk([entry.pk for entry in chunk])
        for entry in chunk:
            _compare_entry(entry, records.get(entry.pk))


def _compare_entry(entry: Any, record: AccessLogRecord | None) -> None:
    if record is None:
        raise LedgerBroken(f"A look without a record: number {entry.pk}.")
    if bytes(record.digest) != hash_access_entry(entry) or record.at != entry.at:
        raise LedgerBroken(f"A look was changed: number {entry.pk}.")
    if entry.owner != (record.chain or record.adopted_by):
        raise LedgerBroken(f"A look was moved to another customer: number {entry.pk}.")


def _check_missing_entries(erased: Collection[UUID]) -> None:
    """A record without its look is one of somebody erased, or old enough to be deleted."""
    since = timezone.now() - ACCESS_RETENTION
    gone = AccessLogRecord.objects.filter(at__gt=since).exclude(pk__in=AccessLogEntry.objects.values("pk"))
    for record in gone.order_by("pk").iterator(chunk_size=CHUNK):
        if (record.chain or record.adopted_by) not in erased:
            raise LedgerBroken(f"A look was taken away: number {record.pk}, of {record.at:%d %b %Y}.")


def _compare_with_checkpoint(seen: AccessLogDigest) -> None:
    if seen.taken_at is None:
        return
    is_kept_since = (timezone.now() - ACCESS_RETENTION).astimezone(UTC).date() + timedelta(days=1)
    now = digest_access_log(seen.last_id, taken_at=seen.taken_at)
    for day in sorted(day for day in seen.days.keys() | now.days.keys() if day > is_kept_since):
        if seen.days.get(day) != now.days.get(day):
            raise LedgerBroken(f"The looks of {day:%d %b %Y} are not those the checkpoint saw.")
    late = AccessLogRecord.objects.filter(id__gt=seen.last_id, at__lt=seen.taken_at - COMMIT_DELAY).first()
    if late is not None:
        raise LedgerBroken(f"A look dated before the checkpoint, which does not hold it: number {late.pk}.")
