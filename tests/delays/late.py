"""Orders whose day slips, and days without weekends or evenings in which they do."""

import re
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from orders.delays.finding import see_to_delays
from orders.fulfilment import transitions
from orders.models import DelayNotice, Order, OrderEvent, ShippingMethod
from orders.order_access import build_delay_link
from shop.catalog import stock
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.person import ClientRoad, Person

TODAY = timezone.localdate
DAY = timedelta(days=1)


def method() -> ShippingMethod:
    return builders.shipping_method(days_min=3, days_max=4)


def order_due(by_on: date | None, *variants: Variant, **fields) -> Order:
    """A paid order that was to be there by that day."""
    fields.setdefault("email", "pat@example.com")
    order = builders.placed_order(*variants, shipping_method=method(), promised_by_on=by_on, **fields)
    if by_on:
        Order.objects.filter(pk=order.pk).update(ships_on=by_on - 4 * DAY, promised_from_on=by_on - DAY)
    return fresh(order)


def late_order(**fields) -> Order:
    """It takes three days at least, and was promised in two."""
    return order_due(TODAY() + 2 * DAY, **fields)


def awaiting(restock_on: date | None, *, by_on: date | None = None) -> Order:
    """An order for goods that nobody has yet."""
    item = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=item).update(backorder_limit=9, restock_on=restock_on)
    return order_due(by_on or TODAY() + 2 * DAY, item)


def goods_come() -> None:
    """Five of each thing."""
    with transaction.atomic():
        for record in StockRecord.objects.all():
            stock.receive_stock(record.pk, quantity=5)


def told(order: Order) -> DelayNotice:
    """The job has run, and this is what it told."""
    see_to_delays()
    return order.delay_notices.get(is_current=True)


def nothing_is_told(order: Order) -> bool:
    before = fresh(order)
    see_to_delays()
    after = fresh(order)
    same = (before.promised_by_on, before.ships_on, before.status) == (
        after.promised_by_on,
        after.ships_on,
        after.status,
    )
    return same and not order.delay_notices.exists() and not order.events.filter(kind=OrderEvent.Kind.DELAYED).exists()


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def packed(order: Order) -> int:
    """Its parcel, ready to go."""
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get().pk
    transitions.mark_shipment_picked(parcel, actor="Sam")
    transitions.mark_shipment_packed(parcel, actor="Sam")
    return parcel


def ship(parcel: int) -> None:
    """Under a number of its own: one that another parcel has is refused."""
    transitions.dispatch_shipment(parcel, actor="Sam", carrier="dpd", tracking_number=f"1550{parcel:010}")


def half_gone(**fields) -> Order:
    """A scarf is on its way. The kettle was to be there in two days, and nobody knows when it comes."""
    builders.tax_rate()
    scarf, kettle = builders.variant(price="10.00"), builders.variant(price="25.00", on_hand=0)
    StockRecord.objects.filter(variant=kettle).update(backorder_limit=9)
    order = order_due(TODAY() + 2 * DAY, scarf, kettle, ships_as_ready=True, **fields)
    order.lines.update(promised_from_on=order.promised_from_on, promised_by_on=order.promised_by_on)
    transitions.approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get(lines__order_line__variant=scarf).pk
    transitions.mark_shipment_picked(parcel, actor="Sam")
    transitions.mark_shipment_packed(parcel, actor="Sam")
    ship(parcel)
    return fresh(order)


def open_by_mail(order: Order) -> Person:
    path = re.sub(r"^https?://[^/]+", "", build_delay_link(order))
    return Person(road=ClientRoad()).open(path)
