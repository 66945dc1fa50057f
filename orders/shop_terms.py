"""What staff set and every price and date depends on: settings, days off, tax rates, shipping; and the pages that say
so in words. One query for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from orders.models import DeliveryZone, InfoPage, Order, ShippingMethod, ShopSettings
from orders.models.info_page import ACCESSIBILITY
from shop.catalog.models.product import TaxClass
from shop.catalog.opening_hours import StoreCalendar, read_calendar
from shop.model_rows import list_columns
from shop.prepared import PreparedStatement

PAST_DAYS_OFF = timedelta(days=31)  # a period that ended lately may have been moved by one of them


@dataclass(frozen=True)
class Calendar:
    """When the shop packs and when carriers deliver."""

    cutoff_hour: int
    handling_days: int
    ships_on_saturday: bool
    closed: frozenset[date] = frozenset()
    undelivered: frozenset[date] = frozenset()  # in the country it is for
    moved_days: Mapping[int, int] = field(default_factory=dict)  # there, by shipping method: what its deliveries say
    zone_days: Mapping[int | None, int] = field(default_factory=dict)  # more there, by method; None: of every other

    def get_zone_days(self, method: ShippingMethod) -> int:
        if method.store_id is not None:  # its buyer comes for it
            return 0
        """The working days that the zone adds to the method's own."""
        return self.zone_days.get(method.pk, self.zone_days.get(None, 0))

    @classmethod
    def load(cls) -> "Calendar":
        return load_terms().calendar


@dataclass(frozen=True)
class PickupPlace:
    """A store where orders are collected by their buyers. `country`: whose tax is in the price there."""

    method: ShippingMethod
    name: str
    address: str
    phone: str
    country: str
    hours: StoreCalendar


@dataclass(frozen=True)
class Terms:
    """`rates`: the tax inside prices, as a fraction, in force today, by country code and class of goods.

    `calendar`: for deliveries in the shop's own country. `undelivered`: the days on which nothing is delivered, by
    country code; under "" those on which nothing is anywhere.
    """

    settings: ShopSettings
    calendar: Calendar
    rates: Mapping[str, Mapping[str, Decimal]]
    tax_names: dict[str, str]
    methods: tuple[ShippingMethod, ...] = ()  # those in use by which parcels go, in the order staff gave them
    pickups: tuple[PickupPlace, ...] = ()  # and those by which buyers come
    info_pages: tuple[InfoPage, ...] = ()  # of the foot of every page, without their words
    return_exclusions: tuple[tuple[int | None, int | None], ...] = ()  # categories, with those below, and products
    undelivered: Mapping[str, frozenset[date]] = field(default_factory=dict)
    moved_days: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # by country and shipping method
    zones: tuple[DeliveryZone, ...] = ()

    @cached_property
    def domestic_methods(self) -> tuple[ShippingMethod, ...]:
        """Those of the shop's own country: what dates on cards and product pages are counted from."""
        country = self.settings.default_country.code
        return tuple(method for method in self.methods if method.reaches(country))

    def get_calendar(self, country: str, postcode: str = "") -> Calendar:
        """For deliveries to a country; without a postcode, by what holds for all of it."""
        nowhere, there = self.undelivered.get("", frozenset()), self.undelivered.get(country, frozenset())
        return replace(
            self.calendar,
            undelivered=nowhere | there,
            moved_days=self.moved_days.get(country, {}),
            zone_days={method: zone.extra_days for method, zone in self._map_zones(country, postcode).items()},
        )

    def get_order_calendar(self, order: Order) -> Calendar:
        """With the days of its zone that were contracted, whatever staff changed since."""
        return replace(self.get_calendar(str(order.country)), zone_days={None: order.zone_days})

    def find_zone(self, country: str, postcode: str, method: ShippingMethod) -> DeliveryZone | None:
        """The zone of that address. None where nothing is different."""
        if method.store_id is not None:  # its buyer comes for it
            return None
        found = self._map_zones(country, postcode)
        return found.get(method.pk) or found.get(None)

    def _map_zones(self, country: str, postcode: str) -> dict[int | None, DeliveryZone]:
        """By method, under None that of every other. Postcodes count before the whole country, also those of all
        methods before a country's of one; where two came to overlap, the older one does.
        """
        covering = [zone for zone in reversed(self.list_country_zones(country)) if zone.covers(postcode)]
        of_country = {zone.method_id: zone for zone in covering if zone.is_whole_country}
        of_postcode = {zone.method_id: zone for zone in covering if not zone.is_whole_country}
        return of_postcode if None in of_postcode else of_country | of_postcode

    def list_country_zones(self, country: str) -> list[DeliveryZone]:
        """Those of methods in use."""
        used = {None, *(method.pk for method in self.methods)}
        return [zone for zone in self.zones if zone.country.code == country and zone.method_id in used]

    def list_postcode_zones(self, country: str) -> list[DeliveryZone]:
        """Those for which a postcode has to be known."""
        return [zone for zone in self.list_country_zones(country) if not zone.is_whole_country]

    def get_pickup(self, method: ShippingMethod | None) -> PickupPlace | None:
        """Where goods are collected by this method; None where it brings them, or is no longer offered."""
        return next((place for place in self.pickups if place.method == method), None)

    def rate(self, country: str, tax_class: str = TaxClass.STANDARD) -> Decimal:
        """A class without a rate of its own has the standard one; a country without that has none."""
        of_country = self.rates.get(country, {})
        return of_country.get(tax_class, of_country.get(TaxClass.STANDARD, Decimal(0)))


# One row, whether staff have saved any settings or not. Money and rates travel as text: JSON numbers are not exact.
_SELECT_TERMS = """
SELECT (SELECT json_agg(json_build_array(h.falls_on, h.country, h.closes_shop, h.stops_delivery))
        FROM orders_holiday h WHERE h.falls_on >= %(since)s),
       (SELECT json_agg(json_build_array(t.country, t.tax_class, t.name, t.rate::text)
                        ORDER BY t.valid_from NULLS FIRST)
        FROM orders_taxrate t WHERE t.valid_from IS NULL OR t.valid_from <= %(today)s),
       (SELECT json_agg(json_build_object({methods}) ORDER BY m.position, m.price, m.id)
        FROM orders_shippingmethod m WHERE m.is_active AND m.store_id IS NULL),
       (SELECT json_agg(json_build_array(
                   json_build_object({methods}), s.name, s.address, s.phone, s.country,
                   (SELECT json_agg(json_build_array(o.weekday, o.opens_at, o.closes_at) ORDER BY o.weekday, o.opens_at)
                    FROM catalog_openinghours o WHERE o.store_id = s.id),
                   (SELECT json_agg(json_build_array(d.falls_on, d.opens_at, d.closes_at))
                    FROM catalog_specialhours d WHERE d.store_id = s.id AND d.falls_on >= %(since)s)
               ) ORDER BY m.position, m.price, m.id)
        FROM orders_shippingmethod m JOIN catalog_store s ON s.id = m.store_id AND s.welcomes_visitors
        WHERE m.is_active),
       (SELECT json_agg(json_build_object('title', i.title, 'slug', i.slug, 'facts', i.facts)
                        ORDER BY i.position, i.title)
        FROM orders_infopage i WHERE i.is_published OR i.slug = '{accessibility}'),
       (WITH RECURSIVE below (id) AS (
            SELECT e.category_id FROM orders_returnexclusion e WHERE e.category_id IS NOT NULL
            UNION SELECT c.id FROM catalog_category c JOIN below ON c.parent_id = below.id
        )
        SELECT json_agg(pair) FROM (
            SELECT json_build_array(below.id, NULL) AS pair FROM below
            UNION ALL SELECT json_build_array(NULL, e.product_id) FROM orders_returnexclusion e
            WHERE e.product_id IS NOT NULL) AS pairs),
       (SELECT json_agg(json_build_array(w.country, w.method_id, w.days))
        FROM orders_lanewindow w WHERE w.days IS NOT NULL),
       {settings},
       (SELECT json_agg(json_build_object({zones}) ORDER BY z.id) FROM orders_deliveryzone z)
FROM (SELECT 1) AS always LEFT JOIN orders_shopsettings s ON true
"""
_MONEY = ("price", "free_from", "extra_parcel_price", "surcharge")


def load_terms() -> Terms:
    """Plain SQL: the ORM took several times as long to build this statement as it runs. One query."""
    today = timezone.localdate()
    [row] = _build_statement().fetch_rows({"since": today - PAST_DAYS_OFF, "today": today})
    days_off, taxes, methods, pickups, info_pages, exclusions, windows, *settings = row
    is_saved = settings[0] is not None
    zones = settings.pop()
    terms = _build_terms(
        ShopSettings.from_db(DEFAULT_DB_ALIAS, list_columns(ShopSettings), settings) if is_saved else ShopSettings(),
        days_off=[(date.fromisoformat(on), *others) for on, *others in days_off or ()],
        taxes=taxes or [],
        methods=methods or [],
        pickups=pickups or [],
        info_pages=info_pages or [],
        exclusions=exclusions or [],
        windows=windows or [],
    )
    terms = replace(terms, zones=tuple(DeliveryZone(**_parse_money(each)) for each in zones or ()))
    return replace(terms, calendar=terms.get_calendar(terms.settings.default_country.code))


@cache
def _build_statement() -> PreparedStatement:
    """With every column that the models have by now."""
    methods, zones = _write_columns(ShippingMethod, "m"), _write_columns(DeliveryZone, "z")
    settings = (f"s.{name}" for name in list_columns(ShopSettings))
    return PreparedStatement(
        _SELECT_TERMS.format(methods=methods, zones=zones, settings=", ".join(settings), accessibility=ACCESSIBILITY)
    )


def _write_columns(model: type[Model], alias: str) -> str:
    return ", ".join(f"'{name}', {alias}.{name}{'::text' * (name in _MONEY)}" for name in list_columns(model))


def get_terms_for_request(request: HttpRequest) -> Terms:
    """The terms, read once for a request."""
    terms: Terms | None = getattr(request, "terms", None)
    if terms is None:
        terms = load_terms()
        request.terms = terms  # type: ignore[attr-defined]
    return terms


def _build_terms(
    settings: ShopSettings,
    *,
    days_off: list[tuple[date, str, bool, bool]],
    taxes: list[tuple[str, str, str, str]],
    methods: list[dict[str, Any]],
    pickups: list[list[Any]],
    info_pages: list[dict[str, str]],
    exclusions: list[tuple[int | None, int | None]],
    windows: list[tuple[str, int, int]],
) -> Terms:
    calendar = Calendar(
        cutoff_hour=min(settings.cutoff_hour, 23),
        handling_days=settings.handling_days,
        ships_on_saturday=settings.ships_on_saturday,
        closed=frozenset(on for on, _, closes_shop, _ in days_off if closes_shop),
    )
    undelivered: dict[str, frozenset[date]] = {}
    for on, country, _, stops_delivery in days_off:
        if stops_delivery:
            undelivered[country] = undelivered.get(country, frozenset()) | {on}
    moved_days: dict[str, dict[int, int]] = {}
    for country, method, days in windows if settings.uses_own_history else ():
        moved_days.setdefault(country, {})[method] = days
    # The youngest come last, and stay.
    rates: dict[str, dict[str, Decimal]] = {}
    for country, tax_class, _, rate in taxes:
        rates.setdefault(country, {})[tax_class] = Decimal(rate)
    names = {country: name for country, _, name, _ in taxes}
    return Terms(
        settings,
        calendar,
        rates,
        names,
        tuple(ShippingMethod(**_parse_money(each)) for each in methods),
        tuple(_parse_pickup(*each, own_country=settings.default_country.code) for each in pickups),
        tuple(InfoPage(**each) for each in info_pages),
        tuple((category, product) for category, product in exclusions),
        undelivered,
        moved_days,
    )


def _parse_pickup(
    method: dict[str, Any],
    name: str,
    address: str,
    phone: str,
    country: str,
    weekly: list[Any] | None,
    special: list[Any] | None,
    *,
    own_country: str,
) -> PickupPlace:
    hours = read_calendar(weekly or (), special or ())
    return PickupPlace(ShippingMethod(**_parse_money(method)), name, address, phone, country or own_country, hours)


def _parse_money(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: row[name] and Decimal(row[name]) for name in _MONEY if name in row}
