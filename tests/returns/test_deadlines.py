"""Until when a buyer may withdraw, counted in days of the shop's own time zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from orders.models import Holiday, Shipment
from orders.returns import deadlines
from orders.returns.deadlines import compute_withdrawal_period
from orders.shop_terms import Calendar, load_terms
from tests import builders

Stage = Shipment.Stage


def arrived(*when: datetime | None) -> list[Shipment]:
    return [Shipment(stage=Stage.DELIVERED if moment else Stage.DISPATCHED, delivered_at=moment) for moment in when]


def last_day(*when: datetime | None, days_off: tuple[date, ...] = ()) -> date | None:
    return compute_withdrawal_period(arrived(*when), days_off=days_off).ends_on


def test_fourteen_days_are_counted_from_the_day_after_delivery():
    assert last_day(datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) == date(2026, 11, 16)


def test_of_several_parcels_the_last_to_arrive_counts():
    first, last = datetime(2026, 11, 2, 9, 0, tzinfo=UTC), datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
    assert last_day(last, first) == date(2026, 11, 19)


def test_while_one_parcel_is_not_known_to_have_come_the_period_is_open():
    assert last_day(datetime(2020, 11, 2, 9, 0, tzinfo=UTC), None) is None
    assert last_day() is None
    assert compute_withdrawal_period([], days_off=()).is_open_at(datetime(2036, 1, 1, tzinfo=UTC))


def test_a_parcel_that_was_cancelled_keeps_nothing_open():
    here = arrived(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    ended = compute_withdrawal_period([*here, Shipment(stage=Stage.CANCELLED)], days_off=())
    assert ended.ends_on == date(2026, 11, 16)


@pytest.mark.parametrize("weekday", [7, 8], ids=["Saturday", "Sunday"])
def test_a_last_day_on_a_weekend_makes_way_for_monday(weekday):
    assert last_day(datetime(2026, 11, weekday, 12, 0, tzinfo=UTC)) == date(2026, 11, 23)


def test_a_last_day_on_a_holiday_makes_way_for_the_next_working_day():
    christmas, boxing_day, bank_holiday = date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28)
    came_at = datetime(2026, 12, 11, 12, 0, tzinfo=UTC)
    assert last_day(came_at, days_off=(christmas, boxing_day, bank_holiday)) == date(2026, 12, 29)
    assert last_day(came_at) == christmas


def test_it_ends_with_the_end_of_the_day_where_the_shop_is():
    period = compute_withdrawal_period(arrived(datetime(2026, 11, 2, 9, 0, tzinfo=UTC)), days_off=())
    end = datetime(2026, 11, 17, tzinfo=timezone.get_default_timezone())
    assert period.is_open_at(end - timedelta(microseconds=1))
    assert not period.is_open_at(end)


def test_over_the_end_of_summer_time_the_day_is_that_of_the_clock_on_the_wall():
    # 23:30 UTC on 14 October is half past midnight of the 15th by British summer time; the 29th is after the change.
    period = compute_withdrawal_period(arrived(datetime(2026, 10, 14, 23, 30, tzinfo=UTC)), days_off=())
    assert period.ends_on == date(2026, 10, 29)
    assert period.is_open_at(datetime(2026, 10, 29, 23, 59, 59, tzinfo=UTC))
    assert not period.is_open_at(datetime(2026, 10, 30, 0, 0, tzinfo=UTC))


def test_over_the_beginning_of_summer_time_too():
    period = compute_withdrawal_period(arrived(datetime(2027, 3, 18, 23, 30, tzinfo=UTC)), days_off=())
    assert period.ends_on == date(2027, 4, 1)
    assert period.is_open_at(datetime(2027, 4, 1, 22, 59, 59, tzinfo=UTC))
    assert not period.is_open_at(datetime(2027, 4, 1, 23, 0, tzinfo=UTC))


@pytest.mark.django_db
def test_the_holidays_staff_keep_are_the_days_off_even_those_of_the_last_weeks():
    """Easter: asked on the Monday, Good Friday still counts as the holiday it was."""
    today = timezone.localdate()
    past = today - timedelta(days=5)
    Holiday.objects.create(falls_on=past, name="Good Friday", closes_shop=False)
    assert past in deadlines.list_days_off(Calendar.load())


@pytest.mark.django_db
def test_an_order_tells_its_period_by_its_parcels():
    order = builders.sent_order(delivered_at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    assert deadlines.find_withdrawal_period(order, load_terms()).ends_on == date(2026, 11, 16)
    builders.sent_parcel(order)
    assert deadlines.find_withdrawal_period(order, load_terms()).ends_on is None


def test_money_is_due_fourteen_days_after_the_declaration_whatever_day_that_is():
    assert deadlines.compute_refund_day(datetime(2026, 11, 7, 12, 0, tzinfo=UTC)) == date(2026, 11, 21)
