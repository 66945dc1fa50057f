"""The shop's own pages of words: what staff wrote, and the facts drawn from the settings below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from orders.addresses.zone_words import describe_effect
from orders.models import ShippingMethod
from orders.shop_terms import Terms
from shop.money import format_amount

_MOST_NAMED_COUNTRIES = 6  # countries named one by one
_markdown = MarkdownIt("commonmark", {"html": False})  # markup is shown as typed; links to scripts are refused


@dataclass(frozen=True)
class DeliveryFact:
    """One way of delivery, in words."""

    name: str
    price: str
    free_from: str
    days: str
    reaches: str


def render_markdown(body: str) -> SafeString:
    """Markdown as HTML. Headings start at the second level; markup typed in is shown as text."""
    tokens = _markdown.parse(body)
    for token in tokens:
        if token.type in ("heading_open", "heading_close") and token.tag == "h1":
            token.tag = "h2"
    html: str = _markdown.renderer.render(tokens, _markdown.options, {})
    # The renderer escapes everything it did not write itself.
    return mark_safe(html)  # noqa: S308  # nosec B308 B703


def get_delivery_facts(terms: Terms) -> list[DeliveryFact]:
    """The ways of delivery in use, in the shop's order."""
    return [_make_delivery_fact(method) for method in terms.methods]


@dataclass(frozen=True)
class ZoneFact:
    """Where delivery is not as elsewhere in a country, in words."""

    name: str
    where: str
    effect: str


def list_zone_facts(terms: Terms) -> list[ZoneFact]:
    """Those of ways in use, country by country."""
    names = {method.pk: method.name for method in terms.methods}
    used = [zone for zone in terms.zones if zone.method_id is None or zone.method_id in names]
    return sorted(
        (
            ZoneFact(
                zone.name,
                f"{zone.country.name}: {zone.postcodes}",
                describe_effect(zone) + (f", by {names[zone.method_id]}" if zone.method_id else ""),
            )
            for zone in used
        ),
        key=lambda fact: (fact.where, fact.name),
    )


def format_delivery_price(methods: Sequence[ShippingMethod]) -> str:
    """“Delivery £3.95, free from £50.00”; of the way that carts start from. Empty where there is none."""
    method = next(iter(methods), None)
    if method is None:
        return ""
    if not method.price:
        return "Delivery is free"
    free = "" if method.free_from is None else f", free from {format_amount(method.free_from, method.currency)}"
    return f"Delivery {format_amount(method.price, method.currency)}{free}"


def _make_delivery_fact(method: ShippingMethod) -> DeliveryFact:
    few, many = method.days_min, method.days_max
    return DeliveryFact(
        name=method.name,
        price=format_amount(method.price, method.currency) if method.price else "free",
        free_from="" if method.free_from is None else format_amount(method.free_from, method.currency),
        days=("1 working day" if many == 1 else f"{many} working days")
        if few == many
        else f"{few}–{many} working days",
        reaches=_name_countries(method),
    )


def _name_countries(method: ShippingMethod) -> str:
    names = [country.name for country in method.countries]
    if not names:
        return "Everywhere"
    if len(names) <= _MOST_NAMED_COUNTRIES:
        return ", ".join(names)
    return (
        f"{', '.join(names[: _MOST_NAMED_COUNTRIES - 1])} and {len(names) - _MOST_NAMED_COUNTRIES + 1} more countries"
    )
