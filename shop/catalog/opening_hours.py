"""When a store is open, in words. Times are the clock's on the wall of a shop in this time zone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.utils import timezone

from shop.catalog.models import OpeningHours

LOOKED_AHEAD = 14  # days in which the next opening is looked for

Span = tuple[time, time]  # from, until


@dataclass(frozen=True, slots=True)
class StoreCalendar:
    """The hours of each weekday (Monday is 0), and of dates that keep others; a date without a span is closed."""

    weekly: dict[int, list[Span]]
    special: dict[date, list[Span]]

    def list_spans(self, day: date) -> list[Span]:
        return self.special.get(day, self.weekly.get(day.weekday(), []))


@dataclass(frozen=True, slots=True)
class HoursLine:
    days: str
    hours: str


def read_calendar(
    weekly: Iterable[tuple[int, str, str]], special: Iterable[tuple[str, str | None, str | None]]
) -> StoreCalendar:
    """From days and times as the database writes them into JSON."""
    calendar = StoreCalendar({}, {})
    for weekday, opens_at, closes_at in weekly:
        calendar.weekly.setdefault(weekday, []).append((time.fromisoformat(opens_at), time.fromisoformat(closes_at)))
    for day, first, last in special:
        spans = [(time.fromisoformat(first), time.fromisoformat(last))] if first and last else []
        calendar.special[date.fromisoformat(day)] = spans
    return calendar


def describe_opening(calendar: StoreCalendar, now: datetime) -> str:
    """“Open today until 6 pm”, “opens tomorrow at 10 am”; empty for a store whose hours nobody wrote."""
    if not calendar.weekly and not calendar.special:
        return ""
    local = timezone.localtime(now)
    for ahead in range(LOOKED_AHEAD):
        day = local.date() + timedelta(days=ahead)
        for opens_at, closes_at in calendar.list_spans(day):
            if ahead or local.time() < opens_at:
                return f"Opens {_format_day_ahead(day, ahead)} at {format_clock(opens_at)}"
            if local.time() < closes_at:
                return f"Open today until {format_clock(closes_at)}"
    return "Closed at present"


def find_opening(calendar: StoreCalendar, moment: datetime) -> datetime | None:
    """The first moment from then on at which the store is open; None where it stays shut for as long as is looked.

    A store whose hours nobody wrote is open at any time.
    """
    if not calendar.weekly and not calendar.special:
        return moment
    local = timezone.localtime(moment)
    for ahead in range(LOOKED_AHEAD):
        day = local.date() + timedelta(days=ahead)
        for opens_at, closes_at in calendar.list_spans(day):
            if ahead or local.time() < opens_at:
                return timezone.make_aware(datetime.combine(day, opens_at))
            if local.time() < closes_at:
                return moment
    return None


def list_hours(calendar: StoreCalendar, today: date) -> list[HoursLine]:
    """The week, days with the same hours as one line; then the dates soon that keep others."""
    week = [(OpeningHours.Weekday(day), _format_spans(calendar.weekly.get(day, []))) for day in range(7)]
    lines = []
    for hours, group in groupby(week, key=lambda each: each[1]):
        days = [day.label for day, _ in group]
        lines.append(HoursLine(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}", hours))
    ahead = sorted(day for day in calendar.special if 0 <= (day - today).days < LOOKED_AHEAD)
    return lines + [HoursLine(f"{day:%A} {day.day} {day:%B}", _format_spans(calendar.special[day])) for day in ahead]


def format_clock(at: time) -> str:
    """10 am, 5:30 pm, noon."""
    if at.hour in (0, 12) and at.minute == 0:
        return "noon" if at.hour else "midnight"
    minutes = f":{at:%M}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes} {'am' if at.hour < 12 else 'pm'}"


def _format_spans(spans: Sequence[Span]) -> str:
    return " and ".join(f"{format_clock(first)} to {format_clock(last)}" for first, last in spans) or "closed"


def _format_day_ahead(day: date, ahead: int) -> str:
    if ahead < 2:
        return ("today", "tomorrow")[ahead]
    return f"{day:%A}" if ahead < 7 else f"{day:%A} {day.day} {day:%B}"
