"""Money that comes after its order was closed for not being paid.

The order goes on while its goods are there and nothing was ordered in its place; else the money goes back by itself.

Called under the locks of cart, order and payment by whoever settles the payment.
"""

from django.db import transaction
from django.db.models import Q

from orders import confirmation, contracting, events, status
from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments.refunds import request_refund
from shop.catalog.stock import OutOfStock

CLOSED = (Payment.Status.EXPIRED, Payment.Status.FAILED)
GOES_BACK = "Your payment came after the order had been closed, and what you chose is no longer there."
ORDERED_ANEW = "Your payment came after the order had been closed, and you had ordered again by then."
CALLED_OFF = "Your payment came after the order had been called off."


def is_late(payment: Payment) -> bool:
    """Whether the order was closed, never placed, and nobody waited for this payment any more."""
    order = payment.order
    return payment.status in CLOSED and order.status == Order.Status.CANCELLED and order.placed_at is None


def reopen_order(payment: Payment) -> bool:
    """Takes its goods again, as they were contracted; the order is pending then. False where that cannot be."""
    order = payment.order
    if _was_called_off(order) or _was_ordered_anew(order) or not _take_goods(order):
        return False
    order.status, order.cancelled_at = Order.Status.PENDING, None
    order.save(update_fields=["status", "cancelled_at"])
    confirmation.renew_promise(order)
    return True


def give_back(payment: Payment) -> None:
    """Notes that all of it goes back; `apply_session_state` sends it, or the reconciler after it."""
    order = payment.order
    reason = GOES_BACK
    if _was_called_off(order):
        reason = CALLED_OFF
    elif _was_ordered_anew(order):
        reason = ORDERED_ANEW
    request_refund(order, amount=None, actor=events.RULE, reason=reason)
    status.recalculate_and_record_hold(order)


def list_refunds_to_send(payment: Payment) -> list[int]:
    """Of money that fits no order: what was noted and nobody has sent. Their keys."""
    if payment.status != Payment.Status.FLAGGED:
        return []
    waiting = payment.refunds.filter(status=Refund.Status.REQUESTED, sent_at=None, actor=events.RULE)
    return list(waiting.values_list("pk", flat=True))


def _take_goods(order: Order) -> bool:
    lines = list(order.lines.select_related("order"))
    if any(line.variant_id is None for line in lines):
        return False
    try:
        with transaction.atomic():
            contracting.allocate_goods(lines)
    except OutOfStock:
        return False
    return True


def _was_called_off(order: Order) -> bool:
    """By staff, of what they had entered: nobody means it to go on."""
    return order.events.filter(kind=OrderEvent.Kind.DRAFT_ENDED).exclude(actor=events.RULE).exists()


def _was_ordered_anew(order: Order) -> bool:
    """The buyer paid for another order since, or is at its payment page: one is enough."""
    of_buyer = Q(email=order.email) if order.email else Q(pk=None)
    if order.cart_id:
        of_buyer |= Q(cart=order.cart_id)
    since = Order.objects.filter(of_buyer, created_at__gt=order.created_at).exclude(pk=order.pk)
    return since.filter(Q(placed_at__isnull=False) | Q(status=Order.Status.PENDING)).exists()
