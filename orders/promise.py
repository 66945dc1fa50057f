"""The date before the button: what is in stock, when it ships, when it arrives. And the shop's words for it.

Counted in the shop's own time zone, from stock or the day more come, the cut-off hour, working days to pack,
the carrier's days, weekends and holidays. Nothing here queries: load `terms` once for a page.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from django.utils import timezone

from orders.models import ShippingMethod
from orders.terms import Calendar

__all__ = ["Calendar", "Promise", "Words", "card_words", "product_words", "promise", "sentence", "together", "usual"]

SATURDAY = 5
SUNDAY = 6
LAST_FEW = 5  # from here on the words say how many are left
ONE_DAY = timedelta(days=1)

Counts = Callable[[date, Calendar], bool]


class Goods(Protocol):
    """`available`: can be ordered now. `on_shelf`: of those, here already. `restock_on`: when more come."""

    @property
    def available(self) -> int: ...
    @property
    def on_shelf(self) -> int: ...
    @property
    def restock_on(self) -> date | None: ...


@dataclass(frozen=True)
class Promise:
    """`order_by`: holds for orders before this moment; None when no moment today changes it."""

    ships_on: date
    from_on: date
    by_on: date
    order_by: datetime | None = None


@dataclass(frozen=True)
class Words:
    """What `partials/promise.html` takes. `kind`: in, wait or out."""

    kind: str
    stock: str
    ships: str = ""
    arrives: str = ""
    hint: str = ""
    sure: str = ""

    def __str__(self) -> str:
        parts = (self.stock, self.ships, f"{self.arrives}." if self.arrives else "", self.hint)
        return " ".join(part for part in parts if part)


def promise(
    calendar: Calendar,
    method: ShippingMethod,
    *,
    availability: Goods,
    now: datetime,
    quantity: int = 1,
    released_on: date | None = None,
) -> Promise | None:
    """When an order placed now leaves and arrives. None when it cannot be had, or nobody knows when more come."""
    if availability.available < quantity:
        return None
    local = now.astimezone(timezone.get_default_timezone())
    starts_on = local.date()
    if availability.on_shelf < quantity:
        if availability.restock_on is None:
            return None
        starts_on = max(starts_on, availability.restock_on)
    if released_on is not None:
        starts_on = max(starts_on, released_on)
    return _from(calendar, method, starts_on=starts_on, local=local)


def _from(calendar: Calendar, method: ShippingMethod, *, starts_on: date, local: datetime) -> Promise:
    is_today = starts_on == local.date()
    has_missed = is_today and local.hour >= calendar.cutoff_hour
    packed_on = _first(starts_on + ONE_DAY if has_missed else starts_on, calendar, _works)
    ships_on = _after(packed_on, calendar.handling_days, calendar, _works)
    delivers = _delivers_on_saturday if method.delivers_on_saturday else _delivers_on_weekdays
    cutoff = local.replace(hour=calendar.cutoff_hour, minute=0, second=0, microsecond=0, fold=0)
    return Promise(
        ships_on=ships_on,
        from_on=_after(ships_on, method.days_min, calendar, delivers),
        by_on=_after(ships_on, method.days_max, calendar, delivers),
        order_by=cutoff if is_today and packed_on == local.date() else None,
    )


def _works(day: date, calendar: Calendar) -> bool:
    last = SATURDAY if calendar.ships_on_saturday else SATURDAY - 1
    return day.weekday() <= last and day not in calendar.closed


def _delivers_on_saturday(day: date, calendar: Calendar) -> bool:
    return day.weekday() != SUNDAY and day not in calendar.undelivered


def _delivers_on_weekdays(day: date, calendar: Calendar) -> bool:
    return day.weekday() < SATURDAY and day not in calendar.undelivered


def _first(day: date, calendar: Calendar, counts: Counts) -> date:
    while not counts(day, calendar):
        day += ONE_DAY
    return day


def _after(day: date, days: int, calendar: Calendar, counts: Counts) -> date:
    """The `days`-th day that counts after `day`; with 0, the first that counts from `day` on."""
    if days == 0:
        return _first(day, calendar, counts)
    for _ in range(days):
        day = _first(day + ONE_DAY, calendar, counts)
    return day


def together(promises: Collection[Promise | None]) -> Promise | None:
    """One parcel for all of it: as late as the last. None when any is unknown, or there are none."""
    known = [item for item in promises if item is not None]
    if not known or len(known) < len(promises):
        return None
    deadlines = [item.order_by for item in known if item.order_by]
    return Promise(
        ships_on=max(item.ships_on for item in known),
        from_on=max(item.from_on for item in known),
        by_on=max(item.by_on for item in known),
        order_by=min(deadlines) if len(deadlines) == len(known) else None,
    )


def usual(
    calendar: Calendar,
    methods: Iterable[ShippingMethod],
    availability: Goods,
    now: datetime,
    *,
    released_on: date | None = None,
) -> Promise | None:
    """By the way that cart and checkout start from, so that cards and product pages promise no other day."""
    method = next(iter(methods), None)
    if method is None:
        return None
    return promise(calendar, method, availability=availability, now=now, released_on=released_on)


# -- In words ----------------------------------------------------------------------------------------------


def product_words(
    promised: Promise | None, *, availability: Goods, now: datetime, released_on: date | None = None
) -> Words:
    """For the product page and cart lines: “In stock, ships Tuesday, arrives 26–27 November.”"""
    today = timezone.localdate(now)
    kind = _kind(availability, today, released_on)
    opening = _opening(kind, availability, today, released_on)
    if promised is None:
        unknown = " We will write when we know the day." if kind == "wait" else ""
        return Words(kind, f"{opening}.{unknown}")
    return Words(
        kind,
        f"{opening},",
        ships=f"ships {day(promised.ships_on, today)}, arrives",
        arrives=span(promised.from_on, promised.by_on, today),
        hint=_hint(promised),
    )


def card_words(
    promised: Promise | None, *, availability: Goods, now: datetime, released_on: date | None = None
) -> tuple[str, str]:
    """For a card: its kind and a few words, such as (“in”, “In stock, with you by Fri 27 Nov”)."""
    today = timezone.localdate(now)
    kind = _kind(availability, today, released_on)
    opening = _opening(kind, availability, today, released_on, short=True)
    if promised is None:
        return kind, opening
    return kind, f"{opening}, with you by {_short(promised.by_on)}"


def sentence(promised: Promise, *, now: datetime) -> str:
    """For a whole cart or order: “Ships Tuesday, arrives 26–27 November.”"""
    today = timezone.localdate(now)
    ships, arrives = day(promised.ships_on, today), span(promised.from_on, promised.by_on, today)
    return f"Ships {ships}, arrives {arrives}."


def day(on: date, today: date) -> str:
    """today, tomorrow, Tuesday (within the week), Tuesday 2 December, and the year when it is far off."""
    ahead = (on - today).days
    if 0 <= ahead <= 1:
        return ("today", "tomorrow")[ahead]
    if 1 < ahead < 7:
        return f"{on:%A}"
    return f"{on:%A} {_month(on, today)}"


def span(from_on: date, by_on: date, today: date) -> str:
    """26–27 November; 30 November – 2 December; Friday 27 November."""
    if from_on == by_on:
        return f"{by_on:%A} {_month(by_on, today)}"
    if (from_on.year, from_on.month) == (by_on.year, by_on.month):
        return f"{from_on.day}–{_month(by_on, today)}"
    return f"{_month(from_on, today)} – {_month(by_on, today)}"


def _month(on: date, today: date) -> str:
    year = f" {on.year}" if abs((on - today).days) > 180 else ""
    return f"{on.day} {on:%B}{year}"


def _short(on: date) -> str:
    return f"{on:%a} {on.day} {on:%b}"


def _hint(promised: Promise) -> str:
    if promised.order_by is None:
        return ""
    hour = promised.order_by.hour
    clock = "noon" if hour == 12 else f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}"
    return f"Order by {clock} today."


def _kind(availability: Goods, today: date, released_on: date | None) -> str:
    if availability.available < 1:
        return "out"
    is_ahead = released_on is not None and released_on > today
    return "wait" if is_ahead or availability.on_shelf < 1 else "in"


def _opening(kind: str, availability: Goods, today: date, released_on: date | None, *, short: bool = False) -> str:
    restock_on = availability.restock_on
    if kind == "in":
        left = availability.on_shelf
        return f"Only {left} left" if left <= LAST_FEW and left == availability.available else "In stock"
    if kind == "out":
        if restock_on is None or restock_on <= today:
            return "Out of stock" if short else "Out of stock, and we do not know yet when more come"
        return f"Out of stock, more {'due' if short else 'expected'} {_named(restock_on, today, short=short)}"
    if released_on is not None and released_on > today:
        return f"Out {_named(released_on, today, short=short)}{'' if short else ', yours to order now'}"
    if restock_on is None or restock_on <= today:
        return "More are on their way"
    return f"More come {_named(restock_on, today, short=short)}"


def _named(on: date, today: date, *, short: bool) -> str:
    return _short(on) if short else day(on, today)
