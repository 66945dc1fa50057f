"""What goes back for a withdrawal: the goods at what was paid for them, and with the last of them ordinary delivery.

Article 13 of Directive 2011/83/EU: what was paid goes back, the cost of delivery included, but not what a buyer paid
beyond the cheapest ordinary way. A discount on the whole order is shared by its goods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from orders import pricing
from orders.models import Order, OrderLine, ShippingMethod, Withdrawal
from orders.payments.line_amounts import compute_goods_paid, compute_goods_share

NOTHING = Decimal(0)


@dataclass(frozen=True)
class AmountOwed:
    goods: Decimal
    delivery: Decimal


def compute_owed(
    order: Order,
    quantities: Mapping[OrderLine, int],
    *,
    is_rest: bool,
    earlier: Iterable[Withdrawal],
    methods: Iterable[ShippingMethod],
) -> AmountOwed:
    """`is_rest`: nothing of the order is left after it; then it takes what the `earlier` ones left of the whole.

    Of lines that were cancelled alone the money is back already.
    """
    if not is_rest:
        return AmountOwed(compute_goods_share(order, quantities), NOTHING)
    cancelled = {line: line.cancelled_quantity for line in order.lines.all()}
    said_before = sum(map(_get_goods_amount, earlier), compute_goods_share(order, cancelled))
    goods = compute_goods_paid(order) - said_before
    fees = sum((extra.amount for extra in order.adjustments.all() if extra.amount > 0), NOTHING)
    return AmountOwed(max(goods, NOTHING), compute_ordinary_delivery(order, methods) + fees)


def compute_ordinary_delivery(order: Order, methods: Iterable[ShippingMethod]) -> Decimal:
    """What was paid for delivery, up to the cheapest way there was; by today's prices where none was noted."""
    ordinary = order.ordinary_shipping_total
    if ordinary is None:
        ordinary = pricing.find_cheapest_shipping(methods, country=str(order.country), subtotal=order.subtotal)
        ordinary = None if ordinary is None else ordinary + order.zone_surcharge
    return order.shipping_total if ordinary is None else min(order.shipping_total, ordinary)


def _get_goods_amount(withdrawal: Withdrawal) -> Decimal:
    """For goods named in words, what staff gave back for them."""
    if withdrawal.goods_amount is not None:
        return withdrawal.goods_amount
    return withdrawal.refund.amount if withdrawal.refund and withdrawal.is_settled else NOTHING
