"""From a cell's text to a value that can be trusted. Each raises UnusableRowError with the column's name."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from shop.csv_files.report import UnusableRowError, quote_cell
from shop.money import check_price
from shop.spelling import clean_spelling

CACHE_SIZE = 10_000  # texts come again and again: dates, prices
YES = frozenset({"1", "true", "yes", "y", "on"})
NO = frozenset({"0", "false", "no", "n", "off"})
FIRST_DAY = date(1981, 1, 1)  # earlier ones are the zeros of computers' calendars: 1900, 1904, 1970, 1980

_WHOLE = re.compile(r"(?:-(?=0*[1-9]))?[0-9]{1,12}")
_AMOUNT = {mark: re.compile(rf"(-?[0-9]{{1,30}})(?:[{mark}]([0-9]{{1,30}}))?") for mark in ".,"}
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[.,'’\s][0-9]{3})+(?:[.,][0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T ][0-9:.,]+ ?(?:Z|[+-][0-9:]+)?)?")


@lru_cache(CACHE_SIZE)
def read_word(text: str, *, name: str, longest: int) -> str:
    """One line in its clean spelling, not empty."""
    found = clean_spelling(text)
    if not found:
        raise UnusableRowError(f"has no {name}")
    if len(found) > longest:
        raise UnusableRowError(f"{name} is longer than {longest} characters")
    return found


@lru_cache(CACHE_SIZE)
def read_integer(text: str, *, name: str, lowest: int, highest: int) -> int:
    found = _WHOLE.fullmatch(text.strip())
    if found is None or not lowest <= int(found[0]) <= highest:
        raise UnusableRowError(f"{name} {quote_cell(text)} is not a whole number from {lowest:,} to {highest:,}")
    return int(found[0])


@lru_cache(CACHE_SIZE)
def read_amount(text: str, *, name: str, decimal: str, highest: Decimal, currency: str) -> Decimal:
    """A price from 0 to `highest` in the steps of its currency; `decimal` is the mark before its decimals."""
    text = text.strip()
    found = _AMOUNT[decimal].fullmatch(text)
    amount = Decimal(f"{found[1]}.{found[2]}" if found[2] else found[1]) if found else _parse_any_number(text)
    if amount is not None and (not amount.is_finite() or amount.is_signed() or amount > highest):
        raise UnusableRowError(f"{name} {quote_cell(text)} is not between 0 and {highest}")
    if found is None or amount is None:
        raise UnusableRowError(f"{name} {quote_cell(text)} {_describe_amount_fault(text, decimal)}")
    try:
        return check_price(amount, currency)
    except ValueError as refusal:
        raise UnusableRowError(f"{name} {quote_cell(text)} will not do: {refusal}") from None


def _parse_any_number(text: str) -> Decimal | None:
    """A number as programs write it, NaN and 1e9 among them: never taken, but judged first for its size."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _describe_amount_fault(text: str, decimal: str) -> str:
    other = "," if decimal == "." else "."
    if _GROUPED.fullmatch(text):
        return "has a thousands separator: write it without, such as 1234.50"
    if _AMOUNT[other].fullmatch(text):
        return f"has “{other}” before its decimals: add --decimal {other}"
    return f"is not a number such as 14{decimal}50"


def read_day(text: str, *, name: str, earliest: date = FIRST_DAY, latest: date | None = None) -> date:
    """`latest`: today unless said. A moment with a zone is the day of the shop's own clock."""
    found = _parse_day_or_moment(text.strip(), name)
    day = timezone.localdate(found) if isinstance(found, datetime) else found
    _check_day(day, text, name, earliest, latest or timezone.localdate())
    return day


@lru_cache(CACHE_SIZE)  # what is past stays past
def read_moment(text: str, *, name: str, may_be_ahead: bool = False) -> datetime:
    """Not later than now, unless said. A time without a zone is the shop's own."""
    found = _parse_day_or_moment(text.strip(), name)
    at = found if isinstance(found, datetime) else timezone.make_aware(datetime.combine(found, datetime.min.time()))
    day = timezone.localdate(at)
    _check_day(day, text, name, FIRST_DAY, day if may_be_ahead else timezone.localdate())
    if at > timezone.now() and not may_be_ahead:
        raise UnusableRowError(f"{name} {quote_cell(text)} lies in the future")
    return at


def _check_day(day: date, text: str, name: str, earliest: date, latest: date) -> None:
    if day < earliest:
        raise UnusableRowError(f"{name} {quote_cell(text)} lies before {earliest}")
    if day > latest:
        raise UnusableRowError(f"{name} {quote_cell(text)} lies in the future, after {latest}")


@lru_cache(CACHE_SIZE)
def _parse_day_or_moment(text: str, name: str) -> date | datetime:
    """A day, or a moment with a zone."""
    try:
        found = _parse_iso(text) if _DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise UnusableRowError(f"{name} {quote_cell(text)} is no date such as 2026-03-31")
    return found


def _parse_iso(text: str) -> date | datetime | None:
    """Raises ValueError for a day or an hour that does not exist, OverflowError at the ends of the calendar."""
    moment = None if (day := parse_date(text)) else parse_datetime(text)
    if moment is not None and timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    if moment is not None:
        timezone.localtime(moment)
    return day or moment


@lru_cache(CACHE_SIZE)
def read_flag(text: str, *, name: str) -> bool:
    low = text.strip().lower()
    if low not in YES | NO:
        raise UnusableRowError(f"{name} {quote_cell(text)} is neither yes nor no")
    return low in YES


def get_day_from_today(count: int) -> date:
    return timezone.localdate() + timedelta(days=count)
