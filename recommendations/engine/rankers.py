"""Answers: scores for a batch of queries, and the rankings they make.

Scores of different kinds are brought to one scale by dividing each row by its greatest, then added. The weights were
fitted on earlier cut-offs of Online Retail (docs/recommendations.md says which, and how well they hold).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import sparse

from recommendations.engine import text
from recommendations.engine.model import HALF_LIFE, PurchaseModel
from recommendations.engine.purchases import Floats, Ints
from recommendations.engine.queries import NOBODY, RankingQuery

Ranker = Callable[[PurchaseModel, Sequence[RankingQuery]], Floats]
_BATCH = 512
_CLOSE, _NEAR = 3, 10  # known products that stand for a new one


def score_popular(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    """What was in most baskets of the last four weeks, the same for everybody."""
    return np.asarray(np.tile(model.popular(28), (len(queries), 1)))


def score_single(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return np.asarray((_build_given_matrix(model, queries) @ model.pair_scores).toarray() + model.base_scores)


def score_single_with_history(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return _scale_rows(score_single(model, queries)) + 0.8 * _score_usual_purchases(model, queries)


def score_cart(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return np.asarray((_build_given_matrix(model, queries) @ model.cart_scores).toarray() + 1e-4 * model.popular(28))


def score_cart_with_history(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return _scale_rows(score_cart(model, queries)) + 0.5 * _score_usual_purchases(model, queries)


def score_next_basket(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    """The next basket: what the customer keeps buying, the more so while it sells; then what goes with that."""
    counts = _get_own_counts(model, queries, np.inf)
    selling = 0.65 * np.sqrt(model.popular(14)) + 0.2 * np.sqrt(model.popular(28))
    usual = np.log1p(counts) + (counts > 0) * selling + 0.075 * _get_own_counts(model, queries, HALF_LIFE)
    return usual + 0.4 * score_taste(model, queries) + 0.2 * model.popular(28)


def score_next_new_products(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    """What the customer has not had: what goes with what they had, is called alike, and sells just now."""
    titles = (_get_recent_counts(model, queries) @ model.alike).toarray()
    alike = 0.3 * _scale_rows(titles * (model.popular(28) > 0)) + 0.4 * _scale_rows(titles * np.sqrt(model.popular(14)))
    return 1.3 * score_taste(model, queries) + alike + 0.5 * model.popular(7)


def score_new_products(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    """Nobody has bought these yet, so titles speak: how like it is to the three most alike things the customer bought,
    to all of them together, to what goes with them, and how well the things it is like sell.

    Only the columns of the batch's candidates are filled.
    """
    fresh = np.unique(np.concatenate([query.candidates for query in queries if query.candidates is not None]))
    titles, bought = model.title_vectors, _select_customer_rows(model.history.ever, queries)
    likeness = sparse.csr_array(titles[fresh] @ (sparse.diags_array(model.history.known * 1.0) @ titles).T)
    profile = text.normalize_rows(_select_customer_rows(model.own(HALF_LIFE), queries) @ titles)
    goes_with = _scale_rows((bought @ model.cart_scores).toarray())
    close, near = (text.keep_strongest(likeness, top=top).T.tocsr() for top in (_CLOSE, _NEAR))
    sells = model.popular(28) @ near / np.maximum(near.sum(axis=0), 1e-12)
    scores = np.zeros((len(queries), len(model.titles)))
    scores[:, fresh] = (
        _scale_rows(_score_nearest_bought(likeness.toarray(), bought))
        + 0.5 * _scale_rows((profile @ titles[fresh].T).toarray())
        + _scale_rows(goes_with @ close)
        + 0.5 * _scale_rows(sells[None, :])
    )
    return scores


def _score_nearest_bought(likeness: Floats, bought: sparse.csr_array) -> Floats:
    """Customers × new products: the sum of the greatest likenesses to something the customer bought."""
    scores = np.zeros((bought.shape[0], likeness.shape[0]))
    for row in range(bought.shape[0]):
        mine = np.sort(likeness[:, bought.indices[bought.indptr[row] : bought.indptr[row + 1]]], axis=1)
        scores[row] = mine[:, -_CLOSE:].sum(axis=1)
    return scores


RANKERS: dict[str, Ranker] = {
    "single": score_single,
    "single_history": score_single_with_history,
    "cart": score_cart,
    "cart_history": score_cart_with_history,
    "next": score_next_basket,
    "next_new": score_next_new_products,
    "new": score_new_products,
}


def rank_products(
    ranker: Ranker, model: PurchaseModel, queries: Sequence[RankingQuery], *, top: int = 10
) -> Iterator[tuple[Ints, Floats]]:
    """The best products and their scores, for each query; never what was given. Of equals, the first by key."""
    is_known = model.history.known
    for start in range(0, len(queries), _BATCH):
        batch = queries[start : start + _BATCH]
        for query, scores in zip(batch, ranker(model, batch), strict=True):
            pool = np.flatnonzero(is_known) if query.candidates is None else query.candidates
            pool = np.setdiff1d(pool, query.given)
            best = _select_best(pool, scores[pool], top)
            yield best, scores[best]


def _select_best(pool: Ints, scores: Floats, top: int) -> Ints:
    if len(pool) > top:
        good = scores >= np.partition(scores, -top)[-top]
        pool, scores = pool[good], scores[good]
    return pool[np.lexsort((pool, -scores))[:top]]


def score_taste(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    """What goes with what the customer bought, lately above all; the greatest is 1."""
    return _scale_rows((_get_recent_counts(model, queries) @ model.cart_scores).toarray())


def _score_usual_purchases(model: PurchaseModel, queries: Sequence[RankingQuery]) -> Floats:
    return 0.7 * _scale_rows(_get_own_counts(model, queries, HALF_LIFE)) + 0.3 * _scale_rows(
        _get_own_counts(model, queries, np.inf)
    )


def _get_own_counts(model: PurchaseModel, queries: Sequence[RankingQuery], half_life: float) -> Floats:
    return _select_customer_rows(model.own(half_life), queries).toarray()


def _get_recent_counts(model: PurchaseModel, queries: Sequence[RankingQuery]) -> sparse.csr_array:
    return _select_customer_rows(model.own(HALF_LIFE), queries)


def _select_customer_rows(matrix: sparse.csr_array, queries: Sequence[RankingQuery]) -> sparse.csr_array:
    """A row for each query's customer, empty for a stranger."""
    customers = np.array([query.customer for query in queries])
    rows = np.flatnonzero(customers != NOBODY)
    pick = sparse.csr_array((np.ones(len(rows)), (rows, customers[rows])), shape=(len(queries), matrix.shape[0]))
    return sparse.csr_array(pick @ matrix)


def _build_given_matrix(model: PurchaseModel, queries: Sequence[RankingQuery]) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(queries)), [len(query.given) for query in queries])
    columns = np.concatenate([query.given for query in queries])
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(queries), len(model.titles)))


def _scale_rows(scores: Floats) -> Floats:
    greatest = scores.max(axis=1, keepdims=True, initial=0.0)
    return scores / np.where(greatest > 0, greatest, 1.0)
