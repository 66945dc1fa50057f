"""Where an order stands, as staff read it in the list and on its page."""

from collections.abc import Collection
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.fulfilment import queue
from orders.models import Order
from orders.models.stripe_record import describe_dispute
from orders.stages import IN_TROUBLE
from orders.status import DELAYED_WORDS, DENIED_WORDS, get_customer_status_label
from shop.money import format_amount


def get_status_badge(order: Order, standings: Collection[str]) -> tuple[str, str]:
    """A badge's colour and words: the queue an order waits in, else what the customer reads, in staff's words."""
    waits_in = queue.find_queue_for_order(order, standings)
    if waits_in and not waits_in.has_left:
        return "wait", waits_in.title
    label = _get_staff_label(order)
    if order.status == Order.Status.CANCELLED or label == queue.NOT_RECEIVED.title:
        return "out", label
    if not IN_TROUBLE.isdisjoint(standings):
        return "wait", label
    is_delivered = order.fulfilment_status == Order.FulfilmentStatus.DELIVERED
    return "in" if is_delivered or waits_in else "", label


def _get_staff_label(order: Order) -> str:
    label = get_customer_status_label(order)
    return queue.NOT_RECEIVED.title if label == DENIED_WORDS else label


def format_denial_badge(order: Order, *, beside: str) -> SafeString:
    """That one parcel did not come, for an order whose own badge says what another waits for."""
    title = queue.NOT_RECEIVED.title
    if not order.has_denied_delivery or beside == title:
        return SafeString("")
    return format_html(' <span class="badge out">{}</span>', title)


def format_delay_badge(*, is_delayed: bool, beside: str) -> SafeString:
    """Empty where the order's own badge says so already."""
    if not is_delayed or beside == DELAYED_WORDS:
        return SafeString("")
    return format_html(' <span class="badge out">{}</span>', DELAYED_WORDS)


def format_refund_badge(order: Order, refunds: list[dict[str, str]]) -> SafeString:
    """How much went back, and why, for the list; empty for most orders."""
    if not refunds:
        return SafeString("")
    amount = format_amount(sum((Decimal(each["amount"]) for each in refunds), Decimal(0)), order.currency)
    reasons = "; ".join(each["reason"] for each in refunds if each["reason"])
    mark = format_html(' <span class="badge out">{} back</span>', amount)
    return format_html('{}<small class="reasons">{}</small>', mark, reasons) if reasons else mark


def format_dispute_badges(disputes: list[dict[str, str]]) -> SafeString:
    """What the buyer's bank took back, or disputes, for the list; empty for most orders."""
    texts = (
        describe_dispute(each["status"], format_amount(Decimal(each["amount"]), each["currency"])) for each in disputes
    )
    return format_html_join("", ' <span class="badge out">{}</span>', ((text,) for text in texts))
