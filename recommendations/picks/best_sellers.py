"""What sells well, counted over those who allow it; the same for all but for what they never want to see."""

from datetime import date, timedelta
from functools import cache
from typing import Any

from django.utils import timezone

from accounts.preferences.interests import NO_INTERESTS, Exclusions
from recommendations.from_interests import NOT_HIDDEN, get_hidden_parameters
from recommendations.picks.pick import Pick
from recommendations.picks.shelf import Page, Shelf
from recommendations.withdrawn_sql import WITHDRAWN_SQL, get_withdrawn_parameters
from shop.prepared import PreparedStatement

SELLS = "sells"  # how a best seller comes to a shelf
SELLS_NOW = timedelta(days=28)  # as old as what is counted may be, and still be called “just now”

SELLS_WELL = Shelf("sells_well", "Sells well just now", (Page.HOME,), frozenset({SELLS}), plain_title="Sells well here")


# The run is one value and not a set that is joined: then the index has the order. What is lost is told from the counts:
# told from the goods, the planner adds the cost of finding it to each look-up of one.
_SELECT_BEST = """
    WITH {lost}
    SELECT p.id, (SELECT clock_on FROM run) AS counted_on FROM recommendations_productpopularity popular
    JOIN catalog_product p ON p.id = popular.product_id
    WHERE popular.run_id = (SELECT id FROM run) AND p.is_published AND p.is_available
        AND (p.released_on IS NULL OR p.released_on <= %(today)s)
        AND popular.product_id NOT IN (SELECT product_id FROM lost) AND {wanted}
    ORDER BY popular.score DESC, p.id LIMIT {limit}
"""


def pick_popular(*, limit: int = 8, hidden: Exclusions = NO_INTERESTS.hidden) -> list[Pick]:
    """What sells well, counted over those who allow it; one query. Empty before the first epoch."""
    best = _prepare_statement(limit).fetch_rows(get_best_parameters(hidden))
    return [Pick(product_id, _describe_sales(counted_on), way=SELLS) for product_id, counted_on in best]


def build_best_statement(limit: int) -> str:
    """What `pick_popular` asks, as a part of another statement."""
    return _SELECT_BEST.format(lost=WITHDRAWN_SQL, wanted=NOT_HIDDEN, limit=limit)


def get_best_parameters(hidden: Exclusions) -> dict[str, Any]:
    """The parameters of `build_best_statement`."""
    return {"today": timezone.localdate(), **get_hidden_parameters(hidden), **get_withdrawn_parameters()}


@cache
def _prepare_statement(limit: int) -> PreparedStatement:
    return PreparedStatement(build_best_statement(limit))


def is_counted_lately(counted_on: date | None) -> bool:
    """Whether the last purchase counted was lately: what sold then sells “just now”."""
    return counted_on is not None and timezone.localdate() - counted_on < SELLS_NOW


def _describe_sales(counted_on: date | None) -> str:
    return SELLS_WELL.title if is_counted_lately(counted_on) else SELLS_WELL.plain_title
