"""What lies ready to be collected for longer than the shop keeps it: one reminder, by the switch of what is ready."""

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.order_news import build_order_news, compose_stage_sample, draft_order_news
from orders.models import Order, OrderEvent


def _build_reminder(letter: EmailContext) -> Context | None:
    """None once it has been collected."""
    context = build_order_news(letter)
    return None if context is None or context["has_all_arrived"] else context


def _compose_reminder_sample(customer: Customer, topic: Topic) -> EmailContext:
    sample = compose_stage_sample(customer, topic)
    if sample.email.order:
        sample.email.order.fulfilment_status = Order.FulfilmentStatus.READY  # nothing of a sample is stored
    return sample


ORDER_UNCOLLECTED = Topic(
    "order_uncollected",
    MailKind.SERVICE,
    purpose=purposes.MAIL_ORDER_READY,
    title="Order not collected yet",
    event=OrderEvent.Kind.UNCOLLECTED,
    draft=draft_order_news,
    context=_build_reminder,
    sample=_compose_reminder_sample,
    headline="It still lies ready for you.",
)
