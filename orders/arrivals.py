"""When the goods of an order leave and come, as they were promised: all of it, or each of its two parcels."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from orders.models import Order, OrderLine
from orders.promise import format_date_range


@dataclass(frozen=True)
class PromisedDays:
    """Each None where nobody knew it."""

    ships_on: date | None
    promised_from_on: date | None
    promised_by_on: date | None


def find_parcel_days(order: Order, lines: Iterable[OrderLine]) -> PromisedDays:
    """Those of the last of these lines; the order's own where it travels in one parcel."""
    if order.ships_as_ready:
        own = [line for line in lines if line.promised_by_on]
        if own:
            return _read_days(max(own, key=lambda line: line.promised_by_on or date.min))
    return _read_days(order)


def find_last_days(order: Order) -> PromisedDays:
    """Of an order in two parcels, those of the one that comes last; none while nobody knows those of the rest. A first
    parcel of which nobody knows changes nothing. Reads `lines`.
    """
    lines = [line for line in order.lines.all() if line.open_quantity]
    if any(line.promised_by_on is None and not line.goes_first for line in lines):
        return PromisedDays(None, None, None)
    return find_parcel_days(order, lines)


def list_arrivals(order: Order) -> list[tuple[PromisedDays, list[str]]]:
    """The days on which some of it comes, the soonest first, each with what comes then, by its title.

    One row without titles where all of it comes together. Reads `lines` where it does not.
    """
    groups: dict[PromisedDays, list[str]] = {}
    for line in order.lines.all() if order.ships_as_ready else ():
        if line.open_quantity:
            groups.setdefault(find_parcel_days(order, [line]), []).append(line.title)
    if len(groups) < 2:
        return [(next(iter(groups), _read_days(order)), [])]
    return sorted(groups.items(), key=lambda row: row[0].promised_by_on or date.max)


def format_arrivals(order: Order, today: date) -> str:
    """“26–27 November”; “26–27 November (Wool jumper), 6–8 December (Tin mug)”; empty where nobody knows a day
    that is still to come.
    """
    rows = ((format_arrival(days, today), ", ".join(titles)) for days, titles in list_arrivals(order))
    return ", ".join(f"{words} ({titles})" if titles else words for words, titles in rows if words)


def format_arrival(days: PromisedDays, today: date) -> str:
    """Empty where nobody knows the day, or it has passed."""
    by_on = days.promised_by_on
    return format_date_range(days.promised_from_on or by_on, by_on, today) if by_on and by_on >= today else ""


def format_departure(order: Order, today: date) -> str:
    """The day it leaves; empty where nobody knows it, or it leaves in two parcels."""
    rows = list_arrivals(order)
    return format_departure_day(rows[0][0], today) if len(rows) == 1 else ""


def format_departure_day(days: PromisedDays, today: date) -> str:
    return format_date_range(days.ships_on, days.ships_on, today) if days.ships_on else ""


def _read_days(source: Order | OrderLine) -> PromisedDays:
    return PromisedDays(source.ships_on, source.promised_from_on, source.promised_by_on)
