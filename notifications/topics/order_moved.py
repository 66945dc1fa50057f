"""An order goes to another address, and takes longer to get there: the new day, to whoever placed it.

Who changed it may have been staff, or somebody with the buyer's link: it says where it goes now.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.order_news import build_order_news
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.models import Order, OrderEvent
from orders.promise import format_day


def _draft_news(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """One for each change that made it later; of one that did not, the page alone speaks."""
    order, was, by = event.order, event.data.get("was", ""), event.data.get("by", "")
    if order.email and by > was:
        key = f"{topic.key}:order:{order.pk}:{event.pk}"
        yield Draft(key, topic, order.email, order.customer, order, {"was": was, "by": by})


def _build_news(letter: EmailContext) -> Context | None:
    """None where it has ended, or its day is no longer that one: then there is other news."""
    context, order = build_order_news(letter), letter.email.order
    told = letter.email.context
    if context is None or order is None or order.status != Order.Status.CONFIRMED:
        return None
    if str(order.promised_by_on) != told["by"]:
        return None
    today = timezone.localdate()
    return {
        **context,
        "was": format_day(date.fromisoformat(told["was"]), today),
        "by": format_day(date.fromisoformat(told["by"]), today),
        "address": order.address_lines,
    }


def _compose_news_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    by_on = order.promised_by_on = order.promised_by_on or timezone.localdate()
    context = {"was": (by_on - timedelta(days=2)).isoformat(), "by": by_on.isoformat()}
    return compose_sample(customer, topic, order=order, context=context)


ORDER_MOVED = Topic(
    "order_moved",
    MailKind.ESSENTIAL,
    title="Order goes elsewhere, and takes longer",
    because="You get this whatever is ticked: your order goes to another address, and its day has changed.",
    event=OrderEvent.Kind.ADDRESS_CHANGED,
    draft=_draft_news,
    context=_build_news,
    sample=_compose_news_sample,
)
