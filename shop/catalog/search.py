"""Lists of products: by text, category and filters, in any order, with facets. One query for the cards, one for the
facets.

The cost is bounded, not proportional to the catalog: at most `BOUND` matches are ranked and counted (“1,000+”). A list
put in order of price, age or name is exact however long it is.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection

from shop.catalog import compounds, product_cards, search_correction
from shop.catalog.compounds import Compounds
from shop.catalog.filters import Filters, Sort
from shop.catalog.forgiving import Forgiven, forgive
from shop.catalog.product_cards import ProductCard
from shop.catalog.product_query import BOUND, PAGE_SIZE, ProductQuery
from shop.prepared import MOST_PREPARED, PreparedStatement

__all__ = ["BOUND", "PAGE_SIZE", "Facets", "ListCounts", "SearchResults", "Sort", "count_products", "search_products"]


@dataclass
class Facets:
    """Counts of what each choice would show, its own kind's present choice left out.

    `bounded`: the kinds that were counted from the first `BOUND` matches only, so that there may be more of each.
    """

    categories: dict[int, int] = field(default_factory=dict)
    makers: dict[str, tuple[str, int]] = field(default_factory=dict)  # slug: name, count
    prices: dict[int, int] = field(default_factory=dict)  # index into `get_price_bands`
    sizes: dict[str, int] = field(default_factory=dict)
    in_stock: int = 0
    bounded: set[str] = field(default_factory=set)  # of "category", "maker", "price", "size", "stock"


@dataclass
class ListCounts:
    """`total` at most BOUND, `partly` of it without some of the words. `ids`: of the page, where one was asked for.

    `splits`: see `shop.catalog.compounds`.
    """

    total: int = 0
    partly: int = 0
    facets: Facets = field(default_factory=Facets)
    ids: list[int] = field(default_factory=list)
    splits: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))


@dataclass
class SearchResults:
    """A page of a list. `forgiven`: what was looked for when the words typed found nothing."""

    products: list[ProductCard]
    has_next: bool
    counts: ListCounts
    forgiven: Forgiven | None = None

    @property
    def total(self) -> int:
        return self.counts.total

    @property
    def facets(self) -> Facets:
        return self.counts.facets

    @property
    def shown_instead(self) -> str:
        """The words looked for instead, where that found something."""
        return self.forgiven.shown if self.forgiven and self.total else ""

    @property
    def is_partial(self) -> bool:
        """Whether nothing has all of the words that count, and these have some."""
        return bool(self.forgiven and self.total and (self.counts.partly or self.forgiven.missing))


def search_products(
    text: str = "",
    filters: Filters | None = None,
    *,
    scope: tuple[int, ...] = (),
    sort: Sort = Sort.RELEVANCE,
    page: int = 1,
    counts: ListCounts | None = None,
) -> SearchResults:
    """Published products, `PAGE_SIZE` a page. Mistyped words are forgiven when nothing else is found.

    `scope`: only these categories. `counts`: known already (for a list without text), so not counted again.
    """
    match = ProductQuery(search_correction.normalize_search_text(text), filters or Filters(), scope, sort, page)
    if match.text or counts is None:
        counts = _find_words(match) if match.text else _read_counts(match)
        found = product_cards.read_cards(counts.ids, sizes=match.filters.sizes)
    else:
        found = _read_whole_page(match)
    return SearchResults(found[:PAGE_SIZE], len(found) > PAGE_SIZE, counts, match.forgiven)


def _find_words(match: ProductQuery) -> ListCounts:
    """Asks once; once more where a word is known as two, or nothing was found as it was typed."""
    options, known = search_correction.read_options(match.text), Compounds()
    match.query, match.words = compounds.write_tsquery(options, known), search_correction.collect_words(options)
    counts = _read_counts(match)
    match.words = ()
    if counts.splits:
        known.splits = counts.splits
        match.query = compounds.write_tsquery(options, known)
        counts = _read_counts(match)
    forgiven = None if counts.total else forgive(options, match.query, known)
    if forgiven is None:
        return counts
    match.forgive(forgiven)
    return _read_counts(match)


def _read_whole_page(match: ProductQuery) -> list[ProductCard]:
    """Of a list that nobody narrowed."""
    if match.is_by_name:
        return product_cards.read_selected_cards(match.page_ids(), match.values())
    with connection.cursor() as cursor:
        cursor.execute(match.page_ids(), match.values())
        return product_cards.read_cards(product_id for (product_id,) in cursor.fetchall())


def count_products(scope: tuple[int, ...] = ()) -> ListCounts:
    """How much there is of everything in these categories, or in the shop."""
    return _read_counts(ProductQuery("", Filters(), scope), with_page=False)


def _read_counts(match: ProductQuery, *, with_page: bool = True) -> ListCounts:
    counts = ListCounts()
    for kind, key, label, number in _fetch_rows(match.counts(with_page=with_page), match):
        _READERS[kind](counts, key, label, number)
    return counts


def _fetch_rows(sql: str, match: ProductQuery) -> list[tuple[Any, ...]]:
    if match.is_planned_once:
        return _prepare_statement(sql).fetch_rows(match.values())
    with connection.cursor() as cursor:
        cursor.execute(sql, match.values())
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@lru_cache(maxsize=MOST_PREPARED)
def _prepare_statement(sql: str) -> PreparedStatement:
    return PreparedStatement(sql)


def _read_page(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.ids.append(int(key))


def _read_total(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.total = number


def _read_partly(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.partly = number


def _read_split(counts: ListCounts, key: str, label: str, number: int) -> None:
    first, second = label.split(" ")
    counts.splits[key].add((first, second))


def _read_category(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.facets.categories[int(key)] = number


def _read_maker(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.facets.makers[key] = (label, number)


def _read_price_band(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.facets.prices[int(key)] = number


def _read_size(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.facets.sizes[key] = number


def _read_stock(counts: ListCounts, key: str, label: str, number: int) -> None:
    counts.facets.in_stock = number


def _read_matches(counts: ListCounts, key: str, label: str, number: int) -> None:
    if number >= BOUND:
        counts.facets.bounded.update(key.split())


_READERS = {
    "page": _read_page,
    "total": _read_total,
    "partly": _read_partly,
    "split": _read_split,
    "category": _read_category,
    "maker": _read_maker,
    "price": _read_price_band,
    "size": _read_size,
    "stock": _read_stock,
    "matches": _read_matches,
}
