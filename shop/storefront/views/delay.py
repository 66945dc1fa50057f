"""The choice that the news of a delay leads to: wait, have what is here sent first, or cancel and get the money back.

Looking changes nothing.
"""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import line_cancellation, order_access, stages, status
from orders.delays import delay_words
from orders.delays.answering import accept_delay, cancel_for_delay, send_ahead
from orders.delays.delay_words import ToldDelay
from orders.fulfilment import splitting
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order
from orders.views.redirects import see_other

Answer, Rule = DelayNotice.Answer, DelayNotice.Rule
AHEAD = "ahead"  # a yes to wait, for what is not here
DONE = {
    Answer.WAIT: "Thank you for waiting. You can still cancel {until}.",
    AHEAD: "What is here goes first, and the rest when it comes. You can still cancel the rest {until}.",
    Answer.CANCEL: "Cancelled. Your money is on its way back, the way you paid.",
}
PART_CANCELLED = "That parcel is cancelled. The money for it is on its way back, the way you paid."
REST_CANCELLED = "What had not left is cancelled. The money for it is on its way back, the way you paid."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_delay(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    if request.method == "POST":
        return _answer(request, order)
    prefetch_related_objects([order], "events", "shipments", "lines")
    today = timezone.localdate()
    latest = delay_words.list_latest(order.events.all())
    context = {
        "order": order,
        "words": status.get_customer_status_label(order),
        "is_rest": stages.has_any_left(order) and not any(each.what for each in latest),
        "is_part": any(each.what for each in latest),
        "until": _describe_last_moment(order),
        "delays": [_describe(order, each, today) for each in latest],
    }
    return render(request, "storefront/delay.html", context)


def _describe(order: Order, told: ToldDelay, today: date) -> dict[str, Any]:
    is_rest = stages.has_any_left(order)
    return {
        "told": told,
        "slip": delay_words.describe_slip(told, today),
        "cause": delay_words.describe_cause(told),
        "silence": delay_words.describe_silence(told, today, is_rest=is_rest) if told.is_asking else "",
        "may_cancel": _may_cancel(order, of_first=told.is_of_first),
        "ahead": _describe_sending_ahead(order, told, today),
    }


def _describe_sending_ahead(order: Order, told: ToldDelay, today: date) -> str:
    """What comes of sending what is here first; empty where none of it would come sooner than the rest."""
    parts = splitting.find_parts(order) if told.rule != Rule.HAS_LEFT else None
    days = splitting.find_first_days(order, parts) if parts else None
    if parts is None or days is None:
        return ""
    return delay_words.describe_sending_ahead(told, parts.here_titles, parts.rest_titles, by_on=days.by_on, today=today)


def _describe_last_moment(order: Order) -> str:
    return delay_words.describe_last_moment(is_collected=order.pickup_store_id is not None)


def _may_cancel(order: Order, *, of_first: bool) -> bool:
    may_cancel = status.may_customer_cancel(order, lost=status.lost_total(order))
    return may_cancel and line_cancellation.has_some_here(order, of_first=of_first)


def _answer(request: HttpRequest, order: Order) -> HttpResponse:
    """A form that nobody was shown, or of an older notice, changes nothing."""
    answer, told = request.POST.get("answer", ""), request.POST.get("number", "")
    number = int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0
    try:
        _take_answer(order, answer, number)
    except TransitionRefused as refusal:
        messages.error(request, str(refusal))
        return see_other("order_delay", order.number)
    if answer == Answer.CANCEL and _is_of_two(order, number):
        messages.success(request, PART_CANCELLED)
        return see_other("order", order.number)
    is_rest = answer == Answer.CANCEL and stages.has_any_left(order)
    messages.success(request, REST_CANCELLED if is_rest else DONE[answer].format(until=_describe_last_moment(order)))
    return see_other("order", order.number)


def _is_of_two(order: Order, number: int) -> bool:
    """Whether it was about one of two parcels."""
    latest = delay_words.list_latest(order.events.all())
    return any(each.what for each in latest if each.number == number)


def _is_of_first(order: Order, number: int) -> bool:
    return order.delay_notices.filter(number=number, is_of_first=True).exists()


def _take_answer(order: Order, answer: str, number: int) -> None:
    if answer == Answer.WAIT:
        accept_delay(order.pk, number=number)
    elif answer == AHEAD:
        send_ahead(order.pk, number=number)
    elif answer == Answer.CANCEL and _may_cancel(order, of_first=_is_of_first(order, number)):
        cancel_for_delay(order.pk, number=number)
    else:
        raise TransitionRefused("This order cannot be cancelled from here any more. Write to us, and we see to it.")
