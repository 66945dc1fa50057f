"""The date of supply that an invoice names: when the last of the goods was sent, or collected in a store."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from orders.models import Order
from orders.stages import DISPATCHED_STATUSES, OFF_THE_ROAD


@dataclass(frozen=True)
class Supply:
    """`on`: None while not all of it is supplied, and where nobody can tell (`is_known` is False)."""

    is_known: bool
    on: date | None = None


def find_supply(order: Order) -> Supply:
    """Call it under the order's lock."""
    if order.fulfilment_status not in DISPATCHED_STATUSES:
        return Supply(is_known=order.unsure_at is None)
    parcels = order.shipments.exclude(stage__in=OFF_THE_ROAD)
    moments = [parcel.dispatched_at or parcel.delivered_at for parcel in parcels]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(moments):
        return Supply(is_known=False)
    return Supply(is_known=True, on=timezone.localdate(max(known)))
