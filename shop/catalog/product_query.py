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
from shop.catalog.forgiving import Forgiven
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
    "price of some size": "p.price_from < %(high)s AND p.price_to >= %(low)s",
}
# One category is said to be one: of a list, PostgreSQL takes ten to be in it.
_SCOPES = {True: "p.category_id = (%(scope)s::bigint[])[1]", False: "p.category_id = ANY(%(scope)s)"}
_ORDERS = {
    Sort.NEWEST: "p.released_on DESC NULLS LAST, p.id DESC",
    Sort.CHEAPEST: "{price}, p.id",
    Sort.DEAREST: "{price} DESC, p.id",
    Sort.NAME: "lower(p.title), p.id",
}
_COUNTS = {
    "category": "SELECT 'category', category_id::text, '', count(*) FROM {few} GROUP BY category_id",
    "maker": f"""(SELECT 'maker', m.slug, m.name, counted.count
        FROM (SELECT maker_id, count(*) FROM {{few}} GROUP BY maker_id) counted
        JOIN catalog_maker m ON m.id = counted.maker_id
        ORDER BY m.slug = ANY(%(makers)s) DESC, counted.count DESC, m.name LIMIT {MOST_MAKERS})""",  # noqa: S608
    "price": "SELECT 'price', width_bucket(price, %(edges)s::numeric[])::text, '', count(*) FROM {few} GROUP BY 2",
    "size": f"""(SELECT 'size', size, '', count(*) FROM (SELECT unnest(sizes) AS size FROM {{few}}) sizes
        GROUP BY size ORDER BY count(*) DESC, size LIMIT {MOST_SIZES})""",  # noqa: S608
    "stock": "SELECT 'stock', '', '', count(*) FROM {few} WHERE is_in_stock",
}
# Sizes may differ in price: where one was chosen, each size is counted by its own. Variants are looked up for products
# whose prices do; joined, every variant of the shop was read.
_PRICED_SIZES = f"""(SELECT 'size', sizes.size, '', count(*) FROM {{few}} few CROSS JOIN LATERAL (
            SELECT unnest(few.sizes) AS size
            WHERE few.price_from = few.price_to AND few.price_from >= %(low)s AND few.price_from < %(high)s
            UNION ALL
            SELECT v.size FROM catalog_variant v
            WHERE few.price_from < few.price_to AND v.product_id = few.id AND v.is_active AND v.size = ANY(few.sizes)
            GROUP BY v.size HAVING min(v.price) >= %(low)s AND min(v.price) < %(high)s) sizes
        GROUP BY sizes.size ORDER BY count(*) DESC, sizes.size LIMIT {MOST_SIZES})"""  # noqa: S608
# What each facet is counted by. No more is read: without sizes, all of it is in the index of prices.
_COUNTED_COLUMNS = {
    "category": "p.category_id",
    "maker": "p.maker_id",
    "price": "{price} AS price",
    "size": "{sizes} AS sizes",
    "stock": "{in_stock} AS is_in_stock",
}
_TSQUERY = "(SELECT to_tsquery('english', %(query)s))"  # read once, and not find by find
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
# In whole hundredths: 1,001 sums of decimals took as long as finding what they are about.
_RANK = f"""round(ts_rank(p.title_vector, {_TSQUERY}) * 10)::int * (CASE WHEN p.is_available THEN 10 ELSE 8 END)
    AS rank, length(p.title) AS title_length"""
_RANKS = (  # found by title, by description
    f", 100 + (CASE WHEN lower(p.title) = %(text)s THEN 100 ELSE 0 END) + {_RANK}",
    f", {_RANK}",
)
# Among finds that are equal what sells comes first, then the shorter title. Demand is looked up for the finds alone, in
# one scan: joined, all that the shop sells was read.
_RANKED = """SELECT few.id FROM few LEFT JOIN (
        SELECT product_id, score FROM catalog_productdemand WHERE product_id = ANY(ARRAY(SELECT few.id FROM few))
    ) demand ON demand.product_id = few.id
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

    def forgive(self, forgiven: Forgiven) -> None:
        """Looks for this instead. A word put right is looked for as if it had been typed so."""
        self.forgiven = forgiven
        if forgiven.is_one_word:
            self.text, self.query = forgiven.shown, forgiven.every

    @property
    def _weighed(self) -> Forgiven | None:
        """The words of which finds may have some: then each find is weighed."""
        return None if self.forgiven and self.forgiven.is_one_word else self.forgiven

    @property
    def is_planned_once(self) -> bool:
        """Whether its `counts` are as good planned blindly. Others were three times as slow, see ADR 51."""
        if self.text:
            return self._weighed is None and not self._active()
        return len(self.scope) == 1 and not self.filters.sizes

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
            "text": self.text.lower(),
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
            "offset": offset,
            "reach": offset + PAGE_SIZE + 1,
            "today": timezone.localdate(),
        }

    def counts(self, *, with_page: bool = True) -> str:
        """Rows (kind, key, label, number): the total, every facet, and the ids of the page and of one more, in order.

        Kind `matches` says of some facets from how many they were counted: `BOUND` means that there may be more.
        """
        active, groups = self._active(), self._group_facets()
        ranked = self._build_bounded_sql(active, groups[frozenset(active)], is_ranked=self.is_ranked)
        parts = [*self._build_correction_cte(), f"few AS MATERIALIZED ({ranked})"]
        reads = ["SELECT 'total', '', '', count(*) FROM few"]
        if self.words:
            parts.append(SPLIT)
            reads.append("SELECT 'split', word, first || ' ' || second, 0 FROM split")
        if self._weighed:
            reads.append("SELECT 'partly', '', '', count(*) FROM few JOIN kept USING (id) WHERE NOT kept.has_all")
        if with_page:
            page = f"{_RANKED} {self._limits}" if self.is_ranked else self.page_ids()
            reads.append(f"SELECT 'page', id::text, '', row_number() OVER () FROM ({page}) shown")  # noqa: S608
        counts = _COUNTS | ({"size": _PRICED_SIZES} if "price" in active else {})
        for conditions, names in groups.items():
            few = "few" if conditions == active else f"few_{names[0]}"
            if few != "few":
                parts.append(f"{few} AS MATERIALIZED ({self._build_bounded_sql(set(conditions), names)})")
            reads += [counts[name].format(few=few) for name in names]
            reads.append(f"SELECT 'matches', '{' '.join(names)}', '', count(*) FROM {few}")  # noqa: S608
        return f"WITH RECURSIVE {', '.join(parts)}\n" + "\nUNION ALL\n".join(reads)

    def _group_facets(self) -> dict[frozenset[str], list[str]]:
        """The facets by what else is chosen: a group is counted from the same matches. The list's own comes first."""
        groups: dict[frozenset[str], list[str]] = {frozenset(self._active()): []}
        for name in _COUNTS:
            groups.setdefault(frozenset(self._get_other_conditions(name)), []).append(name)
        return groups

    def page_ids(self) -> str:
        """The ids of the page and of one more, in order; exact however many match. Not for what is ranked.

        What was forgiven stands in a part of `counts`.
        """
        active = self._active()
        if self.is_by_name:
            return f"{_BY_NAME} {self._limits}"
        where = self._build_where(active)
        if self.text:
            where += " AND p.id IN (SELECT id FROM kept)" if self._weighed else f" AND p.search_vector @@ {_TSQUERY}"
        sort = Sort.NEWEST if self.sort == Sort.RELEVANCE else self.sort
        order = _ORDERS[sort].format(price=_get_list_terms(active).price)
        return f"SELECT p.id FROM catalog_product p WHERE {where} ORDER BY {order} {self._limits}"  # noqa: S608

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
        if name == "size" and "price" in others:  # sizes have prices of their own
            return others - {"price"} | {"price of some size"}
        return others

    def _build_correction_cte(self) -> Iterator[str]:
        """What has all of the words; where nothing has, the best of what has some."""
        if weighed := self._weighed:
            scores = (_SCORE.format(place=place) for place in range(len(weighed.terms)))
            yield _SCORED.format(score=" + ".join(scores))
            yield _KEPT

    def _forgiven_values(self) -> Iterator[tuple[str, Any]]:
        if weighed := self._weighed:
            yield "every", weighed.every
            yield "some", weighed.some
            yield "floor", weighed.floor
            yield "near_best", NEAR_BEST
            for place, term in enumerate(weighed.terms):
                yield f"clause_{place}", term.clause
                yield f"weight_{place}", term.weight

    def _build_where(self, active: set[str]) -> str:
        scope = [_SCOPES[len(self.scope) == 1]] if self.scope else []
        terms = _get_list_terms(active)._asdict()
        conditions = (_CONDITIONS[name].format(**terms) for name in sorted(active))
        return " AND ".join(["p.is_published", *scope, *conditions])

    def _build_bounded_sql(self, active: set[str], counted: Sequence[str], *, is_ranked: bool = False) -> str:
        """At most BOUND matches with what these facets are counted by.

        Found by title, maker or shelf first, then by description. `is_ranked`: with `rank`, which has what is called
        just that first, and is coarse: what differs by less is equal, and goes by what sells.
        """
        where, columns = self._build_where(active), self._build_columns(active, counted)
        if not self.text:
            return f"SELECT {columns} FROM catalog_product p WHERE {where} LIMIT {BOUND}"  # noqa: S608
        if self._weighed:
            ranks = ", kept.score AS rank, length(p.title) AS title_length" if is_ranked else ""
            joined = f"catalog_product p JOIN kept ON kept.id = p.id WHERE {where}"
            return f"SELECT {columns}{ranks} FROM {joined}"  # noqa: S608
        title, other = _RANKS if is_ranked else ("", "")
        return f"""
            (SELECT {columns}{title} FROM catalog_product p
             WHERE {where} AND p.title_vector @@ {_TSQUERY} LIMIT {BOUND})
            UNION ALL
            (SELECT {columns}{other} FROM catalog_product p
             WHERE {where} AND p.search_vector @@ {_TSQUERY} AND NOT p.title_vector @@ {_TSQUERY} LIMIT {BOUND})
            LIMIT {BOUND}"""  # noqa: S608

    def _build_columns(self, active: set[str], counted: Sequence[str]) -> str:
        """Beside “in stock”, only the sizes that are. Beside a price, sizes come with their product's prices."""
        terms = _get_list_terms(active)._asdict()
        sizes = "p.sizes_in_stock" if "stock" in active else "p.sizes"
        columns = [_COUNTED_COLUMNS[name].format(**terms, sizes=sizes) for name in counted]
        if "size" in counted and self.filters.price:
            columns.append("p.price_from, p.price_to")
        return ", ".join(["p.id", *columns])


def _get_list_terms(active: set[str]) -> ListTerms:
    return _OF_SIZES if "size" in active else _OF_PRODUCT
