"""In stock, ships Tuesday, arrives 26–27 November: worked examples, and what must hold for any calendar."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from orders import promise as promises
from orders.models import ShippingMethod
from orders.promise import Promise
from orders.shop_terms import Calendar

LONDON = ZoneInfo("Europe/London")
PLAIN = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
ROYAL_MAIL = ShippingMethod(name="Royal Mail", days_min=2, days_max=3, delivers_on_saturday=True)


@dataclass(frozen=True)
class Goods:
    available: int = 8
    on_shelf: int = 8
    restock_on: date | None = None


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=LONDON)


def promised(calendar: Calendar = PLAIN, method: ShippingMethod = ROYAL_MAIL, *, now=None, goods=None, **more):
    return promises.compute_promise(calendar, method, availability=goods or Goods(), now=now or monday(10), **more)


def test_an_order_before_the_cut_off_ships_the_next_working_day():
    assert promised() == Promise(date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 27), monday(15))


def test_an_order_after_the_cut_off_ships_a_day_later():
    assert promised(now=monday(15)).ships_on == date(2026, 11, 25)


def test_the_cut_off_is_read_in_the_shops_own_time_zone():
    summer = datetime(2026, 7, 6, 14, 30, tzinfo=UTC)  # 15:30 in Whitby
    assert promised(now=summer).ships_on == date(2026, 7, 8)


def test_nothing_is_packed_at_the_weekend():
    friday_evening = datetime(2026, 11, 27, 18, tzinfo=LONDON)
    assert promised(now=friday_evening).ships_on == date(2026, 12, 1)


def test_a_shop_that_ships_on_saturday_does():
    friday = datetime(2026, 11, 27, 9, tzinfo=LONDON)
    assert promised(replace(PLAIN, ships_on_saturday=True), now=friday).ships_on == date(2026, 11, 28)


def test_without_handling_days_it_leaves_the_same_day():
    assert promised(replace(PLAIN, handling_days=0)).ships_on == date(2026, 11, 23)


def test_sunday_is_no_delivery_day_and_saturday_only_for_those_who_deliver_then():
    thursday = datetime(2026, 11, 26, 9, tzinfo=LONDON)  # ships on Friday
    assert promised(now=thursday).from_on == date(2026, 11, 30)
    weekdays = ShippingMethod(days_min=2, days_max=3, delivers_on_saturday=False)
    assert promised(method=weekdays, now=thursday).from_on == date(2026, 12, 1)


def test_holidays_stop_packing_and_delivery():
    christmas = frozenset({date(2026, 12, 25), date(2026, 12, 28)})
    eve = datetime(2026, 12, 24, 16, tzinfo=LONDON)
    closed = replace(PLAIN, closed=christmas, undelivered=christmas)
    assert promised(closed, now=eve).ships_on == date(2026, 12, 30)


def test_goods_that_are_on_their_way_are_packed_once_they_are_here():
    goods = Goods(available=5, on_shelf=0, restock_on=date(2026, 12, 1))
    assert promised(goods=goods).ships_on == date(2026, 12, 2)
    assert promised(goods=goods).order_by is None


def test_what_cannot_be_had_is_not_promised():
    assert promised(goods=Goods(available=0, on_shelf=0, restock_on=date(2026, 12, 1))) is None
    assert promised(goods=Goods(available=5, on_shelf=0)) is None
    assert promised(quantity=9) is None


def test_a_release_ships_from_its_day_on():
    assert promised(released_on=date(2026, 12, 3)).ships_on == date(2026, 12, 4)


def test_one_parcel_is_as_late_as_its_last_thing():
    early = Promise(date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 27), monday(15))
    late = Promise(date(2026, 12, 2), date(2026, 12, 4), date(2026, 12, 5))
    assert promises.combine_promises([early, late]) == late
    assert promises.combine_promises([early, None]) is None
    assert promises.combine_promises([]) is None


def test_the_words_name_days_not_soon():
    words = promises.describe_product_promise(promised(), availability=Goods(), now=monday(10))
    assert str(words) == "In stock, ships tomorrow, arrives 26–27 November. Order by 3 pm today."
    sunday = datetime(2026, 11, 22, 10, tzinfo=LONDON)
    words = promises.describe_product_promise(promised(now=sunday), availability=Goods(), now=sunday)
    assert str(words) == "In stock, ships Tuesday, arrives 26–27 November."


def test_the_words_for_what_is_scarce_gone_or_yet_to_come():
    few = Goods(available=2, on_shelf=2)
    assert str(promises.describe_product_promise(promised(goods=few), availability=few, now=monday(10))).startswith(
        "Only 2 left,"
    )
    gone = Goods(available=0, on_shelf=0, restock_on=date(2026, 12, 1))
    words = promises.describe_product_promise(None, availability=gone, now=monday(10))
    assert (words.kind, str(words)) == ("out", "Out of stock, more expected Tuesday 1 December.")
    release = {"availability": Goods(), "now": monday(10), "released_on": date(2026, 12, 3)}
    assert promises.describe_card_promise(None, **release) == ("wait", "Out Thu 3 Dec")


def test_the_words_for_what_is_here_in_part_are_those_of_so_many():
    goods = Goods(available=12, on_shelf=3, restock_on=date(2026, 12, 1))
    said = {
        wanted: str(
            promises.describe_product_promise(
                promised(goods=goods, quantity=wanted), availability=goods, now=monday(10), quantity=wanted
            )
        )
        for wanted in (1, 3, 4, 13)
    }
    all_here = "In stock, ships tomorrow, arrives 26–27 November. Order by 3 pm today."
    assert said[1] == said[3] == all_here
    assert said[4] == (
        "3 of 4 here, more come Tuesday 1 December, and all of it ships Wednesday 2 December, arrives 4–5 December."
    )
    assert said[13].startswith("3 of 12 here, more come ")  # no more than that can be had


def test_spans_are_as_short_as_they_can_be():
    today = date(2026, 11, 23)
    assert promises.format_date_range(date(2026, 11, 27), date(2026, 11, 27), today) == "Friday 27 November"
    assert promises.format_date_range(date(2026, 11, 30), date(2026, 12, 2), today) == "30 November – 2 December"


# -- For any calendar --------------------------------------------------------------------------------------

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
CALENDARS = st.builds(
    Calendar,
    cutoff_hour=st.integers(0, 23),
    handling_days=st.integers(0, 5),
    ships_on_saturday=st.booleans(),
    closed=st.frozensets(DAYS, max_size=20),
    undelivered=st.frozensets(DAYS, max_size=20),
)
METHODS = st.builds(
    lambda least, more, saturday: ShippingMethod(days_min=least, days_max=least + more, delivers_on_saturday=saturday),
    st.integers(0, 6),
    st.integers(0, 6),
    st.booleans(),
)
GOODS = st.builds(Goods, st.integers(1, 9), st.integers(0, 9), DAYS)


@given(CALENDARS, METHODS, GOODS, MOMENTS)
def test_no_promise_lies_in_the_past_and_its_days_are_in_order(calendar, method, goods, now):
    made = promises.compute_promise(calendar, method, availability=goods, now=now)
    assert now.astimezone(LONDON).date() <= made.ships_on <= made.from_on <= made.by_on
    assert made.order_by is None or made.order_by > now


@given(CALENDARS, METHODS, GOODS, MOMENTS)
def test_nothing_ships_or_arrives_on_a_day_off(calendar, method, goods, now):
    made = promises.compute_promise(calendar, method, availability=goods, now=now)
    assert made.ships_on not in calendar.closed
    assert made.ships_on.weekday() < (6 if calendar.ships_on_saturday else 5)
    for arrives_on in (made.from_on, made.by_on):
        assert arrives_on not in calendar.undelivered
        assert arrives_on.weekday() < (6 if method.delivers_on_saturday else 5)


@given(CALENDARS, METHODS, GOODS, MOMENTS, DAYS)
def test_one_more_holiday_never_makes_anything_earlier(calendar, method, goods, now, holiday):
    before = promises.compute_promise(calendar, method, availability=goods, now=now)
    longer = replace(calendar, closed=calendar.closed | {holiday}, undelivered=calendar.undelivered | {holiday})
    after = promises.compute_promise(longer, method, availability=goods, now=now)
    assert (before.ships_on, before.from_on, before.by_on) <= (after.ships_on, after.from_on, after.by_on)
    assert before.from_on <= after.from_on
    assert before.by_on <= after.by_on


@given(CALENDARS, METHODS, GOODS, MOMENTS, st.integers(0, 10 * 24 * 60))
def test_ordering_later_never_brings_it_earlier(calendar, method, goods, now, minutes):
    first = promises.compute_promise(calendar, method, availability=goods, now=now)
    second = promises.compute_promise(calendar, method, availability=goods, now=now + timedelta(minutes=minutes))
    assert first.ships_on <= second.ships_on
    assert first.by_on <= second.by_on


@given(CALENDARS, METHODS, GOODS, MOMENTS)
def test_every_promise_can_be_said(calendar, method, goods, now):
    made = promises.compute_promise(calendar, method, availability=goods, now=now)
    words = promises.describe_product_promise(made, availability=goods, now=now)
    assert str(words).endswith(("November.", "today.", ".")) or words.arrives
    assert "None" not in str(words)


@given(CALENDARS, METHODS, GOODS, MOMENTS, st.integers(1, 9))
def test_in_stock_is_said_of_no_more_than_is_here_and_of_the_rest_how_many_are(calendar, method, goods, now, quantity):
    made = promises.compute_promise(calendar, method, availability=goods, now=now, quantity=quantity)
    words = promises.describe_product_promise(made, availability=goods, now=now, quantity=quantity)
    if made:
        assert words.kind == ("in" if goods.on_shelf >= quantity else "wait")
        assert words.stock.startswith(f"{goods.on_shelf} of {quantity} here, ") is (0 < goods.on_shelf < quantity)
        assert ("all of it ships" in words.ships) is (0 < goods.on_shelf < quantity)
