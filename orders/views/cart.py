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

from orders import cart as carts
from orders.models import Cart, CartLine
from orders.views.answers import see_other
from shop.catalog.models import Variant

MOST_ASKED = 10**6
BUSY = "Your cart changed while you were at it. Please look at it again."


def _as_it_stands(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A cart that was merged into another between our look and our change: the page shows what is so now."""

    @wraps(view)
    def tolerant(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Cart.DoesNotExist:
            messages.error(request, BUSY)
            return see_other("cart")

    return tolerant


class AddForm(forms.Form):
    variant = forms.IntegerField(min_value=1, max_value=2**62)
    quantity = forms.IntegerField(min_value=1, max_value=MOST_ASKED, required=False)  # the cart says the limit
    is_gift = forms.BooleanField(required=False)


class QuantityForm(forms.Form):
    quantity = forms.IntegerField(min_value=0, max_value=MOST_ASKED)  # the cart caps it, and says at what


def _find_fault(form: forms.Form) -> str:
    """The limit, where more was asked for than anybody sells; empty for what is no number at all."""
    return carts.describe_limit(carts.quantity_limit()) if form.has_error("quantity", "max_value") else ""


class NoteForm(forms.Form):
    gift_note = forms.CharField(max_length=280, required=False)


@require_POST
@_as_it_stands
def add(request: HttpRequest) -> HttpResponse:
    form = AddForm(request.POST)
    if not form.is_valid():
        fault = "Choose one of the kinds we have, and how many."
        messages.error(request, f"{_find_fault(form) or fault} Nothing was added.")
        return see_other("cart")
    found = Variant.objects.sellable().select_related("product").filter(pk=form.cleaned_data["variant"]).first()
    if found is None:
        messages.error(request, "That is no longer for sale. Nothing was added.")
        return see_other("cart")
    return _added(request, found, form)


def _added(request: HttpRequest, variant: Variant, form: AddForm) -> HttpResponse:
    quantity = form.cleaned_data["quantity"] or 1
    change = carts.add(carts.for_adding(request), variant, quantity=quantity, is_gift=form.cleaned_data["is_gift"])
    carts.remember_count(request, change.count)
    if change.notice:
        messages.warning(request, change.notice)
    else:
        messages.success(request, f"Added: {variant}.")
    return see_other("cart")


@require_POST
@_as_it_stands
def change_quantity(request: HttpRequest, line_id: int) -> HttpResponse:
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"{_find_fault(form) or 'How many? A whole number, please.'} Nothing was changed.")
        return see_other("cart")
    if form.cleaned_data["quantity"] == 0:
        return remove(request, line_id)
    cart = carts.of(request)
    if cart is not None:
        change = carts.set_quantity(cart, line_id, form.cleaned_data["quantity"])
        carts.remember_count(request, change.count)
        if change.notice:
            messages.warning(request, change.notice)
    return see_other("cart")


@require_POST
@_as_it_stands
def change_gift(request: HttpRequest, line_id: int) -> HttpResponse:
    cart = carts.of(request)
    if cart is not None:
        carts.set_gift(cart, line_id, is_gift="is_gift" in request.POST)
    return see_other("cart")


@require_POST
@_as_it_stands
def remove(request: HttpRequest, line_id: int) -> HttpResponse:
    cart = carts.of(request)
    line = carts.remove(cart, line_id) if cart else None
    if cart is None or line is None:
        return see_other("cart")
    carts.keep_count(request, cart)
    return see_other(f"{reverse('cart')}?{_undo(line)}")


def _undo(line: CartLine) -> str:
    """What the cart page needs to offer the line again."""
    gift = {"is_gift": "on"} if line.is_gift else {}
    return urlencode({"removed": line.variant_id, "quantity": line.quantity, **gift})


@require_POST
@_as_it_stands
def change_note(request: HttpRequest) -> HttpResponse:
    form = NoteForm(request.POST)
    cart = carts.of(request)
    if not form.is_valid():
        messages.error(request, "The note has room for 280 characters. Nothing was changed.")
    elif cart is not None:
        carts.set_gift_note(cart, form.cleaned_data["gift_note"])
        messages.success(request, "We will put the note in with it.")
    return see_other("cart")
