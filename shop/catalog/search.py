"""Lists of products: by text, category and filters, in any order, with facets. One SQL, and one for the cards.

The cost is bounded, not proportional to the catalog: at most `BOUND` matches are ranked and counted (“1,000+”), those
found by title, maker or shelf before those found by their description. A list put in order of price, age or name is
exact however long it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from shop.catalog import words
from shop.catalog.filters import BAND_EDGES, Filters, Sort
from shop.catalog.models import Product

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
    "size": """(SELECT 'size', size, '', count(*) FROM {few}, unnest(sizes) AS size
        GROUP BY size ORDER BY count(*) DESC, size LIMIT %(most_sizes)s)""",
    "stock": "SELECT 'stock', '', '', count(*) FROM {few} WHERE is_in_stock",
}


@dataclass
class Facets:
    """Counts of what each choice would show, its own kind's present choice left out. At most `BOUND` each."""

    categories: dict[int, int] = field(default_factory=dict)
    makers: dict[str, tuple[str, int]] = field(default_factory=dict)  # slug: name, count
    prices: dict[int, int] = field(default_factory=dict)  # index into PRICE_BANDS
    sizes: dict[str, int] = field(default_factory=dict)
    in_stock: int = 0


@dataclass
class Results:
    """`total` at most BOUND. `shown_instead`: the words looked for when those typed found nothing."""

    ids: list[int] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    total: int = 0
    has_next: bool = False
    facets: Facets = field(default_factory=Facets)
    shown_instead: str = ""


def search(
    text: str = "",
    filters: Filters | None = None,
    *,
    sort: Sort = Sort.RELEVANCE,
    page: int = 1,
    with_facets: bool = True,
) -> Results:
    """Published products, `PAGE_SIZE` a page. Mistyped words are forgiven when nothing else is found."""
    wanted = _Wanted(words.plain(text), filters or Filters(), sort, page, with_facets)
    results = wanted.run()
    if not results.total and wanted.text:
        correction = words.correction(wanted.text)
        if correction:
            wanted.correction = correction
            results = wanted.run()
            results.shown_instead = correction.shown if results.total else ""
    results.products = in_order(results.ids)
    return results


def in_order(ids: list[int]) -> list[Product]:
    """The published products with these ids, with what a card needs, in the order of the ids."""
    found = {product.id: product for product in Product.objects.published().for_cards().filter(id__in=ids)}
    return [found[each] for each in ids if each in found]


@dataclass
class _Wanted:
    text: str
    filters: Filters
    sort: Sort
    page: int
    with_facets: bool
    correction: words.Correction | None = None

    def run(self) -> Results:
        results = Results()
        with connection.cursor() as cursor:
            cursor.execute(self._sql(), self._values())
            for kind, key, label, number in cursor.fetchall():
                _READERS[kind](results, key, label, number)
        results.has_next = len(results.ids) > PAGE_SIZE
        del results.ids[PAGE_SIZE:]
        return results

    def _values(self) -> Mapping[str, Any]:
        price = self.filters.price
        return {
            "text": self.text,
            "every": self.correction.every if self.correction else "",
            "some": self.correction.some if self.correction else "",
            "categories": list(self.filters.category_ids),
            "makers": list(self.filters.makers),
            "sizes": list(self.filters.sizes),
            "low": (price and price.low) or 0,
            "high": (price and price.high) or DEAREST,
            "edges": list(BAND_EDGES),
            "most_makers": MOST_MAKERS,
            "most_sizes": MOST_SIZES,
            "offset": (self.page - 1) * PAGE_SIZE,
            "today": timezone.localdate(),
        }

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

    def _sql(self) -> str:
        active = self._active()
        parts = [*self._query(), f"few AS MATERIALIZED ({self._few(active)})"]
        reads = [self._page(active), "SELECT 'total', '', '', count(*) FROM few"]
        if self.with_facets:
            reads += [_COUNTS[name].format(few="few") for name in _COUNTS if name not in active]
            for name in sorted(active):  # counted as if nothing of its own kind were chosen
                parts.append(f"few_{name} AS MATERIALIZED ({self._few(active - {name})})")
                reads.append(_COUNTS[name].format(few=f"few_{name}"))
        return f"WITH {', '.join(parts)}\n" + "\nUNION ALL\n".join(reads)

    def _query(self) -> Iterator[str]:
        if self.correction:
            every, some = "to_tsquery('english', %(every)s)", "to_tsquery('english', %(some)s)"
            finds = f"SELECT 1 FROM catalog_product WHERE is_published AND search_vector @@ {every}"  # noqa: S608
            yield f"corrected AS MATERIALIZED (SELECT CASE WHEN EXISTS ({finds}) THEN {every} ELSE {some} END AS query)"

    @property
    def _tsquery(self) -> str:
        return "(SELECT query FROM corrected)" if self.correction else "websearch_to_tsquery('english', %(text)s)"

    def _where(self, active: set[str]) -> str:
        return " AND ".join(["p.is_published", *(_CONDITIONS[name] for name in sorted(active))])

    def _few(self, active: set[str]) -> str:
        """At most BOUND matches, with `rank`."""
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

    def _page(self, active: set[str]) -> str:
        numbered = "SELECT 'page', id::text, '', row_number() OVER () FROM"
        limits = f"LIMIT {PAGE_SIZE + 1} OFFSET %(offset)s"
        if self.text and self.sort == Sort.RELEVANCE:
            return f"{numbered} (SELECT id FROM few ORDER BY rank DESC, id DESC {limits}) shown"  # noqa: S608
        where = self._where(active)
        if self.text:
            where += f" AND p.search_vector @@ {self._tsquery}"
        order = _ORDERS[Sort.NEWEST if self.sort == Sort.RELEVANCE else self.sort]
        return f"{numbered} (SELECT p.id FROM catalog_product p WHERE {where} ORDER BY {order} {limits}) shown"  # noqa: S608


def _read_page(results: Results, key: str, label: str, number: int) -> None:
    results.ids.append(int(key))


def _read_total(results: Results, key: str, label: str, number: int) -> None:
    results.total = number


def _read_category(results: Results, key: str, label: str, number: int) -> None:
    results.facets.categories[int(key)] = number


def _read_maker(results: Results, key: str, label: str, number: int) -> None:
    results.facets.makers[key] = (label, number)


def _read_price(results: Results, key: str, label: str, number: int) -> None:
    results.facets.prices[int(key)] = number


def _read_size(results: Results, key: str, label: str, number: int) -> None:
    results.facets.sizes[key] = number


def _read_stock(results: Results, key: str, label: str, number: int) -> None:
    results.facets.in_stock = number


_READERS = {
    "page": _read_page,
    "total": _read_total,
    "category": _read_category,
    "maker": _read_maker,
    "price": _read_price,
    "size": _read_size,
    "stock": _read_stock,
}
