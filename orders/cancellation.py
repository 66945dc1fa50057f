"""Calling off an order for which money came, while nothing has left: the goods go back, and the money with them."""

from decimal import Decimal

from django.db import transaction

from orders import stages, status
from orders.fulfilment.release import cancel_and_release_stock
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, Payment, Refund
from orders.payments import checkout_sessions
from orders.payments.line_amounts import compute_goods_shares
from orders.payments.paid_orders import find_paid_order, lock_paid_order
from orders.payments.refund_parts import RefundSum, count_refunded_pieces, cut_to_what_is_left
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
    """As `cancel_order`, within the caller's transaction, who holds the order's lock and sends the refund after it.

    Of what was sent in exchange for nothing, it is what was paid for the goods that came back, out of that payment.
    """
    if not may_cancel(order):
        raise TransitionRefused(_explain_cancel_refusal(order))
    paid = lock_paid_order(order)
    due = None if paid is order else compute_exchanged_share(order, paid)
    is_shut = find_unrefundable_payment(paid) is not None  # then the bank decides where the money goes
    amount = NOTHING if is_shut else _sum_money_back(order, due)
    cancel_and_release_stock(order, actor=actor, reason=reason, gives_back=amount)
    if not amount:
        return None
    why = reason or "Order cancelled"
    refund = checkout_sessions.request_refund(paid, amount=amount, actor=actor, reason=why, due=due)
    if paid is not order:
        status.recalculate_and_record_hold(paid)
    return refund


def gives_money_back(order: Order) -> bool:
    """Whether calling it off does; of what was sent in exchange it may not: the bank has the first order's money, or it
    was not paid here. No query but for those.
    """
    return order.source != Order.Source.EXCHANGE or compute_money_back(order) > 0


def compute_money_back(order: Order) -> Decimal:
    """What goes back where all of it is called off."""
    paid = find_paid_order(order)
    return _sum_money_back(order, None if paid is order else compute_exchanged_share(order, paid))


def _sum_money_back(order: Order, due: RefundSum | None) -> Decimal:
    """All that is left of its own payment, or what is `due` out of another's."""
    return find_refundable_payment(order)[1] if due is None else due.total


def compute_exchanged_share(order: Order, paid: Order) -> RefundSum:
    """What was paid for the goods that an order was sent in exchange for, as far as it has not gone back. `paid`: the
    order by whose payment.
    """
    refunded = count_refunded_pieces(order)
    rest = {line: line.quantity - count for line, count in refunded.items() if line.quantity > count}
    shares = compute_goods_shares(order, rest, before=refunded)
    return cut_to_what_is_left(RefundSum(rest, shares), find_refundable_payment(paid)[1])


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
