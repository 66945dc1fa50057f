"""The SQL behind lists of products: which match, in which order, and how many each further choice would leave.

Only statements of ours are put together here; every value travels as a parameter.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from shop.catalog.compounds import SPLIT
from shop.catalog.filters import Filters, Sort, get_band_edges
from shop.catalog.forgiving import LEAST_SHARE, Forgiven
from shop.money import get_shop_currency

PAGE_SIZE = 24
BOUND = 1001  # one more than is ever shown as a number
MOST_MAKERS = 12
MOST_SIZES = 24
DEAREST = Decimal(10) ** 9
NEAR_BEST = 0.5  # of the weight of the best find: what has some of the words has at least that

_IS_OUT = "(p.released_on IS NULL OR p.released_on <= %(today)s)"


class ListTerms(NamedTuple):
    """What stock and price mean in a list: those of the whole product, or of its chosen sizes alone."""

    price: str
    in_stock: str


_OF_PRODUCT = ListTerms("p.price_from", f"(p.is_available AND {_IS_OUT})")
_OF_SIZES = ListTerms(
    """(CASE WHEN p.price_from = p.price_to THEN p.price_from ELSE (
        SELECT min(v.price) FROM catalog_variant v
        WHERE v.product_id = p.id AND v.is_active AND v.size = ANY(%(sizes)s::varchar[])) END)""",
    f"(p.sizes_in_stock && %(sizes)s::varchar[] AND {_IS_OUT})",
)
_CONDITIONS = {
    "category": "p.category_id = ANY(%(categories)s)",
    "maker": "p.maker_id IN (SELECT id FROM catalog_maker WHERE slug = ANY(%(makers)s))",
    "price": "{price} >= %(low)s AND {price} < %(high)s",
    "size": "p.sizes && %(sizes)s::varchar[]",
    "stock": "{in_stock}",
}
_ORDERS = {
    Sort.NEWEST: "p.released_on DESC NULLS LAST, p.id DESC",
    Sort.CHEAPEST: "{price}, p.id",
    Sort.DEAREST: "{price} DESC, p.id",
    Sort.NAME: "lower(p.title), p.id",
}
_COUNTS = {
    "category": "SELECT 'category', category_id::text, '', count(*) FROM {few} GROUP BY category_id",
    "maker": """(SELECT 'maker', m.slug, m.name, counted.count
        FROM (SELECT maker_id, count(*) FROM {few} GROUP BY maker_id) counted
        JOIN catalog_maker m ON m.id = counted.maker_id
        ORDER BY m.slug = ANY(%(makers)s) DESC, counted.count DESC, m.name LIMIT %(most_makers)s)""",
    "price": "SELECT 'price', width_bucket(price, %(edges)s::numeric[])::text, '', count(*) FROM {few} GROUP BY 2",
    "size": """(SELECT 'size', size, '', count(*) FROM (SELECT unnest(sizes) AS size FROM {few}) sizes
        GROUP BY size ORDER BY count(*) DESC, size LIMIT %(most_sizes)s)""",
    "stock": "SELECT 'stock', '', '', count(*) FROM {few} WHERE is_in_stock",
}
# Sizes may differ in price: where one was chosen, each size is counted by its own.
_PRICED_SIZES = """(SELECT 'size', size, '', count(*) FROM (
            SELECT few.id, v.size FROM {few} few
            JOIN catalog_variant v ON v.product_id = few.id AND v.is_active AND v.size = ANY(few.sizes)
            GROUP BY few.id, v.size HAVING min(v.price) >= %(low)s AND min(v.price) < %(high)s) sizes
        GROUP BY size ORDER BY count(*) DESC, size LIMIT %(most_sizes)s)"""
_TSQUERY = "to_tsquery('english', %(query)s)"
# What has a word in its name counts whole, what is only described by it half; what is sold out comes after its equals.
_SCORE = """(CASE WHEN p.title_vector @@ to_tsquery('english', %(clause_{place})s) THEN %(weight_{place})s
    WHEN p.search_vector @@ to_tsquery('english', %(clause_{place})s) THEN %(weight_{place})s / 2 ELSE 0 END)"""
_SCORED = """scored AS MATERIALIZED (
    SELECT p.id, (CASE WHEN p.is_available THEN 1 ELSE 0.99 END) * ({score}) AS score,
           p.search_vector @@ to_tsquery('english', %(every)s) AS has_all
    FROM (SELECT CASE WHEN EXISTS (
              SELECT 1 FROM catalog_product
              WHERE is_published AND search_vector @@ to_tsquery('english', %(every)s)
          ) THEN to_tsquery('english', %(every)s) ELSE to_tsquery('english', %(some)s) END AS query) wanted
    JOIN catalog_product p ON p.search_vector @@ wanted.query AND p.is_published
)"""
_KEPT = f"""kept AS MATERIALIZED (
    SELECT id, round(score::numeric, 1) AS score, has_all FROM scored
    WHERE has_all OR score >= greatest(%(floor)s, %(near_best)s * (SELECT max(score) FROM scored))
    ORDER BY score DESC, id LIMIT {BOUND}
)"""  # noqa: S608
# Among finds that are equal what sells comes first, then the shorter title.
_RANKED = """SELECT few.id FROM few LEFT JOIN catalog_productdemand demand ON demand.product_id = few.id
    ORDER BY few.rank DESC, demand.score DESC NULLS LAST, few.title_length, few.id DESC"""
# A category's goods by name, straight off the index: each of its shelves gives its first, the first of those are shown.
_BY_NAME = """
SELECT first.id FROM unnest(%(scope)s::bigint[]) AS shelf (id)
CROSS JOIN LATERAL (
    SELECT p.id, lower(p.title) AS name FROM catalog_product p
    WHERE p.category_id = shelf.id AND p.is_published ORDER BY lower(p.title), p.id LIMIT %(reach)s
) first ORDER BY first.name, first.id
"""


@dataclass
class ProductQuery:
    """What is looked for. `scope`: a category page's own category with all below; everything when empty.

    `query`: the text as a tsquery, see `shop.catalog.compounds`. `words`: of it, those whose halves are asked for.
    `forgiven`: what is looked for instead.
    """

    text: str
    filters: Filters
    scope: tuple[int, ...] = ()
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    query: str = ""
    words: Sequence[str] = ()
    forgiven: Forgiven | None = None

    @property
    def is_ranked(self) -> bool:
        return bool(self.text) and self.sort == Sort.RELEVANCE

    @property
    def is_by_name(self) -> bool:
        """A whole category by name: what most visitors see of it, straight off the index."""
        return bool(self.scope) and self.sort == Sort.NAME and not self.text and not self._active()

    def values(self) -> Mapping[str, Any]:
        price = self.filters.price
        offset = (self.page - 1) * PAGE_SIZE
        return {
            "text": self.text,
            "query": self.query,
            "words": list(self.words),
            **dict(self._forgiven_values()),
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
        """Rows (kind, key, label, number): the total, every facet, and the page's ids where they are ranked.

        Kind `matches` says of a facet from how many it was counted: `BOUND` means that there may be more.
        """
        active = self._active()
        parts = [*self._build_correction_cte(), f"few AS MATERIALIZED ({self._build_bounded_sql(active)})"]
        reads = ["SELECT 'total', '', '', count(*) FROM few"]
        if self.words:
            parts.append(SPLIT)
            reads.append("SELECT 'split', word, first || ' ' || second, 0 FROM split")
        if self.forgiven:
            reads.append("SELECT 'partly', '', '', count(*) FROM few JOIN kept USING (id) WHERE NOT kept.has_all")
        if self.is_ranked:
            ranked = f"{_RANKED} {self._limits}"
            reads.append(f"SELECT 'page', id::text, '', row_number() OVER () FROM ({ranked}) shown")  # noqa: S608
        counts = _COUNTS | ({"size": _PRICED_SIZES} if "price" in active else {})
        for name, count in counts.items():
            others = self._get_other_conditions(name)
            few = "few" if others == active else f"few_{name}"
            if few != "few":
                parts.append(f"{few} AS MATERIALIZED ({self._build_bounded_sql(others)})")
            reads.append(count.format(few=few))
            reads.append(f"SELECT 'matches', '{name}', '', count(*) FROM {few}")  # noqa: S608
        return f"WITH RECURSIVE {', '.join(parts)}\n" + "\nUNION ALL\n".join(reads)

    def page_ids(self) -> str:
        """The ids of the page and of one more, in order; exact however many match. Not for what is ranked."""
        active = self._active()
        if self.is_by_name:
            return f"{_BY_NAME} {self._limits}"
        where = self._build_where(active)
        if self.text:
            where += " AND p.id IN (SELECT id FROM kept)" if self.forgiven else f" AND p.search_vector @@ {_TSQUERY}"
        query = f"WITH {', '.join(self._build_correction_cte())} " if self.forgiven else ""
        sort = Sort.NEWEST if self.sort == Sort.RELEVANCE else self.sort
        order = _ORDERS[sort].format(price=_get_list_terms(active).price)
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

    def _get_other_conditions(self, name: str) -> set[str]:
        """What is chosen besides: a facet is counted as if nothing of its own kind were."""
        others = self._active() - {name}
        return others - {"price"} if name == "size" else others  # sizes have prices of their own

    def _build_correction_cte(self) -> Iterator[str]:
        """What has all of the words; where nothing has, the best of what has some."""
        if self.forgiven:
            scores = (_SCORE.format(place=place) for place in range(len(self.forgiven.terms)))
            yield _SCORED.format(score=" + ".join(scores))
            yield _KEPT

    def _forgiven_values(self) -> Iterator[tuple[str, Any]]:
        if self.forgiven:
            yield "every", self.forgiven.every
            yield "some", self.forgiven.some
            yield "floor", self.forgiven.total_weight * LEAST_SHARE
            yield "near_best", NEAR_BEST
            for place, term in enumerate(self.forgiven.terms):
                yield f"clause_{place}", term.clause
                yield f"weight_{place}", term.weight

    def _build_where(self, active: set[str]) -> str:
        scope = ["p.category_id = ANY(%(scope)s)"] if self.scope else []
        terms = _get_list_terms(active)._asdict()
        conditions = (_CONDITIONS[name].format(**terms) for name in sorted(active))
        return " AND ".join(["p.is_published", *scope, *conditions])

    def _build_bounded_sql(self, active: set[str]) -> str:
        """At most BOUND matches, with `rank`: called just that; then by title, maker or shelf; then by description.

        The rank is coarse: what differs by less is equal, and goes by what sells.
        """
        where, query, columns = self._build_where(active), _TSQUERY, _build_facet_columns(active)
        if self.forgiven:
            return f"""SELECT {columns}, kept.score AS rank, length(p.title) AS title_length
                FROM catalog_product p JOIN kept ON kept.id = p.id WHERE {where}"""  # noqa: S608
        if not self.text:
            return f"SELECT {columns}, 0 AS rank FROM catalog_product p WHERE {where} LIMIT {BOUND}"  # noqa: S608
        rank = f"round(ts_rank(p.title_vector, {query})::numeric, 1) * (CASE WHEN p.is_available THEN 1 ELSE 0.8 END)"
        columns += ", length(p.title) AS title_length"
        return f"""
            (SELECT {columns}, 1 + (lower(p.title) = lower(%(text)s))::int + {rank} AS rank FROM catalog_product p
             WHERE {where} AND p.title_vector @@ {query} LIMIT {BOUND})
            UNION ALL
            (SELECT {columns}, {rank} AS rank FROM catalog_product p
             WHERE {where} AND p.search_vector @@ {query} AND NOT p.title_vector @@ {query} LIMIT {BOUND})
            LIMIT {BOUND}"""  # noqa: S608


def _get_list_terms(active: set[str]) -> ListTerms:
    return _OF_SIZES if "size" in active else _OF_PRODUCT


def _build_facet_columns(active: set[str]) -> str:
    """What the facets are counted by. Beside “in stock”, only the sizes that are."""
    terms = _get_list_terms(active)
    sizes = "p.sizes_in_stock AS sizes" if "stock" in active else "p.sizes"
    return f"p.id, p.category_id, p.maker_id, {terms.price} AS price, {sizes}, {terms.in_stock} AS is_in_stock"
