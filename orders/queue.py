"""The staff's queue: which orders wait for which hand."""

from django.db.models import Count, Exists, OuterRef, QuerySet

from orders.models import Order, Shipment

Stage = Shipment.Stage

TO_APPROVE = "approve"
ON_THE_ROAD = (Stage.DISPATCHED, Stage.IN_TRANSIT, Stage.OUT_FOR_DELIVERY)

# what a queue is called: the stages of the parcels in it
QUEUES: dict[str, tuple[str, tuple[Shipment.Stage, ...]]] = {
    TO_APPROVE: ("To approve", ()),
    "pick": ("To pick", (Stage.WAITING,)),
    "picking": ("Being picked", (Stage.PICKING,)),
    "pack": ("To pack", (Stage.PICKED,)),
    "ship": ("To ship", (Stage.PACKED,)),
    "road": ("On the road", ON_THE_ROAD),
}


def in_queue(orders: QuerySet[Order], queue: str) -> QuerySet[Order]:
    """The orders of one queue. Raises KeyError for a queue there is not."""
    _, stages = QUEUES[queue]
    if queue == TO_APPROVE:
        return orders.filter(status=Order.Status.CONFIRMED, approved_at=None)
    parcels = Shipment.objects.filter(order=OuterRef("pk"), stage__in=stages)
    return orders.filter(Exists(parcels))


def counts() -> dict[str, int]:
    """How many orders stand in each queue, in two queries."""
    by_stage = dict(
        Shipment.objects.filter(stage__in=[stage for _, stages in QUEUES.values() for stage in stages])
        .values_list("stage")
        .annotate(Count("order", distinct=True))
    )
    counted = {queue: sum(by_stage.get(stage, 0) for stage in stages) for queue, (_, stages) in QUEUES.items()}
    counted[TO_APPROVE] = in_queue(Order.objects.all(), TO_APPROVE).count()
    return counted
