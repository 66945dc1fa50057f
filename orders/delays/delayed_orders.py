"""Which orders are delayed: not there, and a later day was named than the promised one, or that day has passed."""

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
    inside = ShipmentLine.objects.filter(order_line=OuterRef("pk"))
    outside = OrderLine.objects.order_by().filter(
        ~Exists(inside.filter(shipment__stage=Shipment.Stage.DELIVERED)),
        order=OuterRef("pk"),
        goes_first=True,
        cancelled_quantity__lt=F("quantity"),
    )
    told = DelayNotice.objects.order_by().filter(order=OuterRef("pk"), is_current=True, is_of_first=True)
    is_late = Exists(outside.filter(promised_by_on__lt=timezone.localdate()))
    return Q(ships_as_ready=True) & (Q(is_late) | Q(Exists(told)) & Q(Exists(outside)))
