"""What it costs. Prices hold their tax, as in the shop window; the tax inside is worked out per line and country."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from orders.models import ShippingMethod
from orders.shop_terms import Terms
from shop.money import compute_included_tax, format_amount, get_shop_currency, is_price

NOTHING = Decimal(0)


class PricedLine(Protocol):
    """A line with a price: of a cart or an order. `line_total` holds its tax."""

    @property
    def line_total(self) -> Decimal: ...


@dataclass(frozen=True)
class Totals:
    """`tax` is inside `total`, and `line_taxes` (in the lines' order) inside `tax`."""

    subtotal: Decimal
    shipping: Decimal
    tax: Decimal
    total: Decimal
    currency: str
    tax_rate: Decimal
    line_taxes: tuple[Decimal, ...]

    @property
    def total_text(self) -> str:
        return format_amount(self.total, self.currency)


def compute_totals(
    lines: Sequence[PricedLine],
    method: ShippingMethod | None,
    country: str,
    *,
    terms: Terms,
    in_two: bool = False,
) -> Totals:
    """The totals for a country; without a method, of the goods alone. `in_two`: with a second parcel."""
    rate, currency = terms.rate(country), get_shop_currency()
    subtotal = sum((line.line_total for line in lines), NOTHING)
    shipping = method.price_for(subtotal) if method else NOTHING
    if method and in_two:
        shipping += method.extra_parcel_price
    line_taxes = tuple(compute_included_tax(line.line_total, rate=rate, currency=currency) for line in lines)
    return Totals(
        subtotal=subtotal,
        shipping=shipping,
        tax=sum(line_taxes, NOTHING) + compute_included_tax(shipping, rate=rate, currency=currency),
        total=subtotal + shipping,
        currency=currency,
        tax_rate=rate,
        line_taxes=line_taxes,
    )


def find_cheapest_shipping(methods: Iterable[ShippingMethod], *, country: str, subtotal: Decimal) -> Decimal | None:
    """What the cheapest way there costs for goods of that sum; None where none leads there."""
    return min((each.price_for(subtotal) for each in filter_shipping_methods(methods, country)), default=None)


def filter_shipping_methods(methods: Iterable[ShippingMethod], country: str) -> list[ShippingMethod]:
    """The ways a parcel can go there, in the shop's order; none with a price that cannot be charged."""
    return [each for each in methods if is_price(each.price, each.currency) and each.reaches(country)]
