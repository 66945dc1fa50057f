"""What is done to a cart. Every answer leads back to the cart page, which says what became of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from orders import carts
from orders.gift_note import GiftNoteForm
from orders.models import Cart, CartLine
from orders.views.redirects import see_other

MOST_ASKED = 10**6
BUSY = "Your cart changed while you were at it. Please look at it again."


def _redirect_if_cart_merged(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A cart that was merged into another between our look and our change: the page shows what is so now."""

    @wraps(view)
    def tolerant(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Cart.DoesNotExist:
            messages.error(request, BUSY)
            return see_other("cart")

    return tolerant


class AddToCartForm(forms.Form):
    variant = forms.IntegerField(min_value=1, max_value=2**62)
    quantity = forms.IntegerField(min_value=1, max_value=MOST_ASKED, required=False)  # the cart says the limit
    is_gift = forms.BooleanField(required=False)


class QuantityForm(forms.Form):
    quantity = forms.IntegerField(min_value=0, max_value=MOST_ASKED)  # the cart caps it, and says at what


def _describe_quantity_error(form: forms.Form) -> str:
    """The limit, where more was asked for than anybody sells; empty for what is no number at all."""
    return carts.describe_limit(carts.get_quantity_limit()) if form.has_error("quantity", "max_value") else ""


@require_POST
@_redirect_if_cart_merged
def add_cart_line(request: HttpRequest) -> HttpResponse:
    form = AddToCartForm(request.POST)
    if not form.is_valid():
        fault = "Choose one of the kinds we have, and how many."
        messages.error(request, f"{_describe_quantity_error(form) or fault} Nothing was added.")
        return see_other("cart")
    return _add_variant(request, form)


def _add_variant(request: HttpRequest, form: AddToCartForm) -> HttpResponse:
    asked = form.cleaned_data
    try:
        change = carts.add_for_request(
            request, asked["variant"], quantity=asked["quantity"] or 1, is_gift=asked["is_gift"]
        )
    except carts.NotForSale:
        messages.error(request, "That is no longer for sale. Nothing was added.")
        return see_other("cart")
    carts.store_session_count(request, change.count)
    if change.notice:
        messages.warning(request, change.notice)
    else:
        messages.success(request, f"Added: {change.title}.")
    return see_other("cart")


@require_POST
@_redirect_if_cart_merged
def change_quantity(request: HttpRequest, line_id: int) -> HttpResponse:
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, f"{_describe_quantity_error(form) or 'How many? A whole number, please.'} Nothing was changed."
        )
        return see_other("cart")
    if form.cleaned_data["quantity"] == 0:
        return remove_cart_line(request, line_id)
    cart = carts.get_cart_for_request(request)
    if cart is not None:
        change = carts.set_quantity(cart, line_id, form.cleaned_data["quantity"])
        carts.store_session_count(request, change.count)
        if change.notice:
            messages.warning(request, change.notice)
    return see_other("cart")


@require_POST
@_redirect_if_cart_merged
def change_gift(request: HttpRequest, line_id: int) -> HttpResponse:
    cart = carts.get_cart_for_request(request)
    if cart is not None:
        carts.set_gift(cart, line_id, is_gift="is_gift" in request.POST)
    return see_other("cart")


@require_POST
@_redirect_if_cart_merged
def remove_cart_line(request: HttpRequest, line_id: int) -> HttpResponse:
    cart = carts.get_cart_for_request(request)
    line = carts.remove_line(cart, line_id) if cart else None
    if cart is None or line is None:
        return see_other("cart")
    carts.refresh_session_count(request, cart)
    return see_other(f"{reverse('cart')}?{_build_undo_query(line)}")


def _build_undo_query(line: CartLine) -> str:
    """What the cart page needs to offer the line again."""
    gift = {"is_gift": "on"} if line.is_gift else {}
    return urlencode({"removed": line.variant_id, "quantity": line.quantity, **gift})


@require_POST
@_redirect_if_cart_merged
def change_note(request: HttpRequest) -> HttpResponse:
    form = GiftNoteForm(request.POST)
    cart = carts.get_cart_for_request(request)
    if not form.is_valid():
        messages.error(request, "The note has room for 280 characters. Nothing was changed.")
    elif cart is not None:
        carts.set_gift_note(cart, form.cleaned_data["gift_note"])
        messages.success(request, "We will put the note in with it.")
    return see_other("cart")
