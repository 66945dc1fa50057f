"""What goes back for a withdrawal: the goods at what was paid for them, and with the last of them ordinary delivery.

Article 13 of Directive 2011/83/EU: what was paid goes back, the cost of delivery included, but not what a buyer paid
beyond the cheapest ordinary way. A discount on the whole order is shared by its goods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from orders import pricing
from orders.models import Order, OrderLine, ShippingMethod, Withdrawal
from shop.money import round_amount

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
    """`is_rest`: nothing of the order is left after it; then it takes what the `earlier` ones left of the whole."""
    extras = [extra.amount for extra in order.adjustments.all()]
    discount = sum((amount for amount in extras if amount < 0), NOTHING)
    if not is_rest:
        return AmountOwed(_share_of_goods(order, quantities, discount), NOTHING)
    goods = sum((line.line_total for line in order.lines.all()), NOTHING) + discount
    said_before = sum(map(_get_goods_amount, earlier), NOTHING)
    fees = sum((amount for amount in extras if amount > 0), NOTHING)
    return AmountOwed(max(goods - said_before, NOTHING), compute_ordinary_delivery(order, methods) + fees)


def compute_ordinary_delivery(order: Order, methods: Iterable[ShippingMethod]) -> Decimal:
    """What was paid for delivery, up to the cheapest way there was; by today's prices where none was noted."""
    ordinary = order.ordinary_shipping_total
    if ordinary is None:
        ordinary = pricing.find_cheapest_shipping(methods, country=str(order.country), subtotal=order.subtotal)
    return order.shipping_total if ordinary is None else min(order.shipping_total, ordinary)


def _get_goods_amount(withdrawal: Withdrawal) -> Decimal:
    """For goods named in words, what staff gave back for them."""
    if withdrawal.goods_amount is not None:
        return withdrawal.goods_amount
    return withdrawal.refund.amount if withdrawal.refund and withdrawal.is_settled else NOTHING


def _share_of_goods(order: Order, quantities: Mapping[OrderLine, int], discount: Decimal) -> Decimal:
    goods = sum((line.unit_price * count for line, count in quantities.items()), NOTHING)
    whole = sum((line.line_total for line in order.lines.all()), NOTHING)
    share = goods + (discount * goods / whole if whole else NOTHING)
    return max(round_amount(share, order.currency), NOTHING)
