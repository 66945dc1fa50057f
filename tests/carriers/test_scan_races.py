"""Webhooks, workers and a buyer at the same moment. And with the guard off, where it must go wrong."""

import time
from dataclasses import replace
from uuid import uuid4

import pytest

from orders.fulfilment import denials, scans, transitions
from orders.models import CarrierMessage, OrderEvent, Shipment, TrackingEvent
from orders.views import webhook
from tests.carriers.telling import make_generic, post_generic, scan, sent_parcel
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)
Kind = OrderEvent.Kind


def unlock(monkeypatch) -> None:
    """The mutant: reads without taking the row's lock, and thinks for a moment."""

    def read(shipment_id: int) -> Shipment:
        found = Shipment.objects.select_related("order").get(pk=shipment_id)
        time.sleep(stretched(0.05))
        return found

    for module in (scans, transitions, denials):
        monkeypatch.setattr(module, "lock_shipment", read)


def scan_at_once() -> None:
    """Twelve workers hear of a scan each: one delivered event, and the last word is the truth."""
    parcel = sent_parcel()
    kinds = [("in_transit", 5), ("out_for_delivery", 20), ("delivered", 24)] * 4
    told = [scan(kind, parcel, hours=hours + at / 10) for at, (kind, hours) in enumerate(kinds)]
    jobs = [lambda each=each: scans.record_scans(parcel.pk, [each], sender="generic") for each in told]
    at_once(jobs, slowed_ms=5)
    parcel.refresh_from_db()
    assert (parcel.stage, parcel.scans.count()) == ("delivered", len(told))
    for kind in (Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.DELIVERED):
        assert parcel.events.filter(kind=kind).count() <= 1
    assert parcel.events.filter(kind=Kind.DELIVERED).count() == 1


def deny_at_once() -> None:
    parcel = sent_parcel()
    scans.record_scans(parcel.pk, [scan("delivered", parcel, hours=24)], sender="generic")
    at_once([lambda: denials.deny_delivery(parcel.pk, actor="Pat")] * 10, slowed_ms=5)
    assert parcel.events.filter(kind=Kind.DELIVERY_DENIED).count() == 1


def test_scans_written_at_once_move_the_parcel_once():
    scan_at_once()


def test_without_the_parcels_lock_it_is_delivered_again_and_again(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(AssertionError):
        scan_at_once()


def test_denied_ten_times_at_once_it_is_said_once():
    deny_at_once()


def test_without_the_parcels_lock_it_is_said_again_and_again(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(AssertionError):
        deny_at_once()


def send_and_work_at_once(client) -> None:
    """The same webhook eight times, another beside it, and four workers on the rows."""
    parcel = sent_parcel()
    message = make_generic(parcel, scan("delivered", parcel, hours=24))
    other = make_generic(parcel, scan("in_transit", parcel, hours=5), reference="m2")
    posts = [lambda each=each: post_generic(type(client)(), each).status_code for each in [message] * 8 + [other]]
    assert set(at_once(posts, slowed_ms=5)) == {200}
    at_once([scans.process_waiting_messages] * 4, slowed_ms=5)
    assert CarrierMessage.objects.filter(processed_at=None).count() == 0
    assert (CarrierMessage.objects.count(), TrackingEvent.objects.count()) == (2, 2)
    assert parcel.events.filter(kind=Kind.DELIVERED).count() == 1
    assert Shipment.objects.get().stage == "delivered"


def test_two_webhooks_at_once_and_several_workers_are_one_delivery(client):
    send_and_work_at_once(client)


def test_without_the_messages_id_it_is_stored_again_and_again(client, monkeypatch):
    read = webhook.read_notice
    monkeypatch.setattr(webhook, "read_notice", lambda *about: replace(read(*about), reference=uuid4().hex))
    with pytest.raises(AssertionError):
        send_and_work_at_once(client)
