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
from orders.shop_terms import Calendar
from shop.catalog.opening_hours import format_clock

__all__ = [
    "Calendar",
    "Promise",
    "PromiseWords",
    "ReservedGoods",
    "combine_promises",
    "compute_default_promise",
    "compute_promise",
    "describe_card_promise",
    "describe_product_promise",
    "describe_stock",
    "format_promise",
    "is_partly_here",
]

SATURDAY = 5
SUNDAY = 6
NINE_IN_TEN = "9 times in 10"  # what a date from the shop's own deliveries is measured to hold
LAST_FEW = 5  # from here on the words say how many are left
ONE_DAY = timedelta(days=1)

DayRule = Callable[[date, Calendar], bool]


class PromisableGoods(Protocol):
    """`available`: can be ordered now. `on_shelf`: of those, here already. `restock_on`: when more come."""

    @property
    def available(self) -> int: ...
    @property
    def on_shelf(self) -> int: ...
    @property
    def restock_on(self) -> date | None: ...


@dataclass(frozen=True)
class ReservedGoods:
    """Goods that lie ready for an order."""

    available: int = 1
    on_shelf: int = 1
    restock_on: date | None = None


@dataclass(frozen=True)
class Promise:
    """`order_by`: holds for orders before this moment; None when no moment today changes it.

    `moved_days`: by how many days the shop's own deliveries moved `by_on`; None where they say nothing yet.
    """

    ships_on: date
    from_on: date
    by_on: date
    order_by: datetime | None = None
    moved_days: int | None = None
    ready_at: datetime | None = None  # where its buyer collects it: from when


@dataclass(frozen=True)
class PromiseWords:
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


def compute_promise(
    calendar: Calendar,
    method: ShippingMethod,
    *,
    availability: PromisableGoods,
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
    return _compute_promise_from(calendar, method, starts_on=starts_on, local=local)


def _compute_promise_from(calendar: Calendar, method: ShippingMethod, *, starts_on: date, local: datetime) -> Promise:
    is_today = starts_on == local.date()
    has_missed = is_today and local.hour >= calendar.cutoff_hour
    packed_on = _find_first_day(starts_on + ONE_DAY if has_missed else starts_on, calendar, _is_working_day)
    ships_on = _find_nth_day_after(packed_on, calendar.handling_days, calendar, _is_working_day)
    delivers = _is_delivery_day_mon_to_sat if method.delivers_on_saturday else _is_delivery_day_mon_to_fri
    cutoff = local.replace(hour=calendar.cutoff_hour, minute=0, second=0, microsecond=0, fold=0)
    more = calendar.get_zone_days(method)
    from_on = _find_nth_day_after(ships_on, method.days_min + more, calendar, delivers)
    plain_by_on = _find_nth_day_after(ships_on, method.days_max + more, calendar, delivers)
    by_on, moved_days = plain_by_on, None
    if method.pk in calendar.moved_days:
        moved_on = plain_by_on + calendar.moved_days[method.pk] * ONE_DAY
        by_on = _find_first_day(max(from_on, moved_on), calendar, delivers)
        moved_days = (by_on - plain_by_on).days
    return Promise(
        ships_on=ships_on,
        from_on=from_on,
        by_on=by_on,
        order_by=cutoff if is_today and packed_on == local.date() else None,
        moved_days=moved_days,
    )


def _is_working_day(day: date, calendar: Calendar) -> bool:
    last = SATURDAY if calendar.ships_on_saturday else SATURDAY - 1
    return day.weekday() <= last and day not in calendar.closed


def _is_delivery_day_mon_to_sat(day: date, calendar: Calendar) -> bool:
    return day.weekday() != SUNDAY and day not in calendar.undelivered


def _is_delivery_day_mon_to_fri(day: date, calendar: Calendar) -> bool:
    return day.weekday() < SATURDAY and day not in calendar.undelivered


def _find_first_day(day: date, calendar: Calendar, counts: DayRule) -> date:
    while not counts(day, calendar):
        day += ONE_DAY
    return day


def _find_nth_day_after(day: date, days: int, calendar: Calendar, counts: DayRule) -> date:
    """The `days`-th day that counts after `day`; with 0, the first that counts from `day` on."""
    if days == 0:
        return _find_first_day(day, calendar, counts)
    for _ in range(days):
        day = _find_first_day(day + ONE_DAY, calendar, counts)
    return day


def combine_promises(promises: Collection[Promise | None]) -> Promise | None:
    """One parcel for all of it: as late as the last. None when any is unknown, or there are none."""
    known = [item for item in promises if item is not None]
    if not known or len(known) < len(promises):
        return None
    deadlines = [item.order_by for item in known if item.order_by]
    last = max(known, key=lambda item: item.by_on)
    return Promise(
        ships_on=max(item.ships_on for item in known),
        from_on=max(item.from_on for item in known),
        by_on=last.by_on,
        order_by=min(deadlines) if len(deadlines) == len(known) else None,
        moved_days=last.moved_days,
        ready_at=last.ready_at,
    )


def compute_default_promise(
    calendar: Calendar,
    methods: Iterable[ShippingMethod],
    availability: PromisableGoods,
    now: datetime,
    *,
    released_on: date | None = None,
) -> Promise | None:
    """By the way that cart and checkout start from, so that cards and product pages promise no other day."""
    method = next(iter(methods), None)
    if method is None:
        return None
    return compute_promise(calendar, method, availability=availability, now=now, released_on=released_on)


# -- In words ----------------------------------------------------------------------------------------------


def is_partly_here(availability: PromisableGoods, quantity: int) -> bool:
    """Whether some of so many lie on the shelf, and wait for the others."""
    return 0 < availability.on_shelf < quantity


def describe_stock(
    availability: PromisableGoods,
    *,
    now: datetime,
    quantity: int = 1,
    released_on: date | None = None,
    short: bool = False,
) -> tuple[str, str]:
    """Its kind and words of so many: (“in”, “In stock”), (“wait”, “3 of 6 here, more come Friday”).

    Of more than can be had it speaks of as many as can. `short`: as on a card.
    """
    today = timezone.localdate(now)
    coming_on = availability.restock_on
    more = _format_restock_day(coming_on, today, short=short) if coming_on and coming_on > today else ""
    if availability.available < 1:
        return "out", _describe_lack(more, short=short)
    if released_on is not None and released_on > today:
        day = _format_restock_day(released_on, today, short=short)
        return "wait", f"Out {day}" if short else f"Out {day}, yours to order now"
    here, wanted = availability.on_shelf, min(quantity, availability.available)
    if here >= wanted:
        return "in", f"Only {here} left" if here <= LAST_FEW and here == availability.available else "In stock"
    opening = f"{here} of {wanted} here, more" if is_partly_here(availability, wanted) else "More"
    return "wait", f"{opening} come {more}" if more else f"{opening} are on their way"


def _describe_lack(more: str, *, short: bool) -> str:
    if more:
        return f"Out of stock, more {'due' if short else 'expected'} {more}"
    return "Out of stock" if short else "Out of stock, and we do not know yet when more come"


def describe_product_promise(
    promised: Promise | None,
    *,
    availability: PromisableGoods,
    now: datetime,
    quantity: int = 1,
    released_on: date | None = None,
    abroad: str = "",
) -> PromiseWords:
    """For the product page and cart lines: “In stock, ships Tuesday, arrives 26–27 November.”

    `quantity`: as it was promised for. `abroad`: the name of the country it goes to, where that is not the shop's own.
    """
    today = timezone.localdate(now)
    kind, opening = describe_stock(availability, now=now, quantity=quantity, released_on=released_on)
    if promised is None:
        unknown = " We will write when we know the day." if kind == "wait" else ""
        return PromiseWords(kind, f"{opening}.{unknown}")
    ships = "and all of it ships" if is_partly_here(availability, quantity) else "ships"
    return PromiseWords(
        kind,
        f"{opening},",
        ships=f"{ships} {format_day(promised.ships_on, today)}{_name_destination(abroad)}, arrives",
        arrives=format_date_range(promised.from_on, promised.by_on, today),
        hint=_format_cutoff_hint(promised),
        sure="" if promised.moved_days is None else NINE_IN_TEN,
    )


def describe_card_promise(
    promised: Promise | None,
    *,
    availability: PromisableGoods,
    now: datetime,
    released_on: date | None = None,
    abroad: str = "",
) -> tuple[str, str]:
    """For a card: its kind and a few words, such as (“in”, “In stock, with you by Fri 27 Nov”)."""
    kind, opening = describe_stock(availability, now=now, released_on=released_on, short=True)
    if promised is None:
        return kind, opening
    where = _name_destination(abroad) or " with you"
    return kind, f"{opening},{where} by {_format_short_date(promised.by_on)}"


def _name_destination(abroad: str) -> str:
    return f" to {abroad}" if abroad else ""


def format_promise(promised: Promise, *, now: datetime) -> str:
    """For a whole cart or order: “Ships Tuesday, arrives 26–27 November.”"""
    today = timezone.localdate(now)
    if promised.ready_at is not None:
        return f"Ready {format_moment(promised.ready_at, today)}."
    ships, arrives = format_day(promised.ships_on, today), format_date_range(promised.from_on, promised.by_on, today)
    return f"Ships {ships}, arrives {arrives}."


def format_day(on: date, today: date) -> str:
    """today, tomorrow, Tuesday (within the week), Tuesday 2 December, and the year when it is far off."""
    ahead = (on - today).days
    if 0 <= ahead <= 1:
        return ("today", "tomorrow")[ahead]
    if 1 < ahead < 7:
        return f"{on:%A}"
    return f"{on:%A} {_format_day_and_month(on, today)}"


def format_moment(at: datetime, today: date) -> str:
    """From when something is so: Tuesday from 3 pm."""
    local = timezone.localtime(at)
    return f"{format_day(local.date(), today)} from {format_clock(local.time())}"


def format_date_range(from_on: date, by_on: date, today: date) -> str:
    """26–27 November; 30 November – 2 December; Friday 27 November."""
    if from_on == by_on:
        return f"{by_on:%A} {_format_day_and_month(by_on, today)}"
    if (from_on.year, from_on.month) == (by_on.year, by_on.month):
        return f"{from_on.day}–{_format_day_and_month(by_on, today)}"
    return f"{_format_day_and_month(from_on, today)} – {_format_day_and_month(by_on, today)}"


def _format_day_and_month(on: date, today: date) -> str:
    year = f" {on.year}" if abs((on - today).days) > 180 else ""
    return f"{on.day} {on:%B}{year}"


def _format_short_date(on: date) -> str:
    return f"{on:%a} {on.day} {on:%b}"


def _format_cutoff_hint(promised: Promise) -> str:
    if promised.order_by is None:
        return ""
    hour = promised.order_by.hour
    clock = "noon" if hour == 12 else f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}"
    return f"Order by {clock} today."


def _format_restock_day(on: date, today: date, *, short: bool) -> str:
    return _format_short_date(on) if short else format_day(on, today)
