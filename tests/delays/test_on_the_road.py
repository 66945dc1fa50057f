"""A parcel on the road that will miss its day, by three signs: its carrier's day, the lane's, and silence.

June 2026: the 8th is a Monday; one or two days on the road.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from orders.delays.delay_words import describe_cause, describe_slip, list_told_delays
from orders.delays.finding import see_to_delays
from orders.delays.prediction import Slip
from orders.delays.road import RoadOutlook, predict_road_slip
from orders.models import DelayNotice, Order, OrderEvent, Shipment, ShippingMethod, TrackingEvent
from orders.shop_terms import Calendar
from tests.delays.late import DAY, TODAY, fresh, nothing_is_told, order_due, packed, ship, told

Reason, Rule = DelayNotice.Reason, DelayNotice.Rule
CALENDAR = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
METHOD = ShippingMethod(pk=7, days_min=1, days_max=2, delivers_on_saturday=False)
ZONE = ZoneInfo(settings.TIME_ZONE)


def june(day: int) -> date:
    return date(2026, 6, day)


LEFT = RoadOutlook(june(10), june(8))  # promised by Wednesday, left on Monday, as it should


def predict(day: int, hour: int = 10, *, lane: int | None = None, **told_of) -> Slip | None:
    moved = {} if lane is None else {METHOD.pk: lane}
    now = datetime(2026, 6, day, hour, tzinfo=ZONE)
    return predict_road_slip(
        replace(LEFT, **told_of), calendar=replace(CALENDAR, moved_days=moved), method=METHOD, now=now
    )


def read(slip: Slip | None) -> tuple[str, date | None] | None:
    return (slip.reason, slip.promised and slip.promised.by_on) if slip else None


def test_without_a_sign_nothing_is_said():
    assert [predict(day) for day in range(8, 26)] == [None] * 18


@pytest.mark.parametrize(
    ("day", "expected"), [(9, None), (10, None), (11, (Reason.CARRIER, june(11))), (15, (Reason.CARRIER, june(15)))]
)
def test_its_carriers_day_counts_where_it_is_later(day, expected):
    assert read(predict(9, estimated_on=june(day))) == expected


def test_a_carriers_day_that_has_passed_says_nothing():
    assert predict(12, estimated_on=june(11)) is None


def test_each_sign_is_told_once():
    assert predict(9, estimated_on=june(15), told=frozenset({"carrier"})) is None
    assert predict(11, 18, lane=3, scanned_on=june(9), told=frozenset({"lane"})) is None
    assert predict(11, is_alone=True, told=frozenset({"silent"})) is None


@pytest.mark.parametrize(
    ("day", "hour", "told_of", "is_late"),
    [
        (10, 17, {}, False),  # it can still come
        (10, 18, {}, True),
        (11, 9, {}, True),
        (10, 18, {"scanned_on": None}, False),  # nobody tells where it is
        (10, 18, {"lane": None}, False),  # not measured
        (10, 18, {"lane": 0}, False),
        (15, 9, {}, False),  # the lane's own day is over too
    ],
    ids=str,
)
def test_once_its_day_is_over_the_lanes_own_days_name_another(day, hour, told_of, is_late):
    slip = predict(day, hour, **{"lane": 2, "scanned_on": june(9)} | told_of)
    assert read(slip) == ((Reason.LANE, june(12)) if is_late else None)


@pytest.mark.parametrize(
    ("day", "told_of", "is_late"),
    [
        (9, {}, False),
        (10, {}, False),  # the carrier's two days are not over
        (11, {}, True),
        (11, {"scanned_on": june(9)}, False),
        (11, {"is_alone": False}, False),  # nothing is heard of any parcel
        (11, {"promised_by_on": june(15)}, False),  # it can still be there
        (15, {"promised_by_on": june(15)}, True),
        (11, {"zone_days": 2}, False),
        (15, {"zone_days": 2}, True),
    ],
    ids=str,
)
def test_silence_counts_once_the_carriers_days_are_over(day, told_of, is_late):
    assert read(predict(day, **{"is_alone": True} | told_of)) == ((Reason.SILENT, None) if is_late else None)


def test_who_has_no_day_is_named_one_once_its_carrier_has_it():
    undated = {"promised_by_on": None, "is_alone": True, "told": frozenset({"silent"})}
    assert predict(12, **undated) is None
    assert read(predict(12, **undated, scanned_on=june(12))) == (Reason.ROAD, june(16))
    assert read(predict(12, **undated, estimated_on=june(15))) == (Reason.CARRIER, june(15))


def left(*, days_ago: int = 9, by_on: date | None = None, **fields) -> Shipment:
    """On the road, and neither delivered nor scanned."""
    order = order_due(by_on or TODAY() + 5 * DAY)
    ship(packed(order))
    at = timezone.now() - timedelta(days=days_ago)
    Shipment.objects.filter(order=order).update(dispatched_at=at, **fields)
    return order.shipments.get()


def scan(parcel: Shipment, meaning: str = "in_transit", at: datetime | None = None) -> None:
    TrackingEvent.objects.create(
        shipment=parcel, meaning=meaning, happened_at=at or timezone.now(), sender="generic", key=f"{parcel.pk}{at}"
    )


def others_are_scanned(count: int = 3) -> None:
    for _ in range(count):
        scan(left(days_ago=1, by_on=TODAY() + 20 * DAY))


@pytest.mark.django_db
def test_the_carriers_later_day_is_told_once_and_the_order_has_it():
    parcel = left(days_ago=1, estimated_on=TODAY() + 8 * DAY)
    notice = told(parcel.order)
    assert (notice.reason, notice.rule, notice.shipment) == (Reason.CARRIER, Rule.HAS_LEFT, parcel)
    assert fresh(parcel.order).promised_by_on == notice.new_by_on == TODAY() + 8 * DAY
    assert fresh(parcel.order).first_promised_by_on == TODAY() + 5 * DAY
    Shipment.objects.update(estimated_on=TODAY() + 9 * DAY)
    assert see_to_delays() == 0
    assert parcel.order.events.filter(kind=OrderEvent.Kind.DELAYED).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"stage": "out_for_delivery"}, {"stage": "delivered"}, {"stage": "undeliverable"}])
def test_what_is_at_the_door_or_in_trouble_is_not_told_late(change):
    parcel = left(days_ago=1, estimated_on=TODAY() + 8 * DAY)
    Shipment.objects.update(**change)
    assert nothing_is_told(parcel.order)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [{"hold": "warning"}, {"status": "cancelled"}, {"promised_by_on": None}, {"promised_by_on": TODAY() - 15 * DAY}],
)
def test_who_is_not_told_of_the_road(change):
    parcel = left(days_ago=1, estimated_on=TODAY() + 8 * DAY)
    Order.objects.update(**change)
    assert nothing_is_told(parcel.order)


@pytest.mark.django_db
def test_a_silent_parcel_is_told_without_a_day_and_with_one_once_it_is_scanned():
    parcel = left(by_on=TODAY() - DAY)
    others_are_scanned()
    notice = told(parcel.order)
    assert (notice.reason, notice.rule, notice.new_by_on) == (Reason.SILENT, Rule.HAS_LEFT, None)
    assert fresh(parcel.order).promised_by_on is None
    [said] = list_told_delays(parcel.order.events.all())
    assert describe_cause(said) == "Its carrier has told us nothing of it since it left us."
    assert "We do not know yet when it will be with you" in describe_slip(said, TODAY())
    assert see_to_delays() == 0
    scan(parcel)
    assert told(parcel.order).new_by_on == fresh(parcel.order).promised_by_on > TODAY()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 2])
def test_one_missing_scan_is_no_sign_while_few_parcels_of_its_carrier_are_scanned(count):
    parcel = left(by_on=TODAY() - DAY)
    others_are_scanned(count)
    assert nothing_is_told(parcel.order)


@pytest.mark.django_db
def test_a_label_that_was_made_is_no_scan_but_any_scan_since_it_left_is():
    parcel = left(by_on=TODAY() - DAY)
    others_are_scanned()
    scan(parcel, "other")
    assert nothing_is_told(parcel.order)
    TrackingEvent.objects.filter(shipment=parcel).update(happened_at=parcel.dispatched_at - timedelta(hours=3))
    assert told(parcel.order).reason == Reason.SILENT


@pytest.mark.django_db
def test_a_parcel_without_a_number_is_never_silent():
    parcel = left(by_on=TODAY() - DAY)
    others_are_scanned()
    Shipment.objects.filter(pk=parcel.pk).update(tracking_number="", is_untracked=True)
    assert nothing_is_told(parcel.order)
