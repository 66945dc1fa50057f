"""Filters that put numbers and dates into the shop's words. None of them queries."""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.carriers import get_carrier_name
from shop.catalog.category_tree import Branch
from shop.money import format_amount

register = template.Library()

TRAIL = '<nav class="crumbs" aria-label="You are here"><ol>{}<li><span aria-current="page">{}</span></li></ol></nav>'
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
def trail(crumbs: Iterable[tuple[str, str]]) -> SafeString:
    """Where a page hangs: (title, address) from the top down; the last is the page itself."""
    *above, (here, _) = crumbs
    links = format_html_join("", '<li><a href="{1}">{0}</a></li>', above)
    return format_html(TRAIL, links, here)


@register.filter
def departments(branches: Iterable[Branch], here: str = "") -> SafeString:
    """The links of the head, on every page of the shop; `here` is the slug of the one we are in."""
    return _write_departments(tuple(branches), here)


@lru_cache(maxsize=128)
def _write_departments(branches: tuple[Branch, ...], here: str) -> SafeString:
    """Written once for what stands in the departments themselves: another name, another link, is another text."""
    links = ((branch.url, CURRENT if branch.slug == here else "", branch.name) for branch in branches)
    return format_html_join("", '<li><a href="{}"{}>{}</a></li>', links)


@register.filter
def tiles(branches: Iterable[Branch]) -> SafeString:
    """Every department as a tile, for the front page."""
    return _write_tiles(tuple(branches))


@lru_cache(maxsize=8)
def _write_tiles(branches: tuple[Branch, ...]) -> SafeString:
    links = ((branch.tint, branch.url, branch.name) for branch in branches)
    return format_html_join("", '<li><a class="tile tint-{}" href="{}">{}</a></li>', links)
