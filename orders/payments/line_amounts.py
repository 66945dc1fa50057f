"""What of an order's money belongs to some of its goods: the one definition that refunds and returns use.

A discount on the whole order is shared by its goods. Shares add up: whoever takes the goods in parts, each time naming
what went `before`, gets to the penny what all of them were paid for.
"""

from collections.abc import Mapping
from decimal import Decimal

from orders.models import Order, OrderLine, ReturnAuthorization
from shop.money import round_amount

NOTHING = Decimal(0)
NONE_BEFORE: Mapping[OrderLine, int] = {}


def compute_goods_shares(
    order: Order, quantities: Mapping[OrderLine, int], *, before: Mapping[OrderLine, int] = NONE_BEFORE
) -> dict[OrderLine, Decimal]:
    """By line, what was paid for so many pieces of it, tax included, discounts taken off, delivery left out."""
    whole = sum((line.line_total for line in order.lines.all()), NOTHING)
    if not whole:
        return dict.fromkeys(quantities, NOTHING)
    paid = compute_goods_paid(order)
    taken, shares = _sum_goods(before), {}
    for line in sorted(quantities, key=lambda each: each.pk):
        so_far = round_amount(paid * taken / whole, order.currency)
        taken += line.unit_price * quantities[line]
        shares[line] = round_amount(paid * taken / whole, order.currency) - so_far
    return shares


def compute_goods_share(
    order: Order, quantities: Mapping[OrderLine, int], *, before: Mapping[OrderLine, int] = NONE_BEFORE
) -> Decimal:
    """The sum of their `compute_goods_shares`."""
    return sum(compute_goods_shares(order, quantities, before=before).values(), NOTHING)


def compute_goods_paid(order: Order) -> Decimal:
    """What all its goods were paid for: as contracted, less the discounts on the order; never less than nothing.

    Of an order sent in exchange: what of the first one's money went on into it.
    """
    if order.source == Order.Source.EXCHANGE:
        came_from = ReturnAuthorization.objects.filter(exchange_order=order).first()
        return (came_from.exchange_amount if came_from else None) or NOTHING
    discounts = (extra.amount for extra in order.adjustments.all() if extra.amount < 0)
    return max(sum(discounts, sum((line.line_total for line in order.lines.all()), NOTHING)), NOTHING)


def _sum_goods(quantities: Mapping[OrderLine, int]) -> Decimal:
    return sum((line.unit_price * count for line, count in quantities.items()), NOTHING)
