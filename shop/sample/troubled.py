"""Parcels that went wrong in the sample store, so that staff and customers see what such an order looks like.

Those of `orders.toml` with a `trouble`: scanned by their carrier, or denied by their buyer. Nobody gets mail of them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.carriers.base import CarrierScan, ScanMeaning
from orders.fulfilment import denials, scans
from orders.models import OrderEvent, Shipment
from shop.sample.histories import list_troubles

DENIED = "denied"
SENDER, PLACE = "generic", "Leeds"
CARRIER_WORDS = {
    ScanMeaning.FAILED_ATTEMPT: "Nobody answered the door",
    ScanMeaning.UNDELIVERABLE: "There is no such number in the street",
    ScanMeaning.RETURNED: "Not called for, goes back to the sender",
}


@transaction.atomic
def write_sample_troubles() -> int:
    """Returns how many parcels went wrong. To be called once, when the orders are new."""
    troubles = list_troubles()
    parcels = Shipment.objects.filter(order__external_reference__in=troubles).select_related("order")
    for parcel in parcels:
        _let_go_wrong(parcel, troubles[str(parcel.order.external_reference)])
    events = OrderEvent.objects.filter(order__external_reference__in=troubles, relayed_at=None)
    events.update(relayed_at=F("created_at"))
    return len(parcels)


def _let_go_wrong(parcel: Shipment, trouble: str) -> None:
    if trouble == DENIED:
        denials.deny_delivery(parcel.pk, actor=parcel.order.full_name)
        return
    scans.record_scans(parcel.pk, _tell_scans(ScanMeaning(trouble), timezone.now()), sender=SENDER)


def _tell_scans(last: ScanMeaning, now: datetime) -> Iterator[CarrierScan]:
    for hours, meaning, words in (
        (9, ScanMeaning.IN_TRANSIT, "Arrived at the depot"),
        (6, ScanMeaning.OUT_FOR_DELIVERY, "With the driver"),
        (2, last, CARRIER_WORDS[last]),
    ):
        yield CarrierScan(meaning, now - timedelta(hours=hours), words=words, place=PLACE)
