"""A promised day will be missed: sorry, the new day, and the choice to wait or to cancel. The law asks for it.

It tells what was so when the notice was written. What has ended or left since is not told to wait or cancel.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications import links
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.delays import delay_words
from orders.delays.order_parts import find_part
from orders.models import DelayNotice, Order, OrderEvent
from orders.stages import has_any_left

Rule = DelayNotice.Rule


def _draft_news(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """One for each notice."""
    order = event.order
    if order.email and event.data.get("rule"):
        key = f"{topic.key}:order:{order.pk}:{event.data['notice']}"
        yield Draft(key, topic, order.email, order.customer, order, dict(event.data))


def _build_news(letter: EmailContext) -> Context | None:
    """None when nothing is left to tell: the order has ended, or left or lay ready before its buyer was asked."""
    order = letter.email.order
    if order is None or order.status != Order.Status.CONFIRMED:
        return None
    told = _read_told(order, letter)
    is_done = find_part(order, is_first=told.is_of_first).is_done
    if is_done and told.rule != Rule.HAS_LEFT:
        return None
    today, is_rest = timezone.localdate(), has_any_left(order)
    may_choose = told.rule != Rule.HAS_LEFT
    return {
        "order": order,
        "order_url": links.build_order_url(order),
        "delay_url": links.build_delay_url(order) if may_choose else "",
        "slip": delay_words.describe_slip(told, today),
        "cause": delay_words.describe_cause(told),
        "silence": delay_words.describe_silence(told, today, is_rest=is_rest),
        "is_rest": is_rest and may_choose and not told.what,
        "is_part": bool(told.what),
        "choice_label": _label_choice(told, is_rest=is_rest),
        "until": delay_words.describe_last_moment(is_collected=told.is_collected),
        "is_undated": told.new_by_on is None,
    }


def _read_told(order: Order, letter: EmailContext) -> delay_words.ToldDelay:
    """As it holds now: one query for an order that goes in two parcels, since it may have been divided meanwhile."""
    told = delay_words.parse_told(letter.email.context)
    if not order.ships_as_ready or told.what:
        return told
    happened = list(order.events.all())
    said = [each for each in delay_words.list_told_delays(happened) if each.number == told.number]
    return delay_words.narrow_to_rest(said[0], happened) if said else told


def _label_choice(told: delay_words.ToldDelay, *, is_rest: bool) -> str:
    if told.what:
        return "Wait, or cancel that parcel"
    return "Wait, or cancel the rest" if is_rest else "Wait, or cancel and refund"


def _compose_news_sample(customer: Customer, topic: Topic) -> EmailContext:
    today = timezone.localdate()
    context = {
        "notice": 1,
        "why": DelayNotice.Reason.GOODS,
        "was": (today + timedelta(days=2)).isoformat(),
        "by": (today + timedelta(days=9)).isoformat(),
        "rule": Rule.SILENCE_WAITS,
        "deadline": "",
        "reason": "",
    }
    return compose_sample(customer, topic, order=get_sample_order(customer), context=context)


ORDER_DELAYED = Topic(
    "order_delayed",
    MailKind.ESSENTIAL,
    title="Order delayed",
    because="You get this whatever is ticked: your order will be late, and the law gives you the choice.",
    event=OrderEvent.Kind.DELAYED,
    draft=_draft_news,
    context=_build_news,
    sample=_compose_news_sample,
)
