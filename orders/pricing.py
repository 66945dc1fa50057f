"""What it costs. Prices hold their tax, as in the shop window; that is worked out per line, by country and class."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from orders.models import DeliveryZone, ShippingMethod
from orders.shop_terms import Terms
from shop.catalog.models import Variant
from shop.money import compute_included_tax, format_amount, get_shop_currency, is_price

NOTHING = Decimal(0)


class PricedLine(Protocol):
    """A line with a price: of a cart or an order. `line_total` holds its tax."""

    @property
    def variant(self) -> Variant: ...

    @property
    def line_total(self) -> Decimal: ...


@dataclass(frozen=True)
class Totals:
    """`tax` is inside `total`, and `line_taxes` (in the lines' order, as `line_rates` are) inside `tax`; the
    `surcharge` of a zone inside `shipping`. `tax_rate`: the highest of the goods, which is also that of their delivery.
    """

    subtotal: Decimal
    shipping: Decimal
    surcharge: Decimal
    tax: Decimal
    total: Decimal
    currency: str
    tax_rate: Decimal
    line_rates: tuple[Decimal, ...]
    line_taxes: tuple[Decimal, ...]

    @property
    def plain_shipping(self) -> Decimal:
        """Delivery without the surcharge of a zone."""
        return self.shipping - self.surcharge

    @property
    def total_text(self) -> str:
        return format_amount(self.total, self.currency)


def compute_totals(
    lines: Sequence[PricedLine],
    method: ShippingMethod | None,
    country: str,
    *,
    terms: Terms,
    zone: DeliveryZone | None = None,
    in_two: bool = False,
) -> Totals:
    """The totals for a country; without a method, of the goods alone. `in_two`: with a second parcel.

    The surcharge of the `zone` is delivery, taxed like it, and charged once an order.
    """
    currency = get_shop_currency()
    rates = tuple(terms.rate(country, line.variant.product.tax_class) for line in lines)
    highest = max(rates, default=terms.rate(country))
    subtotal = sum((line.line_total for line in lines), NOTHING)
    shipping = method.price_for(subtotal) if method else NOTHING
    if method and in_two:
        shipping += method.extra_parcel_price
    surcharge = zone.surcharge if method and zone else NOTHING
    shipping += surcharge
    line_taxes = tuple(
        compute_included_tax(line.line_total, rate=rate, currency=currency)
        for line, rate in zip(lines, rates, strict=True)
    )
    return Totals(
        subtotal=subtotal,
        shipping=shipping,
        surcharge=surcharge,
        tax=sum(line_taxes, NOTHING) + compute_included_tax(shipping, rate=highest, currency=currency),
        total=subtotal + shipping,
        currency=currency,
        tax_rate=highest,
        line_rates=rates,
        line_taxes=line_taxes,
    )


def find_cheapest_shipping(methods: Iterable[ShippingMethod], *, country: str, subtotal: Decimal) -> Decimal | None:
    """What the cheapest way there costs for goods of that sum; None where none leads there."""
    return min((each.price_for(subtotal) for each in filter_shipping_methods(methods, country)), default=None)


def find_ordinary_shipping(terms: Terms, *, country: str, postcode: str, subtotal: Decimal) -> Decimal | None:
    """The same for an address, with the surcharge that nobody there can avoid."""
    ways = list_ways_to_address(terms, country, postcode)
    zones = [(each, terms.find_zone(country, postcode, each)) for each in ways]
    return min((each.price_for(subtotal) + (zone.surcharge if zone else NOTHING) for each, zone in zones), default=None)


def list_ways_to_address(terms: Terms, country: str, postcode: str) -> list[ShippingMethod]:
    """The ways a parcel can go to that postcode, in the shop's order."""
    ways = filter_shipping_methods(terms.methods, country)
    zones = {each.pk: terms.find_zone(country, postcode, each) for each in ways}
    return [each for each in ways if not _keeps_away(zones[each.pk])]


def _keeps_away(zone: DeliveryZone | None) -> bool:
    return zone is not None and (zone.is_refused or not is_price(zone.surcharge, zone.currency))


def filter_shipping_methods(methods: Iterable[ShippingMethod], country: str) -> list[ShippingMethod]:
    """The ways a parcel can go there, in the shop's order; none with a price that cannot be charged."""
    return [each for each in methods if is_price(each.price, each.currency) and each.reaches(country)]
