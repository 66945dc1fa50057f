"""From “Ship” to the door over HTTP: EasyPost's stand-in is told a number, and its signed webhooks move the parcel."""

import json
from typing import Any

import pytest
from django.conf import settings as shop_settings

from orders.carriers.tracking_numbers import get_bare_number
from orders.fulfilment import denials, following, scans, transitions
from orders.models import CarrierMessage, Order, TrackingEvent
from shop.local.carrier.life import LIVES
from shop.local.carrier.testing import CarrierStandIn
from shop.retrying.models import StuckItem
from tests import builders
from tests.backoffice.steps import order_at
from tests.carriers.standin import carrier, carrier_process
from tests.carriers.telling import outline, ship
from tests.login import sign_in
from tests.patience import wait_until

__all__ = ["carrier", "carrier_process"]

pytestmark = pytest.mark.django_db(transaction=True)

BUYER = {
    "email": "canary.buyer@example.com",
    "full_name": "Canary Buyer",
    "line1": "7 Canary Row",
    "phone": "+44 7700 900123",
}


@pytest.fixture
def listening(carrier: CarrierStandIn, live_server: Any) -> CarrierStandIn:
    """It tells the shop, which answers over a real socket."""
    carrier.steer(
        "webhooks",
        url=f"{live_server.url}/webhooks/carrier/easypost/",
        secret=shop_settings.CARRIER_WEBHOOK_SECRETS[0],
        paused=False,
    )
    return carrier


def hear(stand_in: CarrierStandIn) -> None:
    """Waits until all it has to say was taken, and works through it."""
    stand_in.steer("webhooks", paused=False)
    wait_until(lambda: all(each["done"] for each in stand_in.steer("deliveries")), "the webhooks are taken")
    scans.process_waiting_messages()


def test_a_shipped_parcel_comes_to_the_door_and_its_buyer_watches(listening, client):
    buyer = builders.customer(BUYER["email"])
    order = order_at("packed", customer=buyer)
    Order.objects.filter(pk=order.pk).update(**BUYER, carrier_may_write=True)
    parcel = ship(order)
    assert following.follow_new_parcels() == 1
    assert following.follow_new_parcels() == 0
    sign_in(client, buyer.user)
    page = order.get_absolute_url()
    seen = []
    for _ in LIVES["delivered"]:
        listening.steer("advance")
        hear(listening)
        parcel.refresh_from_db()
        seen.append(parcel.stage)
        assert client.get(page).status_code == 200
    assert seen == ["dispatched", "in_transit", "in_transit", "in_transit", "out_for_delivery", "delivered"]
    text = client.get(page).text
    for words in ("In transit", "Portsmouth, GB", "Birmingham, GB", "Out for delivery", "Leeds, GB", "At your door"):
        assert words in text
    assert "Follow it at the carrier" in text
    assert "left with the recipient" not in text  # the carrier's words are for staff
    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")
    assert denials.deny_delivery(parcel.pk, actor="Pat").denied_at is not None


def test_the_carrier_is_told_the_number_and_nothing_else(carrier):
    order = order_at("packed")
    Order.objects.filter(pk=order.pk).update(**BUYER, carrier_may_write=True)
    parcel = ship(order)
    before = len(carrier.steer("requests"))
    following.follow_new_parcels()
    told = carrier.steer("requests")[before:]
    assert told == [{"tracker": {"tracking_code": parcel.tracking_number}}]
    for word in (*BUYER.values(), order.number, "canary"):
        assert word.lower() not in json.dumps(told).lower()


def test_told_three_times_and_backwards_it_ends_the_same(listening):
    listening.steer("webhooks", paused=True, copies=3, order="reversed")
    parcel = ship(order_at("packed"))
    following.follow_new_parcels()
    for _ in LIVES["delivered"]:
        listening.steer("advance")
    hear(listening)
    parcel.refresh_from_db()
    assert parcel.stage == "delivered"
    mine = CarrierMessage.objects.filter(number=get_bare_number(parcel.tracking_number))  # others are still on the road
    assert mine.count() == len(LIVES["delivered"])
    assert TrackingEvent.objects.count() == len(LIVES["delivered"])
    assert parcel.events.filter(kind="shipment_delivered").count() == 1
    assert outline(parcel)[-1][:2] == ("At your door", "done")


def test_refused_at_the_door_it_is_on_its_way_back(listening):
    parcel = ship(order_at("packed"))
    following.follow_new_parcels()
    listening.steer("life", number=parcel.tracking_number, life="refused")
    for _ in LIVES["refused"]:
        listening.steer("advance")
    hear(listening)
    parcel.refresh_from_db()
    assert parcel.stage == "returned"
    assert Order.objects.get().fulfilment_status == "returned"


def test_a_stand_in_with_another_secret_or_an_old_clock_is_not_heard(listening):
    parcel = ship(order_at("packed"))
    following.follow_new_parcels()
    for trouble in ({"secret": "somebody else's"}, {"age_seconds": 600}):
        listening.steer("webhooks", paused=False, **trouble)
        listening.steer("advance")
        tried = len([each for each in listening.steer("deliveries") if each["status"] == 400])
        wait_until(
            lambda tried=tried: len([e for e in listening.steer("deliveries") if e["status"] == 400]) > tried, "refused"
        )
        assert not CarrierMessage.objects.exists()
        listening.steer("webhooks", paused=True, secret=shop_settings.CARRIER_WEBHOOK_SECRETS[0])
    listening.steer("webhooks", age_seconds=0)
    hear(listening)  # it tries again, and is heard
    parcel.refresh_from_db()
    assert parcel.stage == "in_transit"


def test_without_an_account_nobody_is_asked(carrier, settings):
    settings.EASYPOST_API_KEY = ""
    parcel = ship(order_at("packed"))
    before = len(carrier.steer("requests"))
    assert following.follow_new_parcels() == 0
    assert len(carrier.steer("requests")) == before
    parcel.refresh_from_db()
    assert parcel.followed_at is None


def test_an_easypost_that_does_not_answer_or_know_us_is_asked_again(carrier, settings):
    parcel = ship(order_at("packed"))
    for trouble in ({"EASYPOST_API_BASE": "http://127.0.0.1:1"}, {"EASYPOST_API_KEY": "another"}):
        for name, value in trouble.items():
            setattr(settings, name, value)
        following.follow_new_parcels()
        parcel.refresh_from_db()
        assert parcel.followed_at is None
        assert StuckItem.objects.filter(loop="parcels_to_follow", item=f"{parcel.pk}").exists()
        StuckItem.objects.all().delete()
        settings.EASYPOST_API_BASE = carrier.url


def test_a_corrected_number_is_followed_anew(carrier):
    parcel = ship(order_at("packed"))
    following.follow_new_parcels()
    transitions.correct_shipment_tracking(parcel.pk, actor="Sam", carrier="dpd", tracking_number="15509999999999")
    assert following.follow_new_parcels() == 1
    assert carrier.steer("requests")[-1] == {"tracker": {"tracking_code": "15509999999999"}}
