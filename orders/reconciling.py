"""What no browser and no webhook told us: payments and refunds that nobody has settled, found by looking."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from orders import payments
from orders.gateways.stripe import Unreachable
from orders.models import Payment, Refund
from orders.refunds import settle_refund

log = logging.getLogger(__name__)

BATCH = 200


def reconcile() -> int:
    """Settles what has been open for a while and ends what has been open for too long. Returns how many it looked at.

    Stops at the first sign that Stripe is out of reach: the rest would only wait longer.
    """
    looked_at = 0
    for check, pk in _due():
        try:
            check(pk)
        except Unreachable as trouble:
            log.warning("Stripe is out of reach (%s); payments stay as they are", trouble)
            break
        looked_at += 1
    return looked_at


def _due() -> list[tuple[Callable[[int], object], int]]:
    now = timezone.now()
    young = now - timedelta(seconds=min(60, settings.RECONCILE_SECONDS))
    held = now - timedelta(seconds=settings.PAYMENT_HOLD_SECONDS)
    unsettled = Payment.objects.filter(status__in=payments.LIVE, created_at__lt=young).order_by("created_at")
    refunds = Refund.objects.filter(status=Refund.Status.REQUESTED, created_at__lt=young).order_by("created_at")
    rows = unsettled.values_list("pk", "created_at")[:BATCH]
    due = [(_end if created_at < held else payments.settle, pk) for pk, created_at in rows]
    return due + [(settle_refund, pk) for pk in refunds.values_list("pk", flat=True)[:BATCH]]


def _end(payment_id: int) -> object:
    return payments.expire(Payment.objects.select_related("order").get(pk=payment_id))
