"""What no browser and no webhook told us: payments and refunds that nobody has settled, found by looking."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from orders import payments
from orders.gateways import stripe
from orders.gateways.stripe import Unreachable
from orders.models import Payment, Refund
from orders.refunds import settle_refund

log = logging.getLogger(__name__)

BATCH = 200
Step = Callable[[], object]


def reconcile() -> int:
    """Draws the consequences of what was paid, asks again where no answer came, and ends what has been open for too
    long. Returns how many it dealt with.

    Stops at the first sign that Stripe is out of reach: the rest would only wait longer.
    """
    done = 0
    try:
        for step in _steps():
            step()
            done += 1
    except Unreachable as trouble:
        log.warning("Stripe is out of reach (%s); payments stay as they are", trouble)
    return done


def _steps() -> Iterator[Step]:
    now = timezone.now()
    young = now - timedelta(seconds=min(60, settings.RECONCILE_SECONDS))
    held = now - timedelta(seconds=settings.PAYMENT_HOLD_SECONDS)
    yield from _paid(young)
    live = Payment.objects.filter(status__in=payments.LIVE).select_related("order").order_by("created_at")
    for payment in live.filter(created_at__lt=held)[:BATCH]:
        yield partial(payments.expire, payment)
    for payment in live.filter(status=Payment.Status.CREATED, created_at__lt=young, created_at__gte=held)[:BATCH]:
        yield partial(payments.settle, payment.pk)
    refunds = Refund.objects.filter(status=Refund.Status.REQUESTED, created_at__lt=young).order_by("created_at")
    for pk in refunds.values_list("pk", flat=True)[:BATCH]:
        yield partial(settle_refund, pk)


def _paid(young: datetime) -> Iterator[Step]:
    """Asks once for all that was paid, not once for each that may have been: most of those still open never will be."""
    waiting = Payment.objects.filter(status=Payment.Status.OPEN, created_at__lt=young)
    known = dict(waiting.values_list("provider_reference", "pk"))
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    if oldest is None:
        return
    for session in stripe.completed_sessions(oldest - payments.CLOCKS):
        if session.reference in known:
            yield partial(payments.draw, known[session.reference], session)
