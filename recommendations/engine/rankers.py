"""Answers: scores for a batch of queries, and the rankings they make.

Scores of different kinds are brought to one scale by dividing each row by its greatest, then added. The weights were
fitted on earlier cut-offs of Online Retail (docs/recommendations.md says which, and how well they hold).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import sparse

from recommendations.engine import text
from recommendations.engine.model import HALF_LIFE, Model
from recommendations.engine.purchases import Floats, Ints
from recommendations.engine.queries import NOBODY, Query

Ranker = Callable[[Model, Sequence[Query]], Floats]
_BATCH = 512
_CLOSE, _NEAR = 3, 10  # known products that stand for a new one


def popular(model: Model, queries: Sequence[Query]) -> Floats:
    """What was in most baskets of the last four weeks, the same for everybody."""
    return np.asarray(np.tile(model.popular(28), (len(queries), 1)))


def single(model: Model, queries: Sequence[Query]) -> Floats:
    return np.asarray((_given(model, queries) @ model.beside_one).toarray() + model.beside_anything)


def single_history(model: Model, queries: Sequence[Query]) -> Floats:
    return _scaled(single(model, queries)) + 0.8 * _usual(model, queries)


def cart(model: Model, queries: Sequence[Query]) -> Floats:
    return np.asarray((_given(model, queries) @ model.beside_several).toarray() + 1e-4 * model.popular(28))


def cart_history(model: Model, queries: Sequence[Query]) -> Floats:
    return _scaled(cart(model, queries)) + 0.5 * _usual(model, queries)


def following(model: Model, queries: Sequence[Query]) -> Floats:
    """The next basket: what the customer keeps buying, the more so while it sells; then what goes with that."""
    counts = _own(model, queries, np.inf)
    selling = 0.65 * np.sqrt(model.popular(14)) + 0.2 * np.sqrt(model.popular(28))
    usual = np.log1p(counts) + (counts > 0) * selling + 0.075 * _own(model, queries, HALF_LIFE)
    return usual + 0.4 * taste(model, queries) + 0.2 * model.popular(28)


def following_new(model: Model, queries: Sequence[Query]) -> Floats:
    """What the customer has not had: what goes with what they had, is called alike, and sells just now."""
    titles = (_lately(model, queries) @ model.alike).toarray()
    alike = 0.3 * _scaled(titles * (model.popular(28) > 0)) + 0.4 * _scaled(titles * np.sqrt(model.popular(14)))
    return 1.3 * taste(model, queries) + alike + 0.5 * model.popular(7)


def new(model: Model, queries: Sequence[Query]) -> Floats:
    """Nobody has bought these yet, so titles speak: how like it is to the three most alike things the customer bought,
    to all of them together, to what goes with them, and how well the things it is like sell.

    Only the columns of the batch's candidates are filled.
    """
    fresh = np.unique(np.concatenate([query.candidates for query in queries if query.candidates is not None]))
    titles, bought = model.title_vectors, _of_customers(model.history.ever, queries)
    likeness = sparse.csr_array(titles[fresh] @ (sparse.diags_array(model.history.known * 1.0) @ titles).T)
    profile = text.unit_rows(_of_customers(model.own(HALF_LIFE), queries) @ titles)
    goes_with = _scaled((bought @ model.beside_several).toarray())
    close, near = (text.strongest(likeness, top=top).T.tocsr() for top in (_CLOSE, _NEAR))
    sells = model.popular(28) @ near / np.maximum(near.sum(axis=0), 1e-12)
    scores = np.zeros((len(queries), len(model.titles)))
    scores[:, fresh] = (
        _scaled(_nearest_bought(likeness.toarray(), bought))
        + 0.5 * _scaled((profile @ titles[fresh].T).toarray())
        + _scaled(goes_with @ close)
        + 0.5 * _scaled(sells[None, :])
    )
    return scores


def _nearest_bought(likeness: Floats, bought: sparse.csr_array) -> Floats:
    """Customers × new products: the sum of the greatest likenesses to something the customer bought."""
    scores = np.zeros((bought.shape[0], likeness.shape[0]))
    for row in range(bought.shape[0]):
        mine = np.sort(likeness[:, bought.indices[bought.indptr[row] : bought.indptr[row + 1]]], axis=1)
        scores[row] = mine[:, -_CLOSE:].sum(axis=1)
    return scores


RANKERS: dict[str, Ranker] = {
    "single": single,
    "single_history": single_history,
    "cart": cart,
    "cart_history": cart_history,
    "next": following,
    "next_new": following_new,
    "new": new,
}


def rank(ranker: Ranker, model: Model, queries: Sequence[Query], *, top: int = 10) -> Iterator[tuple[Ints, Floats]]:
    """The best products and their scores, for each query; never what was given. Of equals, the first by key."""
    is_known = model.history.known
    for start in range(0, len(queries), _BATCH):
        batch = queries[start : start + _BATCH]
        for query, scores in zip(batch, ranker(model, batch), strict=True):
            pool = np.flatnonzero(is_known) if query.candidates is None else query.candidates
            pool = np.setdiff1d(pool, query.given)
            best = _best(pool, scores[pool], top)
            yield best, scores[best]


def _best(pool: Ints, scores: Floats, top: int) -> Ints:
    if len(pool) > top:
        good = scores >= np.partition(scores, -top)[-top]
        pool, scores = pool[good], scores[good]
    return pool[np.lexsort((pool, -scores))[:top]]


def taste(model: Model, queries: Sequence[Query]) -> Floats:
    """What goes with what the customer bought, lately above all; the greatest is 1."""
    return _scaled((_lately(model, queries) @ model.beside_several).toarray())


def _usual(model: Model, queries: Sequence[Query]) -> Floats:
    return 0.7 * _scaled(_own(model, queries, HALF_LIFE)) + 0.3 * _scaled(_own(model, queries, np.inf))


def _own(model: Model, queries: Sequence[Query], half_life: float) -> Floats:
    return _of_customers(model.own(half_life), queries).toarray()


def _lately(model: Model, queries: Sequence[Query]) -> sparse.csr_array:
    return _of_customers(model.own(HALF_LIFE), queries)


def _of_customers(matrix: sparse.csr_array, queries: Sequence[Query]) -> sparse.csr_array:
    """A row for each query's customer, empty for a stranger."""
    customers = np.array([query.customer for query in queries])
    rows = np.flatnonzero(customers != NOBODY)
    pick = sparse.csr_array((np.ones(len(rows)), (rows, customers[rows])), shape=(len(queries), matrix.shape[0]))
    return sparse.csr_array(pick @ matrix)


def _given(model: Model, queries: Sequence[Query]) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(queries)), [len(query.given) for query in queries])
    columns = np.concatenate([query.given for query in queries])
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(queries), len(model.titles)))


def _scaled(scores: Floats) -> Floats:
    greatest = scores.max(axis=1, keepdims=True, initial=0.0)
    return scores / np.where(greatest > 0, greatest, 1.0)
