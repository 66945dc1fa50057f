"""Service news told together: gathered as it happens, sent at the time the customer chose, each on its own consent.

The mail that one piece of news would have been stays in the outbox as skipped, "told in a digest", so that it is told
once and staff can see where it went. The digest holds an item for each, and the gate asks about every one of them at
the hand-off: what was withdrawn or called off meanwhile falls out, and a digest with nothing left does not go.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import claims
from notifications.gate import Basis
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason
from notifications.topics import DIGEST
from notifications.topics.definition import NEWS


@dataclass(frozen=True)
class DigestNews:
    """Something to be told. `email` is the mail it would have been alone, `standing` what permits it."""

    email: OutgoingEmail
    purpose: str
    standing: Basis
    cadence: Cadence


def gather_into_digests(news: Iterable[DigestNews], *, now: datetime | None = None) -> None:
    """Puts news into its readers' digests, in the caller's transaction. Customers go in one order: none deadlock."""
    now = now or timezone.now()
    for one in sorted(news, key=lambda each: (each.email.customer_id or 0, each.email.created_at)):
        digest = _get_open_digest(one.email, cadence.get_next_digest_time(one.cadence, now))
        last = digest.items.aggregate(last=Max("position"))["last"]
        OutgoingItem.objects.create(
            email=digest,
            block=NEWS,
            position=0 if last is None else last + 1,
            news=one.email,
            order_id=one.email.order_id,
            purpose=one.purpose,
            consent_record_id=one.standing.record_id,
            order_tick_id=one.standing.tick_id,
            stands_since_at=one.standing.given_at,
        )


def _get_open_digest(news: OutgoingEmail, due_at: datetime) -> OutgoingEmail:
    """The reader's digest of that moment, locked: one that nobody has begun to send. Made when there is none."""
    while True:
        digests = OutgoingEmail.objects.select_for_update().filter(
            customer=news.customer_id, topic=DIGEST.key, state=OutgoingEmail.State.QUEUED, attempt_count=0
        )
        key = _make_digest_key(news, due_at)
        found = (
            digests.filter(to_address__iexact=news.to_address, due_at=due_at).first() or digests.filter(key=key).first()
        )
        if found:
            return found
        if not OutgoingEmail.objects.filter(key=key).exists():
            OutgoingEmail.objects.bulk_create([_build_digest(news, key, due_at)], ignore_conflicts=True)
        else:
            due_at += timedelta(days=1)  # that one is on its way


def _make_digest_key(news: OutgoingEmail, due_at: datetime) -> str:
    address = hashlib.sha256(news.to_address.lower().encode()).hexdigest()[:12]
    return f"{DIGEST.key}:{news.customer_id}:{timezone.localtime(due_at):%Y-%m-%d}:{address}"


def _build_digest(news: OutgoingEmail, key: str, due_at: datetime) -> OutgoingEmail:
    return OutgoingEmail(
        key=key,
        topic=DIGEST.key,
        kind=DIGEST.kind,
        to_address=news.to_address,
        customer_id=news.customer_id,
        due_at=due_at,
    )


def defer_to_digest(email: OutgoingEmail, items: Sequence[OutgoingItem], token: uuid.UUID) -> None:
    """The weekly ceiling stands in the way: a digest waits for another morning, other news for the next digest."""
    if email.topic == DIGEST.key:
        claims.hold_mail_until(email.pk, token, until=cadence.get_next_digest_time(Cadence.DAILY, timezone.now()))
        return
    with transaction.atomic():
        if claims.skip_mail(email.pk, token, SkipReason.GATHERED):
            gather_into_digests(
                DigestNews(
                    email,
                    item.purpose,
                    Basis(item.consent_record_id, item.order_tick_id, item.stands_since_at),
                    Cadence.DAILY,
                )
                for item in items
            )
