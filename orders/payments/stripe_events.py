"""Webhooks, after they were stored: what each asks us to look at again. State is always read afresh from Stripe, so
an event that comes twice, late or out of order does no harm.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from django.db.models import F
from django.utils import timezone

from orders.gateways import stripe
from orders.gateways.stripe import StripeEventData, StripeRefused
from orders.models import Payment, StripeEvent, StripeRecord
from orders.payments import checkout_sessions, recording
from orders.payments.stripe_background import StripeUnavailable, attempt_at_stripe
from shop.periods import Period
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 200
EVENTS = loops.register_loop(
    Loop(
        "stripe_events",
        "Something Stripe told us",
        "It is looked at again by itself; payments and refunds are found without it, only later.",
        model="orders.stripeevent",
    )
)
STRIPE_EVENT_RETENTION = Period(days=90)


def store_event(event: StripeEventData) -> None:
    """Keeps the event once, however often it is delivered."""
    store_events([event])


def store_events(events: Iterable[StripeEventData]) -> int:
    """Keeps each event once. Returns how many there were, known ones included."""
    rows = [
        StripeEvent(
            event_id=event.reference,
            kind=event.kind,
            object_id=event.object_id,
            created_at=datetime.fromtimestamp(event.created, UTC),
        )
        for event in events
    ]
    StripeEvent.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def process_waiting_events() -> int:
    """Works through what waits; one that fails waits alone. Returns how many are done.

    The run ends when Stripe answers nothing at all.
    """
    waiting = StripeEvent.objects.filter(processed_at=None)
    EVENTS.forget_settled(waiting)
    done = 0
    with suppress(StripeUnavailable):
        for event in EVENTS.due(waiting).order_by("received_at")[:BATCH]:
            with attempt_at_stripe(EVENTS, event.pk, subject=f"Stripe's event {event.event_id}"):
                StripeEvent.objects.filter(pk=event.pk).update(attempt_count=F("attempt_count") + 1)
                problem = process_event(event)
                StripeEvent.objects.filter(pk=event.pk).update(processed_at=timezone.now(), problem=problem)
                done += 1
    return done


def process_event(event: StripeEvent) -> str:
    """Does what the event is about; returns why nothing was to do, or an empty string."""
    for beginning, deal_with in _BY_KIND:
        if event.kind.startswith(beginning):
            return deal_with(event.object_id)
    return "Not about anything we keep"


def _settle_session(reference: str) -> str:
    payment = Payment.objects.filter(provider_reference=reference).first() or _match_lost_session(reference)
    if payment is None:
        return "Not a session of ours"
    checkout_sessions.settle_payment(payment.pk)
    return ""


def _match_lost_session(reference: str) -> Payment | None:
    """For a session whose answer we never got: it carries our key."""
    try:
        return checkout_sessions.match_payment_to_session(stripe.fetch_session(reference))
    except StripeRefused:
        return None


def _make_recorder(kind: StripeRecord.Kind) -> Callable[[str], str]:
    def record(reference: str) -> str:
        found = recording.record_reference(kind, reference)
        if found is None:
            return "This Stripe account knows no such thing, or no money was taken"
        return "" if found.payment_id else "Belongs to no payment of ours"

    return record


def _record_missing_charge(reference: str) -> str:
    if not StripeRecord.objects.filter(kind=StripeRecord.Kind.CHARGE, payment_intent=reference).exists():
        recording.record_payment_intent(reference)
    return ""


# What an event is about, by the beginning of its kind; of two that fit, the first.
_BY_KIND: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("checkout.session.", _settle_session),
    ("refund.", _make_recorder(StripeRecord.Kind.REFUND)),
    ("charge.refund.", _make_recorder(StripeRecord.Kind.REFUND)),
    ("charge.dispute.", _make_recorder(StripeRecord.Kind.DISPUTE)),
    ("charge.refunded", _make_recorder(StripeRecord.Kind.CHARGE)),
    ("charge.succeeded", _make_recorder(StripeRecord.Kind.CHARGE)),
    ("charge.captured", _make_recorder(StripeRecord.Kind.CHARGE)),
    ("radar.early_fraud_warning.", _make_recorder(StripeRecord.Kind.WARNING)),
    ("payment_intent.succeeded", _record_missing_charge),
)


def retire_stripe_events() -> int:
    """Deletes events that were dealt with long ago."""
    return StripeEvent.objects.filter(processed_at__lt=timezone.now() - STRIPE_EVENT_RETENTION).delete()[0]
