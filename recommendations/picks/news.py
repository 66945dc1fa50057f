"""The shelves of the front page that are the same for everybody: what came last, what comes next, what sells well."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.preferences.interests import Exclusions
from recommendations.picks.best_sellers import build_best_statement, get_best_parameters, is_counted_lately
from recommendations.picks.shelf import Page, Shelf
from shop.catalog import product_cards
from shop.catalog.product_cards import ProductCard

NEW = "new"  # how what came last or comes next gets to a shelf
COMING_WITHIN = timedelta(days=14)
LATELY = timedelta(days=60)  # as old as a thing may be, and still be “just in”

JUST_IN = Shelf("just_in", "Just in", (Page.HOME,), frozenset({NEW}), plain_title="Newest here")
OUT_SOON = Shelf(
    "out_soon", "Out soon", (Page.HOME,), frozenset({NEW}), note="Order now; it leaves us as soon as it is out."
)


@dataclass(frozen=True)
class News:
    """What `read_news` found. `is_lately`: the newest came lately. `sells_now`: best sellers are counted up to now.

    `by_id`: every product read, those asked for by id among them.
    """

    newest: list[ProductCard]
    is_lately: bool
    coming: list[ProductCard]
    selling: list[ProductCard]
    sells_now: bool
    by_id: dict[int, ProductCard]


def read_news(*, limit: int, hidden: Exclusions, ids: Iterable[int] = ()) -> News:
    """What came in lately, or where nothing did, the latest there is; what comes next; what sells well. One query.

    `ids`: products wanted for a shelf of the reader's own, read along.
    """
    today = timezone.localdate()
    found = product_cards.read_new_products(
        today,
        until=today + COMING_WITHIN,
        limit=limit,
        best=build_best_statement(limit),
        values=get_best_parameters(hidden),
        ids=ids,
    )
    fresh = _drop_excluded(found.fresh, hidden)
    lately = [each for each in fresh if each.released_on and today - each.released_on < LATELY]
    return News(
        newest=lately or fresh,
        is_lately=bool(lately),
        coming=_drop_excluded(found.coming, hidden),
        selling=found.best,
        sells_now=is_counted_lately(found.counted_on),
        by_id=found.by_id,
    )


def _drop_excluded(goods: list[ProductCard], hidden: Exclusions) -> list[ProductCard]:
    return [each for each in goods if not hidden.hides(each.id, category_id=each.category_id, maker=each.maker)]
