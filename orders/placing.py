"""The moment an order becomes one: it is paid for (or there is nothing to pay)."""

import contextlib

from django.utils import timezone

from accounts import purposes
from accounts.consent_requests import request_consent
from orders import cart as carts
from orders import events, fulfilment
from orders.models import Order, OrderEvent, ShopSettings

RULE = "rule"  # the actor of what happens by itself


def confirm(order: Order) -> None:
    """Pending becomes confirmed. The caller holds the locks of cart and order, and recalculates afterwards.

    What was bought leaves the cart, a guest's newsletter tick asks its address to confirm, and the order approves
    itself where staff's rule says so.
    """
    order.status = Order.Status.CONFIRMED
    order.placed_at = timezone.now()
    order.save(update_fields=["status", "placed_at"])
    events.record(order, OrderEvent.Kind.PLACED)
    if order.cart_id:
        bought = order.lines.filter(variant__isnull=False).values_list("variant_id", "quantity")
        carts.take_out(order.cart_id, bought)
    if order.ticks.filter(purpose=purposes.NEWSLETTER, granted=True).exists():
        request_consent(order.email, purposes.NEWSLETTER, source="checkout")


def approve_by_rule(order: Order) -> None:
    """Obvious orders approve themselves: those up to the total that staff have set.

    What cannot be approved waits for staff; it is paid for all the same.
    """
    rule = ShopSettings.current()
    limit = rule.approve_up_to
    if limit is not None and order.currency == rule.currency and order.total <= limit:
        with contextlib.suppress(fulfilment.TransitionRefused):
            fulfilment.approve(order.pk, actor=RULE)
