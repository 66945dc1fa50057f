"""Which orders are delayed: not there, and a later day was named than the promised one, or that day has passed."""

from datetime import date

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from orders.models import DelayNotice, Order, OrderLine, Shipment, ShipmentLine

_DONE = (Order.FulfilmentStatus.READY, Order.FulfilmentStatus.DELIVERED)  # there, or waiting for whoever collects it


def build_delayed_filter() -> Q:
    """Of orders, as a condition or a column. Not of those on hold, which nobody moves."""
    today = timezone.localdate()
    is_open = ~Q(fulfilment_status__in=_DONE) & Q(status=Order.Status.CONFIRMED, hold="")
    is_told = Exists(DelayNotice.objects.order_by().filter(order=OuterRef("pk"), is_current=True, is_of_first=False))
    is_past = Q(promised_by_on__lt=today) | Q(pickup_ready_at__lt=timezone.now())
    return is_open & (is_past | is_told | _build_first_filter())


def _build_first_filter() -> Q:
    """The same of the first parcel of an order that goes in two, until it is there."""
    today = timezone.localdate()
    is_late = _build_outside_filter("pk", ships_on__lt=today, promised_by_on__lt=today)  # by the index of the former
    told = DelayNotice.objects.order_by().filter(order=OuterRef("pk"), is_current=True, is_of_first=True)
    return Q(ships_as_ready=True) & (Q(is_late) | Q(Exists(told.filter(_build_outside_filter("order")))))


def _build_outside_filter(order: str, **days: date) -> Exists:
    """Whether some of what goes first is not there; `order`: where the order's key stands."""
    inside = ShipmentLine.objects.filter(order_line=OuterRef("pk")).exclude(shipment__stage=Shipment.Stage.CANCELLED)
    there = inside.filter(shipment__stage=Shipment.Stage.DELIVERED)
    elsewhere = inside.exclude(shipment__stage=Shipment.Stage.DELIVERED)
    lines = OrderLine.objects.order_by().filter(order=OuterRef(order), goes_first=True, **days)
    return Exists(lines.filter(~Exists(there) | Exists(elsewhere), cancelled_quantity__lt=F("quantity")))
