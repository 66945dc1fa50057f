"""Money that staff take and give back themselves, of orders that they entered."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders import staff_orders
from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import MarkPaidForm, focus_first_error
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, Refund
from orders.payments import failed_refunds
from orders.payments.checkout_sessions import StripeUnreachable
from orders.payments.refunds import RefundRefused, confirm_refund_by_hand
from orders.stages import StaffButton

MARK_PAID = StaffButton("mark_paid", "Mark paid")
GIVEN_BACK = StaffButton("mark_given_back", "Mark given back by hand")
SEND_AGAIN = StaffButton("send_refund_again", "Send again")
SENT = "confirm"
WHAT_ELSE = (
    "the card or account is perhaps closed. Ask the buyer where to transfer it to, do that, and press "
    f"“{GIVEN_BACK.label}”."
)


@admin.action(description=MARK_PAID.label, permissions=["change"])
def mark_paid(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    form = MarkPaidForm(request.POST if SENT in request.POST else None)

    def step(order: Order) -> None:
        with _refuse_while_stripe_is_away(order):
            staff_orders.mark_paid_by_hand(order.pk, how=form.cleaned_data["how"], actor=get_actor_name(request))

    if form.is_valid():
        try_each_order(request, orders, step, done="Paid")
        return None
    focus_first_error([form], "how")
    return render_step_page(model_admin, request, orders, "mark_paid", seen=orders, title=MARK_PAID.label, form=form)


def end_unpaid_order(order: Order, *, actor: str, reason: str) -> None:
    """Raises `TransitionRefused`."""
    with _refuse_while_stripe_is_away(order):
        staff_orders.cancel_draft_order(order.pk, actor=actor, reason=reason)


@admin.action(description=GIVEN_BACK.label, permissions=["change"])
def mark_given_back(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    """Staff have handed over or transferred what was noted to go back, or what failed at Stripe."""

    def step(order: Order) -> None:
        owed = Refund.objects.filter(payment__order=order).select_related("payment").order_by("pk")
        waiting = [refund.pk for refund in owed if is_owed_by_hand(refund)]
        failed = Refund.objects.undelivered().filter(payment__order=order)
        if not waiting and not failed.exists():
            raise TransitionRefused(f"{order.number}: nothing of it is to be given back by hand.")
        for pk in waiting:
            confirm_refund_by_hand(pk)
        if failed.exists():
            failed_refunds.give_back_by_hand(order.pk, actor=get_actor_name(request))

    try_each_order(request, orders, step, done="Given back by hand")


@admin.action(description=SEND_AGAIN.label, permissions=["change"])
def send_refund_again(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    """What failed at Stripe, once more, for the same goods, delivery and goodwill."""

    def step(order: Order) -> None:
        for made in failed_refunds.send_refunds_again(order.pk, actor=get_actor_name(request)):
            if made.status == Refund.Status.FAILED:
                raise RefundRefused(f"{order.number}: it failed again ({made.problem}); {WHAT_ELSE}")
            if made.status == Refund.Status.REQUESTED:
                messages.warning(request, f"{order.number}: Stripe has not answered yet; the shop keeps asking itself.")

    try_each_order(request, orders, step, done="Sent again")


def find_undelivered_refunds(order: Order) -> set[int]:
    """Their keys. Asked only where a refund has failed; prefetch `payments__refunds`."""
    refunds = (refund for payment in order.payments.all() for refund in payment.refunds.all())
    if not any(refund.status == Refund.Status.FAILED for refund in refunds):
        return set()
    return set(Refund.objects.undelivered().filter(payment__order=order).values_list("pk", flat=True))


def is_owed_by_hand(refund: Refund) -> bool:
    """Reads `refund.payment`."""
    return refund.payment.provider == Payment.Provider.BY_HAND and refund.status == Refund.Status.REQUESTED


@contextmanager
def _refuse_while_stripe_is_away(order: Order) -> Iterator[None]:
    try:
        yield
    except StripeUnreachable as trouble:
        raise TransitionRefused(
            f"{order.number}: Stripe does not answer, and its buyer may be paying just now. Try again in a minute."
        ) from trouble
