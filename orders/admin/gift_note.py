"""The note that goes in with an order, changed by staff until somebody begins to pack it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders import gift_note
from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error
from orders.admin.order_action_forms import SENT
from orders.gift_note import GiftNoteForm
from orders.models import Order
from orders.stages import StaffButton

CHANGE_NOTE = StaffButton("change_note", "Change the gift note")


@admin.action(description=CHANGE_NOTE.label, permissions=["change"])
def change_note(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """One order at a time, by the form that buyers have."""
    order = orders.first() if orders.count() == 1 else None
    if order is None or not gift_note.may_change_gift_note(order):
        messages.error(request, "Choose one open order that nobody packs yet: the others keep their note.")
        return None
    initial = {"gift_note": order.gift_note}
    form = GiftNoteForm(request.POST if SENT in request.POST else None, initial=initial)
    if form.is_valid():
        note, actor = form.cleaned_data["gift_note"], get_actor_name(request)
        try_each_order(
            request,
            [order],
            lambda each: gift_note.change_gift_note(each.pk, note, actor=actor),
            done="The note is as you typed it",
        )
        return None
    focus_first_error([form], "gift_note")
    title = CHANGE_NOTE.label
    return render_step_page(model_admin, request, orders, "gift_note", seen=[order], title=title, form=form)
