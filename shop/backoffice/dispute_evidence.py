"""What Stripe takes as evidence when a bank disputes a payment, gathered for staff to copy. None of it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from notifications.models import OutgoingEmail
from orders.carriers import get_carrier_name
from orders.models import InfoPage, Order, OrderEvent, Refund, Shipment, StripeRecord
from orders.stages import DISPATCHED_STAGES
from shop.money import format_amount
from shop.periods import Period

KINDS = dict(OrderEvent.Kind.choices)


@dataclass(frozen=True)
class EvidencePart:
    """`field`: the name that Stripe gives to it; `text`: lines, never empty."""

    field: str
    title: str
    text: str


def gather_evidence(record: StripeRecord) -> list[EvidencePart]:
    """For a dispute of a payment of ours; without the parts that there is nothing for."""
    if record.payment is None:
        return []
    order = record.payment.order
    parts = (
        ("product_description", "What was bought", _describe_goods(order)),
        ("customer_name, customer_email_address", "Who bought it", _describe_buyer(order)),
        ("shipping_address", "Where it went", _describe_addresses(order)),
        ("receipt", "Receipt", _describe_receipt(order, record)),
        ("shipping_carrier, shipping_tracking_number, shipping_date", "How it was sent", _describe_parcels(order)),
        ("shipping_documentation", "What the carrier scanned", _describe_scans(order)),
        (
            "refund_policy, refund_policy_disclosure",
            "The refund policy, and where it is shown",
            _describe_policy(order),
        ),
        ("refund_refusal_explanation", "What was given back", _describe_money_back(order)),
        ("customer_communication", "What passed between the buyer and us", _describe_communication(order)),
        ("uncategorized_text", "What happened, step by step", _describe_events(order)),
    )
    found = ((field, title, "\n".join(lines)) for field, title, lines in parts)
    return [EvidencePart(field, title, text) for field, title, text in found if text.strip()]


def write_evidence(record: StripeRecord, parts: list[EvidencePart]) -> str:
    """All of it as one text."""
    due = f"Stripe takes an answer until {_format_moment(record.due_at)}." if record.due_at else ""
    amount = format_amount(record.amount, record.currency)
    head = "\n".join(filter(None, [f"Dispute {record.reference}: {record.reason_text}, {amount}.", due]))
    return "\n\n".join([head, *(f"{part.title} ({part.field})\n{part.text}" for part in parts)]) + "\n"


def _describe_goods(order: Order) -> Iterator[str]:
    for line in order.lines.all():
        options = f" ({line.options})" if line.options else ""
        price = format_amount(line.unit_price, order.currency)
        yield f"{line.quantity} × {line.title}{options}, {line.sku}, {price} each"


def _describe_buyer(order: Order) -> Iterator[str]:
    yield order.full_name
    if order.email:
        yield order.email


def _describe_receipt(order: Order, record: StripeRecord) -> Iterator[str]:
    yield (
        f"Order {order.number}, paid {_format_moment(order.placed_at)}" if order.placed_at else f"Order {order.number}"
    )
    if order.shipping_total:
        yield f"Delivery: {order.shipping_name} {format_amount(order.shipping_total, order.currency)}"
    yield f"Total: {order.total_text}"
    if record.payment and record.payment.payment_intent:
        yield f"Payment at Stripe: {record.payment.payment_intent}"
    for invoice in order.invoices.all():
        yield f"{invoice} of {date_format(timezone.localtime(invoice.issued_at), 'j F Y')}, {invoice.total_text}"


def _list_sent_parcels(order: Order) -> list[Shipment]:
    return list(order.shipments.filter(stage__in=DISPATCHED_STAGES).order_by("pk"))


def _describe_addresses(order: Order) -> list[str]:
    """Where each parcel that left went, the same place once; an empty line between two."""
    places = ["\n".join(parcel.destination.address_lines) for parcel in _list_sent_parcels(order)]
    return ["\n\n".join(dict.fromkeys(places))] if places else order.address_lines


def _describe_parcels(order: Order) -> Iterator[str]:
    left = {event.shipment_id: event.created_at for event in order.events.filter(kind=OrderEvent.Kind.DISPATCHED)}
    for parcel in _list_sent_parcels(order):
        number = parcel.tracking_number or "no tracking number"
        said = [f"{get_carrier_name(parcel.carrier)}, {number}"]
        if parcel.pk in left:
            said.append(f"left {_format_moment(left[parcel.pk])}")
        if parcel.delivered_at:
            said.append(f"delivered {_format_moment(parcel.delivered_at)}")
        yield ", ".join(said)


def _describe_scans(order: Order) -> Iterator[str]:
    for parcel in _list_sent_parcels(order):
        for scan in parcel.scans.order_by("happened_at", "pk"):
            words = ", ".join(filter(None, [scan.get_meaning_display(), scan.words, scan.place]))
            yield f"{parcel.tracking_number}: {_format_moment(scan.happened_at)}, {words}"


def _describe_policy(order: Order) -> Iterator[str]:
    if order.return_window_days:
        yield f"Agreed with this order: goods may be sent back within {Period(days=order.return_window_days)}."
        if order.pays_return_postage is not None:
            yield f"Sending back by choice is paid by {'us' if order.pays_return_postage else 'the buyer'}."
    for page in InfoPage.objects.filter(facts=InfoPage.Facts.RETURNS, is_published=True):
        day = date_format(timezone.localtime(page.updated_at), "j F Y")
        yield f"“{page.title}”, linked in the foot of every page, as it stands since {day}:"
        if order.placed_at and page.updated_at > order.placed_at:
            yield "(Changed after this order was made: do not send it as what the buyer saw.)"
        yield f"{settings.SITE_URL}{page.get_absolute_url()}"
        yield page.body


def _describe_money_back(order: Order) -> Iterator[str]:
    for refund in Refund.objects.filter(payment__order=order, status=Refund.Status.SUCCEEDED).order_by("pk"):
        reason = f": {refund.reason}" if refund.reason else ""
        moment = refund.settled_at or refund.created_at
        yield f"{format_amount(refund.amount, refund.currency)} given back {_format_moment(moment)}{reason}"


def _describe_communication(order: Order) -> Iterator[str]:
    for email in OutgoingEmail.objects.filter(order=order, sent_at__isnull=False).order_by("sent_at"):
        yield f"{_format_moment(email.sent_at)}, we wrote: {email.subject or email.topic}"
    for withdrawal in order.withdrawals.all():
        said = withdrawal.contents.replace("\n", ", ")
        yield f"{_format_moment(withdrawal.declared_at)}, the buyer withdrew: {said}"
    for made in order.returns.order_by("requested_at"):
        words = f": {made.words}" if made.words else ""
        yield f"{_format_moment(made.requested_at)}, the buyer sends back ({made.get_reason_display()}){words}"


def _describe_events(order: Order) -> Iterator[str]:
    for event in order.events.all():
        yield f"{_format_moment(event.created_at)}, {KINDS.get(event.kind, event.kind)}"


def _format_moment(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "j F Y, H:i") if moment else ""
