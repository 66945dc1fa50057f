"""Calling off an order for which money came, while nothing has left: the goods go back, and the money with them."""

from django.db import transaction

from orders import stages
from orders.fulfilment.release import cancel_and_release_stock
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, Payment, Refund
from orders.payments import checkout_sessions
from orders.payments.refunds import NOTHING, find_refundable_payment, find_unrefundable_payment


def may_cancel(order: Order) -> bool:
    """Money has come for it, it is open, and no parcel has left. For a page, prefetch `shipments`."""
    if order.status == Order.Status.PENDING:
        return _has_only_mismatched_money(order)
    return order.status == Order.Status.CONFIRMED and not stages.has_any_left(order)


def cancel_order(order_id: int, *, actor: str, reason: str = "") -> Order:
    """Cancels and refunds in full, unless the payment is disputed. Raises `TransitionRefused` once a parcel has left.

    The refund is asked for in the same transaction and sent to Stripe after it; should Stripe be out of reach, the
    reconciler sends it again. An unpaid order is called off through its payment (`checkout_sessions.expire_payment`),
    which alone knows whether money is on its way.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        refund = cancel_locked_order(order, actor=actor, reason=reason)
    if refund:
        checkout_sessions.try_send_refund(refund.pk)
        order.refresh_from_db()
    return order


def cancel_locked_order(order: Order, *, actor: str, reason: str = "") -> Refund | None:
    """As `cancel_order`, within the caller's transaction, who holds the order's lock and sends the refund after it."""
    if not may_cancel(order):
        raise TransitionRefused(_explain_cancel_refusal(order))
    is_shut = find_unrefundable_payment(order) is not None
    cancel_and_release_stock(
        order, actor=actor, reason=reason, gives_back=NOTHING if is_shut else find_refundable_payment(order)[1]
    )
    if is_shut:  # the bank decides where the money goes; staff see what is left to do after that
        return None
    return checkout_sessions.request_refund(order, amount=None, actor=actor, reason=reason or "Order cancelled")


def _has_only_mismatched_money(order: Order) -> bool:
    """Whether it waits for nothing but somebody to end it: what was paid is not what was owed."""
    states = set(order.payments.values_list("status", flat=True))
    return Payment.Status.FLAGGED in states and states.isdisjoint(checkout_sessions.PAYABLE)


def _explain_cancel_refusal(order: Order) -> str:
    if order.status == Order.Status.CANCELLED:
        return f"{order.number} was cancelled already."
    if order.payment_status == Order.PaymentStatus.PROCESSING:
        return (
            f"{order.number}: the buyer's bank is paying and cannot be stopped. Once the money is here you can cancel."
        )
    if order.status == Order.Status.PENDING:
        return f"{order.number} is not paid; it ends by itself when its payment page does."
    return f"{order.number} has left; it can no longer be cancelled."
