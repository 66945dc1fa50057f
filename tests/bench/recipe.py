"""The best recipe known for each task, to run beside ours on the same queries.

Weights 0.5^(age/90 d)/√size; score C/(n_q^α·n_c^(1−α)+shrink), the top 50 kept. `single`: α .7, shrink 4, plus .25 of a
14-day popularity prior. `cart`: α .5, shrink 1, blended with EASE. With history: plus .35 of the customer's own decayed
frequency. `next`: own counts, popularity for ties. `next_new`: EASE. `new`: text profile and the nearest three bought.
It keeps no k: every pair counts, as in the literature.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse

from recommendations.engine import pairs, rankers, text
from recommendations.engine.model import PurchaseModel
from recommendations.engine.purchases import Floats
from recommendations.engine.queries import RankingQuery

EASE_RIDGE = 300.0  # the best of 200, 300 and 600 on the earlier cut-offs
KEPT = 50


def popularity(model: PurchaseModel, days: int) -> Floats:
    recent = model.history.between(start=model.today - days).baskets.contents.sum(axis=0)
    return np.asarray(recent / recent.max())


@lru_cache(maxsize=4)
def neighbours(model: PurchaseModel, alpha: float, shrink: float) -> sparse.csr_array:
    counted = pairs.weigh_co_purchases(model.baskets, today=model.today, half_life=90).tocoo()
    rows, columns = counted.coords
    size = counted.diagonal()
    scores = counted.data / (size[rows] ** alpha * size[columns] ** (1 - alpha) + shrink)
    apart = rows != columns
    found = sparse.csr_array((scores[apart], (rows[apart], columns[apart])), shape=counted.shape)
    return text.keep_strongest(found, top=KEPT)


@lru_cache(maxsize=2)
def ease(model: PurchaseModel, ridge: float = EASE_RIDGE) -> Floats:
    contents = model.baskets.contents
    inverse = np.linalg.inv((contents.T @ contents).toarray() + ridge * np.eye(contents.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def own(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return rankers._scale_rows(rankers._get_own_counts(model, queries, 90.0))


def single(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    beside = (rankers._build_given_matrix(model, queries) @ neighbours(model, 0.7, 4.0)).toarray()
    return rankers._scale_rows(beside) + 0.25 * popularity(model, 14)


def cart(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    given = rankers._build_given_matrix(model, queries)
    beside = rankers._scale_rows((given @ neighbours(model, 0.5, 1.0)).toarray())
    return 0.5 * beside + 0.5 * rankers._scale_rows(given @ ease(model))


def following(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return rankers._get_own_counts(model, queries, np.inf) + 0.5 * popularity(model, 28)


def following_new(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return (rankers._get_own_counts(model, queries, np.inf) > 0) @ ease(model)


def new(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    titles = model.title_vectors
    bought = model.history.ever[[query.customer for query in queries]]
    profile = text.normalize_rows(sparse.csr_array(bought @ titles))
    scores = (profile @ titles.T).toarray()
    for row in range(len(queries)):
        mine = bought[[row]].indices
        nearest = np.sort((titles[mine] @ titles.T).toarray(), axis=0)[-3:]
        scores[row] += nearest.sum(axis=0) / 3
    return scores


RECIPES: dict[str, rankers.Ranker] = {
    "single": single,
    "single_history": lambda model, queries: single(model, queries) + 0.35 * own(model, queries),
    "cart": cart,
    "cart_history": lambda model, queries: cart(model, queries) + 0.35 * own(model, queries),
    "next": following,
    "next_new": following_new,
    "new": new,
}
