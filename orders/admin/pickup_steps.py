"""Handing an order to whoever collects it, by the code its buyer has."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Shipment
from orders.stages import AT_THE_COUNTER

SENT = "confirm"
HAND_OVER = AT_THE_COUNTER[-1]


class HandOverForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=20,
        help_text="Six letters and digits, which the buyer has on the order’s page. Big or small does not matter.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


@admin.action(description=HAND_OVER.button.label, permissions=["change"])
def hand_over(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """One order at a time: each has a code of its own."""
    if orders.count() != 1:
        messages.error(request, "Choose one order: each is handed over by a code of its own.")
        return None
    order = orders.get()
    if not order.shipments.filter(stage=Shipment.Stage.READY).exists():
        messages.error(request, f"{order.number} does not lie ready to be collected.")
        return None
    form = HandOverForm(request.POST if SENT in request.POST else None)
    if form.is_valid():
        try_each_order(request, [order], lambda each: _hand_over(request, each, form), done=HAND_OVER.done)
        return None
    focus_first_error([form], "code")
    return render_step_page(
        model_admin, request, orders, "hand_over", seen=orders, title=HAND_OVER.button.label, form=form
    )


def _hand_over(request: HttpRequest, order: Order, form: HandOverForm) -> None:
    ready = list(order.shipments.filter(stage=Shipment.Stage.READY).values_list("pk", flat=True))
    if not ready:
        raise TransitionRefused(f"{order.number} was handed over already.")
    for pk in ready:
        transitions.hand_over_shipment(pk, actor=get_actor_name(request), code=form.cleaned_data["code"])
