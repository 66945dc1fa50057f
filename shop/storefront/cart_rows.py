"""The lines of a cart as its page shows them. They write themselves, as cards do (ADR 8): as a template, three of them
took a third of the page's Python.
"""

from dataclasses import dataclass
from functools import cache
from html import escape

from django.urls import reverse

from orders.models import CartLine
from orders.promise import Promise, PromiseWords
from shop.money import format_amount


@dataclass(frozen=True)
class CartRow:
    """`problem`: why it can't be bought as it stands; `most`: how many can be had."""

    line: CartLine
    words: PromiseWords
    promised: Promise | None
    problem: str
    most: int
    tint: int


@dataclass(frozen=True, slots=True)
class CartItem:
    """A row with its three forms. `token`: the request's own, which guards them."""

    row: CartRow
    token: str

    def __html__(self) -> str:
        line, product = self.row.line, self.row.line.variant.product
        title = escape(product.title)
        return (
            f'<li class="line tint-{self.row.tint}"><figure class="picture">{self._write_picture()}</figure><div>'
            f'<h2><a href="{_get_product_url_prefix()}{escape(product.slug)}/">{title}</a></h2>'
            f'<p class="maker">{self._write_details()}</p>{self._write_guarantee()}{self._write_promise()}</div>'
            f'<span class="price">{escape(format_amount(line.line_total, line.variant.currency))}</span>'
            f'<div class="controls">{self._write_forms()}</div></li>'
        )

    __str__ = __html__

    def _write_picture(self) -> str:
        url, product = self.row.line.image_url, self.row.line.variant.product
        if not url:
            return f'<span class="initial" aria-hidden="true">{escape(product.title[:1])}</span>'
        alt = escape(product.card_alt)
        return f'<img src="{escape(url)}" alt="{alt}" width="88" height="88" decoding="async">'

    def _write_details(self) -> str:
        """Who made it, which kind, what one costs where there are several, and what a measure of it costs."""
        variant, maker = self.row.line.variant, self.row.line.variant.product.maker
        details = " · ".join(part for part in (str(maker) if maker else "", variant.label) if part)
        each = f" · {variant.price_text} each" if self.row.line.quantity > 1 else ""
        by_measure = f" · {variant.unit_price_text}" if variant.unit_price_text else ""
        return escape(f"{details}{each}{by_measure}")

    def _write_guarantee(self) -> str:
        years = self.row.line.variant.product.guarantee_years
        return f'<p class="maker">{years} years’ guarantee from its maker</p>' if years else ""

    def _write_promise(self) -> str:
        if self.row.problem:
            return f'<p class="when wait"><strong>{escape(self.row.problem)}</strong></p>'
        words = self.row.words
        days = f" {escape(words.ships)} {escape(words.arrives)}." if words.ships else ""
        return f'<p class="when {words.kind}">{escape(words.stock)}{days}</p>'

    def _write_forms(self) -> str:
        line, name = self.row.line, escape(str(self.row.line.variant))
        quantity_url, gift_url, removal_url = (f"{_get_line_url_prefix()}{line.pk}/{what}/" for what in _CHANGES)
        guard = f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(self.token)}">'
        return (
            f'<form class="stepper" novalidate method="post" action="{quantity_url}" hx-post="{quantity_url}" '
            f'hx-trigger="change delay:300ms, submit" hx-sync="this:replace">{guard}'
            f'<label for="quantity-{line.pk}">How many<span class="hush"> of {name}</span></label>'
            f'<input type="number" id="quantity-{line.pk}" name="quantity" value="{line.quantity}" min="0" '
            f'max="{self.row.most}" inputmode="numeric" required>'
            f'<button class="link without-script">Update<span class="hush"> {name}</span></button></form>\n'
            f'<form method="post" action="{gift_url}" hx-post="{gift_url}" hx-trigger="change, submit">{guard}'
            f'<label class="pick"><input type="checkbox" name="is_gift" id="gift-{line.pk}"'
            f'{" checked" if line.is_gift else ""}>This is a gift<span class="hush">: {name}</span></label>'
            f'<button class="link without-script">Save<span class="hush">, a gift or not: {name}</span></button>'
            f'</form>\n<form method="post" action="{removal_url}" hx-post="{removal_url}">{guard}'
            f'<button class="link">Remove<span class="hush"> {name}</span></button></form>'
        )


_CHANGES = ("quantity", "gift", "removal")


@cache
def _get_product_url_prefix() -> str:
    return reverse("product", args=["-"]).removesuffix("-/")


@cache
def _get_line_url_prefix() -> str:
    return reverse("cart_remove", args=[0]).removesuffix("0/removal/")
