"""The public holidays of the countries the shop serves, offered to staff, who confirm what they stop.

The days come from the `holidays` library; the shop counts by those that staff have kept (`orders.Holiday`), no others.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import holidays
from django.db import transaction
from django_countries import countries

from orders.models import Holiday
from orders.shop_terms import Terms
from shop.periods import Period

OFFERED_FOR = Period(years=1)
ENGLISH = ("en_GB", "en_US")


@dataclass(frozen=True)
class OfferedDay:
    """`stops_delivery`, `closes_shop`: as staff have kept it; of a country they have not looked at yet, as most would.

    `is_everywhere`: kept already as a day on which nothing is delivered anywhere.
    """

    falls_on: date
    name: str
    stops_delivery: bool
    closes_shop: bool
    is_everywhere: bool = False


def list_served_countries(terms: Terms) -> list[tuple[str, str]]:
    """(code, name) of the shop's own country, then of those it has taxes or ways of delivery for, as far as known."""
    own = terms.settings.default_country.code
    served = {*terms.rates, *(code for method in terms.methods for code in method.country_codes)} - {own}
    known = holidays.list_supported_countries()
    named = sorted((countries.name(code), code) for code in served if code in known)
    return [(code, name) for name, code in [(countries.name(own), own), *named] if code in known]


def list_parts(country: str) -> list[str]:
    """The parts of a country that have days of their own, by their codes."""
    return list(holidays.list_supported_countries().get(country, ()))


def list_offered_days(country: str, part: str, *, own_country: str, today: date) -> list[OfferedDay]:
    """Of the coming year, the next first. One query."""
    until = today + OFFERED_FOR
    kept = Holiday.objects.filter(falls_on__gte=today, falls_on__lte=until, country__in=["", country])
    by_place = {(str(each.country), each.falls_on): each for each in kept}
    is_new = not any(place == country for place, _ in by_place)
    return [
        _offer_day(falls_on, name, by_place.get((country, falls_on)), by_place.get(("", falls_on)), is_new, is_own)
        for falls_on, name in _find_days(country, part, today, until)
        for is_own in [country == own_country]
    ]


def _offer_day(
    falls_on: date, name: str, kept: Holiday | None, everywhere: Holiday | None, is_new: bool, is_own: bool
) -> OfferedDay:
    if kept is not None:
        return OfferedDay(falls_on, name, kept.stops_delivery, kept.closes_shop)
    if everywhere is not None:
        return OfferedDay(falls_on, name, everywhere.stops_delivery, everywhere.closes_shop, is_everywhere=True)
    return OfferedDay(falls_on, name, stops_delivery=is_new, closes_shop=is_new and is_own)


def _find_days(country: str, part: str, since: date, until: date) -> list[tuple[date, str]]:
    languages = holidays.list_localized_countries().get(country, [])
    language = next((each for each in ENGLISH if each in languages), None)
    found = holidays.country_holidays(
        country, subdiv=part or None, years=range(since.year, until.year + 1), language=language
    )
    return sorted((day, name[:80]) for day, name in found.items() if since <= day <= until)


@transaction.atomic
def save_days(
    country: str,
    days: Collection[OfferedDay],
    *,
    undelivered: Collection[date],
    closed: Collection[date],
) -> int:
    """Keeps what staff ticked of these `days`, and lets go of what they did not. Returns how many are kept.

    Days that are kept for everywhere are staff's own, and stay as they are.
    """
    offered = [day for day in days if not day.is_everywhere]
    wanted = [day for day in offered if day.falls_on in undelivered or day.falls_on in closed]
    mine = Holiday.objects.filter(country=country, falls_on__in=[day.falls_on for day in offered])
    mine.exclude(falls_on__in=[day.falls_on for day in wanted]).delete()
    rows = [
        Holiday(
            country=country,
            falls_on=day.falls_on,
            name=day.name,
            stops_delivery=day.falls_on in undelivered,
            closes_shop=day.falls_on in closed,
        )
        for day in wanted
    ]
    Holiday.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["falls_on", "country"],
        update_fields=["stops_delivery", "closes_shop"],
    )
    return len(rows)
