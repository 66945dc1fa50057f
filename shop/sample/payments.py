"""Pays for the sample store's latest orders at the Stripe stand-in, so that money can be given back for them.

The stand-in alone takes a payment without a buyer; with Stripe itself the sample orders stay as they are.
"""

import json
import urllib.request
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from orders.gateways.amounts import to_stripe_amount
from orders.models import Order, Payment

LOCAL_URL = "http://127.0.0.1:"
REFUNDABLE_FOR = timedelta(days=60)
TIMEOUT_SECONDS = 10


def may_pay_sample_orders() -> bool:
    """Whether the shop's Stripe is one of this machine."""
    return settings.STRIPE_API_BASE.startswith(LOCAL_URL)


def find_unpaid_orders() -> QuerySet[Order]:
    """The sample orders that money may be given back for, and that no payment is written down for."""
    recent = Order.objects.filter(
        external_reference__startswith="sample-",
        placed_at__gte=timezone.now() - REFUNDABLE_FOR,
        payment_status=Order.PaymentStatus.PAID,
    )
    return recent.exclude(payments__isnull=False).order_by("pk")


def pay_order(order: Order) -> Payment:
    """Takes the order's total at the stand-in and writes it down. Raises OSError when the stand-in does not answer."""
    charge = _charge_at_standin(order)
    return Payment.objects.create(
        order=order,
        payment_intent=charge["payment_intent"],
        amount=order.total,
        currency=order.currency,
        status=Payment.Status.CAPTURED,
        captured_at=order.placed_at,
    )


def _charge_at_standin(order: Order) -> dict[str, Any]:
    given = {
        "amount": to_stripe_amount(order.total, order.currency),
        "currency": order.currency.lower(),
        "description": f"Order {order.number}",
        "metadata": {"order": order.number},
    }
    url = f"{settings.STRIPE_API_BASE}/_control/charges"
    asking = urllib.request.Request(url, json.dumps(given).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(asking, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  (this machine's; see `may_pay_sample_orders`)
        taken: dict[str, Any] = json.load(answer)
    return taken
