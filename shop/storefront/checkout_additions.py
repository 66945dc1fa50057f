"""What can still be put in from the checkout page, with one press and without a choice to make."""

from dataclasses import dataclass

from django import forms

from orders import carts
from orders.models import Cart
from orders.views.cart import BUSY
from shop.catalog.models import Variant
from shop.money import is_price


@dataclass(frozen=True)
class Addition:
    """What became of a press on “Add”, in words for people."""

    notice: str
    was_added: bool = False


class AdditionForm(forms.Form):
    """`add`: the slug of a product."""

    add = forms.SlugField(max_length=160)


def add_to_order(cart: Cart, slug: str) -> tuple[Addition, int | None]:
    """Puts one of the product in, unless the cart has it. Returns what became of it and the count of things since.

    The count is None where nothing was tried: no such product, not on sale, or in several kinds by now.
    """
    form = AdditionForm({"add": slug})
    variant = _find_only_variant(form.cleaned_data["add"]) if form.is_valid() else None
    if variant is None:
        return Addition("That can no longer be added from here. Nothing was changed."), None
    try:
        change = carts.add_if_missing(cart, variant)
    except Cart.DoesNotExist:
        return Addition(BUSY), None
    return Addition(change.notice or f"Added: {variant}.", was_added=not change.notice), change.count


def _find_only_variant(slug: str) -> Variant | None:
    found = list(Variant.objects.sellable().select_related("product").filter(product__slug=slug)[:2])
    return found[0] if len(found) == 1 and is_price(found[0].price, found[0].currency) else None
