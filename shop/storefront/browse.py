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

from shop.catalog.filters import Filters, PriceBand, Sort, get_price_bands
from shop.catalog.search import BOUND, Facets, SearchResults
from shop.catalog.tree import Branch, CategoryTree
from shop.money import format_round
from shop.storefront import frame

MOST_CHOSEN = 20  # values of one facet at once
LAST_PAGE = 10_000
SORT_NAMES = {
    Sort.RELEVANCE: "Closest match",
    Sort.NEWEST: "Newest",
    Sort.CHEAPEST: "Price, low to high",
    Sort.DEAREST: "Price, high to low",
    Sort.NAME: "Name",
}
_BAND = re.compile(r"(\d{1,8}(?:\.\d{1,3})?)?-(\d{1,8}(?:\.\d{1,3})?)?", re.ASCII)


@dataclass(frozen=True)
class Asked:
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
class Choice:
    value: str
    label: str
    count: str
    is_chosen: bool = False


@dataclass
class Group:
    """One facet. `kind`: radio, checkbox or chip. It writes itself, like a card: a page has tens of choices."""

    title: str
    name: str
    kind: str
    choices: list[Choice] = field(default_factory=list)

    def __html__(self) -> str:
        write = self._chip if self.kind == "chip" else self._pick
        choices = "".join(write(choice) for choice in self.choices)
        inside = f'<div class="chips">{choices}</div>' if self.kind == "chip" else choices
        return f"<fieldset><legend>{escape(self.title)}</legend>\n{inside}</fieldset>\n"

    def _chip(self, choice: Choice) -> str:
        return f'<label class="chip">{self._input(choice, "checkbox")}<span>{escape(choice.label)}</span></label>'

    def _pick(self, choice: Choice) -> str:
        count = f'<span class="number">{choice.count}</span>' if choice.count else ""
        return f'<label class="pick">{self._input(choice, self.kind)}{escape(choice.label)}{count}</label>\n'

    def _input(self, choice: Choice, kind: str) -> str:
        checked = " checked" if choice.is_chosen else ""
        return f'<input type="{kind}" name="{self.name}" value="{escape(choice.value)}"{checked}>'


@dataclass(frozen=True)
class PageOf:
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


def read(
    query: QueryDict, tree: CategoryTree, *, category: Branch | None = None, default: Sort = Sort.RELEVANCE
) -> Asked:
    return Asked(
        text=_clean(query.get("q", "")),
        category=category or tree.by_slug.get(query.get("category", "")),
        makers=_several(query.getlist("maker")),
        sizes=_several(query.getlist("size")),
        price=_band(query.get("price", "")),
        in_stock=query.get("in_stock") == "1",
        sort=_sort(query.get("sort", ""), default),
        page=_page(query.get("page", "")),
    )


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", " ")[:200].split())


def _several(values: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(_clean(value) for value in values)
    return tuple(value for value in kept if value)[:MOST_CHOSEN]


def _band(value: str) -> PriceBand | None:
    match = _BAND.fullmatch(value)
    if not match or value == "-":
        return None
    low, high = (Decimal(part) if part else None for part in match.groups())
    return PriceBand(low, high)


def _sort(value: str, default: Sort) -> Sort:
    return Sort(value) if value in set(Sort) else default


def _page(value: str) -> int:
    is_number = value.isascii() and value.isdigit() and len(value) <= len(str(LAST_PAGE))
    return min(max(int(value), 1), LAST_PAGE) if is_number else 1


# -- What to offer next ------------------------------------------------------------------------------------


def groups(asked: Asked, facets: Facets, currency: str) -> list[Group]:
    offered = [_prices(asked, facets, currency), _sizes(asked, facets), _makers(asked, facets), _stock(asked, facets)]
    return [group for group in offered if group.choices]


def counted(number: int, *, is_bounded: bool = False) -> str:
    """1,000+ where counting stopped; `is_bounded`: only some of the matches were counted, so there may be more."""
    if number >= BOUND:
        return f"{BOUND - 1:,}+"
    if is_bounded:
        return f"{number:,}+" if number else ""
    return f"{number:,}"


def _prices(asked: Asked, facets: Facets, currency: str) -> Group:
    group, bands = Group("Price", "price", "radio"), get_price_bands(currency)
    is_bounded = "price" in facets.bounded
    for index, band in enumerate(bands):
        is_chosen = asked.price == band
        if facets.prices.get(index) or is_chosen or is_bounded:
            count = counted(facets.prices.get(index, 0), is_bounded=is_bounded)
            group.choices.append(Choice(band.key, _band_label(band, currency), count, is_chosen))
    if asked.price and asked.price not in bands:
        group.choices.append(Choice(asked.price.key, _band_label(asked.price, currency), "", is_chosen=True))
    if len(group.choices) > 1 or asked.price:
        group.choices.insert(0, Choice("", "Any price", "", is_chosen=asked.price is None))
        return group
    return Group("Price", "price", "radio")


def _band_label(band: PriceBand, currency: str) -> str:
    low, high = (None if edge is None else format_round(edge, currency) for edge in (band.low, band.high))
    if not band.low:
        return f"Under {high}"
    return f"{low} and over" if high is None else f"{low} to {high}"


def _sizes(asked: Asked, facets: Facets) -> Group:
    found = sorted({*facets.sizes, *asked.sizes}, key=natural)
    is_bounded = "size" in facets.bounded
    choices = [
        Choice(size, size, counted(facets.sizes.get(size, 0), is_bounded=is_bounded), is_chosen=size in asked.sizes)
        for size in found
    ]
    return Group("Size", "size", "chip", choices)


def _makers(asked: Asked, facets: Facets) -> Group:
    choices = [
        Choice(slug, name, counted(count, is_bounded="maker" in facets.bounded), is_chosen=slug in asked.makers)
        for slug, (name, count) in sorted(facets.makers.items(), key=lambda item: item[1][0].casefold())
    ]
    unseen = counted(0, is_bounded="maker" in facets.bounded)
    missing = [Choice(slug, slug, unseen, is_chosen=True) for slug in asked.makers if slug not in facets.makers]
    return Group("Maker", "maker", "checkbox", choices + missing)


def _stock(asked: Asked, facets: Facets) -> Group:
    is_bounded = "stock" in facets.bounded
    if not facets.in_stock and not asked.in_stock and not is_bounded:
        return Group("Stock", "in_stock", "checkbox")
    count = counted(facets.in_stock, is_bounded=is_bounded)
    choice = Choice("1", "In stock now", count, is_chosen=asked.in_stock)
    return Group("Stock", "in_stock", "checkbox", [choice])


def natural(size: str) -> tuple[tuple[int, float, str], ...]:
    """Sorts 9 before 10, and S before M before L before XL."""
    letters = {"XXS": 0, "XS": 1, "S": 2, "M": 3, "L": 4, "XL": 5, "XXL": 6, "XXXL": 7}
    if size.upper() in letters:
        return ((1, letters[size.upper()], ""),)
    parts = re.findall(r"\d{1,9}(?:\.\d{1,4})?|[^\d]+", size)
    return tuple((0, float(part), "") if part[0].isdigit() and part.isascii() else (2, 0.0, part) for part in parts)


# -- Ways on -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Aisle:
    name: str
    url: str
    count: str
    is_here: bool = False

    def __html__(self) -> str:
        here = ' aria-current="true"' if self.is_here else ""
        number = f'<span class="number">{self.count}</span>' if self.count else ""
        return f'<li><a href="{escape(self.url)}"{here}>{escape(self.name)}{number}</a></li>'


def aisles_below(here: Branch, facets: Facets) -> list[Aisle]:
    """The categories right under this one that hold anything of what is listed."""
    tree = frame.tree()
    return [
        Aisle(branch.name, branch.get_absolute_url(), count)
        for branch in tree.children(here.id)
        if (count := _counted_under(branch, facets, tree)) is not None
    ]


def aisles_found(asked: Asked, facets: Facets) -> list[Aisle]:
    """For a search: the departments it found things in, and the aisles of the chosen one."""
    tree = frame.tree()
    found = []
    for branch in _offered(asked.category, tree):
        count = _counted_under(branch, facets, tree)
        if count is not None:
            query = urlencode({"q": asked.text, "category": branch.slug})
            found.append(Aisle(branch.name, f"?{query}", count, is_here=branch == asked.category))
    return found


def _offered(chosen: Branch | None, tree: CategoryTree) -> list[Branch]:
    if chosen is None:
        return tree.roots
    return [*tree.path(chosen.id), *tree.children(chosen.id)]


def _counted_under(branch: Branch, facets: Facets, tree: CategoryTree) -> str | None:
    """None: certainly nothing there."""
    number = min(sum(facets.categories.get(each, 0) for each in tree.subtree_ids(branch.id)), BOUND)
    is_bounded = "category" in facets.bounded
    return counted(number, is_bounded=is_bounded) if number or is_bounded else None


def crumbs(branch: Branch | None, tree: CategoryTree, *last: str) -> list[tuple[str, str]]:
    path = tree.path(branch.id) if branch else []
    return [("Home", "/"), *((step.name, step.get_absolute_url()) for step in path), *((title, "") for title in last)]


def page_of(asked: Asked, results: SearchResults) -> PageOf:
    return PageOf(asked.page, results.has_next)
