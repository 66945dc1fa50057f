"""Who gets a letter of the shop's own: one set question, answered in the database, straight into the outbox."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import Cadence, MailKind
from accounts.models import Consent, Customer, MailCadence
from notifications import frequency_caps, gate, topics
from notifications.models import NewsletterIssue, OutgoingEmail
from notifications.queueing import queue_drafts
from notifications.suppressions import get_hmac_pads
from notifications.topics import Topic
from notifications.topics.definition import PICK, Draft, DraftItem
from recommendations import explanations, picks
from recommendations.picks import Pick
from shop.retrying import loops
from shop.retrying.loops import Loop

MONTH = timedelta(days=31)
UNSENT_STATES = (OutgoingEmail.State.SKIPPED, OutgoingEmail.State.FAILED)
CHUNK = 20_000  # customers per transaction
PICKING_CHUNK = 200  # for these something is picked one by one

ISSUES = loops.register_loop(
    Loop(
        "newsletter",
        "A newsletter that could not be queued",
        "Nobody gets it twice: it goes on where it stopped. If the error stays, tell whoever looks after the software.",
        model="notifications.newsletterissue",
    )
)
WEEKLY_LETTERS = loops.register_loop(
    Loop(
        "recommendation_mail",
        "The weekly letter of customer",
        "One customer gets no letter this week unless it works out by tonight. Nothing else waits for it.",
        model="accounts.customer",
    )
)

# Everybody whose yes stands now, as the mail `e` that each would get.
_READERS = """
    SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id, 'promotional'::text AS kind, c.customer_id,
           COALESCE(p.email, '') AS to_address, NULL::bigint AS order_id, c.record_id, c.changed_at,
           p.email_proved_at AS proved_at, m.id IS NOT NULL AS is_monthly
    FROM accounts_consent c
    JOIN accounts_customer p ON p.id = c.customer_id
    LEFT JOIN accounts_mailcadence m
        ON m.customer_id = c.customer_id AND m.purpose = c.purpose AND m.cadence = 'monthly'
    WHERE c.purpose = %(purpose)s AND c.granted"""

# Who wants it once a month gets it when their month has come round, and the ceiling is asked about then.
_CEILING_REASON, _OVER_CEILING = frequency_caps.OVER_CEILING
_RULES = (*gate.REFUSALS, (_CEILING_REASON, f"(NOT e.is_monthly AND {_OVER_CEILING})"))
_LAST = frequency_caps.LAST_OF_TOPIC.format(customer="e.customer_id", topic="%(topic)s")

# As sets: no condition is looked up anew for each reader.
_COUNT = f"""
    WITH over_ceiling AS MATERIALIZED ({frequency_caps.ALL_OVER_CEILING}
    ), stopped AS MATERIALIZED ({gate.STOPPED_ADDRESSES}
    )
    SELECT count(*) FROM ({_READERS}) e
    WHERE {gate.LETTER_MAY_GO}
      AND (e.is_monthly OR NOT EXISTS (
        SELECT 1 FROM over_ceiling WHERE over_ceiling.customer_id = e.customer_id))"""  # noqa: S608

# Whom the gate refuses becomes a skipped row, so that staff can see why that person got nothing. The mail's one item
# stands on the very record of the yes.
_FAN_OUT = f"""
    WITH asked AS MATERIALIZED (
        {_READERS} AND c.customer_id > %(after)s ORDER BY c.customer_id LIMIT %(chunk)s
    ), judged AS MATERIALIZED (
        SELECT e.customer_id, e.record_id, e.changed_at, e.to_address, {gate.build_reason(_RULES)} AS reason,
               CASE WHEN e.is_monthly THEN GREATEST(statement_timestamp(), {_LAST} + interval '1 month')
                    ELSE statement_timestamp() END AS due_at
        FROM asked e
    ), mails AS (
        INSERT INTO notifications_outgoingemail (
            id, key, topic, kind, to_address, customer_id, context, state, skip_reason, subject,
            due_at, attempt_count, last_error, created_at)
        SELECT gen_random_uuid(), %(key)s || customer_id, %(topic)s, 'promotional', to_address, customer_id,
               %(context)s::jsonb, CASE reason WHEN '' THEN 'queued' ELSE 'skipped' END, reason, '',
               due_at, 0, '', statement_timestamp()
        FROM judged
        ON CONFLICT (key) DO NOTHING
        RETURNING id, customer_id, state
    ), items AS (
        INSERT INTO notifications_outgoingitem (
            email_id, block, position, why, purpose, consent_record_id, is_essential, stands_since_at,
            is_dropped, drop_reason)
        SELECT m.id, 'body', 0, '', %(purpose)s, judged.record_id, false, judged.changed_at, false, ''
        FROM mails m JOIN judged USING (customer_id) WHERE m.state = 'queued'
    )
    SELECT (SELECT max(customer_id) FROM asked), (SELECT count(*) FROM mails WHERE state = 'queued')"""  # noqa: S608


def fan_out_released_issues() -> int:
    """Queues every released issue for everybody who asked for the newsletter. Safe to stop and to run again."""
    count = 0
    waiting = NewsletterIssue.objects.filter(released_at__isnull=False, fanned_out_at=None)
    ISSUES.forget_settled(waiting)
    for issue in ISSUES.due(waiting).order_by("released_at"):
        with ISSUES.attempt(issue.pk, subject=f"Newsletter “{issue.subject}”"):
            count += _fan_out_to_subscribers(
                topics.NEWSLETTER, key=f"newsletter:{issue.pk}:", context={"issue": issue.pk}
            )
            NewsletterIssue.objects.filter(pk=issue.pk).update(fanned_out_at=timezone.now())
    return count


def _fan_out_to_subscribers(topic: Topic, *, key: str, context: dict[str, Any]) -> int:
    values: dict[str, Any] = {"topic": topic.key, "purpose": topic.purpose, "key": key, "chunk": CHUNK}
    values |= {"context": json.dumps(context), "after": 0, **get_hmac_pads()}
    count = 0
    while values["after"] is not None:
        with connection.cursor() as cursor:
            cursor.execute(_FAN_OUT, values)
            values["after"], queued_count = cursor.fetchone()
        count += queued_count
    return count


def count_newsletter_readers() -> int:
    """How many an issue released now would reach, by the very rules of its fan-out."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"purpose": purposes.NEWSLETTER, **get_hmac_pads()})
        return int(cursor.fetchone()[0])


def queue_weekly_recommendations(now: datetime) -> int:
    """This week's letter for everybody who asked for it and has not got it yet. Safe to stop and to run again."""
    week = f"recommendations:{now:%G-W%V}:"
    count = 0
    WEEKLY_LETTERS.forget_settled(_get_customers_without_mail(week))
    while customers := list(WEEKLY_LETTERS.due(_get_customers_without_mail(week))[:PICKING_CHUNK]):
        count += WEEKLY_LETTERS.run_batch(customers, partial(_queue_weekly_mails, week))
    return count


def _queue_weekly_mails(week: str, customers: Sequence[Customer]) -> None:
    """Nothing is picked for whoever has had all the mail they want this week: the outbox says that they had.

    What brought a pick is told of as an effect only where the letter is to go.
    """
    ids = [customer.pk for customer in customers]
    allowed, full = _get_granted_purposes(ids), frequency_caps.find_customers_over_ceiling(ids)
    picked = {each.pk: [] if each.pk in full else picks.pick_for_mail(each, allowed[each.pk]) for each in customers}
    for email in queue_drafts([_build_recommendation_draft(each, week, picked[each.pk]) for each in customers]):
        if email.customer is not None and email.state == OutgoingEmail.State.QUEUED:
            explanations.record_effects(email.customer, picked[email.customer.pk], place=explanations.Place.LETTER)


def _get_customers_without_mail(week: str) -> QuerySet[Customer]:
    """Those who asked for it, have not got this week's, and, if once a month is enough, none for a month."""
    key = Concat(Value(week), Cast(OuterRef("pk"), CharField()))
    asked = consent.find_granted_consents(purposes.MAIL_RECOMMENDATIONS).filter(customer=OuterRef("pk"))
    monthly = MailCadence.objects.filter(
        customer=OuterRef("pk"), purpose=purposes.MAIL_RECOMMENDATIONS, cadence=Cadence.MONTHLY
    )
    lately = OutgoingEmail.objects.annotate(at=Coalesce("sent_at", "due_at")).filter(
        customer=OuterRef("pk"), topic=topics.RECOMMENDATIONS.key, at__gt=timezone.now() - MONTH
    )
    return Customer.objects.filter(
        Exists(asked),
        ~Exists(OutgoingEmail.objects.filter(key=key)),
        ~Exists(monthly) | ~Exists(lately.exclude(state__in=UNSENT_STATES)),
    ).order_by("pk")


def _get_granted_purposes(customer_ids: list[int]) -> dict[int, frozenset[str]]:
    granted: dict[int, set[str]] = defaultdict(set)
    rows = Consent.objects.filter(customer__in=customer_ids, granted=True)
    for customer_id, purpose in rows.values_list("customer_id", "purpose"):
        granted[customer_id].add(purpose)
    return defaultdict(frozenset, {key: frozenset(value) for key, value in granted.items()})


def _build_recommendation_draft(customer: Customer, week: str, picked: Sequence[Pick]) -> Draft:
    return Draft(
        key=f"{week}{customer.pk}",
        topic=topics.RECOMMENDATIONS,
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
    )
