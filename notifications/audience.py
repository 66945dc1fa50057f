"""Who gets a letter of the shop's own: one set question, answered in the database, straight into the outbox."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from accounts import consent, purposes
from accounts.models import Consent, Customer
from accounts.purposes import MailKind
from notifications import topics
from notifications.models import NewsletterIssue, OutgoingEmail, Suppression
from notifications.queueing import PICK, Draft, DraftItem, queue
from notifications.topics import TOPICS
from recommendations import effects, picks

CHUNK = 20_000  # customers per transaction
PICKING_CHUNK = 200  # for these something is picked one by one

# Everybody whose yes stands now. An address that nobody proved, or that refuses our mail, becomes a skipped row, so
# that staff can see why that person got nothing. The mail's one item stands on the very record of the yes.
_FAN_OUT = """
    WITH asked AS MATERIALIZED (
        SELECT c.customer_id, c.record_id, c.changed_at, COALESCE(p.email, '') AS address,
               CASE WHEN COALESCE(p.email, '') = '' THEN 'no_address'
                    WHEN p.email_proved_at IS NULL THEN 'unproved'
                    WHEN s.id IS NOT NULL THEN 'suppressed' ELSE '' END AS reason
        FROM accounts_consent c
        JOIN accounts_customer p ON p.id = c.customer_id
        LEFT JOIN notifications_suppression s ON LOWER(s.address) = LOWER(p.email)
        WHERE c.purpose = %(purpose)s AND c.granted AND c.customer_id > %(after)s
        ORDER BY c.customer_id LIMIT %(chunk)s
    ), mails AS (
        INSERT INTO notifications_outgoingemail (
            id, key, topic, kind, to_address, customer_id, context, state, skip_reason, subject,
            due_at, attempt_count, last_error, created_at)
        SELECT gen_random_uuid(), %(key)s || customer_id, %(topic)s, 'promotional', address, customer_id,
               %(context)s::jsonb, CASE reason WHEN '' THEN 'queued' ELSE 'skipped' END, reason, '',
               statement_timestamp(), 0, '', statement_timestamp()
        FROM asked
        ON CONFLICT (key) DO NOTHING
        RETURNING id, customer_id, state
    ), items AS (
        INSERT INTO notifications_outgoingitem (
            email_id, block, position, why, purpose, consent_record_id, is_essential, stands_since_at,
            is_dropped, drop_reason)
        SELECT m.id, 'body', 0, '', %(purpose)s, asked.record_id, false, asked.changed_at, false, ''
        FROM mails m JOIN asked USING (customer_id) WHERE m.state = 'queued'
    )
    SELECT (SELECT max(customer_id) FROM asked), (SELECT count(*) FROM mails WHERE state = 'queued')"""


def fan_out_newsletter() -> int:
    """Queues every released issue for everybody who asked for the newsletter. Safe to stop and to run again."""
    count = 0
    waiting = NewsletterIssue.objects.filter(released_at__isnull=False, fanned_out_at=None)
    for issue in waiting.order_by("released_at"):
        count += _fan_out(topics.NEWSLETTER, key=f"newsletter:{issue.pk}:", context={"issue": issue.pk})
        NewsletterIssue.objects.filter(pk=issue.pk).update(fanned_out_at=timezone.now())
    return count


def _fan_out(topic: str, *, key: str, context: dict[str, Any]) -> int:
    values: dict[str, Any] = {"topic": topic, "purpose": TOPICS[topic].purpose, "key": key, "chunk": CHUNK}
    values |= {"context": json.dumps(context), "after": 0}
    count = 0
    while values["after"] is not None:
        with connection.cursor() as cursor:
            cursor.execute(_FAN_OUT, values)
            values["after"], queued_count = cursor.fetchone()
        count += queued_count
    return count


def newsletter_readers() -> QuerySet[Consent]:
    """Those an issue would reach now: asked for it, address proved, and not one that refuses our mail."""
    asked = consent.granted(purposes.NEWSLETTER).filter(customer__email_proved_at__isnull=False)
    return asked.filter(customer__email__isnull=False).exclude(_refusing(OuterRef("customer__email")))


def _refusing(address: Any) -> Exists:
    return Exists(Suppression.objects.filter(address__iexact=address))


def queue_recommendations(now: datetime) -> int:
    """This week's letter for everybody who asked for it and has not got it yet. Safe to stop and to run again."""
    week = f"recommendations:{now:%G-W%V}:"
    count = 0
    while customers := list(_without_letter(week)[:PICKING_CHUNK]):
        allowed = _granted_by([customer.pk for customer in customers])
        queue([_letter(customer, week, allowed[customer.pk]) for customer in customers])
        count += len(customers)
    return count


def _without_letter(week: str) -> QuerySet[Customer]:
    key = Concat(Value(week), Cast(OuterRef("pk"), CharField()))
    asked = consent.granted(purposes.MAIL_RECOMMENDATIONS).filter(customer=OuterRef("pk"))
    return Customer.objects.filter(Exists(asked), ~Exists(OutgoingEmail.objects.filter(key=key))).order_by("pk")


def _granted_by(customer_ids: list[int]) -> dict[int, frozenset[str]]:
    granted: dict[int, set[str]] = defaultdict(set)
    rows = Consent.objects.filter(customer__in=customer_ids, granted=True)
    for customer_id, purpose in rows.values_list("customer_id", "purpose"):
        granted[customer_id].add(purpose)
    return defaultdict(frozenset, {key: frozenset(value) for key, value in granted.items()})


def _letter(customer: Customer, week: str, granted: frozenset[str]) -> Draft:
    picked = picks.for_mail(customer, granted)
    effects.record(customer, picked, place=effects.Place.LETTER)
    return Draft(
        key=f"{week}{customer.pk}",
        topic=TOPICS[topics.RECOMMENDATIONS],
        to_address=customer.email or "",
        customer=customer,
        items=tuple(
            DraftItem(
                PICK,
                pick.purpose or purposes.MAIL_RECOMMENDATIONS,
                kind=MailKind.PROMOTIONAL,
                product_id=pick.product_id,
                why=pick.why,
            )
            for pick in picked
        ),
        is_empty=not picked,
    )
