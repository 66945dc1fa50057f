"""The buyer paid by a way that takes days: what was ordered, and that the receipt comes once the money is here."""

from accounts.consent.purposes import MailKind
from notifications.topics.definition import Topic
from notifications.topics.order_news import compose_order_sample, draft_order_news
from notifications.topics.receipt import build_receipt
from orders.models import OrderEvent

PAYMENT_UNDER_WAY = Topic(
    "payment_under_way",
    MailKind.ESSENTIAL,
    title="Payment under way",
    because="You get this whatever is ticked: it is about your money, and your receipt comes only once it is here.",
    event=OrderEvent.Kind.PAYMENT_UNDER_WAY,
    draft=draft_order_news,
    context=build_receipt,
    sample=compose_order_sample,
)
