"""What buyers read of postcodes that take longer, cost more, or are not reached. Nothing here queries."""

from orders import pricing
from orders.models import DeliveryZone
from orders.shop_terms import Terms
from shop.money import format_amount


def describe_zones(terms: Terms, country: str) -> str:
    """Before an address is known: “Some postcodes take longer or cost more.” Empty where all are alike."""
    zones = terms.list_postcode_zones(country)
    facts = [
        *(["take longer"] if any(zone.extra_days for zone in zones) else []),
        *(["cost more"] if any(zone.surcharge for zone in zones) else []),
        *(["cannot be delivered to"] if any(zone.is_refused for zone in zones) else []),
    ]
    if not facts:
        return ""
    return f"Some postcodes {', '.join(facts[:-1])}{' or ' if facts[:-1] else ''}{facts[-1]}."


def describe_refusal(terms: Terms, country: str, postcode: str) -> str:
    """Why nothing goes to an address; empty where something does, or nothing goes to the country at all."""
    ways = pricing.filter_shipping_methods(terms.methods, country)
    if not ways or pricing.list_ways_to_address(terms, country, postcode):
        return ""
    return format_refusal(terms.find_zone(country, postcode, ways[0]), postcode)


def format_refusal(zone: DeliveryZone | None, postcode: str) -> str:
    """“We do not deliver to HS1 2AA (Outer Hebrides).”, and what to do."""
    where = f"{postcode} ({zone})" if zone else postcode
    return f"We do not deliver to {where}. Please give another address, or write to us."


def describe_zone(zone: DeliveryZone | None) -> str:
    """Of a known address: “Outer Hebrides: 2 working days more and £4.00 more.” Empty where nothing is different."""
    return f"{zone}: {describe_effect(zone)}." if zone else ""


def describe_effect(zone: DeliveryZone) -> str:
    """“2 working days more and £4.00 more”."""
    if zone.is_refused:
        return "we do not deliver there"
    days = f"{zone.extra_days} working day{'' if zone.extra_days == 1 else 's'} more" if zone.extra_days else ""
    extra = f"{format_amount(zone.surcharge, zone.currency)} more" if zone.surcharge else ""
    return " and ".join(filter(None, (days, extra)))
