"""What a card needs of products, read in one plain query. Lists are most of what a shop serves: nothing here is built
or planned twice, and no model is made of a row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from shop.catalog.availability import Availability
from shop.prepared import PreparedStatement

# `chosen` gives ids, in the order wanted.
_SELECT_CARDS = """
SELECT p.id, p.slug, p.title, {prices}, p.currency, p.category_id, p.card_image, p.card_alt,
       p.released_on, m.name, stock.available, stock.on_shelf, stock.restock_on, {unit_prices}, {option}
       {notes}
FROM (SELECT ids.*, row_number() OVER () AS place FROM ({chosen}) ids) chosen
JOIN catalog_product p ON p.id = chosen.id AND p.is_published
LEFT JOIN catalog_maker m ON m.id = p.maker_id
LEFT JOIN LATERAL (
    SELECT sum(r.on_hand + r.backorder_limit - r.allocated) AS available,
           sum(greatest(r.on_hand - r.allocated, 0)) AS on_shelf,
           min(r.restock_on) FILTER (WHERE r.restock_on >= current_date) AS restock_on
    FROM catalog_variant v
    JOIN catalog_stockrecord r ON r.variant_id = v.id
    JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
    WHERE v.product_id = p.id AND v.is_active {narrowed}
) stock ON true
{option_join}
ORDER BY chosen.place
"""
_WHOLE = {
    "prices": "p.price_from, p.price_to",
    "unit_prices": "p.unit_price_from, p.unit_price_to, p.price_unit",
    "option": "NULL",
    "narrowed": "",
    "option_join": "",
}
# In a list narrowed to sizes a card speaks of those alone, and leads to the first of them that can be had.
_IN_SIZES = {
    "prices": "coalesce(sized.price_from, p.price_from), coalesce(sized.price_to, p.price_to)",
    "unit_prices": "NULL, NULL, ''",  # a size that can be chosen is no measure
    "option": "sized.variant_id",
    "narrowed": "AND v.size = ANY(%(sizes)s::varchar[])",
    "option_join": """LEFT JOIN LATERAL (
    SELECT min(v.price) AS price_from, max(v.price) AS price_to,
           (array_agg(v.id ORDER BY EXISTS (
               SELECT 1 FROM catalog_stockrecord r JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
               WHERE r.variant_id = v.id AND r.on_hand + r.backorder_limit > r.allocated
           ) DESC, v.position, v.id))[1] AS variant_id
    FROM catalog_variant v
    WHERE v.product_id = p.id AND v.is_active AND v.size = ANY(%(sizes)s::varchar[])
) sized ON true""",
}
# Each part comes off the index of the newest first, however many products there are.
_SELECT_NEW = """
    WITH best AS MATERIALIZED (SELECT id, counted_on, row_number() OVER () AS rank FROM ({best}) selling)
    SELECT listed.id, best.rank, best.counted_on FROM (
        (SELECT id FROM catalog_product WHERE is_published AND released_on <= %(today)s
         ORDER BY released_on DESC NULLS LAST, id DESC LIMIT {limit})
        UNION
        (SELECT id FROM catalog_product WHERE is_published AND released_on IS NULL
         ORDER BY released_on DESC NULLS LAST, id DESC LIMIT {limit})
        UNION
        (SELECT id FROM catalog_product WHERE is_published AND released_on > %(today)s AND released_on <= %(until)s
         ORDER BY released_on, id LIMIT {limit})
        UNION
        SELECT id FROM best
        UNION
        SELECT unnest(%(ids)s::bigint[])
    ) listed LEFT JOIN best ON best.id = listed.id
"""
_NOTES_OF_NEW = ", chosen.rank, chosen.counted_on"
_WITHOUT_OPTIONS = """
    SELECT wanted.id FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    WHERE (SELECT count(*) FROM catalog_variant v WHERE v.product_id = wanted.id AND v.is_active) = 1
    ORDER BY wanted.place
"""
_BY_ID = "SELECT unnest(%(ids)s::bigint[]) AS id"


class ProductCard(NamedTuple):
    """A product as far as a card shows it. The stock is the stock of now, over all stores that ship.

    `variant_id`: the option that the card is about, in a list narrowed to some sizes; stock and prices are theirs then.
    """

    id: int
    slug: str
    title: str
    price_from: Decimal
    price_to: Decimal
    currency: str
    category_id: int
    image: str
    image_alt: str
    released_on: date | None
    maker: str | None
    available: int | None
    on_shelf: int | None
    restock_on: date | None
    unit_price_from: Decimal | None = None
    unit_price_to: Decimal | None = None
    price_unit: str = ""
    variant_id: int | None = None

    @property
    def stock(self) -> Availability:
        return Availability(max(self.available or 0, 0), self.restock_on, self.on_shelf or 0)


@dataclass
class NewProducts:
    """`fresh`: the latest first. `coming`: released next, the soonest first. `best`: of the rest, in their order, with
    the day they were counted on. `by_id`: all that was read.
    """

    fresh: list[ProductCard]
    coming: list[ProductCard]
    best: list[ProductCard]
    counted_on: date | None
    by_id: dict[int, ProductCard]


def read_cards(ids: Iterable[int], *, sizes: Sequence[str] = ()) -> list[ProductCard]:
    """The published ones among these products, in the order asked for, as to these sizes. No query for none."""
    wanted = list(ids)
    return read_selected_cards(_BY_ID, {"ids": wanted}, sizes=sizes) if wanted else []


def read_without_options(ids: Iterable[int]) -> list[ProductCard]:
    """The published ones among these products that have exactly one variant on sale. No query for none."""
    wanted = list(ids)
    return read_selected_cards(_WITHOUT_OPTIONS, {"ids": wanted}) if wanted else []


def read_new_products(
    today: date, *, until: date, limit: int, best: str, values: Mapping[str, Any], ids: Iterable[int] = ()
) -> NewProducts:
    """One query. `best`: a statement of ours for `id` and `counted_on`, in order, with its `values`.

    `ids`: products read along with them.
    """
    rows = _prepare_statement(
        _SELECT_NEW.format(limit=limit, best=best), is_in_sizes=False, notes=_NOTES_OF_NEW
    ).fetch_rows({**values, "ids": list(ids), "today": today, "until": until})
    read = [(ProductCard(*row[:-2]), row[-2], row[-1]) for row in rows]
    latest = sorted((each for each, *_ in read), key=lambda each: (each.released_on or date.min, each.id), reverse=True)
    fresh = [each for each in latest if (each.released_on or today) <= today][:limit]
    coming = [each for each in latest if each.released_on and today < each.released_on <= until][::-1][:limit]
    taken = {each.id for each in fresh}
    selling = sorted((row for row in read if row[1]), key=lambda row: row[1])
    return NewProducts(
        fresh,
        coming,
        best=[each for each, *_ in selling if each.id not in taken],
        counted_on=selling[0][2] if selling else None,
        by_id={each.id: each for each in latest},
    )


def read_selected_cards(statement: str, values: Mapping[str, Any], *, sizes: Sequence[str] = ()) -> list[ProductCard]:
    """The products whose `id` an SQL statement of ours selects, in its order, as to these sizes (all: none named).

    The statement is one of a handful: each connection keeps the plan of every one it was given.
    """
    rows = _prepare_statement(statement, is_in_sizes=bool(sizes)).fetch_rows({**values, "sizes": list(sizes)})
    return [ProductCard(*row) for row in rows]


@cache
def _prepare_statement(chosen: str, *, is_in_sizes: bool, notes: str = "") -> PreparedStatement:
    parts = _IN_SIZES if is_in_sizes else _WHOLE
    return PreparedStatement(_SELECT_CARDS.format(chosen=chosen, notes=notes, **parts))
