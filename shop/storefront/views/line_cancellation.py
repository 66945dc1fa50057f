"""“Cancel some of it”: a buyer calls off some things of an order before they leave. Two steps on one page."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import line_cancellation, order_access, status
from orders.events import BUYER
from orders.fulfilment.transitions import TransitionRefused
from orders.line_forms import PieceCountForm
from orders.models import Order, OrderLine
from orders.views.order import WRITE
from orders.views.redirects import see_other
from shop.money import format_amount

REASON = "Called off before it left."


class CancelPiecesForm(PieceCountForm):
    seen_cancelled = forms.IntegerField(widget=forms.HiddenInput)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_own_lines(request: HttpRequest, number: str) -> HttpResponse:
    """First says what goes back; the second step carries the same numbers, and cancels them."""
    order = order_access.get_order_or_404(request, number)
    if not status.may_customer_cancel(order, lost=status.lost_total(order)):
        messages.error(request, f"This order is on hold, so nothing of it can be cancelled from here. {WRITE}")
        return see_other("order", number)
    left = line_cancellation.count_cancellable_pieces(order)
    if not left:
        messages.error(request, "Nothing of this order can be cancelled any more: it has left us, or was cancelled.")
        return see_other("order", number)
    seen = {"seen_cancelled": line_cancellation.count_cancelled(order)}
    form = CancelPiecesForm(request.POST if request.method == "POST" else None, left=left, initial=seen)
    if not form.is_valid():
        return render(request, "storefront/line_cancellation.html", {"order": order, "form": form})
    if "confirm" not in request.POST:
        return _ask_to_confirm(request, order, form, left)
    return _cancel(request, order, form)


def _ask_to_confirm(
    request: HttpRequest, order: Order, form: CancelPiecesForm, left: Mapping[OrderLine, int]
) -> HttpResponse:
    pieces = {line: form.quantities[line.pk] for line in left if line.pk in form.quantities}
    gives_back = line_cancellation.compute_gives_back(order, pieces)
    context: dict[str, Any] = {
        "order": order,
        "chosen": list(pieces.items()),
        "fields": [*form.quantities_by_name.items(), ("seen_cancelled", form.cleaned_data["seen_cancelled"])],
        "gives_back": format_amount(gives_back, order.currency) if gives_back else "",
        "is_whole": line_cancellation.is_all_that_is_open(order, pieces),
    }
    return render(request, "storefront/line_cancellation.html", context)


def _cancel(request: HttpRequest, order: Order, form: CancelPiecesForm) -> HttpResponse:
    seen = form.cleaned_data["seen_cancelled"]
    try:
        done = line_cancellation.cancel_lines(
            order.pk, form.quantities, actor=BUYER, seen_cancelled=seen, reason=REASON
        )
    except TransitionRefused:
        messages.error(request, "That can no longer be cancelled as you asked. This is how the order stands now.")
        return see_other("order", order.number)
    back = f" {format_amount(done.refund.amount, order.currency)} go back the way you paid." if done.refund else ""
    messages.success(request, f"Cancelled.{back}")
    return see_other("order", order.number)
