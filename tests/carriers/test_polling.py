"""No webhook comes: EasyPost is asked over HTTP about parcels it follows, and what it answers moves them."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import retention
from orders.carriers.base import BadNotice
from orders.carriers.easypost import read_tracker
from orders.fulfilment import following, scans, transitions
from orders.models import CarrierMessage, Order, Shipment, TrackingEvent
from shop.local.carrier.life import HANDED_OVER, LIVES
from shop.local.carrier.testing import CarrierStandIn
from shop.retrying import loops
from shop.retrying.models import StuckItem
from tests import builders
from tests.backoffice.steps import order_at
from tests.carriers.standin import carrier, carrier_process
from tests.carriers.telling import make_easypost, outline, post_easypost, ship, tell
from tests.carriers.telling import scan as make_scan
from tests.login import sign_in
from tests.plans import read_plan_steps

__all__ = ["carrier", "carrier_process"]

pytestmark = pytest.mark.django_db
JUST_NOW = timedelta(minutes=5)


def followed_parcel(order: Order | None = None) -> Shipment:
    """It left, and EasyPost follows it; webhooks are paused."""
    parcel = ship(order or order_at("packed"))
    assert following.follow_new_parcels() == 1
    parcel.refresh_from_db()
    return parcel


def fall_silent(parcel: Shipment, *, ago: timedelta = following.SILENT_FOR, **changed: object) -> None:
    Shipment.objects.filter(pk=parcel.pk).update(heard_at=timezone.now() - ago, **changed)


def ask(stand_in: CarrierStandIn) -> list[dict[str, object]]:
    """What the job asks EasyPost in one run; then what was answered is worked through."""
    before = len(stand_in.steer("requests"))
    count = following.ask_about_silent_parcels()
    asked = stand_in.steer("requests")[before:]
    assert len(asked) == count
    scans.process_waiting_messages()
    return asked


def test_a_parcel_comes_to_the_door_by_being_asked_about_alone(carrier, client):
    buyer = builders.customer("pat@example.com")
    order = order_at("packed", customer=buyer)
    parcel = followed_parcel(order)
    stages = []
    for _ in LIVES["delivered"]:
        carrier.steer("advance")
        fall_silent(parcel)
        assert len(ask(carrier)) == 1
        assert ask(carrier) == []  # it was asked about a moment ago
        parcel.refresh_from_db()
        stages.append(parcel.stage)
    assert stages == ["dispatched", "in_transit", "in_transit", "in_transit", "out_for_delivery", "delivered"]
    assert TrackingEvent.objects.count() == len(LIVES["delivered"])
    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")
    sign_in(client, buyer.user)
    assert "At your door" in client.get(order.get_absolute_url()).text


def test_an_answer_that_says_nothing_new_is_kept_once(carrier):
    parcel = followed_parcel()
    carrier.steer("advance")
    for _ in range(3):
        fall_silent(parcel)
        assert len(ask(carrier)) == 1
    assert CarrierMessage.objects.count() == 1
    carrier.steer("advance")
    fall_silent(parcel)
    ask(carrier)
    assert CarrierMessage.objects.count() == 2
    assert TrackingEvent.objects.count() == 2


def test_a_webhook_that_comes_after_the_answer_changes_nothing(carrier, client):
    parcel = followed_parcel()
    for _ in LIVES["delivered"]:
        carrier.steer("advance")
    fall_silent(parcel)
    ask(carrier)
    before = outline(parcel)
    details = carrier.steer("parcels", number=parcel.tracking_number)["tracking_details"]
    assert post_easypost(client, make_easypost(parcel.tracking_number, *details[:3])).status_code == 200
    scans.process_waiting_messages()
    assert TrackingEvent.objects.count() == len(LIVES["delivered"])
    assert outline(parcel) == before
    assert before[-1][:2] == ("At your door", "done")


def test_one_that_was_just_followed_or_told_of_is_not_asked_about(carrier, client):
    parcel = followed_parcel()
    assert ask(carrier) == []
    fall_silent(parcel)
    assert post_easypost(client, make_easypost(parcel.tracking_number)).status_code == 200
    scans.process_waiting_messages()
    assert ask(carrier) == []
    fall_silent(parcel, ago=following.SILENT_FOR - JUST_NOW)
    assert ask(carrier) == []
    fall_silent(parcel)
    assert len(ask(carrier)) == 1


@pytest.mark.parametrize("end", ["delivered", "back", "cancelled"])
def test_one_that_arrived_is_not_asked_about(carrier, end):
    parcel = followed_parcel()
    if end == "delivered":
        parcel = tell(parcel, make_scan("delivered", parcel, hours=1))
        assert parcel.stage == "delivered"
    fall_silent(parcel, stage=end)
    assert ask(carrier) == []


def test_one_that_left_a_month_ago_is_not_asked_about(carrier):
    parcel = followed_parcel()
    fall_silent(parcel, dispatched_at=timezone.now() - following.NEWS_FOR)
    assert ask(carrier) == []
    fall_silent(parcel, dispatched_at=timezone.now() - following.NEWS_FOR + JUST_NOW)
    assert len(ask(carrier)) == 1


def test_one_that_easypost_does_not_follow_is_not_asked_about(carrier):
    parcel = ship(order_at("packed"))
    fall_silent(parcel)
    assert ask(carrier) == []


def test_without_an_account_nobody_is_asked(carrier, settings):
    parcel = followed_parcel()
    fall_silent(parcel)
    settings.EASYPOST_API_KEY = ""
    assert ask(carrier) == []
    assert not StuckItem.objects.exists()


def test_easypost_is_told_its_own_id_and_nothing_else(carrier):
    order = order_at("packed")
    canary = {"email": "canary.buyer@example.com", "full_name": "Canary Buyer", "line1": "7 Canary Row"}
    Order.objects.filter(pk=order.pk).update(**canary, carrier_may_write=True)
    parcel = followed_parcel(order)
    fall_silent(parcel)
    asked = ask(carrier)
    assert asked == [{"path": f"/v2/trackers/{parcel.tracker_reference}"}]
    for word in (*canary.values(), order.number, "canary"):
        assert word.lower() not in json.dumps(asked).lower()


def test_an_easypost_out_of_reach_is_asked_again_and_staff_see_it(carrier, settings):
    parcel = followed_parcel()
    carrier.steer("scan", number=parcel.tracking_number, step=HANDED_OVER)
    fall_silent(parcel)
    for trouble in ({"EASYPOST_API_BASE": "http://127.0.0.1:1"}, {"EASYPOST_API_KEY": "another"}):
        for name, value in trouble.items():
            setattr(settings, name, value)
        assert following.ask_about_silent_parcels() == 0
        stuck = StuckItem.objects.get(loop="silent_parcels", item=f"{parcel.pk}")
        assert parcel.tracking_number in stuck.subject
        settings.EASYPOST_API_BASE = carrier.url
        loops.retry_now(StuckItem.objects.all())
    parcel.refresh_from_db()
    assert parcel.stage == "dispatched"
    settings.EASYPOST_API_KEY = "key of the tests"
    assert len(ask(carrier)) == 1
    parcel.refresh_from_db()
    assert parcel.stage == "delivered"
    assert not StuckItem.objects.exists()


def test_where_easypost_has_the_tracker_no_more_it_follows_the_number_anew(carrier):
    parcel = followed_parcel()
    tracker = parcel.tracker_reference
    fall_silent(parcel, tracker_reference="trk_of_another_account")
    assert len(ask(carrier)) == 1
    assert not CarrierMessage.objects.exists()
    assert ask(carrier) == []
    assert following.follow_new_parcels() == 1
    parcel.refresh_from_db()
    assert parcel.tracker_reference == tracker


def test_a_corrected_number_is_not_asked_about_by_the_old_one(carrier):
    parcel = followed_parcel()
    fall_silent(parcel)
    transitions.correct_shipment_tracking(parcel.pk, actor="Sam", carrier="dpd", tracking_number="15508888888888")
    assert ask(carrier) == []
    assert following.follow_new_parcels() == 1
    fall_silent(parcel)
    before = parcel.tracker_reference
    parcel.refresh_from_db()
    assert ask(carrier) == [{"path": f"/v2/trackers/{parcel.tracker_reference}"}]
    assert parcel.tracker_reference != before


def test_more_than_a_batch_is_asked_about_in_turn_longest_silent_first(carrier, monkeypatch):
    monkeypatch.setattr(following, "SILENT_BATCH", 2)
    left = [order_at("dispatched").shipments.get() for _ in range(3)]
    assert following.follow_new_parcels() == 3
    for hours, parcel in enumerate(left):
        fall_silent(parcel, ago=following.SILENT_FOR + timedelta(hours=hours))
        parcel.refresh_from_db()
    first, second, third = ({"path": f"/v2/trackers/{each.tracker_reference}"} for each in reversed(left))
    assert ask(carrier) == [first, second]
    assert ask(carrier) == [third]
    assert ask(carrier) == []


def test_they_are_found_by_an_index_that_holds_them_alone(carrier):
    silent, _ = (order_at("dispatched").shipments.get() for _ in range(2))
    following.follow_new_parcels()
    fall_silent(silent)
    with CaptureQueriesContext(connection) as captured:
        assert list(following.find_silent_parcels().order_by()) == [silent]
    [statement] = captured
    steps = [each for each in read_plan_steps(statement["sql"], by_index=True) if "Index Name" in each]
    assert [(each["Index Name"], each["Actual Rows"]) for each in steps] == [("shipment_heard_of", 1)]
    assert "heard_at" in steps[0]["Index Cond"]


@pytest.mark.parametrize("answer", [{}, {"id": "trk_1"}, {"id": "trk_1", "tracking_code": "A1"}, {"id": 7}, []])
def test_an_answer_of_another_shape_is_refused(answer):
    with pytest.raises(BadNotice):
        read_tracker(answer)


def test_once_its_buyer_is_forgotten_nobody_is_asked(carrier):
    buyer = builders.customer("pat@example.com")
    parcel = followed_parcel(order_at("packed", customer=buyer))
    retention.erase_orders(buyer)
    fall_silent(parcel)
    assert ask(carrier) == []
    parcel.refresh_from_db()
    assert parcel.tracker_reference == ""
