"""Money that did not reach its buyer: sent again with the same parts, or given back by hand. Each once."""

from django.db import transaction

from orders import events, status
from orders.gateways.stripe import RefundAnswer
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Refund, ReturnAuthorization, Withdrawal
from orders.payments.refund_parts import RefundSum, write_refund
from orders.payments.refunds import RefundRefused, apply_refund_answer, check_refundable, try_send_refund


def send_refunds_again(order_id: int, *, actor: str) -> list[Refund]:
    """A new refund, with a key of its own, for each of the order's that failed and that nothing took the place of.

    Raises `RefundRefused` where there is none, and where the money cannot go back now.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        made = [_repeat_refund(order, failed, actor=actor) for failed in _list_undelivered(order)]
        status.recalculate_and_record_hold(order)
    for refund in made:
        try_send_refund(refund.pk)
        refund.refresh_from_db()
    return made


@transaction.atomic
def give_back_by_hand(order_id: int, *, actor: str) -> list[Refund]:
    """The same for what staff gave back themselves; Stripe is not asked. Raises `RefundRefused`."""
    order = lock_order(order_id)
    made = [_repeat_refund(order, failed, actor=actor, is_by_hand=True) for failed in _list_undelivered(order)]
    for refund in made:
        apply_refund_answer(order, refund.pk, RefundAnswer("", "succeeded", ""))
        refund.refresh_from_db()
    status.recalculate_and_record_hold(order)
    return made


def _list_undelivered(order: Order) -> list[Refund]:
    failed = Refund.objects.undelivered().filter(payment__order=order).select_related("payment", "credit_note")
    if not failed:
        raise RefundRefused(f"{order.number}: no refund of it has failed, or it was seen to already. Look again.")
    return list(failed.order_by("pk"))


def _repeat_refund(order: Order, failed: Refund, *, actor: str, is_by_hand: bool = False) -> Refund:
    """Withdrawals and returns that it was to settle are settled by the new one."""
    check_refundable(order, failed.payment, failed.amount)
    lines = list(failed.lines.select_related("order_line").order_by("pk"))
    due = RefundSum(
        {line.order_line: line.quantity for line in lines},
        {line.order_line: line.amount for line in lines},
        failed.delivery_amount,
        failed.amount - sum((line.amount for line in lines), failed.delivery_amount),
    )
    made = write_refund(
        failed.payment,
        due,
        again_of=failed,
        reason=failed.reason,
        actor=actor,
        for_cancellation=failed.for_cancellation,
        is_by_hand=is_by_hand,
        is_credited=failed.is_credited or hasattr(failed, "credit_note"),
    )
    Withdrawal.objects.filter(refund=failed).update(refund=made)
    ReturnAuthorization.objects.filter(refund=failed).update(refund=made)
    if not is_by_hand:
        events.record_order_event(
            order,
            OrderEvent.Kind.REFUND_AGAIN,
            actor=actor,
            refund=made.pk,
            again_of=failed.pk,
            amount=str(made.amount),
        )
    return made
