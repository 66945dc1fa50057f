"""What staff set and every price and date depends on: settings, days off, tax rates, shipping. One query for all."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, JSONObject
from django.http import HttpRequest
from django.utils import timezone

from orders.models import Holiday, ShippingMethod, ShopSettings, TaxRate


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
        return load_terms().calendar


@dataclass(frozen=True)
class Terms:
    """`rates`: the tax inside prices, as a fraction, by country code; a country without one has none."""

    settings: ShopSettings
    calendar: Calendar
    rates: dict[str, Decimal]
    tax_names: dict[str, str]
    methods: tuple[ShippingMethod, ...] = ()  # those in use, in the order staff gave them

    @cached_property
    def domestic_methods(self) -> tuple[ShippingMethod, ...]:
        """Those of the shop's own country: what dates on cards and product pages are counted from."""
        country = self.settings.default_country.code
        return tuple(method for method in self.methods if method.reaches(country))

    def rate(self, country: str) -> Decimal:
        return self.rates.get(country, Decimal(0))


def load_terms() -> Terms:
    """One query; four more while staff have never saved any settings."""
    parts = {"days_off": _query_days_off(), "taxes": _query_tax_rates(), "shipping": _query_shipping_methods()}
    settings = ShopSettings.objects.annotate(**{name: ArraySubquery(rows) for name, rows in parts.items()}).first()
    if settings is None:
        return _build_terms(ShopSettings.current(), **{name: _fetch_json_rows(rows) for name, rows in parts.items()})
    return _build_terms(settings, **{name: getattr(settings, name) for name in parts})


def get_terms_for_request(request: HttpRequest) -> Terms:
    """The terms, read once for a request."""
    terms: Terms | None = getattr(request, "terms", None)
    if terms is None:
        terms = load_terms()
        request.terms = terms  # type: ignore[attr-defined]
    return terms


def _query_days_off() -> QuerySet[Any, Any]:
    ahead = Holiday.objects.order_by().filter(falls_on__gte=timezone.localdate() - timedelta(days=1))
    return ahead.values(json=JSONObject(on="falls_on", shop="closes_shop", post="stops_delivery"))


def _query_tax_rates() -> QuerySet[Any, Any]:
    return TaxRate.objects.order_by().values(
        json=JSONObject(country="country", name="name", rate=Cast("rate", CharField()))
    )


def _query_shipping_methods() -> QuerySet[Any, Any]:
    columns = {field.attname: field.attname for field in ShippingMethod._meta.concrete_fields}  # noqa: SLF001
    money = {name: Cast(name, CharField()) for name in ("price", "free_from")}
    return ShippingMethod.objects.filter(is_active=True).values(json=JSONObject(**{**columns, **money}))


def _parse_shipping_method(json: dict[str, Any]) -> ShippingMethod:
    free_from = json["free_from"]
    money = {"price": Decimal(json["price"]), "free_from": free_from if free_from is None else Decimal(free_from)}
    return ShippingMethod(**{**json, **money})


def _fetch_json_rows(rows: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    return list(rows.values_list("json", flat=True))


def _build_terms(
    settings: ShopSettings,
    *,
    days_off: list[dict[str, Any]],
    taxes: list[dict[str, Any]],
    shipping: list[dict[str, Any]],
) -> Terms:
    calendar = Calendar(
        cutoff_hour=min(settings.cutoff_hour, 23),
        handling_days=settings.handling_days,
        ships_on_saturday=settings.ships_on_saturday,
        closed=frozenset(date.fromisoformat(day["on"]) for day in days_off if day["shop"]),
        undelivered=frozenset(date.fromisoformat(day["on"]) for day in days_off if day["post"]),
    )
    rates = {tax["country"]: Decimal(tax["rate"]) for tax in taxes}
    names = {tax["country"]: tax["name"] for tax in taxes}
    return Terms(settings, calendar, rates, names, tuple(_parse_shipping_method(each) for each in shipping))
