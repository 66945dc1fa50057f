"""What the frame of every page shows and is the same for everybody: departments, the foot, written once, and the terms
that dates on shelves are counted from. Kept in process for a few seconds; nothing about a person is ever kept.

Cart and checkout load their own terms: what is charged is never older than the request. What they loaded is kept here.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from orders import shop_terms
from orders.models import InfoPage
from orders.shop_terms import Terms
from shop.catalog import category_tree, search
from shop.catalog.category_tree import CategoryTree
from shop.catalog.search import ListCounts

CACHE_SECONDS = 10
COUNTS_CACHE_SECONDS = 60  # what is on a shelf is always that of now; how many there are may lag

T = TypeVar("T")
_cache: dict[str, tuple[float, Any]] = {}
_worked_out: dict[str, tuple[Terms, Any]] = {}


def get_cached_tree() -> CategoryTree:
    return _get_or_load("tree", category_tree.read_category_tree)


def get_cached_terms() -> Terms:
    return _get_or_load("terms", shop_terms.load_terms)


def get_fresh_terms(request: HttpRequest) -> Terms:
    """Those of this request, for what is charged; shelves go by them from then on."""
    agreed = shop_terms.get_terms_for_request(request)
    _keep_value("terms", agreed, CACHE_SECONDS)
    return agreed


def work_out(name: str, from_terms: Callable[[Terms], T]) -> T:
    """What follows from the terms alone, found once for as long as those in process stand."""
    terms = get_cached_terms()
    kept = _worked_out.get(name)
    if kept is None or kept[0] is not terms:
        kept = _worked_out[name] = (terms, from_terms(terms))
    found: T = kept[1]
    return found


def get_cached_counts(scope: tuple[int, ...] = ()) -> ListCounts:
    """How many things a whole category holds, by maker, price, size: for lists nobody has narrowed."""
    return _get_or_load(f"counts {scope}", lambda: search.count_products(scope), seconds=COUNTS_CACHE_SECONDS)


def get_cached_info_pages() -> tuple[InfoPage, ...]:
    """The published pages of words, without the words, for the foot of every page."""
    return get_cached_terms().info_pages


def get_cached_head_links() -> SafeString:
    return _get_or_load("head_links", lambda: render_to_string("partials/head_links.html"))


def get_cached_header_start() -> SafeString:
    """The name and an empty search field."""
    return _get_or_load("header_start", lambda: render_to_string("partials/header_start.html"))


def get_cached_foot() -> SafeString:
    """The foot of every page, written."""
    return _get_or_load(
        "foot",
        lambda: render_to_string(
            "partials/foot.html",
            {"shop_settings": get_cached_terms().settings, "info_pages": get_cached_info_pages()},
        ),
    )


def clear() -> None:
    """Staff changed something here, or a test starts."""
    _cache.clear()
    _worked_out.clear()


def _get_or_load(name: str, load: Callable[[], T], *, seconds: float = CACHE_SECONDS) -> T:
    until, value = _cache.get(name, (0.0, None))
    if value is None or time.monotonic() > until:
        value = load()
        _keep_value(name, value, seconds)
    kept: T = value
    return kept


def _keep_value(name: str, value: object, seconds: float) -> None:
    _cache[name] = (time.monotonic() + seconds, value)
