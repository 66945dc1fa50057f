"""What a refund is for: goods by line, delivery, or neither. Every refund is written here, with its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from orders.models import Order, OrderLine, Payment, Refund, RefundLine
from orders.payments.line_amounts import NOTHING, compute_goods_shares
from shop.money import round_amount


@dataclass(frozen=True)
class RefundSum:
    """The money for each part. `goods`: by line; `pieces`: how many of it no money went back for before.

    A line without pieces is one of which money goes back for its price alone: of what was exchanged for less.
    """

    pieces: Mapping[OrderLine, int] = field(default_factory=dict)
    goods: Mapping[OrderLine, Decimal] = field(default_factory=dict)
    delivery: Decimal = NOTHING
    goodwill: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        return sum(self.goods.values(), NOTHING) + self.delivery + self.goodwill


def write_refund(payment: Payment, due: RefundSum, **fields: Any) -> Refund:
    """The refund's row with its parts, which add up to its amount. The caller holds the order's lock."""
    noted = Refund.objects.create(
        payment=payment,
        amount=due.total,
        currency=payment.currency,
        delivery_amount=due.delivery,
        goodwill_amount=due.goodwill,
        **fields,
    )
    RefundLine.objects.bulk_create(
        RefundLine(refund=noted, order_line=line, quantity=due.pieces.get(line, 0), amount=amount)
        for line, amount in due.goods.items()
    )
    return noted


def allot_amount(order: Order, payment: Payment, amount: Decimal, *, left: Decimal) -> RefundSum:
    """What a mere sum is for. `left`: what there was to give back of the payment.

    All that is left is for all that no money went back for; less than that names nothing. What was paid but not owed
    was for nothing of the order.
    """
    if payment.status != Payment.Status.CAPTURED or amount < left:
        return RefundSum(goodwill=amount)
    refunded = count_refunded_pieces(order)
    rest = {line: line.quantity - count for line, count in refunded.items() if line.quantity > count}
    goods = compute_goods_shares(order, rest, before=refunded)
    fees = sum((extra.amount for extra in order.adjustments.all() if extra.amount > 0), NOTHING)
    due = cut_to_what_is_left(RefundSum(rest, goods, compute_delivery_left(order) + fees), amount)
    return replace(due, goodwill=amount - due.total)


def allot_to_goods(
    order: Order, pieces: Mapping[OrderLine, int], *, goods: Decimal, delivery: Decimal = NOTHING
) -> RefundSum:
    """So much for these pieces of its lines, each by its price. Of pieces whose money is back it is for their price."""
    refunded = count_refunded_pieces(order)
    fresh = {line: min(count, max(line.quantity - refunded[line], 0)) for line, count in pieces.items()}
    weights = {line: line.unit_price * count for line, count in pieces.items()}
    return RefundSum(fresh, share_by_weight(goods, weights, order.currency), delivery)


def fit_to_amount(due: RefundSum, amount: Decimal, currency: str) -> RefundSum:
    """The same parts for another sum: what is more is goodwill, what is less is taken from the goods, as for wear."""
    if amount >= due.total:
        return replace(due, goodwill=due.goodwill + amount - due.total)
    delivery = min(due.delivery, amount)
    goodwill = min(due.goodwill, amount - delivery)
    goods = share_by_weight(amount - delivery - goodwill, due.goods, currency)
    return RefundSum(due.pieces, goods, delivery, goodwill)


def share_by_weight(amount: Decimal, weights: Mapping[OrderLine, Decimal], currency: str) -> dict[OrderLine, Decimal]:
    """Shares of the amount that add up to it; alike where nothing weighs anything."""
    if not any(weights.values()):
        weights = dict.fromkeys(weights, Decimal(1))
    whole, shares = sum(weights.values(), NOTHING), dict[OrderLine, Decimal]()
    so_far = taken = NOTHING
    for line, weight in weights.items():
        taken += weight
        shares[line] = round_amount(amount * taken / whole, currency) - so_far
        so_far += shares[line]
    return shares


def count_refunded_pieces(order: Order) -> dict[OrderLine, int]:
    """By line, for how many pieces money was given back or is on its way; 0 for most."""
    refunds = RefundLine.objects.filter(order_line__order=order).exclude(refund__status=Refund.Status.FAILED)
    counts = dict(refunds.order_by().values_list("order_line").annotate(count=Sum("quantity")))
    return {line: counts.get(line.pk, 0) for line in order.lines.all()}


def compute_delivery_left(order: Order) -> Decimal:
    """What was paid for delivery and has not gone back as such."""
    standing = Refund.objects.filter(payment__order=order).exclude(status=Refund.Status.FAILED)
    given_back = standing.aggregate(sum=Sum("delivery_amount"))["sum"] or NOTHING
    return max(order.shipping_total - given_back, NOTHING)


def cut_to_what_is_left(due: RefundSum, left: Decimal) -> RefundSum:
    """The same for no more money than is left: what went back as goodwill does not go back again for goods."""
    goods: dict[OrderLine, Decimal] = {}
    for line, amount in due.goods.items():
        goods[line] = min(amount, left)
        left -= goods[line]
    return RefundSum(due.pieces, goods, min(due.delivery, left))


def describe_refund(due: RefundSum) -> str:
    """For whoever gets the money: “2 × Wool socks, delivery”."""
    words = [describe_pieces(line, count) for line, count in due.pieces.items()]
    words += ["delivery"] if due.delivery else []
    words += ["goodwill"] if due.goodwill else []
    return ", ".join(words)


def describe_pieces(line: OrderLine, count: int) -> str:
    return f"{count} × {line.title}" + (f" ({line.options})" if line.options else "")
