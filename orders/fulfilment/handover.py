"""What a carrier’s driver takes along and signs for: whatever left on the same date, carrier by carrier."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone

from orders.carriers import get_carrier_name
from orders.models import Shipment
from orders.stages import CARRIED_STAGES

MOST_PARCELS = 2000  # of one day on one page


@dataclass(frozen=True)
class Handover:
    """One carrier's parcels of a day. `weight_grams`: of those that were weighed."""

    carrier: str
    parcels: list[Shipment]

    @property
    def box_count(self) -> int:
        return sum(parcel.box_count for parcel in self.parcels)

    @property
    def weight_grams(self) -> int:
        return sum(parcel.weight_grams or 0 for parcel in self.parcels)

    @property
    def unweighed_count(self) -> int:
        return sum(parcel.weight_grams is None for parcel in self.parcels)


def list_handovers(day: date) -> list[Handover]:
    """By the carriers' names; within one in the order in which they were shipped. One query."""
    begins_at, ends_at = (timezone.make_aware(datetime.combine(day, hour)) for hour in (time.min, time.max))
    left = Shipment.objects.filter(stage__in=CARRIED_STAGES, dispatched_at__gte=begins_at, dispatched_at__lte=ends_at)
    by_carrier: dict[str, list[Shipment]] = defaultdict(list)
    for parcel in left.select_related("order").order_by("dispatched_at", "pk")[:MOST_PARCELS]:
        by_carrier[get_carrier_name(parcel.carrier) or "Carrier not known"].append(parcel)
    return [Handover(name, by_carrier[name]) for name in sorted(by_carrier, key=str.casefold)]
