"""What lies ready and nobody collects: its buyer is reminded once, and staff have a queue. Nothing ends by itself."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from orders import events
from orders.events import RULE
from orders.locks import lock_shipment
from orders.models import OrderEvent, Shipment
from orders.models.shipment import ShipmentQuerySet
from shop.retrying.loops import Loop, register_loop

UNCOLLECTED = register_loop(
    Loop(
        "uncollected",
        title="Order",
        advice="Its buyer was not reminded that it lies ready. It is tried again by itself; staff see it in the queue "
        "“Not collected” meanwhile.",
        model="orders.Order",
    )
)


def remind_uncollected() -> int:
    """Returns how many parcels their buyers were reminded of."""
    count = 0
    with UNCOLLECTED.take_turn() as is_mine:
        waiting = _find_unreminded().order_by("ready_at", "pk") if is_mine else Shipment.objects.none()
        for pk, order_id, number in list(waiting.values_list("pk", "order_id", "order__number")):
            if UNCOLLECTED.is_due(order_id):
                with UNCOLLECTED.attempt(order_id, subject=f"{UNCOLLECTED.title} {number}"):
                    count += _remind(pk)
    return count


@transaction.atomic
def _remind(shipment_id: int) -> bool:
    """Whether there was still something to remind of: it may have been collected since."""
    parcel = lock_shipment(shipment_id)
    if not _find_unreminded().filter(pk=parcel.pk).exists():
        return False
    events.record_order_event(parcel.order, OrderEvent.Kind.UNCOLLECTED, shipment=parcel, actor=RULE)
    return True


def _find_unreminded() -> ShipmentQuerySet:
    """Made ready anew it is reminded of anew."""
    told = OrderEvent.objects.filter(
        shipment=OuterRef("pk"), kind=OrderEvent.Kind.UNCOLLECTED, created_at__gte=OuterRef("ready_at")
    )
    return Shipment.objects.uncollected().filter(~Exists(told))
