"""What staff do about parcels on the road beside moving them: settle that one did not come, paste a tracking page."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error
from orders.carriers.tracking_pages import LONGEST_ADDRESS, find_address_problem
from orders.fulfilment import denials, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Shipment
from orders.stages import CARRIED_STAGES, StaffButton

SENT = "confirm"
SETTLE = StaffButton("settle_denial", "Settle that it did not come")
PASTE = StaffButton("paste_tracking_page", "Paste a tracking page")


class DenialForm(forms.Form):
    reason = forms.CharField(
        label="What came of it",
        max_length=200,
        help_text="The customer reads it on the order’s page, such as “It was with your neighbour at number 7.”",
    )


class TrackingPageForm(forms.Form):
    """One parcel's own page. Empty takes the address off again."""

    address = forms.CharField(
        label="Address of the page",
        max_length=LONGEST_ADDRESS,
        required=False,
        help_text="Copied from your browser. Customers follow this parcel there, instead of its carrier’s usual page.",
    )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        problem = find_address_problem(address) if address else ""
        if problem:
            raise forms.ValidationError(problem)
        return address


@admin.action(description=SETTLE.label, permissions=["change"])
def settle_denial(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    form = DenialForm(request.POST if SENT in request.POST else None)

    def step(order: Order) -> None:
        denied = list(order.shipments.filter(denied_at__isnull=False).values_list("pk", flat=True))
        if not denied:
            raise TransitionRefused(f"{order.number}: nobody says that a parcel of it did not come.")
        for pk in denied:
            denials.settle_denial(pk, actor=get_actor_name(request), reason=form.cleaned_data["reason"])

    if form.is_valid():
        try_each_order(request, orders, step, done="Settled")
        return None
    focus_first_error([form], "reason")
    return render_step_page(model_admin, request, orders, "settle_denial", seen=orders, title=SETTLE.label, form=form)


@admin.action(description=PASTE.label, permissions=["change"])
def paste_tracking_page(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]
) -> HttpResponse | None:
    """For one order at a time: where one of its parcels is followed whose carrier tells nothing."""
    parcels = Shipment.objects.filter(order__in=orders, stage__in=CARRIED_STAGES).select_related("order", "store")
    found = list(parcels.order_by("pk")) if orders.count() == 1 else []
    if not found:
        messages.error(request, "Choose one order of which a parcel has left: each has a page of its own.")
        return None
    data = request.POST if SENT in request.POST else None
    asked = [TrackingPageForm(data, prefix=f"{each.pk}", initial={"address": each.tracking_page}) for each in found]
    if data and all(form.is_valid() for form in asked):
        _keep_pages(request, found, asked)
        return None
    focus_first_error(asked, "address")
    rows = list(zip(found, asked, strict=True))
    return render_step_page(
        model_admin, request, orders, "tracking_page", seen=orders, title=PASTE.label, rows=rows, form=asked[0]
    )


def _keep_pages(request: HttpRequest, parcels: list[Shipment], asked: list[TrackingPageForm]) -> None:
    changed = [(each, form.cleaned_data["address"]) for each, form in zip(parcels, asked, strict=True)]
    changed = [(each, address) for each, address in changed if address != each.tracking_page]
    if not changed:
        messages.warning(request, "Nothing was changed.")
        return

    def step(_order: Order) -> None:
        for each, address in changed:
            transitions.set_tracking_page(each.pk, actor=get_actor_name(request), address=address)

    try_each_order(request, [parcels[0].order], step, done="The tracking page is noted")
