"""Filters that put numbers and dates into the shop's words. None of them queries."""

from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join

from orders.carriers import get_carrier_name
from shop.catalog.category_tree import Branch
from shop.money import format_amount

register = template.Library()

CURRENT = format_html(' aria-current="{}"', "page")


@register.filter
def money(amount: Decimal | str | None, currency: str) -> str:
    """£14.00; of a text that holds a number too. Empty for None."""
    return "" if amount is None else format_amount(Decimal(amount), currency)


@register.filter(is_safe=True)
def unbroken(words: str) -> str:
    """The same with no line break around a multiplication sign: the 2 of “2 × Tin mug” never stands alone."""
    return words.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")


@register.filter
def carrier(key: str) -> str:
    """Royal Mail, for royal_mail."""
    return get_carrier_name(key)


@register.filter
def departments(branches: Iterable[Branch], here: str = "") -> str:
    """The links of the head, on every page of the shop; `here` is the slug of the one we are in."""
    links = ((branch.url, CURRENT if branch.slug == here else "", branch.name) for branch in branches)
    return format_html_join("", '<li><a href="{}"{}>{}</a></li>', links)
