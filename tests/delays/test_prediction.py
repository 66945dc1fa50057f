"""Whether a day can still be kept. June 2026: the 8th is a Monday; one day to pack, one or two on the road."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from orders.delays.prediction import OrderOutlook, Slip, predict_slip
from orders.models import DelayNotice, ShippingMethod
from orders.shop_terms import Calendar

Reason = DelayNotice.Reason
CALENDAR = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
METHOD = ShippingMethod(days_min=1, days_max=2, delivers_on_saturday=False)
ZONE = ZoneInfo(settings.TIME_ZONE)


def june(day: int) -> date:
    return date(2026, 6, day)


def predict(standing: OrderOutlook, *, at: datetime | None = None, calendar: Calendar = CALENDAR) -> Slip | None:
    now = at or datetime(2026, 6, 8, 10, tzinfo=ZONE)
    return predict_slip(standing, calendar=calendar, method=METHOD, now=now)


def days_of(slip: Slip | None) -> tuple[date, date, date] | None:
    return (slip.promised.ships_on, slip.promised.from_on, slip.promised.by_on) if slip and slip.promised else None


def test_goods_that_are_here_can_leave_today():
    assert predict(OrderOutlook(june(10))) is None


def test_until_the_evening_they_still_can():
    assert predict(OrderOutlook(june(10)), at=datetime(2026, 6, 8, 17, 59, tzinfo=ZONE)) is None


def test_in_the_evening_they_no_longer_can_and_the_day_is_not_there_yet():
    slip = predict(OrderOutlook(june(10)), at=datetime(2026, 6, 8, 18, 0, tzinfo=ZONE))
    assert slip is not None
    assert (slip.reason, days_of(slip)) == (Reason.BEHIND, (june(9), june(10), june(11)))


def test_where_the_cut_off_is_later_than_the_evening_it_holds():
    late = Calendar(cutoff_hour=22, handling_days=1, ships_on_saturday=False)
    assert predict(OrderOutlook(june(10)), at=datetime(2026, 6, 8, 21, tzinfo=ZONE), calendar=late) is None
    assert predict(OrderOutlook(june(10)), at=datetime(2026, 6, 8, 22, tzinfo=ZONE), calendar=late) is not None


def test_a_holiday_moves_it():
    closed = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False, closed=frozenset({june(8), june(9)}))
    assert days_of(predict(OrderOutlook(june(10)), calendar=closed)) == (june(10), june(11), june(12))


def test_goods_that_come_in_time_are_no_news():
    assert predict(OrderOutlook(june(12), awaits_goods=True, goods_on=june(9))) is None


def test_goods_that_come_later_name_their_day_and_the_days_to_pack():
    slip = predict(OrderOutlook(june(12), awaits_goods=True, goods_on=june(15)))
    assert slip is not None
    assert (slip.reason, days_of(slip)) == (Reason.GOODS, (june(16), june(17), june(18)))


@pytest.mark.parametrize(("promised_on", "is_late"), [(june(10), False), (june(9), True)])
def test_goods_of_which_nobody_knows_are_given_up_only_when_today_would_be_too_late(promised_on, is_late):
    slip = predict(OrderOutlook(promised_on, awaits_goods=True))
    assert slip == (Slip(Reason.GOODS, None) if is_late else None)


def test_what_comes_out_later_than_was_said_is_late():
    slip = predict(OrderOutlook(june(10), released_on=june(22)))
    assert slip is not None
    assert (slip.reason, days_of(slip)) == (Reason.GOODS, (june(22), june(23), june(24)))


@pytest.mark.parametrize(("left_on", "is_late"), [(june(8), False), (june(9), False), (june(10), True)])
def test_what_has_left_is_late_when_even_the_quickest_day_is(left_on, is_late):
    slip = predict(OrderOutlook(june(10), left_on=left_on))
    assert (slip is not None) == is_late
    if slip:
        assert (slip.reason, days_of(slip)) == (Reason.ROAD, (june(10), june(11), june(12)))
