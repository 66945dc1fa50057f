"""Somebody rings or writes: staff enter a return, a fault or a withdrawal for them, by the rules that buyers meet on
their own pages, and with the same mail (ADR 66).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import AccessKind
from orders import shop_terms
from orders.admin.action_pages import log_order_access, render_step_page
from orders.admin.actions import get_actor_name
from orders.admin.forms import focus_first_error
from orders.admin.order_action_forms import SENT
from orders.line_forms import PieceCountForm
from orders.models import Order, OrderLine, ReturnAuthorization, Withdrawal
from orders.models.withdrawal import MONEY_IS_BACK
from orders.returns import declaring, exchanging, policy, requesting
from orders.returns.declaring import CONTRACT_STATUSES, Declaration, WithdrawalRefused
from orders.returns.refusal import ReturnRefused
from orders.returns.return_form import ReturnForm
from orders.stages import DISPATCHED_STAGES, StaffButton

Kind = ReturnAuthorization.Kind
RETURN = StaffButton("enter_return", "Enter a return")
FAULT = StaffButton("enter_fault", "Enter a fault")
WITHDRAWAL = StaffButton("enter_withdrawal", "Enter a withdrawal")
BUTTONS = {Kind.RETURN: RETURN, Kind.FAULTY: FAULT}
ONE_CALLER = "Choose one order: what somebody says is about their own."
NOTHING_TO_SEND_BACK = {
    Kind.RETURN: "nothing of it can be sent back by choice: it has not left, goes back already, is never taken back, "
    "or its time is over. If something is wrong with it, “Enter a fault”.",
    Kind.FAULTY: "nothing of it has left that is not going back already.",
}
NOTHING_TO_WITHDRAW = "there is nothing left to withdraw from: it was called off, or goes back already."


class WithdrawalEntryForm(PieceCountForm):
    """How many of each, all of it at first, as on the buyer's page; and when they said so."""

    said_at = forms.DateTimeField(
        label="When they said so",
        required=False,
        help_text="Empty: now. Of a letter or a mail, when it was sent: that is what counts for being in time.",
        error_messages={"invalid": "A day and a time, please, or nothing for now."},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, data: Any = None, *, order: Order, left: Mapping[OrderLine, int]) -> None:
        super().__init__(data, left=left, initial={f"line-{line.pk}": count for line, count in left.items()})
        self.ordered_at = order.placed_at or order.created_at

    def clean_said_at(self) -> datetime | None:
        said_at: datetime | None = self.cleaned_data["said_at"]
        if said_at and said_at > timezone.now():
            raise forms.ValidationError("That is still to come. Leave it empty for now.")
        if said_at and said_at < self.ordered_at.replace(second=0, microsecond=0):
            raise forms.ValidationError("The order was not placed yet then.")
        return said_at


def list_entering_steps(order: Order, lines: Iterable[OrderLine], stages: Iterable[str]) -> Iterator[StaffButton]:
    """By the order alone, without a query: what goes back already, and whose time is over, the step itself says."""
    if order.payment_status in MONEY_IS_BACK:
        return
    if order.status in CONTRACT_STATUSES and not DISPATCHED_STAGES.isdisjoint(stages):
        yield RETURN
        yield FAULT
    if declaring.has_contract(order) and any(line.open_quantity for line in lines):
        yield WITHDRAWAL


@admin.action(description=RETURN.label, permissions=["change"])
def enter_return(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """By the shop's policy: money back, or another size or colour."""
    return _enter(model_admin, request, orders, Kind.RETURN)


@admin.action(description=FAULT.label, permissions=["change"])
def enter_fault(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Something is wrong with it: repair or replacement, as the buyer likes."""
    return _enter(model_admin, request, orders, Kind.FAULTY)


def _enter(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order], kind: ReturnAuthorization.Kind
) -> HttpResponse | None:
    order = _get_callers_order(request, orders)
    if order is None:
        return None
    form = _make_return_form(request, order, kind)
    if form is None:
        messages.error(request, f"{order.number}: {NOTHING_TO_SEND_BACK[kind]}")
        return None
    if form.is_valid() and _request(request, order, form):
        return None
    return _ask(model_admin, request, orders, form, title=BUTTONS[kind].label)


def _make_return_form(request: HttpRequest, order: Order, kind: ReturnAuthorization.Kind) -> ReturnForm | None:
    """None where nothing can be sent back so."""
    rule = policy.build_agreed_policy(order, shop_terms.load_terms())
    left, _ = requesting.find_returnable_pieces(order, kind, rule)
    if not left:
        return None
    may_exchange = kind == Kind.RETURN and rule.offers_exchange
    offered = exchanging.list_exchange_variants(left, store_id=order.pickup_store_id) if may_exchange else {}
    data = request.POST if SENT in request.POST else None
    gone = [line for line in order.lines.all() if line not in left] if data else ()
    return ReturnForm(data, kind=kind, left=left, offered=offered, gone=gone, with_pictures=False)


def _request(request: HttpRequest, order: Order, form: ReturnForm) -> bool:
    """Whether it stands now; else the form says why."""
    try:
        requested = requesting.request_return(order.pk, form.build_wish(), actor=get_actor_name(request))
    except ReturnRefused as refusal:
        form.take_refusal(refusal)
        return False
    number = requested.made.number
    if requested.is_new:
        _say_done(request, order, f"Entered {number}")
    else:
        messages.info(request, f"{order.number}: the same was asked for a moment ago, as {number}. That one stands.")
    return True


@admin.action(description=WITHDRAWAL.label, permissions=["change"])
def enter_withdrawal(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]
) -> HttpResponse | None:
    """It counts from when it was said; the acknowledgement goes to the order's own address."""
    order = _get_callers_order(request, orders)
    if order is None:
        return None
    standing = order.withdrawals.standing().prefetch_related("lines")
    left = declaring.count_pieces_left(order, standing) if declaring.has_contract(order) else {}
    if not left:
        messages.error(request, f"{order.number}: {NOTHING_TO_WITHDRAW}")
        return None
    form = WithdrawalEntryForm(request.POST if SENT in request.POST else None, order=order, left=left)
    if form.is_valid() and _declare(request, order, form):
        return None
    return _ask(model_admin, request, orders, form, title=WITHDRAWAL.label)


def _declare(request: HttpRequest, order: Order, form: WithdrawalEntryForm) -> bool:
    """Whether it stands now; else the form says why."""
    try:
        declared = declaring.declare_withdrawal(
            order.pk,
            Declaration(order.full_name, order.email, form.quantities),
            way=Withdrawal.Way.STAFF,
            declared_at=form.cleaned_data["said_at"],
            actor=get_actor_name(request),
        )
    except WithdrawalRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    if declared.is_new:
        _say_done(request, order, "Withdrawal entered")
    else:
        messages.info(request, f"{order.number}: that was declared before. The first declaration stands.")
    return True


def _get_callers_order(request: HttpRequest, orders: QuerySet[Order]) -> Order | None:
    if orders.count() == 1:
        return orders.get()
    messages.error(request, ONE_CALLER)
    return None


def _say_done(request: HttpRequest, order: Order, done: str) -> None:
    log_order_access(request, [order], what=AccessKind.CHANGE, detail=done)
    messages.success(request, f"{done}: {order.number}.")


def _ask(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order], form: forms.Form, *, title: str
) -> HttpResponse:
    focus_first_error([form], next(iter(form.fields)))
    return render_step_page(model_admin, request, orders, "enter_return", seen=orders, title=title, form=form)
