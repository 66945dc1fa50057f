"""What staff do about a withdrawal: goods are back, proof of their posting is seen, money goes back, it is set aside.

Each is one transaction under the order's lock, with its event, and refused with a sentence where it does not fit.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from orders import events, status
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Refund, Withdrawal
from orders.payments import refunds
from orders.payments.line_amounts import NOTHING
from orders.payments.refund_parts import RefundSum, allot_to_goods
from orders.returns import pieces, restocking
from orders.returns.restocking import Inspection

Kind = OrderEvent.Kind


def mark_goods_back(withdrawal_id: int, *, actor: str) -> Withdrawal:
    return _mark_seen(withdrawal_id, "goods_back_at", Kind.GOODS_BACK, actor=actor, again="has its goods back already")


def mark_posting_seen(withdrawal_id: int, *, actor: str) -> Withdrawal:
    return _mark_seen(
        withdrawal_id, "posting_seen_at", Kind.POSTING_SEEN, actor=actor, again="has its proof of posting already"
    )


@transaction.atomic
def inspect_withdrawn_goods(withdrawal_id: int, found: Mapping[int, Inspection], *, actor: str) -> Withdrawal:
    """Staff looked at what came back: on the shelf again, or written off. `found`: by the keys of its lines."""
    noted = _lock_withdrawal(withdrawal_id)
    number = noted.order.number
    if noted.goods_back_at is None:
        raise TransitionRefused(f"{number}: its goods are not back yet. Press “Goods are back” first.")
    if noted.inspected_at is not None:
        raise TransitionRefused(f"{number}: its goods were looked at already.")
    restocking.inspect_lines(
        list(noted.lines.select_related("order_line").order_by("pk")), found, reference=number, actor=actor
    )
    noted.inspected_at = timezone.now()
    noted.save(update_fields=["inspected_at"])
    events.record_order_event(noted.order, Kind.WITHDRAWN_INSPECTED, actor=actor, withdrawal=noted.pk)
    return noted


def refund_withdrawal(
    withdrawal_id: int, *, amount: Decimal | None, actor: str, reason: str = "", seen_left: Decimal | None = None
) -> Refund:
    """Gives money back through the one door for that, and settles the withdrawal with it, in one transaction.

    Raises `TransitionRefused`, and `RefundRefused` as that door does. A refund that fails leaves it unsettled.
    """
    with transaction.atomic():
        noted = _lock_unsettled(withdrawal_id)
        given = refunds.note_refund(
            noted.order,
            amount=amount,
            actor=actor,
            reason=reason,
            seen_left=seen_left,
            due=_compute_due(noted, noted.order),
        )
        _settle(noted, actor=actor, refund=given)
    refunds.try_send_refund(given.pk)
    given.refresh_from_db()
    return given


def _compute_due(noted: Withdrawal, order: Order) -> RefundSum | None:
    """None where the goods were named in words, which only people read. For one that came too late nothing is owed."""
    if noted.is_late:
        return RefundSum()
    if noted.goods_amount is None:
        return None
    pieces_of = {line.order_line: line.quantity for line in noted.lines.select_related("order_line").order_by("pk")}
    return allot_to_goods(order, pieces_of, goods=noted.goods_amount, delivery=noted.delivery_amount or NOTHING)


@transaction.atomic
def settle_withdrawal(withdrawal_id: int, *, actor: str) -> Withdrawal:
    """Its money has gone back another way that staff know of."""
    noted = _lock_unsettled(withdrawal_id)
    _settle(noted, actor=actor, refund=None)
    return noted


def _settle(noted: Withdrawal, *, actor: str, refund: Refund | None) -> None:
    noted.refund, noted.settled_at, noted.settled_by = refund, timezone.now(), actor
    noted.save(update_fields=["refund", "settled_at", "settled_by"])
    events.record_order_event(noted.order, Kind.WITHDRAWAL_SETTLED, actor=actor, withdrawal=noted.pk)


@transaction.atomic
def set_withdrawal_aside(withdrawal_id: int, *, actor: str, reason: str) -> Withdrawal:
    """It was none: a mistake, somebody else's doing, or too late. Its goods may be withdrawn from again."""
    noted = _lock_unsettled(withdrawal_id)
    noted.set_aside_at, noted.set_aside_by, noted.set_aside_reason = timezone.now(), actor, reason[:200]
    noted.settled_at, noted.settled_by = None, ""
    noted.save(update_fields=["set_aside_at", "set_aside_by", "set_aside_reason", "settled_at", "settled_by"])
    pieces.mark_returned_lines(noted.order)
    noted.statements.all().delete()  # else the same, said again today, would be taken for this one
    order = noted.order
    events.record_order_event(order, Kind.WITHDRAWAL_SET_ASIDE, actor=actor, withdrawal=noted.pk)
    if not order.withdrawals.unsettled().exists():
        _let_go_on(order, actor=actor)
    return noted


def _mark_seen(withdrawal_id: int, name: str, kind: OrderEvent.Kind, *, actor: str, again: str) -> Withdrawal:
    with transaction.atomic():
        noted = _lock_withdrawal(withdrawal_id)
        seen_at: datetime | None = getattr(noted, name)
        if seen_at is not None:
            raise TransitionRefused(f"{noted.order.number} {again}.")
        if noted.set_aside_at is not None:
            raise TransitionRefused(f"{noted.order.number}: that withdrawal was set aside.")
        setattr(noted, name, timezone.now())
        noted.save(update_fields=[name])
        events.record_order_event(noted.order, kind, actor=actor, withdrawal=noted.pk)
    return noted


def _lock_withdrawal(withdrawal_id: int) -> Withdrawal:
    """The withdrawal with its order locked first. Needs a transaction."""
    order = lock_order(Withdrawal.objects.values_list("order_id", flat=True).get(pk=withdrawal_id))
    noted = Withdrawal.objects.select_for_update(of=("self",)).select_related("refund").get(pk=withdrawal_id)
    noted.order = order
    return noted


def _lock_unsettled(withdrawal_id: int) -> Withdrawal:
    noted = _lock_withdrawal(withdrawal_id)
    if noted.set_aside_at is not None:
        raise TransitionRefused(f"{noted.order.number}: that withdrawal was set aside.")
    if noted.is_settled:
        raise TransitionRefused(f"{noted.order.number}: that withdrawal is settled already.")
    return noted


def _let_go_on(order: Order, *, actor: str) -> None:
    """Takes an order off the hold that its withdrawal put it on."""
    before = order.hold
    order.withdrawn_at = None
    order.save(update_fields=["withdrawn_at"])
    status.recalculate(order)
    if before and not order.hold:
        events.record_order_event(order, Kind.RELEASED, actor=actor)
