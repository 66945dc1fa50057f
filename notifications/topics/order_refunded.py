"""Money has gone back: how much, and why."""

from collections.abc import Iterator
from decimal import Decimal

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.order_news import build_order_news, draft_for_buyer
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.models import OrderEvent
from shop.money import format_amount


def _draft_refund(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """Money may go back several times, each with a mail of its own."""
    yield draft_for_buyer(topic, event, about=f"event:{event.pk}")


def _build_refund(letter: EmailContext) -> Context | None:
    context, order = build_order_news(letter), letter.email.order
    if context is None or order is None:
        return None
    amount = letter.email.context.get("amount")
    return {
        **context,
        "amount": format_amount(Decimal(amount), order.currency) if amount else context["total"],
        "reason": letter.email.context.get("reason", ""),
        "is_by_hand": bool(letter.email.context.get("by_hand")),
    }


def _compose_refund_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    return compose_sample(customer, topic, order=order, context={"amount": str(order.total)})


ORDER_REFUNDED = Topic(
    "order_refunded",
    MailKind.ESSENTIAL,
    title="Money given back",
    because="You get this whatever is ticked: it is about your money.",
    event=OrderEvent.Kind.REFUNDED,
    draft=_draft_refund,
    context=_build_refund,
    sample=_compose_refund_sample,
)
