"""Whether staff may send an order to another country as it stands: only where none of its sums would be another there.

What was agreed was agreed for a country: its tax is inside the prices, its deliveries have a price, and at a customs
border more may be asked of whoever receives it.
"""

from django_countries.fields import Country

from orders import pricing, stages
from orders.customs import crosses_customs
from orders.models import Order
from orders.shop_terms import Terms


def explain_country_refusal(order: Order, country: str, postcode: str, terms: Terms) -> str:
    """Why it may not, as a sentence for staff; empty where it may. Three queries at the most. Prefetch `shipments`."""
    name = Country(country).name
    if stages.has_any_left(order):
        return f"Some of it has left for {order.country.name}, so the rest stays in that country."
    if order.invoices.exists():
        return f"It has an invoice for {order.country.name}, so it stays in that country."
    if order.shipping_method not in pricing.list_ways_to_address(terms, country, postcode):
        return f"{order.shipping_name or 'Its delivery'} does not go to that address in {name}."
    if not _has_same_tax(order, country, terms):
        return f"The tax in its prices is another in {name}, so its sums would be too."
    if not _costs_same_to_send(order, country, postcode, terms):
        return f"Delivery to that address in {name} costs another sum."
    if _crosses_border(country, terms) != _crosses_border(str(order.country), terms):
        return f"Customs may ask its buyer for other sums in {name} than in {order.country.name}."
    return ""


def _has_same_tax(order: Order, country: str, terms: Terms) -> bool:
    """Of whatever is still in it, and so of its delivery. What is no longer in the catalogue has no class to ask by."""
    lines = [line for line in order.lines.select_related("product") if line.open_quantity]
    return all(line.product and terms.rate(country, line.product.tax_class) == line.tax_rate for line in lines)


def _costs_same_to_send(order: Order, country: str, postcode: str, terms: Terms) -> bool:
    """A method costs the same wherever it goes; a zone may not. The cheapest way counts, as a withdrawal gives back no
    more than that.
    """
    zone = terms.find_zone(country, postcode, order.shipping_method) if order.shipping_method else None
    there, here = (
        pricing.find_ordinary_shipping(terms, country=where, postcode=code, subtotal=order.subtotal)
        for where, code in ((country, postcode), (str(order.country), order.postcode))
    )
    return (zone.surcharge if zone else pricing.NOTHING) == order.zone_surcharge and there == here


def _crosses_border(country: str, terms: Terms) -> bool:
    return crosses_customs(str(terms.settings.default_country), country)
