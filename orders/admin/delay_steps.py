"""What staff say of an order's day: that it leaves later, and that its day is essential."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error
from orders.admin.order_action_forms import SENT
from orders.delays import announcing
from orders.models import Order
from orders.models.delay_notice import LONGEST_WORDS
from orders.stages import DONE_STATUSES, StaffButton

SAY_LATE = StaffButton("say_late", "Say it is late")
ESSENTIAL = StaffButton("mark_essential", "The day is essential")
NOT_ESSENTIAL = StaffButton("unmark_essential", "The day is not essential")


class LaterDayForm(forms.Form):
    leaves_on = forms.DateField(
        label="It leaves on",
        required=False,
        help_text="When it arrives is counted from there, and the customer reads both. What is collected lies ready "
        "that day.",
        widget=forms.DateInput(attrs={"type": "date", "class": "vDateField"}),
    )
    is_unknown = forms.BooleanField(
        label="Nobody knows yet",
        required=False,
        help_text="The customer is asked whether they wait; without a yes it is cancelled.",
    )
    words = forms.CharField(
        label="What you say to the customer",
        required=False,
        max_length=LONGEST_WORDS,
        help_text="Why, in your own words. The customer reads it in the mail and on the order’s page.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        leaves_on: date | None = given.get("leaves_on")
        if "leaves_on" not in self.errors and (leaves_on is None) != given.get("is_unknown", False):
            self.add_error("leaves_on", "Name the day, or tick that nobody knows yet: one of the two.")
        return given


@admin.action(description=SAY_LATE.label, permissions=["change"])
def say_late(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    form = LaterDayForm(request.POST if SENT in request.POST else None)

    def step(order: Order) -> None:
        announcing.set_later_day(
            order.pk,
            leaves_on=form.cleaned_data["leaves_on"],
            words=form.cleaned_data["words"],
            actor=get_actor_name(request),
        )

    if form.is_valid():
        try_each_order(request, orders, step, done="Told that it is late")
        return None
    focus_first_error([form], "leaves_on")
    return render_step_page(model_admin, request, orders, "say_late", seen=orders, title=SAY_LATE.label, form=form)


@admin.action(description=ESSENTIAL.label, permissions=["change"])
def mark_essential(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _set_essential(request, orders, is_essential=True)


@admin.action(description=NOT_ESSENTIAL.label, permissions=["change"])
def unmark_essential(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _set_essential(request, orders, is_essential=False)


def _set_essential(request: HttpRequest, orders: QuerySet[Order], *, is_essential: bool) -> None:
    actor = get_actor_name(request)
    try_each_order(
        request,
        orders,
        lambda order: announcing.set_date_essential(order.pk, is_essential=is_essential, actor=actor),
        done="Noted: the day is essential" if is_essential else "Noted: the day is not essential",
    )


def list_delay_steps(order: Order) -> list[StaffButton]:
    """The buttons of an open order that is still here."""
    is_here = order.status == Order.Status.CONFIRMED and order.fulfilment_status not in DONE_STATUSES
    if not is_here or order.hold:
        return []
    return [SAY_LATE, NOT_ESSENTIAL if order.date_is_essential else ESSENTIAL]
