"""The questions a recommender is judged by: what is known, and what turned out to be wanted."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from recommendations.engine.purchases import Ints, Purchases

TASKS = ("single", "single_history", "cart", "cart_history", "next", "next_new", "new")
SINGLES_PER_BASKET = 5
CART_LIMIT = 10
WINDOW_DAYS = 28
WINDOWS = 10
NOBODY = -1
_NOTHING = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class RankingQuery:
    """One question. `customer` and products are indexes of the purchases; an unknown customer is `NOBODY`.

    `wanted_count` also counts products unknown at the cut-off, which nobody could have recommended.
    `candidates` limits the answer; None means every product known at the cut-off.
    """

    customer: int = NOBODY
    given: Ints = field(default_factory=lambda: _NOTHING)
    wanted: Ints = field(default_factory=lambda: _NOTHING)
    wanted_count: int = 0
    candidates: Ints | None = None


def build_queries(history: Purchases, future: Purchases, *, seed: int = 1) -> dict[str, list[RankingQuery]]:
    """The queries of all tasks but `new`. The `_history` tasks ask the same questions as those without."""
    random = np.random.default_rng(seed)
    is_known = history.known
    singles: list[RankingQuery] = []
    carts: list[RankingQuery] = []
    for customer, bought in _iterate_baskets(future):
        items = bought[is_known[bought]]
        singles += _build_single_queries(random, customer, items)
        carts += _build_cart_queries(random, customer, items)
    following, following_new = _build_next_queries(history, future, is_known)
    return {
        "single": singles,
        "single_history": singles,
        "cart": carts,
        "cart_history": carts,
        "next": following,
        "next_new": following_new,
    }


def _iterate_baskets(future: Purchases) -> Iterator[tuple[int, Ints]]:
    """Customer and contents of each basket, by day, then customer."""
    baskets = future.baskets
    for row in np.lexsort((baskets.customer, baskets.day)):
        start, end = baskets.contents.indptr[row : row + 2]
        yield int(baskets.customer[row]), baskets.contents.indices[start:end].astype(np.int64)


def _build_single_queries(random: np.random.Generator, customer: int, items: Ints) -> Iterator[RankingQuery]:
    if len(items) < 2:
        return
    for index in random.permutation(len(items))[:SINGLES_PER_BASKET]:
        rest = np.delete(items, index)
        yield RankingQuery(customer, items[index : index + 1], rest, len(rest))


def _build_cart_queries(random: np.random.Generator, customer: int, items: Ints) -> Iterator[RankingQuery]:
    if len(items) < 4:
        return
    shuffled = random.permutation(items)
    given_count = min(CART_LIMIT, len(items) // 2)
    yield RankingQuery(customer, shuffled[:given_count], shuffled[given_count:], len(items) - given_count)


def _build_next_queries(
    history: Purchases, future: Purchases, is_known: np.ndarray
) -> tuple[list[RankingQuery], list[RankingQuery]]:
    bought: dict[int, Ints] = {}
    for customer, items in _iterate_baskets(history):
        bought[customer] = np.union1d(bought.get(customer, _NOTHING), items)
    following, following_new = [], []
    asked = set()
    for customer, items in _iterate_baskets(future):
        if customer not in bought or customer in asked:
            continue
        asked.add(customer)
        following.append(RankingQuery(customer, _NOTHING, items[is_known[items]], len(items)))
        new = np.setdiff1d(items, bought[customer])
        if len(new):
            following_new.append(RankingQuery(customer, bought[customer], new[is_known[new]], len(new)))
    return following, following_new


def build_new_product_queries(everything: Purchases, *, start: float) -> list[RankingQuery]:
    """One window of `new`: rank what is first sold in the four weeks from `start`, for customers with history."""
    history, window = everything.between(end=start), everything.between(start, start + WINDOW_DAYS)
    is_known, has_history = history.known, set(history.customer.tolist())
    fresh = np.unique(window.product[~is_known[window.product]])
    queries = []
    for customer in np.unique(window.customer):
        wanted = np.intersect1d(window.product[window.customer == customer], fresh)
        if len(wanted) and int(customer) in has_history:
            queries.append(RankingQuery(int(customer), _NOTHING, wanted, len(wanted), fresh))
    return queries
