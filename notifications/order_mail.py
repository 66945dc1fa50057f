"""What the mails about an order say."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from notifications import links
from notifications.product_block import build_product_block
from notifications.queueing import OFFER
from notifications.render_batch import EmailContext
from orders.carriers import get_carrier_name
from orders.models import Order, OrderLine, Shipment
from orders.promise import format_date_range
from shop.money import format_amount

Context = dict[str, Any]
MOST_LISTED = 40  # things; the order's page has them all, and the end of a long mail is cut off


def news(letter: EmailContext) -> Context | None:
    """Any step of an order; None when the order is gone."""
    order = letter.email.order
    if order is None:
        return None
    parcel: Shipment | None = letter.named(letter.desk.shipments, "shipment")
    return {
        "order": order,
        "order_url": links.build_order_url(order),
        "first_name": order.full_name.split(" ")[0],
        "has_all_arrived": order.fulfilment_status == Order.FulfilmentStatus.DELIVERED,
        "total": order.total_text,
        "leaves": _on(order.ships_on),
        "arrives": _between(order),
        "parcel": _parcel(parcel) if parcel else None,
    }


def receipt(letter: EmailContext) -> Context | None:
    context = news(letter)
    order = letter.email.order
    if context is None or order is None:
        return None
    offers = letter.offered(OFFER)
    return {
        **context,
        "lines": [_line(line, order.currency) for line in order.lines.all()[:MOST_LISTED]],
        "more_count": max(0, len(order.lines.all()) - MOST_LISTED),
        "sums": _sums(order),
        "address": order.address_lines,
        "offers": [build_product_block(item) for item in offers],
        "shown": offers,
    }


def refunded(letter: EmailContext) -> Context | None:
    context, order = news(letter), letter.email.order
    if context is None or order is None:
        return None
    amount = letter.email.context.get("amount")
    return {
        **context,
        "amount": format_amount(Decimal(amount), order.currency) if amount else context["total"],
        "reason": letter.email.context.get("reason", ""),
    }


def cancelled(letter: EmailContext) -> Context | None:
    """With why the order ended, and what becomes of the money."""
    context, order = news(letter), letter.email.order
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


def _line(line: OrderLine, currency: str) -> dict[str, Any]:
    detail = ", ".join(part for part in (line.options, "a gift" if line.is_gift else "") if part)
    return {
        "title": line.title,
        "detail": detail,
        "quantity": line.quantity,
        "total": format_amount(line.line_total, currency),
    }


def _sums(order: Order) -> list[tuple[str, str, bool]]:
    def row(name: str, amount: Any, *, strong: bool = False) -> tuple[str, str, bool]:
        return name, format_amount(amount, order.currency), strong

    extras = [row(extra.label, extra.amount) for extra in order.adjustments.all()]
    delivery = f"Delivery ({order.shipping_name})" if order.shipping_name else "Delivery"
    sums = [row("Goods", order.subtotal), *extras]
    sums.append(row(delivery, order.shipping_total) if order.shipping_total else (delivery, "free", False))
    sums.append(row("Total", order.total, strong=True))
    if order.tax_total:
        sums.append(row("of which tax", order.tax_total))
    return sums


def _parcel(parcel: Shipment) -> dict[str, Any]:
    lines = list(parcel.lines.all())
    contents = [
        f"{line.quantity} × {line.order_line.title}"
        + (f" ({line.order_line.options})" if line.order_line.options else "")
        for line in lines[:MOST_LISTED]
    ]
    if len(lines) > MOST_LISTED:
        contents.append(f"and {len(lines) - MOST_LISTED} more")
    return {
        "contents": contents,
        "carrier": get_carrier_name(parcel.carrier) if parcel.carrier else "",
        "tracking_number": parcel.tracking_number,
        "is_untracked": parcel.is_untracked,
        "note": parcel.packing_note,
        "note_by": parcel.packed_by,
    }


def _on(day: Any) -> str:
    return format_date_range(day, day, timezone.localdate()) if day else ""


def _between(order: Order) -> str:
    if order.promised_by_on is None:
        return ""
    return format_date_range(order.promised_from_on or order.promised_by_on, order.promised_by_on, timezone.localdate())
