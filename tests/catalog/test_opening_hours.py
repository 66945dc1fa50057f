"""A store's hours in words: today, the next opening, dates that keep others."""

from datetime import UTC, date, datetime, time

import pytest

from shop.catalog.opening_hours import StoreCalendar, describe_opening, format_clock, list_hours, read_calendar

WEEKDAYS = {day: [(time(10), time(13)), (time(14), time(17, 30))] for day in range(5)}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In November 2026; the 2nd is a Monday, and London keeps UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (at(2, 9, 59), "Opens today at 10 am"),
        (at(2, 10), "Open today until 1 pm"),
        (at(2, 13), "Opens today at 2 pm"),
        (at(2, 17, 29), "Open today until 5:30 pm"),
        (at(2, 17, 30), "Opens tomorrow at 10 am"),
        (at(6, 18), "Opens Monday at 10 am"),
    ],
)
def test_what_is_said_of_a_store_follows_the_clock(now, words):
    assert describe_opening(StoreCalendar(WEEKDAYS, {}), now) == words


def test_a_date_of_its_own_goes_before_its_weekday():
    calendar = StoreCalendar(WEEKDAYS, {date(2026, 11, 2): [], date(2026, 11, 3): [(time(12), time(15))]})
    assert describe_opening(calendar, at(2, 11)) == "Opens tomorrow at noon"
    assert describe_opening(calendar, at(3, 14)) == "Open today until 3 pm"


def test_summer_time_moves_no_opening():
    assert describe_opening(
        StoreCalendar({0: [(time(10), time(18))]}, {}), datetime(2026, 7, 6, 9, 30, tzinfo=UTC)
    ) == ("Open today until 6 pm")


def test_a_store_without_hours_says_nothing_and_one_long_closed_says_so():
    assert describe_opening(StoreCalendar({}, {}), at(2, 11)) == ""
    closed = {date(2026, 11, day): [] for day in range(2, 17)}
    assert describe_opening(StoreCalendar(WEEKDAYS, closed), at(2, 11)) == "Closed at present"


def test_days_with_the_same_hours_are_one_line_and_special_dates_follow():
    weekly = {day: [(time(10), time(18))] for day in range(5)} | {5: [(time(10), time(12))]}
    special = {date(2026, 11, 4): [], date(2026, 11, 1): [], date(2026, 12, 24): []}
    lines = list_hours(StoreCalendar(weekly, special), date(2026, 11, 2))
    assert [(line.days, line.hours) for line in lines] == [
        ("Monday to Friday", "10 am to 6 pm"),
        ("Saturday", "10 am to noon"),
        ("Sunday", "closed"),
        ("Wednesday 4 November", "closed"),
    ]


@pytest.mark.parametrize(("clock", "words"), [(time(0), "midnight"), (time(12), "noon"), (time(12, 30), "12:30 pm")])
def test_the_clock_is_written_as_people_say_it(clock, words):
    assert format_clock(clock) == words


def test_hours_are_read_from_what_the_database_writes():
    read = read_calendar([(0, "10:00:00", "18:00:00")], [("2026-12-24", None, None)])
    assert read == StoreCalendar({0: [(time(10), time(18))]}, {date(2026, 12, 24): []})
