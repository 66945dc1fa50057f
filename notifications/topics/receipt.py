"""The receipt, which comes with every order, and the one offer it carries for those who ticked that."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DatabaseError, transaction

from accounts.consent import consent, purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications import links
from notifications.product_block import build_product_block
from notifications.topics.definition import OFFER, Context, Draft, DraftItem, EmailContext, Topic
from notifications.topics.order_news import MOST_LISTED, build_order_news, compose_order_sample, draft_order_news
from notifications.topics.sample_data import list_sample_items
from orders import legal_guarantee
from orders.customs import describe_import_charges
from orders.models import Order, OrderEvent, OrderLine
from orders.returns.deadlines import WITHDRAWAL_PERIOD
from recommendations import picks
from shop.money import format_amount

logger = logging.getLogger(__name__)


def build_receipt(letter: EmailContext) -> Context | None:
    """None when the order is gone."""
    context = build_order_news(letter)
    order = letter.email.order
    if context is None or order is None:
        return None
    offers = letter.offered(OFFER)
    lines, more_count = list_order_lines(order)
    return {
        **context,
        "lines": lines,
        "more_count": more_count,
        "sums": list_order_sums(order),
        "address": order.address_lines,
        "customs_note": describe_customs(order, letter),
        "guarantee": _describe_guarantee(order, letter.desk.shop.name),
        "withdrawal_period": WITHDRAWAL_PERIOD,
        "withdrawal_url": links.build_withdrawal_url(order),
        "offers": [build_product_block(item) for item in offers],
        "shown": offers,
    }


def describe_customs(order: Order, letter: EmailContext) -> str:
    """What may be asked of whoever receives it, at a customs border; empty where it passes none."""
    if order.pickup_store_id:
        return ""
    origin = str(letter.desk.shop.default_country)
    return describe_import_charges(origin, str(order.country), tax_name="Tax" if order.tax_total else "")


def _describe_guarantee(order: Order, seller: str) -> Context | None:
    """The notice of the legal guarantee in words, since mail loads no picture; None where none is due."""
    if not legal_guarantee.is_notice_due(str(order.country)):
        return None
    return {"seller": seller, "years": legal_guarantee.LEAST_YEARS, "url": links.build_guarantee_url()}


def list_order_lines(order: Order) -> tuple[list[Context], int]:
    """The first `MOST_LISTED` lines in words, and how many more there are."""
    lines = list(order.lines.all())
    return [_describe_line(line, order.currency) for line in lines[:MOST_LISTED]], max(0, len(lines) - MOST_LISTED)


def _describe_line(line: OrderLine, currency: str) -> dict[str, Any]:
    parts = (line.options, "a gift" if line.is_gift else "", _describe_makers_guarantee(line))
    detail = ", ".join(part for part in parts if part)
    return {
        "title": line.title,
        "detail": detail,
        "quantity": line.quantity,
        "total": format_amount(line.line_total, currency),
    }


def _describe_makers_guarantee(line: OrderLine) -> str:
    return f"{line.guarantee_years} years’ guarantee from its maker" if line.guarantee_years else ""


def list_order_sums(order: Order) -> list[tuple[str, str, bool]]:
    """(name, amount, whether it stands out)."""

    def row(name: str, amount: Any, *, strong: bool = False) -> tuple[str, str, bool]:
        return name, format_amount(amount, order.currency), strong

    extras = [row(extra.label, extra.amount) for extra in order.adjustments.all()]
    delivery = f"Delivery ({order.delivery_name})" if order.delivery_name else "Delivery"
    sums = [row("Goods", order.subtotal), *extras]
    plain = order.plain_shipping_total
    sums.append(row(delivery, plain) if plain else (delivery, "free", False))
    if order.zone_surcharge:
        sums.append(row(f"Surcharge for {order.zone_name or 'the first address'}", order.zone_surcharge))
    sums.append(row("Total", order.total, strong=True))
    if order.tax_total:
        sums.append(row("of which tax", order.tax_total))
    return sums


def _add_offer(draft: Draft, is_allowed: Callable[[str], bool]) -> Sequence[DraftItem]:
    """A block with one offer, which is gated on its own. Nothing is picked for those who did not ask."""
    if draft.order is None:
        return ()
    if not is_allowed(purposes.RECEIPT_OFFER):
        return (DraftItem(OFFER, purposes.RECEIPT_OFFER),)
    pick = _pick_offer_or_none(draft.order)
    return (DraftItem(OFFER, purposes.RECEIPT_OFFER, product_id=pick.product_id, why=pick.why),) if pick else ()


def _pick_offer_or_none(order: Order) -> picks.Pick | None:
    """A receipt never waits for, or falls with, a suggestion."""
    try:
        with transaction.atomic():
            return picks.pick_receipt_offer(order)
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError):
        logger.exception("No offer for order %s", order.pk)
        return None


def _compose_receipt_sample(customer: Customer, topic: Topic) -> EmailContext:
    letter = compose_order_sample(customer, topic)
    if letter.email.order is not None and consent.allows(customer, purposes.RECEIPT_OFFER):
        offer = picks.pick_receipt_offer(letter.email.order)
        letter.items += list_sample_items(letter.email, OFFER, [offer] if offer else [], customer)
    return letter


RECEIPT = Topic(
    "receipt",
    MailKind.ESSENTIAL,
    title="Receipt",
    because="A receipt always comes with an order: it is your proof of what we owe each other.",
    parts=((OFFER, purposes.RECEIPT_OFFER),),
    event=OrderEvent.Kind.PLACED,
    draft=draft_order_news,
    add_items=_add_offer,
    context=build_receipt,
    sample=_compose_receipt_sample,
)
