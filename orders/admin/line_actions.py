"""Some of an order: cancelling lines before they leave, giving money back for lines. Both say the sum before."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders import line_cancellation, line_change
from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import ReasonField, focus_first_error
from orders.line_change import LineChangeForm
from orders.line_forms import PieceCountForm
from orders.models import Order, Refund
from orders.payments import line_refunds
from orders.payments.line_amounts import NOTHING
from orders.payments.line_refunds import RefundParts
from orders.payments.refund_parts import compute_delivery_left
from orders.payments.refunds import RefundRefused, find_refundable_payment
from orders.stages import StaffButton
from shop.money import format_amount
from shop.price_field import PriceField

SENT = "confirm"
CANCEL_LINES = StaffButton("cancel_lines", "Cancel some of it")
CHANGE_LINES = StaffButton("change_lines", "Change a size or colour")
REFUND_PARTS = StaffButton("refund_parts", "Refund goods or postage")
NO_OTHER = "nothing else of the same price is on its shelf, somebody picks it already, or its invoice is issued."
ONE_AT_A_TIME = "Choose one order: how much of it is asked line by line."


class CancelLinesForm(PieceCountForm):
    reason = ReasonField()
    seen_cancelled = forms.IntegerField(widget=forms.HiddenInput)
    seen_sum = forms.DecimalField(widget=forms.HiddenInput, required=False)


class RefundPartsForm(PieceCountForm):
    must_choose = False  # postage alone, say
    delivery = PriceField(required=False, min_value=0, max_digits=12, label="For delivery")
    goodwill = PriceField(required=False, min_value=0, max_digits=12, label="Goodwill")
    reason = ReasonField()
    seen_left = forms.DecimalField(widget=forms.HiddenInput)
    seen_sum = forms.DecimalField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, *, order: Order) -> None:
        payment, left = find_refundable_payment(order)
        self.currency = payment.currency if payment else order.currency
        refundable = {line: count for line, count in line_refunds.count_refundable_pieces(order).items() if count}
        super().__init__(data, left=refundable, initial={"seen_left": left})
        delivery_left = compute_delivery_left(order)
        for name in ("delivery", "goodwill"):
            self.fields[name] = PriceField(
                currency=self.currency, required=False, min_value=0, max_digits=12, label=self.fields[name].label
            )
        self.fields["delivery"].help_text = f"Up to {format_amount(delivery_left, self.currency)}."
        self.fields["goodwill"].help_text = f"For no goods at all. {format_amount(left, self.currency)} is left in all."

    @property
    def parts(self) -> RefundParts:
        given = self.cleaned_data
        return RefundParts(self.quantities, given.get("delivery") or NOTHING, given.get("goodwill") or NOTHING)


@admin.action(description=CANCEL_LINES.label, permissions=["change"])
def cancel_lines(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Asks how many of each line, says what goes back, then cancels them."""
    order = _get_single(request, orders)
    if order is None:
        return None
    left = line_cancellation.count_cancellable_pieces(order)
    if not left:
        messages.error(request, f"{order.number}: nothing of it can be cancelled: it has left, or is over.")
        return None
    seen = {"seen_cancelled": line_cancellation.count_cancelled(order)}
    form = CancelLinesForm(request.POST if SENT in request.POST else None, left=left, initial=seen)
    shown = ""
    if form.is_valid():
        pieces = {line: form.quantities[line.pk] for line in left if line.pk in form.quantities}
        gives_back = line_cancellation.compute_gives_back(order, pieces)
        if form.cleaned_data["seen_sum"] == gives_back:
            try_each_order(request, [order], lambda each: _cancel(request, each, form), done="Cancelled in part")
            return None
        shown = _show_sum(form, gives_back, format_amount(gives_back, order.currency))
        if line_cancellation.is_all_that_is_open(order, pieces):
            shown += " That is all that is left of the order: it is cancelled."
    return _render(model_admin, request, orders, form, title=CANCEL_LINES.label, shown=shown)


def _cancel(request: HttpRequest, order: Order, form: CancelLinesForm) -> None:
    done = line_cancellation.cancel_lines(
        order.pk,
        form.quantities,
        actor=get_actor_name(request),
        seen_cancelled=form.cleaned_data["seen_cancelled"],
        reason=form.cleaned_data["reason"],
    )
    if done.refund:
        _report(request, done.refund, order)


@admin.action(description=CHANGE_LINES.label, permissions=["change"])
def change_lines(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """One order at a time, by the form that buyers have."""
    order = _get_single(request, orders)
    if order is None:
        return None
    is_offered = line_change.may_change_lines(order, order.lines.all(), has_invoice=order.invoices.exists())
    choices = line_change.list_choices(order) if is_offered else {}
    if not choices:
        messages.error(request, f"{order.number}: {NO_OTHER}")
        return None
    form = LineChangeForm(request.POST if SENT in request.POST else None, choices=choices)
    if form.is_valid():
        actor = get_actor_name(request)
        try_each_order(
            request, [order], lambda each: line_change.change_lines(each.pk, form.chosen, actor=actor), done="Changed"
        )
        return None
    focus_first_error([form], next(iter(form.fields)))
    title = CHANGE_LINES.label
    return render_step_page(model_admin, request, orders, "changed_lines", seen=[order], title=title, form=form)


@admin.action(description=REFUND_PARTS.label, permissions=["change"])
def refund_parts(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Asks for lines, postage and goodwill, says what they come to, then gives that back."""
    order = _get_single(request, orders)
    if order is None:
        return None
    if find_refundable_payment(order)[0] is None:
        messages.error(request, f"{order.number}: there is nothing left to refund.")
        return None
    form = RefundPartsForm(request.POST if SENT in request.POST else None, order=order)
    shown = ""
    if form.is_valid():
        try:
            total = line_refunds.compute_refund_sum(order, form.parts).total
        except RefundRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            shown = _check_sum(form, order, total)
            if shown and form.cleaned_data["seen_sum"] == total:
                try_each_order(request, [order], lambda each: _refund(request, each, form), done="Refunded")
                return None
    return _render(model_admin, request, orders, form, title=REFUND_PARTS.label, shown=shown)


def _check_sum(form: RefundPartsForm, order: Order, total: Any) -> str:
    """The sentence that shows the sum; what cannot go back is said by the form instead."""
    left = find_refundable_payment(order)[1]
    if not total:
        form.add_error(None, "Say what money goes back for.")
    elif total > left:
        sums = [format_amount(amount, form.currency) for amount in (total, left)]
        form.add_error(None, f"That comes to {sums[0]}, and {sums[1]} of what was paid is left. Lower a number.")
    else:
        return _show_sum(form, total, format_amount(total, form.currency))
    return ""


def _show_sum(form: forms.Form, total: Any, text: str) -> str:
    """The same form once more, with what was shown noted in it."""
    form.data = {**dict(form.data.items()), "seen_sum": str(total)}
    return f"{text} goes back." if total else "No money goes back."


def _refund(request: HttpRequest, order: Order, form: RefundPartsForm) -> None:
    given = line_refunds.refund_parts(
        order.pk,
        form.parts,
        actor=get_actor_name(request),
        reason=form.cleaned_data["reason"],
        seen_left=form.cleaned_data["seen_left"],
        seen_sum=form.cleaned_data["seen_sum"],
    )
    _report(request, given, order)


def _report(request: HttpRequest, given: Refund, order: Order) -> None:
    if given.status == Refund.Status.FAILED:
        raise RefundRefused(
            f"{order.number}: Stripe refused the refund. {given.problem} It is under “Payment needs a look”."
        )
    if given.status == Refund.Status.REQUESTED and not given.payment.is_by_hand:
        messages.warning(request, f"{order.number}: Stripe has not answered yet; the shop keeps asking by itself.")


def _get_single(request: HttpRequest, orders: QuerySet[Order]) -> Order | None:
    if orders.count() == 1:
        return orders.get()
    messages.error(request, ONE_AT_A_TIME)
    return None


def _render(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order], form: Any, *, title: str, shown: str
) -> HttpResponse:
    focus_first_error([form], next(iter([*form.line_ids, "reason"])))
    context = {"title": title, "form": form, "shown": shown}
    return render_step_page(model_admin, request, orders, "lines", seen=orders, **context)
