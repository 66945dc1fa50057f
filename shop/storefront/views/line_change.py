"""“Change what comes”: a buyer has something else of what they ordered until somebody starts picking it, and another
note with it until somebody begins to pack it.
"""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orders import gift_note, line_change, order_access
from orders.events import BUYER
from orders.fulfilment.transitions import TransitionRefused
from orders.gift_note import GiftNoteForm
from orders.line_change import Choice, LineChangeForm
from orders.models import Order
from orders.views.order import WRITE
from orders.views.redirects import see_other


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_own_lines(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    choices = _list_choices(order)
    if choices is None and (request.method == "POST" or not gift_note.may_change_gift_note(order)):
        return _refuse(request, number, "What is in this order")
    form = LineChangeForm(request.POST if request.method == "POST" else None, choices=choices) if choices else None
    if form is None or not form.is_valid():
        return _render_page(request, order, choices, form=form)
    try:
        changed = line_change.change_lines(order.pk, form.chosen, actor=BUYER)
    except TransitionRefused:
        messages.error(request, "That could not be changed any more. This is how the order stands now.")
        return see_other("order", number)
    messages.success(request, f"Changed. {changed}." if changed else "It is so already.")
    return see_other("order", number)


@never_cache
@require_POST
def change_own_note(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    if not gift_note.may_change_gift_note(order):
        return _refuse(request, number, "The note of this order")
    note_form = GiftNoteForm(request.POST)
    if not note_form.is_valid():
        choices = _list_choices(order)
        form = LineChangeForm(choices=choices) if choices else None
        return _render_page(request, order, choices, form=form, note_form=note_form)
    try:
        is_changed = gift_note.change_gift_note(order.pk, note_form.cleaned_data["gift_note"], actor=BUYER)
    except TransitionRefused:
        return _refuse(request, number, "The note of this order")
    messages.success(request, "The note is changed." if is_changed else "The note is as it was.")
    return see_other("order", number)


def _list_choices(order: Order) -> Mapping[int, Choice] | None:
    """None where what is in it stays as it is."""
    if not line_change.may_change_lines(order, order.lines.all(), has_invoice=order.invoices.exists()):
        return None
    return line_change.list_choices(order)


def _render_page(
    request: HttpRequest,
    order: Order,
    choices: Mapping[int, Choice] | None,
    *,
    form: LineChangeForm | None,
    note_form: GiftNoteForm | None = None,
) -> HttpResponse:
    if note_form is None and gift_note.may_change_gift_note(order):
        note_form = GiftNoteForm(initial={"gift_note": order.gift_note})
    products = dict.fromkeys(line.product for line in order.lines.select_related("product") if line.open_quantity)
    context = {
        "order": order,
        "form": form,
        "note_form": note_form,
        "may_change_lines": choices is not None,
        "anew": [each for each in products if each and each.is_published],
    }
    return render(request, "storefront/line_change.html", context)


def _refuse(request: HttpRequest, number: str, what: str) -> HttpResponse:
    messages.error(request, f"{what} can no longer be changed here. {WRITE}")
    return see_other("order", number)
