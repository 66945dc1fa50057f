"""What goes on the shop's shelves: a pure function of rows, titles, cut-off and k.

The same rows give the same tables whatever happened in between, so leaving a customer out is the same as their never
having been counted.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from scipy import sparse

from recommendations.engine import pairs, text
from recommendations.engine.model import PurchaseModel
from recommendations.engine.names import Kinds, is_same_kind, read_name
from recommendations.engine.purchases import Ints, Purchases, from_epoch_day, to_epoch_days

NEIGHBOURS_KEPT = 50  # neighbours of a product, by either score
ALIKE_KEPT = 12
_SAME_GROUP = 0.15  # a shared category or maker, against 1.0 for the same title


@dataclass(frozen=True)
class ProductFacts:
    """What a product is called, and the groups it is in (its category, its maker). Reveals no purchase."""

    title: str
    groups: frozenset[Hashable] = frozenset()


@dataclass(frozen=True)
class ProductPair:
    """`similar` beside `product`: rank 1 is best. `score` beside it alone, `cart_score` to be summed over a cart.

    `goes_well`: advice, as a shopkeeper would give it. Neither the same kind of thing nor what sells to everybody.
    """

    product: Hashable
    similar: Hashable
    score: float
    cart_score: float
    support: int
    rank: int
    goes_well: bool


@dataclass(frozen=True)
class PublishedTables:
    """`clock_on`: the day that ages were counted from."""

    together: list[ProductPair]
    popular: dict[Hashable, float]
    clock_on: date


def compute_published_tables(
    purchases: Purchases, goods: Mapping[Hashable, ProductFacts], *, cutoff: datetime, k: int
) -> PublishedTables:
    """Every product's neighbours that at least `k` customers bought with it, and what sells, over `k` again."""
    titles = [goods[product].title if product in goods else "" for product in purchases.products]
    kinds = Kinds(each.title for each in goods.values())
    model = PurchaseModel.frozen(purchases, end=to_epoch_days(cutoff), titles=titles, k=k)
    popularity = model.popular(28)
    popular = {purchases.products[index]: float(popularity[index]) for index in np.flatnonzero(popularity)}
    return PublishedTables(_build_pairs(model, kinds), popular, from_epoch_day(model.today))


def _build_pairs(model: PurchaseModel, kinds: Kinds) -> list[ProductPair]:
    if not model.support.nnz:
        return []
    rows, columns = sparse.coo_array(model.support).coords
    support = model.support[rows, columns]
    score = model.pair_scores[rows, columns] + model.base_scores[columns]
    cart_score = model.cart_scores[rows, columns]
    rank, cart_rank = _compute_ranks(rows, columns, score), _compute_ranks(rows, columns, cart_score)
    kept = np.flatnonzero((rank <= NEIGHBOURS_KEPT) | (cart_rank <= NEIGHBOURS_KEPT))
    kept = kept[np.lexsort((rank[kept], rows[kept]))]
    key = model.history.products
    advice = _advised(model, kinds, rows[kept], columns[kept])
    fields = (*(array[kept].tolist() for array in (rows, columns, score, cart_score, support, rank)), advice)
    return [ProductPair(key[row], key[column], *rest) for row, column, *rest in zip(*fields, strict=True)]


def _advised(model: PurchaseModel, kinds: Kinds, rows: np.ndarray, columns: np.ndarray) -> list[bool]:
    """Of each pair, whether one is drawn by the other and they are things of two kinds."""
    names = [read_name(title) for title in model.titles]
    return [
        is_drawn and not is_same_kind(names[row], names[column], kinds)
        for row, column, is_drawn in zip(
            rows.tolist(), columns.tolist(), pairs.are_drawn(model.baskets, rows, columns).tolist(), strict=True
        )
    ]


def _compute_ranks(rows: np.ndarray, columns: np.ndarray, score: np.ndarray) -> Ints:
    """1 for the best of each row; of equals, the one that comes first."""
    order = np.lexsort((columns, -score, rows))
    starts = np.searchsorted(rows[order], np.arange(rows.max() + 1))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - starts[rows[order]] + 1
    return ranks


def find_similar_products(goods: Mapping[Any, ProductFacts]) -> list[tuple[Hashable, Hashable, float, int]]:
    """(product, similar, score, rank): like by title, category and maker, for shelves that purchases do not fill."""
    products = sorted(goods)
    titles = text.vectorize_titles([goods[product].title for product in products])
    names = sorted({group for product in products for group in goods[product].groups}, key=repr)
    group_at = {name: index for index, name in enumerate(names)}
    where = [(row, group_at[name]) for row, product in enumerate(products) for name in goods[product].groups]
    rows, columns = np.array(where, dtype=np.int64).reshape(-1, 2).T
    member = np.full(len(rows), np.sqrt(_SAME_GROUP))
    groups = sparse.csr_array((member, (rows, columns)), shape=(len(products), len(names)))
    nearest = text.find_alike_titles(sparse.csr_array(sparse.hstack((titles, groups))), top=ALIKE_KEPT)
    if not nearest.nnz:
        return []
    found = sparse.coo_array(nearest)
    row_at, column_at = found.coords
    columns_of_answer = (row_at, column_at, found.data, _compute_ranks(row_at, column_at, found.data))
    return [
        (products[row], products[column], score, place)
        for row, column, score, place in zip(*(column.tolist() for column in columns_of_answer), strict=True)
    ]
