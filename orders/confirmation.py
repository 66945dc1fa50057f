"""The moment an order becomes one: it is paid for (or there is nothing to pay)."""

from django.utils import timezone

from accounts.consent import purposes
from accounts.consent.requests import request_consent
from orders import carts, events, pickup, promise, shop_terms, status
from orders.fulfilment import approval_rule
from orders.models import Order, OrderEvent
from orders.promise import ReservedGoods


def await_payment(order: Order) -> None:
    """The buyer has done their part; the bank takes days. What was bought leaves the cart, and the cart the order.

    The caller holds the locks of cart and order, and recalculates afterwards.
    """
    _empty_cart(order)
    order.cart = None
    order.save(update_fields=["cart"])
    events.record_order_event(order, OrderEvent.Kind.PAYMENT_UNDER_WAY)


def renew_promise(order: Order) -> None:
    """The money came days after the order: its dates count from now. The caller holds the order's lock."""
    if order.shipping_method is None or order.ships_on is None:
        return
    terms = shop_terms.load_terms()
    calendar, now = terms.get_order_calendar(order), timezone.now()
    place = terms.get_pickup(order.shipping_method)
    if place is not None:
        promised = pickup.compute_pickup_promise(place, calendar, now)
    else:
        promised = promise.compute_promise(calendar, order.shipping_method, availability=ReservedGoods(), now=now)
    if promised is None or promised.ships_on <= order.ships_on:
        return
    order.ships_on, order.promised_from_on, order.promised_by_on = promised.ships_on, promised.from_on, promised.by_on
    order.moved_days, order.pickup_ready_at = promised.moved_days or 0, promised.ready_at
    order.save(update_fields=["ships_on", "promised_from_on", "promised_by_on", "moved_days", "pickup_ready_at"])
    order.lines.update(ships_on=None, promised_from_on=None, promised_by_on=None)  # all of it is as late now


def _empty_cart(order: Order) -> None:
    if order.cart_id:
        bought = order.lines.filter(variant__isnull=False).values_list("variant_id", "is_gift", "quantity")
        carts.remove_bought_items(order.cart_id, bought)


def confirm_order(order: Order) -> None:
    """Pending becomes confirmed, and where it stands is derived. The caller holds the locks of cart and order.

    What was bought leaves the cart, a guest's newsletter tick asks its address to confirm, and the order approves
    itself where staff's rule says so.
    """
    order.status = Order.Status.CONFIRMED
    order.placed_at = timezone.now()
    events.record_order_event(order, OrderEvent.Kind.PLACED)
    _empty_cart(order)
    if order.ticks.filter(purpose=purposes.NEWSLETTER, granted=True).exists():
        request_consent(order.email, purposes.NEWSLETTER, source="checkout")
    status.recalculate(order, changed=["status", "placed_at"])
    approval_rule.approve_by_rule(order)
