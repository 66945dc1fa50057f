"""Complaints about data: written down and acknowledged at once, answered by staff within `ANSWER_PERIOD`.

United Kingdom: Data Protection Act 2018, section 164A, as the Data (Use and Access) Act 2025, section 103, inserts it.
Nothing is looked up when one comes: whoever complains, customer or not, reads and gets the same.
"""

import hashlib
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import AccountEvent, DataComplaint
from shop.periods import Period

ANSWER_PERIOD = Period(days=30)
COMPLAINT_RETENTION = Period(years=2)
MOST_ACKNOWLEDGED = 3  # to one address in a day: whoever types other people's addresses in does not fill their mailbox
ONE_DAY = timedelta(days=1)


class ComplaintRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """It was answered before; the message says so, for people."""


def compute_answer_day(received_at: datetime) -> date:
    """The thirtieth day, the day it came being the first."""
    return timezone.localdate(received_at) + ANSWER_PERIOD - ONE_DAY


def file_complaint(*, full_name: str, email: str, words: str) -> DataComplaint:
    """Writes it down with the event that acknowledges it. The same sent again that day is the first."""
    now = timezone.now()
    made = DataComplaint(full_name=full_name, email=email, words=words, received_at=now, due_on=compute_answer_day(now))
    made.digest = _compute_digest(made)
    with transaction.atomic():
        kept, is_new = DataComplaint.objects.get_or_create(
            digest=made.digest,
            defaults={
                "full_name": full_name,
                "email": email,
                "words": words,
                "received_at": now,
                "due_on": made.due_on,
            },
        )
        if is_new and _count_recent(email, now) <= MOST_ACKNOWLEDGED:
            AccountEvent.objects.create(kind=AccountEvent.Kind.COMPLAINT_RECEIVED, complaint=kept)
    return kept


def _count_recent(email: str, now: datetime) -> int:
    return DataComplaint.objects.filter(email=email, received_at__gt=now - ONE_DAY).count()


@transaction.atomic
def answer_complaint(complaint_id: int, *, answer: str, actor: str) -> DataComplaint:
    """Closes it with an answer, which goes to whoever complained. Raises `ComplaintRefused`."""
    complaint = DataComplaint.objects.select_for_update().get(pk=complaint_id)
    if complaint.answered_at is not None:
        raise ComplaintRefused(f"{complaint} was answered before, by {complaint.answered_by}. Nothing was sent again.")
    complaint.answer, complaint.answered_at, complaint.answered_by = answer, timezone.now(), actor
    complaint.save(update_fields=["answer", "answered_at", "answered_by"])
    AccountEvent.objects.create(kind=AccountEvent.Kind.COMPLAINT_ANSWERED, complaint=complaint)
    return complaint


def _compute_digest(complaint: DataComplaint) -> str:
    said = (complaint.email, complaint.words, timezone.localdate(complaint.received_at).isoformat())
    return hashlib.blake2s("\0".join(said).encode(), digest_size=32).hexdigest()
