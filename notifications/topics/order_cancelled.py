"""An order has ended: why, and what becomes of the money."""

from decimal import Decimal

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.order_news import build_order_news, draft_order_news
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.models import Order, OrderEvent
from shop.money import format_amount


def _build_cancellation(letter: EmailContext) -> Context | None:
    context, order = build_order_news(letter), letter.email.order
    if context is None or order is None:
        return None
    told = letter.email.context
    money = _describe_money(order, gives_back=Decimal(told.get("amount", 0)), by_bank=Decimal(told.get("by_bank", 0)))
    return {**context, "reason": told.get("reason", ""), "money": money}


_WITHOUT_REFUND = {
    Order.PaymentStatus.DISPUTED: "Your bank disputes the payment, so it is the bank that decides about the money.",
    Order.PaymentStatus.CHARGED_BACK: "All your money was given back already.",
    Order.PaymentStatus.REFUNDED: "All your money was given back already.",
    Order.PaymentStatus.PARTIALLY_REFUNDED: "About the rest of your money, please write to us.",
}


def _describe_money(order: Order, *, gives_back: Decimal, by_bank: Decimal) -> str:
    """What becomes of the money of an order that ended, of which `by_bank` went back before; empty without any."""
    if by_bank >= order.total > 0:
        return "Your bank gave you the money back already."
    taken = f"Your bank gave you {format_amount(by_bank, order.currency)} of your money back. " if by_bank else ""
    return taken + _describe_rest(order, gives_back=gives_back)


def _describe_rest(order: Order, *, gives_back: Decimal) -> str:
    if gives_back:
        sum_text = format_amount(gives_back, order.currency)
        what = f"The {sum_text} you paid" if gives_back == order.total else f"The rest of your money, {sum_text},"
        return f"{what} goes back the way you paid. We write again once it is on its way."
    if order.payment_status == Order.PaymentStatus.PAID and order.total:
        return f"About the {order.total_text} you paid, please write to us."
    return _WITHOUT_REFUND.get(Order.PaymentStatus(order.payment_status), "")


def _compose_cancellation_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    context = {"amount": str(order.total), "reason": "You asked us to."}
    return compose_sample(customer, topic, order=order, context=context)


ORDER_CANCELLED = Topic(
    "order_cancelled",
    MailKind.ESSENTIAL,
    title="Order cancelled",
    because="You get this whatever is ticked: an order of yours has ended.",
    event=OrderEvent.Kind.CANCELLED,
    draft=draft_order_news,
    context=_build_cancellation,
    sample=_compose_cancellation_sample,
)
