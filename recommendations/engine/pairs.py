"""Which products are bought together: how often, how lately, and by how many people."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy import sparse

from recommendations.engine.purchases import Baskets, Ints, sort_distinct

DRAWN = 2.0  # so many times as often as expected
LEAST_EXPECTED = 1.5  # baskets: a few more than that prove little
PRIOR_BASKETS, PRIOR_LINES = 20, 50  # without the first: before that nothing is known to sell to everybody
_CHUNK = 4_000_000  # ordered pairs held at once
_ROWS_AT_ONCE = 512


def compute_decay(baskets: Baskets, *, today: int, half_life: float) -> np.ndarray:
    """A basket's weight: half as much for every `half_life` days of age."""
    return np.asarray(0.5 ** (np.maximum(today - baskets.day, 0) / half_life))


def weigh_co_purchases(baskets: Baskets, *, today: int, half_life: float) -> sparse.csr_array:
    """Products × products: the summed weight of baskets with both, and on the diagonal of those with one.

    A basket weighs 0.5^(age/half life)/√size: a wholesaler's two hundred lines say little about each pair.
    """
    weighted = _weigh_lines(baskets, today=today, half_life=half_life)
    return sparse.csr_array(baskets.contents.T @ weighted)


def weigh_by_rows(baskets: Baskets, *, today: int, half_life: float) -> Iterator[sparse.csr_array]:
    """The same a few rows at a time, where the whole would be large."""
    weighted, by_product = _weigh_lines(baskets, today=today, half_life=half_life), baskets.contents.T.tocsr()
    for start in range(0, by_product.shape[0], _ROWS_AT_ONCE):
        yield sparse.csr_array(by_product[start : start + _ROWS_AT_ONCE] @ weighted)


def _weigh_lines(baskets: Baskets, *, today: int, half_life: float) -> sparse.csr_array:
    weight = compute_decay(baskets, today=today, half_life=half_life) / np.sqrt(np.maximum(baskets.sizes, 1))
    return sparse.csr_array(sparse.diags_array(weight) @ baskets.contents)


def compute_support(baskets: Baskets, *, k: int) -> sparse.csr_array:
    """Products × products: how many distinct customers have both in one basket; pairs under `k` are not there."""
    width = baskets.contents.shape[1]
    keys, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for start, end in _split_by_customer(baskets):
        found = np.concatenate((keys, _find_pairs_per_customer(baskets, start, end)))
        weights = np.concatenate((counts, np.ones(len(found) - len(keys), np.int64)))
        order = np.argsort(found)
        found, weights = found[order], weights[order]
        starts = np.flatnonzero(np.diff(found, prepend=-1))
        keys, counts = found[starts], np.add.reduceat(weights, starts) if len(starts) else weights
    keys, counts = keys[counts >= k], counts[counts >= k]
    upper = sparse.coo_array((counts, (keys // width, keys % width)), shape=(width, width))
    return sparse.csr_array(upper + upper.T)


def are_drawn(baskets: Baskets, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Of each pair, whether the second is bought with the first more than its sales elsewhere explain.

    Expected, whichever is more: as large a share of the baskets with the first, or of what else lies in them, as it has
    in baskets without. So what sells to everybody goes with nothing in particular, however large the baskets are. Where
    little was sold otherwise, or there are too few baskets to tell, what was bought together goes together.
    """
    contents = baskets.contents
    together = sparse.csr_array(contents.T @ contents)
    count = together.diagonal()
    lines = np.asarray(contents.T @ baskets.sizes)  # of the baskets with each product, its own among them
    both = np.asarray(together[rows, columns])
    by_basket = count[rows] / (baskets.count - count[rows] + PRIOR_BASKETS)
    by_line = (lines - count)[rows] / (contents.nnz - lines[rows] + PRIOR_LINES)
    expected = (count[columns] - both) * np.maximum(by_basket, by_line)
    return np.asarray(both >= DRAWN * (expected + LEAST_EXPECTED))


def _split_by_customer(baskets: Baskets) -> list[tuple[int, int]]:
    """Runs of baskets that hold about `_CHUNK` pairs and never split a customer."""
    cost = np.cumsum(baskets.sizes**2)
    ends = np.flatnonzero(np.diff(baskets.customer, append=-1)) + 1  # where a customer's baskets end
    bounds, spent = [0], 0
    for end in ends:
        if cost[end - 1] - spent >= _CHUNK or end == baskets.count:
            bounds.append(int(end))
            spent = int(cost[end - 1])
    return list(pairwise(bounds))


def _find_pairs_per_customer(baskets: Baskets, start: int, end: int) -> Ints:
    """Keys (left × width + right, left < right) of the pairs of these baskets, each once per customer."""
    lines = baskets.contents[start:end]
    sizes = baskets.sizes[start:end]
    width = lines.shape[1]
    repeats = np.repeat(sizes, sizes)  # each line meets every line of its basket
    left = np.repeat(np.arange(len(lines.indices)), repeats)
    first_meeting = np.repeat(np.cumsum(repeats) - repeats, repeats)
    basket_start = np.repeat(np.repeat(lines.indptr[:-1], sizes), repeats)
    right = basket_start + np.arange(len(left)) - first_meeting
    upper = lines.indices[left] < lines.indices[right]
    keys = lines.indices[left[upper]].astype(np.int64) * width + lines.indices[right[upper]]
    _, person = np.unique(baskets.customer[start:end], return_inverse=True)
    person = np.repeat(np.repeat(person, sizes), repeats)[upper]
    return sort_distinct(person * width**2 + keys) % width**2
