"""Money back for some of an order's goods, for delivery, or for goodwill: how much that is, and one refund for it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from orders import status
from orders.locks import lock_order
from orders.models import Order, OrderLine, Refund, ReturnLine, Withdrawal, WithdrawalLine
from orders.payments.line_amounts import NOTHING, compute_goods_shares
from orders.payments.refund_parts import (
    RefundSum,
    compute_delivery_left,
    count_refunded_pieces,
    describe_refund,
)
from orders.payments.refunds import RefundRefused, find_refundable_payment, request_refund, try_send_refund


@dataclass(frozen=True)
class RefundParts:
    """What money goes back for. `quantities`: pieces by the key of their order line."""

    quantities: Mapping[int, int] = field(default_factory=dict)
    delivery: Decimal = NOTHING
    goodwill: Decimal = NOTHING


def count_refundable_pieces(order: Order) -> dict[OrderLine, int]:
    """By line, for how many pieces money may still go back here: not what was withdrawn from or is sent back, which is
    settled there.
    """
    own = Refund.objects.filter(lines__isnull=False).exclude(status=Refund.Status.FAILED).values("pk")
    withdrawn = Withdrawal.objects.standing().filter(order=order).exclude(refund__in=own).values("pk")
    going_back = order.returns.taking().exclude(refund__in=own).values("pk")
    gone = Counter[int]()
    for rows in (
        WithdrawalLine.objects.filter(withdrawal__in=withdrawn),
        ReturnLine.objects.filter(return_authorization__in=going_back),
    ):
        gone.update(dict(rows.order_by().values_list("order_line").annotate(count=Sum("quantity"))))
    refunded = count_refunded_pieces(order)
    return {line: max(line.quantity - count - gone[line.pk], 0) for line, count in refunded.items()}


def compute_refund_sum(order: Order, parts: RefundParts) -> RefundSum:
    """What goes back for these parts. Raises `RefundRefused` for more of anything than is left of it."""
    refundable = {line.pk: (line, count) for line, count in count_refundable_pieces(order).items()}
    pieces: dict[OrderLine, int] = {}
    for line_id, wanted in parts.quantities.items():
        line, most = refundable[line_id]
        if not 0 <= wanted <= most:
            raise RefundRefused(f"{order.number}: of “{line.title}” money can go back for up to {most}.")
        if wanted:
            pieces[line] = wanted
    if not NOTHING <= parts.delivery <= compute_delivery_left(order):
        raise RefundRefused(f"{order.number}: that is more than was paid for delivery and not given back yet.")
    if parts.goodwill < NOTHING:
        raise RefundRefused(f"{order.number}: goodwill is an amount from 0 up.")
    goods = compute_goods_shares(order, pieces, before=count_refunded_pieces(order))
    return RefundSum(pieces, goods, parts.delivery, parts.goodwill)


def refund_parts(
    order_id: int, parts: RefundParts, *, actor: str, reason: str = "", seen_left: Decimal, seen_sum: Decimal
) -> Refund:
    """Gives back what these parts come to. Raises `RefundRefused`, also where it is no longer what was shown.

    `seen_left`, `seen_sum`: what whoever asks was shown as left, and as what goes back.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        due = compute_refund_sum(order, parts)
        if (seen_left, seen_sum) != (find_refundable_payment(order)[1], due.total):
            raise RefundRefused(f"{order.number}: money was given back meanwhile. Look again.")
        noted = request_refund_of_parts(order, due, actor=actor, reason=reason)
        status.recalculate_and_record_hold(order)
    if noted is None:
        raise RefundRefused(f"{order.number}: there is nothing left to refund.")
    try_send_refund(noted.pk)
    noted.refresh_from_db()
    return noted


def request_refund_of_parts(order: Order, due: RefundSum, *, actor: str, reason: str) -> Refund | None:
    """Notes the refund of a locked order with what it is for; its sender sends it later. None: nothing is left.

    Raises `RefundRefused` as `request_refund` does.
    """
    words = ". ".join(filter(None, [describe_refund(due), reason]))
    return request_refund(order, amount=due.total, actor=actor, reason=words, due=due)
