"""What staff entered for somebody who called or wrote, or what goes in exchange and costs more: the link to pay it."""

from collections.abc import Iterator

from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.order_news import build_order_news, draft_order_news
from notifications.topics.receipt import describe_customs, list_order_lines, list_order_sums
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.models import Order, OrderEvent, ReturnAuthorization
from orders.promise import format_day, format_moment
from orders.returns.return_wording import describe_money_back
from orders.staff_orders import PAYABLE_FOR


def _draft_order_to_pay(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """To nobody where the money came already: a receipt does."""
    if event.data.get("is_payable"):
        yield from draft_order_news(topic, event)


def _build_order_to_pay(letter: EmailContext) -> Context | None:
    """None when the order is gone, or does not wait for its payment any more."""
    context = build_order_news(letter)
    order = letter.email.order
    if context is None or order is None or order.pay_by_at is None or not order.is_payable_by_link:
        return None
    lines, more_count = list_order_lines(order)
    today = timezone.localdate()
    return {
        **context,
        "lines": lines,
        "more_count": more_count,
        "sums": list_order_sums(order),
        "address": order.address_lines,
        "customs_note": describe_customs(order, letter),
        "ready": format_moment(order.pickup_ready_at, today) if order.pickup_ready_at else "",
        "exchanged": _describe_exchange(order),
        "pay_by": format_day(timezone.localdate(order.pay_by_at), today),
    }


def _describe_exchange(order: Order) -> str:
    """What it goes in exchange for, and the money for that; empty for what stands alone."""
    made = ReturnAuthorization.objects.filter(exchange_order=order).select_related("refund").first()
    if made is None:
        return ""
    return f"It is what you want instead of what you sent back ({made.number}). {describe_money_back(made)}".strip()


def _compose_order_to_pay_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    order.status, order.pay_by_at = order.Status.PENDING, timezone.now() + PAYABLE_FOR
    return compose_sample(customer, topic, order=order)


ORDER_TO_PAY = Topic(
    "order_to_pay",
    MailKind.ESSENTIAL,
    title="Order to pay",
    because="You get this because you ordered from us by phone, by letter, by mail, in the shop or in exchange.",
    event=OrderEvent.Kind.DRAFTED,
    draft=_draft_order_to_pay,
    context=_build_order_to_pay,
    sample=_compose_order_to_pay_sample,
)
