"""Filters that put numbers and dates into the shop's words. None of them queries."""

from collections.abc import Iterable
from decimal import Decimal
from html import escape

from django import template
from django.utils.safestring import mark_safe

from orders.carriers import carrier_name
from shop.catalog.tree import Branch
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


@register.filter
def departments(branches: Iterable[Branch], here: str = "") -> str:
    """The links of the head, on every page of the shop; `here` is the slug of the one we are in."""
    return mark_safe("".join(_department(branch, is_here=branch.slug == here) for branch in branches))  # noqa: S308


def _department(branch: Branch, *, is_here: bool) -> str:
    current = ' aria-current="page"' if is_here else ""
    return f'<li><a href="{escape(branch.url)}"{current}>{escape(branch.name)}</a></li>'
