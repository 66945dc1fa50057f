"""What the tests of scans do again and again: a parcel that has left, a carrier that tells of it, signed."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from orders.carriers import easypost, generic_format
from orders.carriers.base import CarrierScan, ScanMeaning
from orders.fulfilment import scans
from orders.models import Order, Shipment
from orders.timeline import build_timelines
from tests import cast
from tests.backoffice.steps import numbers, order_at, said, take
from tests.login import sign_in

GENERIC, EASYPOST = "/webhooks/carrier/generic/", "/webhooks/carrier/easypost/"
LEFT_AT = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def sent_parcel(*, left_ago: timedelta = timedelta(days=6)) -> Shipment:
    """With DPD, dispatched some days ago by the verbs."""
    parcel = order_at(Shipment.Stage.DISPATCHED).shipments.get()
    Shipment.objects.filter(pk=parcel.pk).update(dispatched_at=timezone.now() - left_ago)
    parcel.refresh_from_db()
    return parcel


def ship(order: Order) -> Shipment:
    """As staff do, over HTTP."""
    staff = sign_in(Client(), cast.sam())
    assert said(take(staff, "ship", order, **numbers(order))) == [f"Shipped: {order.number}."]
    return order.shipments.get()


def scan(meaning: str, parcel: Shipment, *, hours: float, place: str = "Leeds", words: str = "Scanned") -> CarrierScan:
    """So many hours after it left."""
    assert parcel.dispatched_at is not None
    return CarrierScan(ScanMeaning(meaning), parcel.dispatched_at + timedelta(hours=hours), words=words, place=place)


def make_generic(parcel: Shipment, *told: CarrierScan, reference: str = "m1") -> dict[str, Any]:
    return {
        "id": reference,
        "number": parcel.tracking_number,
        "scans": [
            {
                "meaning": each.meaning.value,
                "at": each.happened_at.isoformat(),
                "place": each.place,
                "words": each.words,
            }
            for each in told
        ],
    }


def post_generic(client: Client, message: object, *, secret: str = "", at: int | None = None, path: str = GENERIC):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    signature = generic_format.sign_body(body, secret or settings.CARRIER_WEBHOOK_SECRETS[0], at or int(time.time()))
    return client.post(path, body, content_type="application/json", headers={generic_format.HEADER: signature})


def make_easypost(number: str, *details: dict[str, Any], reference: str = "evt_1", **changed: Any) -> dict[str, Any]:
    return {
        "id": reference,
        "object": "Event",
        "description": "tracker.updated",
        "created_at": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "result": {
            "object": "Tracker",
            "tracking_code": number,
            "signed_by": "Ottoline Reader",
            "tracking_details": list(details),
        },
    } | changed


def make_estimate(number: str, on: str | None, *, reference: str = "est_1", told_at: datetime | None = None) -> Any:
    """EasyPost's tracker of a parcel that no one scanned, with the day on which its carrier means to deliver it."""
    message = make_easypost(number, reference=reference)
    message["result"]["est_delivery_date"] = on
    return message | ({"created_at": told_at.isoformat()} if told_at else {})


def make_detail(
    status: str, at: datetime, *, detail: str = "", message: str = "Scanned", **place: str
) -> dict[str, Any]:
    return {
        "object": "TrackingDetail",
        "status": status,
        "status_detail": detail or "status_update",
        "message": "Scanned",
        "datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tracking_location": {"city": "LEEDS", "state": None, "country": "GB", "zip": None} | place,
    }


def post_easypost(client: Client, message: object, *, secret: str = "", headers: dict[str, str] | None = None):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    if headers is None:
        headers = {"X-Hmac-Signature": easypost.sign_body(body, secret or settings.CARRIER_WEBHOOK_SECRETS[0])}
    return client.post(EASYPOST, body, content_type="application/json", headers=headers)


def tell(parcel: Shipment, *told: CarrierScan) -> Shipment:
    """Straight into the parcel."""
    scans.record_scans(parcel.pk, told, sender="generic")
    return Shipment.objects.get(pk=parcel.pk)


def outline(parcel: Shipment) -> list[tuple[str, str, str]]:
    (story,) = build_timelines(type(parcel.order).objects.get(pk=parcel.order_id))
    return [(step.title, step.state, step.text) for step in story.steps]
