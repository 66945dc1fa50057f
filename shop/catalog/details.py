"""One product whole, for its own page: pictures, variants and the stock of now, in one plain query."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from shop.catalog.availability import Availability
from shop.catalog.models.variant import join_options
from shop.catalog.opening_hours import StoreCalendar, read_calendar
from shop.catalog.price_history import PRIOR_PRICE
from shop.catalog.unit_prices import Content, format_unit_price
from shop.money import format_amount
from shop.prepared import PreparedStatement

_SELECT_DETAILS = PreparedStatement(
    """
SELECT p.id, p.slug, p.title, p.category_id, p.summary, p.description, p.attributes::json, p.lifespan_months,
       p.guarantee_years, p.released_on, p.warnings, m.name, m.story,
       m.postal_address, m.electronic_address, m.eu_representative,
       (SELECT json_agg(json_build_array(i.file, i.alt) ORDER BY i.position, i.id)
        FROM catalog_productimage i WHERE i.product_id = p.id),
       (SELECT json_agg(json_build_array(v.id, v.size, v.colour, v.style, v.price::text, v.currency,
                                         v.content_amount::text, v.content_unit, lowered.before::text,
                                         stock.available, stock.on_shelf, stock.restock_on) ORDER BY v.position, v.id)
        FROM catalog_variant v
        LEFT JOIN LATERAL (
            SELECT sum(r.on_hand + r.backorder_limit - r.allocated) AS available,
                   sum(greatest(r.on_hand - r.allocated, 0)) AS on_shelf,
                   min(r.restock_on) FILTER (WHERE r.restock_on >= current_date) AS restock_on
            FROM catalog_stockrecord r
            JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
            WHERE r.variant_id = v.id
        ) stock ON true
        LEFT JOIN LATERAL ({prior_price}) lowered ON true
        WHERE v.product_id = p.id AND v.is_active),
       (SELECT json_agg(json_build_array(
                   s.name, s.address, s.phone, here.variant_ids,
                   (SELECT json_agg(json_build_array(h.weekday, h.opens_at, h.closes_at) ORDER BY h.weekday, h.opens_at)
                    FROM catalog_openinghours h WHERE h.store_id = s.id),
                   (SELECT json_agg(json_build_array(d.falls_on, d.opens_at, d.closes_at))
                    FROM catalog_specialhours d
                    WHERE d.store_id = s.id AND d.falls_on BETWEEN current_date - 1 AND current_date + 14)
               ) ORDER BY s.position, s.id)
        FROM catalog_store s
        JOIN LATERAL (
            SELECT json_agg(v.id) AS variant_ids
            FROM catalog_variant v
            JOIN catalog_stockrecord r ON r.variant_id = v.id AND r.store_id = s.id AND r.on_hand > r.allocated
            WHERE v.product_id = p.id AND v.is_active
        ) here ON here.variant_ids IS NOT NULL
        WHERE s.welcomes_visitors)
FROM catalog_product p
LEFT JOIN catalog_maker m ON m.id = p.maker_id
WHERE p.slug = %(slug)s AND p.is_published
""".replace("{prior_price}", PRIOR_PRICE)
)


@dataclass(frozen=True, slots=True)
class StoreWithGoods:
    """A store that people may come to, and which variants of the product stand there, promised to nobody."""

    name: str
    address: str
    phone: str
    variant_ids: frozenset[int]
    calendar: StoreCalendar


@dataclass(frozen=True, slots=True)
class VariantOnSale:
    pk: int
    size: str
    colour: str
    style: str
    price: Decimal
    currency: str
    content: Content | None
    price_before: Decimal | None  # where it was lowered lately: the lowest of the thirty days before
    stock: Availability

    @property
    def label(self) -> str:
        return join_options(self.colour, self.style, self.size)

    @property
    def price_text(self) -> str:
        return format_amount(self.price, self.currency)

    @property
    def unit_price_text(self) -> str:
        return format_unit_price(self.price, self.currency, self.content)

    @property
    def before_text(self) -> str:
        """The price that a reduction is measured by; empty without one."""
        return format_amount(self.price_before, self.currency) if self.price_before else ""


class ProductDetails(NamedTuple):
    pk: int
    slug: str
    title: str
    category_id: int
    summary: str
    description: str
    attributes: dict[str, str]
    lifespan_months: int | None
    guarantee_years: int | None
    released_on: date | None
    warnings: str
    maker: str | None
    maker_story: str | None
    maker_address: str | None
    maker_contact: str | None
    eu_representative: str | None
    images: list[tuple[str, str]]  # file, alt
    variants: list[VariantOnSale]
    stores: list[StoreWithGoods]

    @property
    def has_maker_details(self) -> bool:
        return bool(self.maker_address or self.maker_contact or self.eu_representative)


def read_product_details(slug: str) -> ProductDetails | None:
    """The published product at this address."""
    rows = _SELECT_DETAILS.fetch_rows({"slug": slug})
    if not rows:
        return None
    *columns, images, variants, stores = rows[0]
    pictures = [(file, alt) for file, alt in images or ()]
    return ProductDetails._make([*columns, pictures, _make_variants(variants), _make_stores(stores)])


def _make_variants(rows: list[list[Any]] | None) -> list[VariantOnSale]:
    return [
        VariantOnSale(
            *(pk, size, colour, style, Decimal(price), currency),
            content=Content(Decimal(amount), unit) if amount else None,
            price_before=Decimal(before) if before else None,
            stock=_make_availability(*stock),
        )
        for pk, size, colour, style, price, currency, amount, unit, before, *stock in rows or ()
    ]


def _make_availability(available: int | None, on_shelf: int | None, restock_on: str | None) -> Availability:
    return Availability(max(available or 0, 0), date.fromisoformat(restock_on) if restock_on else None, on_shelf or 0)


def _make_stores(rows: list[list[Any]] | None) -> list[StoreWithGoods]:
    return [
        StoreWithGoods(name, address, phone, frozenset(variant_ids), read_calendar(weekly or (), special or ()))
        for name, address, phone, variant_ids, weekly, special in rows or ()
    ]
