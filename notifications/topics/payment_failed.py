"""The bank did not pay after those days: the order has ended."""

from accounts.consent.purposes import MailKind
from notifications.topics.definition import Topic
from notifications.topics.order_news import build_order_news, compose_order_sample, draft_order_news
from orders.models import OrderEvent

PAYMENT_FAILED = Topic(
    "payment_failed",
    MailKind.ESSENTIAL,
    title="Payment failed",
    because="You get this whatever is ticked: an order of yours has ended.",
    event=OrderEvent.Kind.PAYMENT_FAILED,
    draft=draft_order_news,
    context=build_order_news,
    sample=compose_order_sample,
)
