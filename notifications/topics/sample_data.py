"""What samples of mails are made of: the customer's latest order or, for want of one, a made-up one. Stores nothing."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.models import OutgoingEmail, OutgoingItem
from notifications.topics.definition import BODY, TOPICS, BatchData, EmailContext, Topic
from orders.models import Adjustment, Order, OrderLine, Shipment, ShipmentLine, ShopSettings
from recommendations.picks import Pick
from shop.catalog.models import Product, Variant

NOT_SAVED = 0  # the key of whatever is made up here


def compose_sample(
    customer: Customer,
    topic: Topic,
    *,
    order: Order | None = None,
    context: dict[str, Any] | None = None,
    **rows: Any,
) -> EmailContext:
    """A mail to the customer, standing on the answers they have given; a supposed one would be given now.

    `rows`: what its context names, by key, under the names that `BatchData` has for them.
    """
    email = OutgoingEmail(
        topic=topic.key,
        kind=topic.kind,
        to_address=(order.email if order else "") or customer.email or "",
        customer=customer,
        order=order,
        context=context or {},
    )
    body = OutgoingItem(email=email, block=BODY, purpose=topic.purpose, is_essential=topic.kind is MailKind.ESSENTIAL)
    body.stands_since_at = _read_answer_times(customer).get(topic.purpose, timezone.now()) if topic.purpose else None
    known: dict[str, Any] = {"shipments": {}, "issues": {}, "requests": {}, **rows}
    desk = BatchData(ShopSettings.current(), **known)
    return EmailContext(email, [body], desk)


def list_sample_items(email: OutgoingEmail, block: str, picked: list[Pick], customer: Customer) -> list[OutgoingItem]:
    """The items of a block, each on the switch it came from."""
    products = Product.objects.select_related("maker").in_bulk([pick.product_id for pick in picked])
    since, whole = _read_answer_times(customer), TOPICS[email.topic].purpose
    return [
        OutgoingItem(
            email=email,
            block=block,
            position=place,
            product=products[pick.product_id],
            why=pick.why,
            purpose=pick.purpose or whole,
            stands_since_at=since.get(pick.purpose or whole, timezone.now()),
        )
        for place, pick in enumerate(picked, start=1)
    ]


def _read_answer_times(customer: Customer) -> dict[str, datetime]:
    """When each standing yes was given."""
    return dict(customer.consents.filter(granted=True).values_list("purpose", "changed_at"))


def get_sample_order(customer: Customer) -> Order:
    return find_latest_order(customer) or _make_up_order(customer)


def get_sample_parcel(order: Order) -> Shipment:
    parcels = Shipment.objects.filter(order=order.pk).exclude(stage=Shipment.Stage.CANCELLED)
    lines = Prefetch("lines", ShipmentLine.objects.select_related("order_line"))
    return parcels.prefetch_related(lines).last() or _make_up_parcel(order)


def find_latest_order(customer: Customer) -> Order | None:
    """None for whoever has no order that stands."""
    standing = customer.orders.filter(status__in=[Order.Status.CONFIRMED, Order.Status.COMPLETED])
    return standing.prefetch_related("lines", "adjustments").first()


def _make_up_order(customer: Customer) -> Order:
    """An order of two things that the shop sells, saved nowhere."""
    variants = Variant.objects.filter(is_active=True, product__is_published=True, product__is_available=True)
    lines = [
        OrderLine(
            product=variant.product,
            variant=variant,
            sku=variant.sku,
            title=variant.product.title,
            options=variant.label,
            quantity=1,
            unit_price=variant.price,
        )
        for variant in variants.select_related("product").order_by("product", "position")[:2]
    ]
    total = sum((line.unit_price for line in lines), Decimal(0))
    order = Order(
        pk=NOT_SAVED,
        customer=customer,
        number="SW-XXXX-XXXX-XX",  # of no order: its reader sees that it is made up
        full_name=customer.name,
        email=customer.email or "",
        status=Order.Status.CONFIRMED,
        payment_status=Order.PaymentStatus.PAID,
        carrier="royal_mail",
        subtotal=total,
        total=total,
        placed_at=timezone.now(),
    )
    _give_related(order, lines=lines, adjustments=list[Adjustment]())
    return order


def _make_up_parcel(order: Order) -> Shipment:
    """A parcel with all of the order in it."""
    parcel = Shipment(pk=NOT_SAVED, order=order, carrier=order.carrier, tracking_number="SAMPLE 0000")
    lines = [ShipmentLine(shipment=parcel, order_line=line, quantity=line.quantity) for line in order.lines.all()]
    _give_related(parcel, lines=lines)
    return parcel


def _give_related(row: Order | Shipment, **related: list[Any]) -> None:
    """What a prefetch would have read."""
    vars(row)["_prefetched_objects_cache"] = related
