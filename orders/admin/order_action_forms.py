"""Steps that ask something first, on a page of their own: what to ship with, why to cancel, how much to give back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders import cancellation
from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.by_hand import end_unpaid_order
from orders.admin.forms import CancelForm, OrderAddressForm, RefundForm, focus_first_error, validate_all_forms
from orders.admin.tracking_forms import ParcelForm, ShipForm, TrackingForm, are_numbers_settled
from orders.carrier_directory import load_directory
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Refund, Shipment
from orders.payments import checkout_sessions, rebuilding
from orders.payments.checkout_sessions import RefundRefused
from orders.stages import CARRIED_STAGES, StaffButton, get_stage

SENT = "confirm"
# of an order that was called off, where nothing goes back from here
NO_MONEY_SENT = {
    Order.PaymentStatus.DISPUTED: "the bank that disputes it decides.",
    Order.PaymentStatus.CHARGED_BACK: "the buyer's bank did that.",
    Order.PaymentStatus.PARTIALLY_REFUNDED: "Stripe refunds nothing more of it. Give the rest back another way.",
}


@dataclass(frozen=True)
class NumberStep:
    """A step that asks for each parcel's carrier and number, on the page that its action is named after.

    `nothing_typed`: what is said where no parcel moves; unless that `is_fine`, the page stays.
    """

    button: StaffButton
    form: type[ParcelForm]
    done: str
    nobody_here: str
    nothing_typed: str
    is_fine: bool = False


DISPATCH = get_stage(Shipment.Stage.DISPATCHED)
SHIP = NumberStep(
    DISPATCH.button,
    ShipForm,
    DISPATCH.done,
    "There is no packed parcel to ship here.",
    "Type at least one tracking number, or tick that there is none.",
)
CORRECT = NumberStep(
    StaffButton("correct_tracking", "Correct the tracking"),
    TrackingForm,
    "Tracking corrected",
    "No parcel has left here: carrier and number are asked for by “Ship”.",
    "Nothing was changed.",
    is_fine=True,
)


@admin.action(description=SHIP.button.label, permissions=["change"])
def ship(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Asks for each parcel's carrier and its number or the tick that it has none, then sends them off.

    Of several, one with neither stays.
    """
    packed = Shipment.objects.filter(order__in=orders, order__pickup_store=None, stage__in=DISPATCH.follows)
    parcels = packed.select_related("order", "store").prefetch_related(
        "lines__order_line__product", "order__payments__refunds", "order__payments__stripe_records"
    )
    return _ask_for_numbers(model_admin, request, orders, SHIP, parcels)


@admin.action(description=CORRECT.button.label, permissions=["change"])
def correct_tracking(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]
) -> HttpResponse | None:
    """Asks for the right carrier and number of every parcel that has left; what is not changed stays as it is."""
    left = Shipment.objects.filter(order__in=orders, stage__in=CARRIED_STAGES).select_related("order")
    return _ask_for_numbers(model_admin, request, orders, CORRECT, left)


def _ask_for_numbers(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    orders: QuerySet[Order],
    step: NumberStep,
    found: QuerySet[Shipment],
) -> HttpResponse | None:
    parcels = list(found.order_by("order__placed_at", "pk"))
    if not parcels:
        messages.error(request, step.nobody_here)
        return None
    data = request.POST if SENT in request.POST else None
    carriers = load_directory()
    asked = [step.form(data, parcel=parcel, carriers=carriers, is_one_of_many=len(parcels) > 1) for parcel in parcels]
    if data and validate_all_forms(asked) and _take_answers(request, step, asked):
        return None
    focus_first_error(asked, "tracking_number")
    return render_step_page(
        model_admin,
        request,
        orders,
        step.button.action,
        seen=[parcel.order for parcel in parcels],
        title=step.button.label,
        forms=asked,
        left_out=orders.exclude(pk__in=[parcel.order_id for parcel in parcels]),
        has_question=any(form.has_question for form in asked),
    )


def _take_answers(request: HttpRequest, step: NumberStep, asked: Sequence[ParcelForm]) -> bool:
    """Moves the parcels for which something was typed; whether the step is over."""
    moving = [form for form in asked if form.moves]
    if not moving:
        messages.add_message(request, messages.WARNING if step.is_fine else messages.ERROR, step.nothing_typed)
        return step.is_fine
    if not are_numbers_settled(moving):
        return False
    waiting, actor = iter(moving), get_actor_name(request)
    # in one go, so that what was done is said once
    try_each_order(request, [form.parcel.order for form in moving], lambda _: next(waiting).take(actor), done=step.done)
    _warn_of_numbers(request, moving)
    return True


def _warn_of_numbers(request: HttpRequest, moved: Sequence[ParcelForm]) -> None:
    """Of those that were taken and may be wrong: the way to mend them is one step away."""
    for form in moved:
        if form.is_taken and form.warning:
            words = f"{form.parcel.order.number}: {form.warning} If it is wrong, “Correct the tracking” now."
            messages.warning(request, words)


@admin.action(description="Cancel", permissions=["change"])
def cancel(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    form = CancelForm(request.POST if SENT in request.POST else None)

    def step(order: Order) -> None:
        details = {"actor": get_actor_name(request), "reason": form.cleaned_data["reason"]}
        if order.waits_for_link:
            end_unpaid_order(order, **details)
            return
        called_off = cancellation.cancel_order(order.pk, **details)
        if _has_failed_refund(called_off):
            raise TransitionRefused(f"{order.number} is cancelled, but Stripe did not give the money back: refund it.")
        if what_of_money := NO_MONEY_SENT.get(Order.PaymentStatus(called_off.payment_status)):
            messages.warning(request, f"{order.number}: no money was given back now; {what_of_money}")

    if form.is_valid():
        try_each_order(request, orders, step, done="Cancelled, and the money goes back")
        return None
    focus_first_error([form], "reason")
    return render_step_page(model_admin, request, orders, "cancel", seen=orders, title="Cancel", form=form)


def _has_failed_refund(order: Order) -> bool:
    last = Refund.objects.filter(payment__order=order).order_by("-pk").first()
    return last is not None and last.status == Refund.Status.FAILED


@admin.action(description="Type in the address", permissions=["change"])
def complete_address(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]
) -> HttpResponse | None:
    """Where an order goes that was rebuilt after a restore; one at a time."""
    order = orders.filter(source=Order.Source.REBUILT).first() if orders.count() == 1 else None
    if order is None:
        messages.error(request, "Choose one order that was rebuilt after a restore: the others have their address.")
        return None
    form = OrderAddressForm(request.POST if SENT in request.POST else None, instance=order)
    if form.is_valid():
        details = {name: form.cleaned_data[name] for name in form.fields}
        try_each_order(
            request,
            [order],
            lambda each: rebuilding.set_rebuilt_address(each.pk, **details),
            done="The address is noted",
        )
        return None
    focus_first_error([form], "full_name")
    title = "Type in the address"
    return render_step_page(model_admin, request, orders, "address", seen=orders, title=title, form=form)


@admin.action(description="Refund", permissions=["change"])
def refund(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Gives money back on its own, without touching goods: for one order any amount, for several all of it."""
    single = orders.get() if orders.count() == 1 else None
    form = RefundForm(request.POST if SENT in request.POST else None, order=single)
    if form.is_valid():
        try_each_order(request, orders, lambda order: _refund_and_report(request, order, form), done="Refunded")
        return None
    focus_first_error([form], "amount" if single else "reason")
    return render_step_page(model_admin, request, orders, "refund", seen=orders, title="Refund", form=form)


def _refund_and_report(request: HttpRequest, order: Order, form: forms.Form) -> None:
    given = checkout_sessions.refund_order(
        order.pk,
        amount=form.cleaned_data.get("amount"),
        seen_left=form.cleaned_data.get("seen_left"),
        reason=form.cleaned_data["reason"],
        actor=get_actor_name(request),
    )
    if given.status == Refund.Status.FAILED:
        raise RefundRefused(f"{order.number}: Stripe refused the refund. {given.problem}")
    if given.status == Refund.Status.REQUESTED:
        messages.warning(request, f"{order.number}: Stripe has not answered yet; the shop keeps asking by itself.")
