"""Orders that go in two parcels: a scarf that is here, and a kettle that is still to come."""

from datetime import date

from django.utils import timezone

from orders.fulfilment import transitions
from orders.models import Order, OrderLine, Shipment
from shop.catalog.models import StockRecord
from tests import builders
from tests.delays.late import DAY, TODAY, fresh, order_due, ship


def order_in_two(scarf_by: date | None, kettle_by: date | None, *, restock_on: date | None = None) -> Order:
    """Each day may be one that nobody knows."""
    builders.tax_rate()
    scarf = builders.product("Scarf", price="10.00").variants.get()
    kettle = builders.product("Kettle", price="25.00", on_hand=0).variants.get()
    StockRecord.objects.filter(variant=kettle).update(backorder_limit=9, restock_on=restock_on)
    whole = max(scarf_by, kettle_by) if scarf_by and kettle_by else None
    order = order_due(whole, scarf, kettle, ships_as_ready=True)
    for line, by_on in ((order.lines.get(variant=scarf), scarf_by), (order.lines.get(variant=kettle), kettle_by)):
        if by_on:
            days = {"ships_on": by_on - 4 * DAY, "promised_from_on": by_on - DAY, "promised_by_on": by_on}
            OrderLine.objects.filter(pk=line.pk).update(**days)
    order.lines.filter(title="Scarf").update(goes_first=True)
    return fresh(order)


def get_scarf(order: Order) -> OrderLine:
    return order.lines.get(title="Scarf")


def get_kettle(order: Order) -> OrderLine:
    return order.lines.get(title="Kettle")


def get_parcel(line: OrderLine) -> Shipment:
    return Shipment.objects.get(lines__order_line=line)


def approve(order: Order) -> None:
    transitions.approve_order(order.pk, actor="Sam")


def send(line: OrderLine) -> Shipment:
    """Its parcel leaves."""
    parcel = get_parcel(line)
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    ship(parcel.pk)
    return get_parcel(line)


def left_on(parcel: Shipment, on: date) -> None:
    Shipment.objects.filter(pk=parcel.pk).update(dispatched_at=timezone.now() - (TODAY() - on))
