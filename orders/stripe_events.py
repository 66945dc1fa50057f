"""Webhooks, after they were stored: what each asks us to look at again. State is always read afresh from Stripe, so
an event that comes twice, late or out of order does no harm.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import F
from django.utils import timezone

from orders import payments
from orders.asking_stripe import StripeAway, attempt_at_stripe
from orders.gateways import stripe
from orders.gateways.stripe import Event, Refused
from orders.models import Payment, Refund, StripeEvent
from orders.refunds import send_refund
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 200
EVENTS = loops.register(
    Loop(
        "stripe_events",
        "Something Stripe told us",
        "It is looked at again by itself; payments and refunds are found without it, only later.",
        model="orders.stripeevent",
    )
)
KEPT = timedelta(days=90)


def store(event: Event) -> None:
    """Keeps the event once, however often it is delivered."""
    row = StripeEvent(
        event_id=event.reference,
        kind=event.kind,
        object_id=event.object_id,
        created_at=datetime.fromtimestamp(event.created, UTC),
    )
    StripeEvent.objects.bulk_create([row], ignore_conflicts=True)


def process_waiting() -> int:
    """Works through what waits; one that fails waits alone. Returns how many are done.

    The run ends when Stripe answers nothing at all.
    """
    waiting = StripeEvent.objects.filter(processed_at=None)
    EVENTS.forget_settled(waiting)
    done = 0
    with suppress(StripeAway):
        for event in EVENTS.due(waiting).order_by("received_at")[:BATCH]:
            with attempt_at_stripe(EVENTS, event.pk, subject=f"Stripe's event {event.event_id}"):
                StripeEvent.objects.filter(pk=event.pk).update(attempt_count=F("attempt_count") + 1)
                problem = process(event)
                StripeEvent.objects.filter(pk=event.pk).update(processed_at=timezone.now(), problem=problem)
                done += 1
    return done


def process(event: StripeEvent) -> str:
    """Does what the event is about; returns why nothing was to do, or an empty string."""
    if event.kind.startswith("checkout.session."):
        return _session(event.object_id)
    if event.kind.startswith("refund."):
        return _refund(event.object_id)
    return "Not about anything we keep"


def _session(reference: str) -> str:
    payment = Payment.objects.filter(provider_reference=reference).first() or _adopted(reference)
    if payment is None:
        return "Not a session of ours"
    payments.settle(payment.pk)
    return ""


def _adopted(reference: str) -> Payment | None:
    """For a session whose answer we never got: it carries our key."""
    try:
        return payments.adopt(stripe.fetch_session(reference))
    except Refused:
        return None


def _refund(reference: str) -> str:
    noted = Refund.objects.filter(provider_reference=reference).first()
    if noted is None:
        return "Not a refund of ours"
    send_refund(noted.pk)
    return ""


def retire() -> int:
    """Deletes events that were dealt with long ago."""
    return StripeEvent.objects.filter(processed_at__lt=timezone.now() - KEPT).delete()[0]
