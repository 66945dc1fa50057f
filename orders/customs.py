"""Whether a parcel crosses a customs border, where tax or duty may be asked of whoever receives it."""

from collections.abc import Iterable

from django_countries.fields import Country

from orders.models import ShippingMethod
from orders.shop_terms import Terms

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU_MEMBERS = frozenset(_EU.split())
# Countries within one of these send each other parcels without customs.
_UNIONS = (
    EU_MEMBERS | {"MC"},  # Regulation (EU) No 952/2013, article 4
    frozenset({"GB", "GG", "IM", "JE"}),  # the United Kingdom with the Crown Dependencies
    frozenset({"CH", "LI"}),
)


def crosses_customs(origin: str, destination: str) -> bool:
    """Both as ISO country codes. False where either is unknown."""
    if not origin or not destination or origin == destination:
        return False
    return not any(origin in union and destination in union for union in _UNIONS)


def reaches_over_customs(methods: Iterable[ShippingMethod], origin: str) -> bool:
    """Whether any of these ways leads over a customs border."""
    return any(
        not method.country_codes or any(crosses_customs(origin, code) for code in method.country_codes)
        for method in methods
    )


def describe_import_charges(origin: str, destination: str, *, tax_name: str) -> str:
    """Who pays what at the border, for the buyer; empty where a parcel passes none.

    `tax_name`: of the tax inside the price, "" where there is none inside.
    """
    if not crosses_customs(origin, destination):
        return ""
    opening = f"Going to {Country(destination).name}, the parcel passes customs."
    if tax_name:
        return f"{opening} {tax_name} is in the price; duty may be asked there of whoever receives it."
    return f"{opening} Tax and duty may be asked there of whoever receives it; they are not in the price."


def describe_charges_before_buying(country: str, terms: Terms) -> str:
    """The same of goods from this shop, by what it asks there now."""
    tax_name = terms.tax_names[country] if terms.rate(country) else ""
    return describe_import_charges(str(terms.settings.default_country), country, tax_name=tax_name)
