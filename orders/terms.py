"""What staff set and every price and date depends on: settings, days off, tax rates. One query for all of it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, JSONObject
from django.http import HttpRequest
from django.utils import timezone

from orders.models import Holiday, ShopSettings, TaxRate


@dataclass(frozen=True)
class Calendar:
    """When the shop packs and when carriers deliver."""

    cutoff_hour: int
    handling_days: int
    ships_on_saturday: bool
    closed: frozenset[date] = frozenset()
    undelivered: frozenset[date] = frozenset()

    @classmethod
    def load(cls) -> "Calendar":
        return load().calendar


@dataclass(frozen=True)
class Terms:
    """`rates`: the tax inside prices, as a fraction, by country code; a country without one has none."""

    settings: ShopSettings
    calendar: Calendar
    rates: dict[str, Decimal]
    tax_names: dict[str, str]

    def rate(self, country: str) -> Decimal:
        return self.rates.get(country, Decimal(0))


def load() -> Terms:
    """One query; two more while staff have never saved any settings."""
    settings = ShopSettings.objects.annotate(days_off=ArraySubquery(_days_off()), taxes=ArraySubquery(_taxes())).first()
    if settings is None:
        return _terms(ShopSettings.current(), _in_json(_days_off()), _in_json(_taxes()))
    return _terms(settings, settings.days_off, settings.taxes)


def for_request(request: HttpRequest) -> Terms:
    """The terms, read once for a request."""
    terms: Terms | None = getattr(request, "terms", None)
    if terms is None:
        terms = load()
        request.terms = terms  # type: ignore[attr-defined]
    return terms


def _days_off() -> QuerySet[Any, Any]:
    ahead = Holiday.objects.order_by().filter(falls_on__gte=timezone.localdate() - timedelta(days=1))
    return ahead.values(json=JSONObject(on="falls_on", shop="closes_shop", post="stops_delivery"))


def _taxes() -> QuerySet[Any, Any]:
    return TaxRate.objects.order_by().values(
        json=JSONObject(country="country", name="name", rate=Cast("rate", CharField()))
    )


def _in_json(rows: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    return list(rows.values_list("json", flat=True))


def _terms(settings: ShopSettings, days: list[dict[str, Any]], taxes: list[dict[str, Any]]) -> Terms:
    calendar = Calendar(
        cutoff_hour=min(settings.cutoff_hour, 23),
        handling_days=settings.handling_days,
        ships_on_saturday=settings.ships_on_saturday,
        closed=frozenset(date.fromisoformat(day["on"]) for day in days if day["shop"]),
        undelivered=frozenset(date.fromisoformat(day["on"]) for day in days if day["post"]),
    )
    rates = {tax["country"]: Decimal(tax["rate"]) for tax in taxes}
    return Terms(settings, calendar, rates, {tax["country"]: tax["name"] for tax in taxes})
