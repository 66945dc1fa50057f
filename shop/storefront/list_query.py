"""Between a list's address and its page: what was asked for, and the choices to offer next.

Whatever an address says, the answer is a list: what makes no sense in it is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from urllib.parse import urlencode

from django.http import QueryDict

from shop.catalog.category_tree import Branch, CategoryTree
from shop.catalog.filters import Filters, PriceBand, Sort, get_price_bands
from shop.catalog.search import BOUND, Facets, SearchResults
from shop.money import format_round
from shop.storefront import page_cache

MOST_VALUES_PER_FACET = 20  # values of one facet at once
LAST_PAGE = 10_000
SORT_NAMES = {
    Sort.RELEVANCE: "Closest match",
    Sort.NEWEST: "Newest",
    Sort.CHEAPEST: "Price, low to high",
    Sort.DEAREST: "Price, high to low",
    Sort.NAME: "Name",
}
_PRICE_BAND_PATTERN = re.compile(r"(\d{1,8}(?:\.\d{1,3})?)?-(\d{1,8}(?:\.\d{1,3})?)?", re.ASCII)


@dataclass(frozen=True)
class ListQuery:
    """A list's address, read."""

    text: str
    category: Branch | None
    makers: tuple[str, ...]
    sizes: tuple[str, ...]
    price: PriceBand | None
    in_stock: bool
    sort: Sort
    page: int

    def scope(self, tree: CategoryTree) -> tuple[int, ...]:
        return tuple(tree.subtree_ids(self.category.id)) if self.category else ()

    def filters(self, *, category_ids: tuple[int, ...] = ()) -> Filters:
        return Filters(
            category_ids=category_ids,
            makers=self.makers,
            sizes=self.sizes,
            price=self.price,
            in_stock=self.in_stock,
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.makers or self.sizes or self.price or self.in_stock)


@dataclass(frozen=True, slots=True)
class FacetChoice:
    value: str
    label: str
    count: str
    is_chosen: bool = False


@dataclass
class FacetGroup:
    """One facet. `kind`: radio, checkbox or chip. It writes itself, like a card: a page has tens of choices."""

    title: str
    name: str
    kind: str
    choices: list[FacetChoice] = field(default_factory=list)

    def __html__(self) -> str:
        write = self._render_chip if self.kind == "chip" else self._render_pick
        choices = "".join(write(choice) for choice in self.choices)
        inside = f'<div class="chips">{choices}</div>' if self.kind == "chip" else choices
        return f"<fieldset><legend>{escape(self.title)}</legend>\n{inside}</fieldset>\n"

    def _render_chip(self, choice: FacetChoice) -> str:
        return (
            f'<label class="chip">{self._render_input(choice, "checkbox")}<span>{escape(choice.label)}</span></label>'
        )

    def _render_pick(self, choice: FacetChoice) -> str:
        count = f'<span class="number">{choice.count}</span>' if choice.count else ""
        return f'<label class="pick">{self._render_input(choice, self.kind)}{escape(choice.label)}{count}</label>\n'

    def _render_input(self, choice: FacetChoice, kind: str) -> str:
        checked = " checked" if choice.is_chosen else ""
        return f'<input type="{kind}" name="{self.name}" value="{escape(choice.value)}"{checked}>'


@dataclass(frozen=True)
class ListPage:
    """What `partials/pagination.html` takes."""

    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1


def read_list_query(
    query: QueryDict, tree: CategoryTree, *, category: Branch | None = None, default: Sort = Sort.RELEVANCE
) -> ListQuery:
    return ListQuery(
        text=_normalize_text(query.get("q", "")),
        category=category or tree.by_slug.get(query.get("category", "")),
        makers=_read_values(query.getlist("maker")),
        sizes=_read_values(query.getlist("size")),
        price=_parse_price_band(query.get("price", "")),
        in_stock=query.get("in_stock") == "1",
        sort=_parse_sort(query.get("sort", ""), default),
        page=_parse_page_number(query.get("page", "")),
    )


def _normalize_text(text: str) -> str:
    return " ".join(text.replace("\x00", " ")[:200].split())


def _read_values(values: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(_normalize_text(value) for value in values)
    return tuple(value for value in kept if value)[:MOST_VALUES_PER_FACET]


def _parse_price_band(value: str) -> PriceBand | None:
    match = _PRICE_BAND_PATTERN.fullmatch(value)
    if not match or value == "-":
        return None
    low, high = (Decimal(part) if part else None for part in match.groups())
    return PriceBand(low, high)


def _parse_sort(value: str, default: Sort) -> Sort:
    return Sort(value) if value in set(Sort) else default


def _parse_page_number(value: str) -> int:
    is_number = value.isascii() and value.isdigit() and len(value) <= len(str(LAST_PAGE))
    return min(max(int(value), 1), LAST_PAGE) if is_number else 1


# -- What to offer next ------------------------------------------------------------------------------------


def build_facet_groups(asked: ListQuery, facets: Facets, currency: str) -> list[FacetGroup]:
    offered = [
        _build_price_group(asked, facets, currency),
        _build_size_group(asked, facets),
        _build_maker_group(asked, facets),
        _build_stock_group(asked, facets),
    ]
    return [group for group in offered if group.choices]


def format_count(number: int, *, is_bounded: bool = False) -> str:
    """1,000+ where counting stopped; `is_bounded`: only some of the matches were counted, so there may be more."""
    if number >= BOUND:
        return f"{BOUND - 1:,}+"
    if is_bounded:
        return f"{number:,}+" if number else ""
    return f"{number:,}"


def _build_price_group(asked: ListQuery, facets: Facets, currency: str) -> FacetGroup:
    group, bands = FacetGroup("Price", "price", "radio"), get_price_bands(currency)
    is_bounded = "price" in facets.bounded
    for index, band in enumerate(bands):
        is_chosen = asked.price == band
        if facets.prices.get(index) or is_chosen or is_bounded:
            count = format_count(facets.prices.get(index, 0), is_bounded=is_bounded)
            group.choices.append(FacetChoice(band.key, _format_band_label(band, currency), count, is_chosen))
    if asked.price and asked.price not in bands:
        group.choices.append(
            FacetChoice(asked.price.key, _format_band_label(asked.price, currency), "", is_chosen=True)
        )
    if len(group.choices) > 1 or asked.price:
        group.choices.insert(0, FacetChoice("", "Any price", "", is_chosen=asked.price is None))
        return group
    return FacetGroup("Price", "price", "radio")


def _format_band_label(band: PriceBand, currency: str) -> str:
    low, high = (None if edge is None else format_round(edge, currency) for edge in (band.low, band.high))
    if not band.low:
        return f"Under {high}"
    return f"{low} and over" if high is None else f"{low} to {high}"


def _build_size_group(asked: ListQuery, facets: Facets) -> FacetGroup:
    found = sorted({*facets.sizes, *asked.sizes}, key=make_size_sort_key)
    is_bounded = "size" in facets.bounded
    choices = [
        FacetChoice(
            size, size, format_count(facets.sizes.get(size, 0), is_bounded=is_bounded), is_chosen=size in asked.sizes
        )
        for size in found
    ]
    return FacetGroup("Size", "size", "chip", choices)


def _build_maker_group(asked: ListQuery, facets: Facets) -> FacetGroup:
    choices = [
        FacetChoice(
            slug, name, format_count(count, is_bounded="maker" in facets.bounded), is_chosen=slug in asked.makers
        )
        for slug, (name, count) in sorted(facets.makers.items(), key=lambda item: item[1][0].casefold())
    ]
    unseen = format_count(0, is_bounded="maker" in facets.bounded)
    missing = [FacetChoice(slug, slug, unseen, is_chosen=True) for slug in asked.makers if slug not in facets.makers]
    return FacetGroup("Maker", "maker", "checkbox", choices + missing)


def _build_stock_group(asked: ListQuery, facets: Facets) -> FacetGroup:
    is_bounded = "stock" in facets.bounded
    if not facets.in_stock and not asked.in_stock and not is_bounded:
        return FacetGroup("Stock", "in_stock", "checkbox")
    count = format_count(facets.in_stock, is_bounded=is_bounded)
    choice = FacetChoice("1", "In stock now", count, is_chosen=asked.in_stock)
    return FacetGroup("Stock", "in_stock", "checkbox", [choice])


def make_size_sort_key(size: str) -> tuple[tuple[int, float, str], ...]:
    """Sorts 9 before 10, and S before M before L before XL."""
    letters = {"XXS": 0, "XS": 1, "S": 2, "M": 3, "L": 4, "XL": 5, "XXL": 6, "XXXL": 7}
    if size.upper() in letters:
        return ((1, letters[size.upper()], ""),)
    parts = re.findall(r"\d{1,9}(?:\.\d{1,4})?|[^\d]+", size)
    return tuple((0, float(part), "") if part[0].isdigit() and part.isascii() else (2, 0.0, part) for part in parts)


# -- Ways on -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CategoryLink:
    name: str
    url: str
    count: str
    is_here: bool = False

    def __html__(self) -> str:
        here = ' aria-current="true"' if self.is_here else ""
        number = f'<span class="number">{self.count}</span>' if self.count else ""
        return f'<li><a href="{escape(self.url)}"{here}>{escape(self.name)}{number}</a></li>'


def list_subcategories(here: Branch, facets: Facets) -> list[CategoryLink]:
    """The categories right under this one that hold anything of what is listed."""
    tree = page_cache.get_cached_tree()
    return [
        CategoryLink(branch.name, branch.get_absolute_url(), count)
        for branch in tree.children(here.id)
        if (count := _format_count_under(branch, facets, tree)) is not None
    ]


def list_search_categories(asked: ListQuery, facets: Facets) -> list[CategoryLink]:
    """For a search: the departments it found things in, and the aisles of the chosen one."""
    tree, text = page_cache.get_cached_tree(), urlencode({"q": asked.text})
    return [
        CategoryLink(branch.name, f"?{text}&category={branch.slug}", count, is_here=branch == asked.category)
        for branch in _get_candidate_branches(asked.category, tree)
        if (count := _format_count_under(branch, facets, tree)) is not None
    ]


def _get_candidate_branches(chosen: Branch | None, tree: CategoryTree) -> list[Branch]:
    if chosen is None:
        return tree.roots
    return [*tree.path(chosen.id), *tree.children(chosen.id)]


def _format_count_under(branch: Branch, facets: Facets, tree: CategoryTree) -> str | None:
    """None: certainly nothing there."""
    number = min(sum(facets.categories.get(each, 0) for each in tree.subtree_ids(branch.id)), BOUND)
    is_bounded = "category" in facets.bounded
    return format_count(number, is_bounded=is_bounded) if number or is_bounded else None


def build_breadcrumbs(branch: Branch | None, tree: CategoryTree, *last: str) -> list[tuple[str, str]]:
    path = tree.path(branch.id) if branch else []
    return [("Home", "/"), *((step.name, step.get_absolute_url()) for step in path), *((title, "") for title in last)]


def make_list_page(asked: ListQuery, results: SearchResults) -> ListPage:
    return ListPage(asked.page, results.has_next)
