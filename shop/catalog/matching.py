"""The SQL behind lists of products: which match, in which order, and how many each further choice would leave.

Only statements of ours are put together here; every value travels as a parameter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from shop.catalog.filters import Filters, Sort, get_band_edges
from shop.catalog.words import Correction
from shop.money import get_shop_currency

PAGE_SIZE = 24
BOUND = 1001  # one more than is ever shown as a number
MOST_MAKERS = 12
MOST_SIZES = 24
DEAREST = Decimal(10) ** 9

_IN_STOCK = "(p.is_available AND (p.released_on IS NULL OR p.released_on <= %(today)s))"
_COLUMNS = f"p.id, p.category_id, p.maker_id, p.price_from, p.sizes, {_IN_STOCK} AS is_in_stock"
_CONDITIONS = {
    "category": "p.category_id = ANY(%(categories)s)",
    "maker": "p.maker_id IN (SELECT id FROM catalog_maker WHERE slug = ANY(%(makers)s))",
    "price": "p.price_from >= %(low)s AND p.price_from < %(high)s",
    "size": "p.sizes && %(sizes)s::varchar[]",
    "stock": _IN_STOCK,
}
_ORDERS = {
    Sort.NEWEST: "p.released_on DESC NULLS LAST, p.id DESC",
    Sort.CHEAPEST: "p.price_from, p.id",
    Sort.DEAREST: "p.price_from DESC, p.id",
    Sort.NAME: "lower(p.title), p.id",
}
_COUNTS = {
    "category": "SELECT 'category', category_id::text, '', count(*) FROM {few} GROUP BY category_id",
    "maker": """(SELECT 'maker', m.slug, m.name, counted.count
        FROM (SELECT maker_id, count(*) FROM {few} GROUP BY maker_id) counted
        JOIN catalog_maker m ON m.id = counted.maker_id
        ORDER BY m.slug = ANY(%(makers)s) DESC, counted.count DESC, m.name LIMIT %(most_makers)s)""",
    "price": "SELECT 'price', width_bucket(price_from, %(edges)s::numeric[])::text, '', count(*) FROM {few} GROUP BY 2",
    "size": """(SELECT 'size', size, '', count(*) FROM (SELECT unnest(sizes) AS size FROM {few}) sizes
        GROUP BY size ORDER BY count(*) DESC, size LIMIT %(most_sizes)s)""",
    "stock": "SELECT 'stock', '', '', count(*) FROM {few} WHERE is_in_stock",
}
# A category's goods by name, straight off the index: each of its shelves gives its first, the first of those are shown.
_BY_NAME = """
SELECT first.id FROM unnest(%(scope)s::bigint[]) AS shelf (id)
CROSS JOIN LATERAL (
    SELECT p.id, lower(p.title) AS name FROM catalog_product p
    WHERE p.category_id = shelf.id AND p.is_published ORDER BY lower(p.title), p.id LIMIT %(reach)s
) first ORDER BY first.name, first.id
"""


@dataclass
class Match:
    """What is looked for. `scope`: a category page's own category with all below; everything when empty."""

    text: str
    filters: Filters
    scope: tuple[int, ...] = ()
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    correction: Correction | None = None

    @property
    def is_ranked(self) -> bool:
        return bool(self.text) and self.sort == Sort.RELEVANCE

    def values(self) -> Mapping[str, Any]:
        price = self.filters.price
        offset = (self.page - 1) * PAGE_SIZE
        return {
            "text": self.text,
            "every": self.correction.every if self.correction else "",
            "some": self.correction.some if self.correction else "",
            "scope": list(self.scope),
            "categories": list(self.filters.category_ids),
            "makers": list(self.filters.makers),
            "sizes": list(self.filters.sizes),
            "low": (price and price.low) or 0,
            "high": (price and price.high) or DEAREST,
            "edges": list(get_band_edges(get_shop_currency())),
            "most_makers": MOST_MAKERS,
            "most_sizes": MOST_SIZES,
            "offset": offset,
            "reach": offset + PAGE_SIZE + 1,
            "today": timezone.localdate(),
        }

    def counts(self) -> str:
        """Rows (kind, key, label, number): the total, every facet, and the page's ids where they are ranked."""
        active = self._active()
        parts = [*self._query(), f"few AS MATERIALIZED ({self._few(active)})"]
        reads = ["SELECT 'total', '', '', count(*) FROM few"]
        if self.is_ranked:
            ranked = f"SELECT id FROM few ORDER BY rank DESC, id DESC {self._limits}"  # noqa: S608
            reads.append(f"SELECT 'page', id::text, '', row_number() OVER () FROM ({ranked}) shown")  # noqa: S608
        reads += [_COUNTS[name].format(few="few") for name in _COUNTS if name not in active]
        for name in sorted(active):  # counted as if nothing of its own kind were chosen
            parts.append(f"few_{name} AS MATERIALIZED ({self._few(active - {name})})")
            reads.append(_COUNTS[name].format(few=f"few_{name}"))
        return f"WITH {', '.join(parts)}\n" + "\nUNION ALL\n".join(reads)

    def page_ids(self) -> str:
        """The ids of the page and of one more, in order; exact however many match. Not for what is ranked."""
        active = self._active()
        if self.scope and not active and not self.text and self.sort == Sort.NAME:
            return f"{_BY_NAME} {self._limits}"
        where = self._where(active)
        if self.text:
            where += f" AND p.search_vector @@ {self._tsquery}"
        query = f"WITH {', '.join(self._query())} " if self.correction else ""
        order = _ORDERS[Sort.NEWEST if self.sort == Sort.RELEVANCE else self.sort]
        return f"{query}SELECT p.id FROM catalog_product p WHERE {where} ORDER BY {order} {self._limits}"  # noqa: S608

    @property
    def _limits(self) -> str:
        return f"LIMIT {PAGE_SIZE + 1} OFFSET %(offset)s"

    def _active(self) -> set[str]:
        filters = self.filters
        active = {
            "category": filters.category_ids,
            "maker": filters.makers,
            "price": filters.price,
            "size": filters.sizes,
            "stock": filters.in_stock,
        }
        return {name for name, value in active.items() if value}

    def _query(self) -> Iterator[str]:
        if self.correction:
            every, some = "to_tsquery('english', %(every)s)", "to_tsquery('english', %(some)s)"
            finds = f"SELECT 1 FROM catalog_product WHERE is_published AND search_vector @@ {every}"  # noqa: S608
            yield f"corrected AS MATERIALIZED (SELECT CASE WHEN EXISTS ({finds}) THEN {every} ELSE {some} END AS query)"

    @property
    def _tsquery(self) -> str:
        return "(SELECT query FROM corrected)" if self.correction else "websearch_to_tsquery('english', %(text)s)"

    def _where(self, active: set[str]) -> str:
        scope = ["p.category_id = ANY(%(scope)s)"] if self.scope else []
        return " AND ".join(["p.is_published", *scope, *(_CONDITIONS[name] for name in sorted(active))])

    def _few(self, active: set[str]) -> str:
        """At most BOUND matches, with `rank`: found by title, maker or shelf before found by description."""
        where, query = self._where(active), self._tsquery
        if not self.text:
            return f"SELECT {_COLUMNS}, 0 AS rank FROM catalog_product p WHERE {where} LIMIT {BOUND}"  # noqa: S608
        rank = f"ts_rank(p.title_vector, {query}, 1) * (CASE WHEN p.is_available THEN 1 ELSE 0.8 END)"
        return f"""
            (SELECT {_COLUMNS}, 1 + {rank} AS rank FROM catalog_product p
             WHERE {where} AND p.title_vector @@ {query} LIMIT {BOUND})
            UNION ALL
            (SELECT {_COLUMNS}, {rank} AS rank FROM catalog_product p
             WHERE {where} AND p.search_vector @@ {query} AND NOT p.title_vector @@ {query} LIMIT {BOUND})
            LIMIT {BOUND}"""  # noqa: S608
