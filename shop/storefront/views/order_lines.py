"""What a buyer says of a thing on their order: it was a gift, or is not to be used; and taking that back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.consent import purposes
from notifications.personal_data import withdraw_waiting_picks
from notifications.receipt_offers import let_offer_fall
from orders import line_marks, order_access
from orders.line_marks import LineMark
from orders.models import Order, OrderLine
from orders.views.redirects import see_other

MARKED = {
    LineMark.GIFT: "“{}” was a gift, then. Nothing we suggest draws on it any more.",
    LineMark.EXCLUSION: "We no longer draw on “{}” for suggestions.",
}
USABLE_AGAIN = (
    "“{}” may be used again, as far as your switches allow. Where we count what many people bought, it is back with "
    "the next count, some hours from now."
)
STILL_SET_ASIDE = {
    LineMark.GIFT: "“{}” is no gift any more. You also asked us not to use it, so nothing draws on it yet.",
    LineMark.EXCLUSION: "“{}” is still a gift, so nothing we suggest draws on it.",
}


@require_POST
def mark_line(request: HttpRequest, number: str, line_id: int, mark: str) -> HttpResponse:
    order, line = _change(request, number, line_id, mark, is_set=True)
    let_offer_fall(order)
    if order.customer is not None:
        withdraw_waiting_picks(order.customer, purposes.RECOMMEND_FROM_PURCHASES)
    messages.success(request, MARKED[LineMark(mark)].format(line.title))
    return _back(order, line)


@require_POST
def unmark_line(request: HttpRequest, number: str, line_id: int, mark: str) -> HttpResponse:
    order, line = _change(request, number, line_id, mark, is_set=False)
    is_set_aside = line.is_gift or line.is_excluded
    words = STILL_SET_ASIDE[LineMark(mark)] if is_set_aside else USABLE_AGAIN
    messages.success(request, words.format(line.title))
    return _back(order, line)


def _change(request: HttpRequest, number: str, line_id: int, mark: str, *, is_set: bool) -> tuple[Order, OrderLine]:
    """404 for whoever it is not, for what is no line of it, and for an order that was never placed."""
    order = order_access.find_own(request, number)
    if mark not in set(LineMark) or order.placed_at is None:
        raise Http404
    line = line_marks.set_mark(order, line_id, LineMark(mark), is_set=is_set)
    if line is None:
        raise Http404
    return order, line


def _back(order: Order, line: OrderLine) -> HttpResponse:
    return see_other(f"{order.get_absolute_url()}#line-{line.pk}")
