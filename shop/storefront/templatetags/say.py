"""Filters that put numbers and dates into the shop's words. None of them queries."""

from decimal import Decimal

from django import template

from orders.carriers import carrier_name
from shop.money import formatted

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str = "GBP") -> str:
    """£14.00. Empty for None."""
    return "" if amount is None else formatted(amount, currency)


@register.filter
def carrier(key: str) -> str:
    """Royal Mail, for royal_mail."""
    return carrier_name(key)
