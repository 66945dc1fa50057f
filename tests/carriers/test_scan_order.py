"""Twice, late, out of order, contradictory: what is known of a parcel in the end is the same."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.carriers.base import ScanMeaning
from orders.fulfilment import scans, transitions
from orders.models import Order, Shipment, TrackingEvent
from tests.carriers.telling import outline, scan, sent_parcel, tell

pytestmark = pytest.mark.django_db

SCANS = st.lists(
    st.tuples(st.sampled_from(list(ScanMeaning)), st.integers(0, 120), st.sampled_from(["Leeds", "York"])),
    min_size=1,
    max_size=8,
)


def end_of(parcel: Shipment) -> tuple[object, ...]:
    """All that customer and staff see of it."""
    parcel.refresh_from_db()
    order = Order.objects.get(pk=parcel.order_id)
    told = list(parcel.scans.values_list("meaning", "happened_at", "place"))
    return parcel.stage, parcel.delivered_at, order.status, order.fulfilment_status, told, outline(parcel)


def start_again(parcel: Shipment) -> None:
    """As it was when it had just left."""
    parcel.scans.all().delete()
    parcel.events.filter(data__by_scan=True).delete()
    Shipment.objects.filter(pk=parcel.pk).update(stage="dispatched", delivered_at=None)
    Order.objects.filter(pk=parcel.order_id).update(status="confirmed", fulfilment_status="dispatched")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(told=SCANS, seed=st.integers(0, 10_000), size=st.integers(1, 4))
def test_any_order_and_any_repetition_end_alike(shared_parcel, told, seed, size):
    parcel = shared_parcel
    made = [scan(meaning, parcel, hours=hours, place=place) for meaning, hours, place in told]
    start_again(parcel)
    tell(parcel, *made)
    expected = end_of(parcel)
    start_again(parcel)
    shuffler = random.Random(seed)
    mixed = made + shuffler.sample(made, shuffler.randint(0, len(made)))
    shuffler.shuffle(mixed)
    for at in range(0, len(mixed), size):
        tell(parcel, *mixed[at : at + size])
    assert end_of(parcel) == expected


@pytest.fixture
def shared_parcel() -> Shipment:
    return sent_parcel()


@pytest.mark.parametrize(
    ("told", "stage"),
    [
        ([("in_transit", 5)], "in_transit"),
        ([("out_for_delivery", 20), ("in_transit", 21)], "out_for_delivery"),
        ([("out_for_delivery", 20), ("failed_attempt", 24), ("in_transit", 26)], "in_transit"),
        ([("failed_attempt", 24), ("out_for_delivery", 44)], "out_for_delivery"),
        ([("delivered", 30), ("in_transit", 31), ("failed_attempt", 32)], "delivered"),
        ([("undeliverable", 30), ("in_transit", 31)], "undeliverable"),
        ([("undeliverable", 30), ("out_for_delivery", 50)], "out_for_delivery"),
        ([("returned", 40), ("in_transit", 44), ("delivered", 90)], "returned"),
        ([("delivered", 30), ("returned", 60)], "returned"),
        ([("other", 30)], "dispatched"),
        ([("in_transit", 5), ("out_for_delivery", 5)], "out_for_delivery"),
    ],
)
def test_what_contradicts_itself_ends_in_what_is_likely(told, stage):
    parcel = sent_parcel()
    assert tell(parcel, *(scan(meaning, parcel, hours=hours) for meaning, hours in told)).stage == stage


def test_what_comes_late_moves_nothing_back_and_is_in_the_story_at_its_place():
    parcel = sent_parcel()
    tell(parcel, scan("out_for_delivery", parcel, hours=30))
    assert tell(parcel, scan("in_transit", parcel, hours=12, place="York")).stage == "out_for_delivery"
    assert [line for line in outline(parcel) if line[0] in ("In transit", "Out for delivery")] == [
        ("In transit", "done", "York."),
        ("Out for delivery", "now", "Leeds."),
    ]
    assert parcel.events.filter(kind="shipment_in_transit").count() == 0  # nobody is told what is over


def test_tried_in_vain_and_out_again_on_the_same_day_are_lines_of_their_own():
    parcel = sent_parcel()
    noon = 36 - timezone.localtime(parcel.dispatched_at).hour
    for hours, meaning in ((0, "out_for_delivery"), (1, "out_for_delivery"), (2, "failed_attempt")):
        tell(parcel, scan(meaning, parcel, hours=noon + hours))
    assert outline(parcel)[5:-1] == [
        ("Out for delivery", "done", "Leeds."),
        ("The carrier tried to deliver it", "wait", "Leeds. The carrier’s page says what happens next."),
    ]
    tell(parcel, scan("out_for_delivery", parcel, hours=noon + 4))
    assert outline(parcel)[5:-1] == [
        ("Out for delivery", "done", "Leeds."),
        ("The carrier tried to deliver it", "done", "Leeds."),
        ("Out for delivery", "now", "Leeds."),
    ]


def test_what_lies_ready_at_the_carriers_is_not_said_to_be_out_for_delivery():
    parcel = sent_parcel()
    tell(parcel, scan("ready_to_collect", parcel, hours=30))
    assert outline(parcel)[-2] == ("Ready for you to collect", "now", "Leeds.")


def test_what_staff_say_after_the_last_scan_stands_below_it_whole():
    parcel = sent_parcel()
    tell(parcel, scan("returned", parcel, hours=20))
    transitions.mark_shipment_back(parcel.pk, actor="Sam")
    said = "Leeds. It came back to us. We write to you about what comes next."
    assert outline(parcel)[-2] == ("On its way back to us", "now", said)


def test_what_staff_said_of_its_end_stands():
    parcel = sent_parcel()
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    assert tell(parcel, scan("failed_attempt", parcel, hours=40)).stage == "delivered"
    assert tell(parcel, scan("returned", parcel, hours=60)).stage == "delivered"
    parcel = sent_parcel()
    tell(parcel, scan("returned", parcel, hours=20))
    transitions.mark_shipment_back(parcel.pk, actor="Sam")
    assert tell(parcel, scan("delivered", parcel, hours=90)).stage == "back"


def test_a_delivery_that_staff_noted_gets_the_carriers_moment():
    parcel = sent_parcel()
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    told = tell(parcel, scan("delivered", parcel, hours=40))
    assert told.delivered_at == parcel.dispatched_at + timedelta(hours=40)
    assert told.events.filter(kind="shipment_delivered").count() == 1


def test_a_delivery_that_was_one_to_us_opens_the_order_again():
    parcel = sent_parcel()
    tell(parcel, scan("delivered", parcel, hours=40))
    assert Order.objects.get().status == "completed"
    told = tell(parcel, scan("returned", parcel, hours=20))
    order = Order.objects.get()
    assert (told.stage, told.delivered_at) == ("returned", None)
    assert (order.status, order.fulfilment_status) == ("confirmed", "returned")


def test_a_scan_of_the_future_or_of_an_earlier_parcel_is_no_scan_of_it():
    parcel = sent_parcel()
    tell(parcel, scan("delivered", parcel, hours=-60))
    assert not TrackingEvent.objects.exists()
    told = tell(parcel, scan("delivered", parcel, hours=24 * 6 + 5))  # a carrier's clock, hours ahead
    assert told.delivered_at == TrackingEvent.objects.get().received_at


def test_a_parcel_from_elsewhere_that_arrived_stays_arrived():
    parcel = sent_parcel()
    parcel.events.all().delete()
    Shipment.objects.filter(pk=parcel.pk).update(stage="delivered")
    assert tell(parcel, scan("in_transit", parcel, hours=5)).stage == "delivered"


def test_a_parcel_that_has_not_left_is_not_moved():
    parcel = sent_parcel()
    Shipment.objects.update(stage="packed")
    scans.record_scans(parcel.pk, [scan("delivered", parcel, hours=5)], sender="generic")
    assert (Shipment.objects.get().stage, TrackingEvent.objects.count()) == ("packed", 0)
