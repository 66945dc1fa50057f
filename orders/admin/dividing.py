"""“Put some in a parcel of its own”: how many of each line, asked of each parcel that nobody has begun."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error, validate_all_forms
from orders.admin.order_action_forms import SENT
from orders.fulfilment import dividing, queue
from orders.line_forms import NOTHING_CHOSEN, PieceCountForm
from orders.models import Order, Shipment
from orders.stages import StaffButton

DIVIDE = StaffButton("divide_parcel", "Put some in a parcel of its own")
ONE_AT_A_TIME = "Choose one order: what goes in a parcel of its own is asked line by line."
NO_PARCEL = "has no parcel to divide: there is one from when it is approved."


class DivideForm(PieceCountForm):
    """Of one parcel, which may stay as it is where another is divided. `number`: as the order's page counts it."""

    must_choose = False
    seen_count = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, parcel: Shipment, number: int) -> None:
        self.parcel, self.number = parcel, number
        self.piece_count = dividing.count_pieces(parcel)
        super().__init__(
            data,
            left={row.order_line: row.quantity for row in parcel.lines.all()},
            initial={"seen_count": self.piece_count},
            prefix=str(parcel.pk),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and sum(self.quantities.values()) == self.piece_count:
            raise forms.ValidationError("That is all that is in it. Leave at least one thing.")
        return cleaned


@admin.action(description=DIVIDE.label, permissions=["change"])
def divide_parcel(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    if orders.count() != 1:
        messages.error(request, ONE_AT_A_TIME)
        return None
    order = orders.get()
    asked = _list_forms(order, request.POST if SENT in request.POST else None)
    if not asked:
        messages.error(request, f"{order.number} {_explain_none(order)}")
        return None
    if SENT in request.POST and validate_all_forms(asked):
        if any(form.quantities for form in asked):
            try_each_order(
                request, [order], lambda _: _divide(asked, get_actor_name(request)), done="In a parcel of its own"
            )
            return None
        asked[0].add_error(None, NOTHING_CHOSEN)
    focus_first_error(asked, next(iter(asked[0].line_ids)))
    return render_step_page(model_admin, request, orders, "divide", seen=[order], title=DIVIDE.label, asked=asked)


def _list_forms(order: Order, data: Any) -> list[DivideForm]:
    live = order.shipments.exclude(stage=Shipment.Stage.CANCELLED)
    parcels = list(live.select_related("store").prefetch_related("lines__order_line"))
    divisible = dividing.list_divisible_parcels(parcels, queue.list_standings(parcels))
    return [DivideForm(data, parcel=parcel, number=parcels.index(parcel) + 1) for parcel in divisible]


def _explain_none(order: Order) -> str:
    """Of its first parcel, as the end of a sentence after its number."""
    live = order.shipments.exclude(stage=Shipment.Stage.CANCELLED).first()
    return dividing.find_objection(live, *queue.list_standings([live])) if live else NO_PARCEL


@transaction.atomic
def _divide(asked: list[DivideForm], actor: str) -> None:
    for form in asked:
        if form.quantities:
            seen = form.cleaned_data["seen_count"]
            dividing.divide_parcel(form.parcel.pk, form.quantities, actor=actor, seen_count=seen)
