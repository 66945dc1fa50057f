"""How good a ranking was: per query, so that two rankers can be compared on the same ones."""

from collections.abc import Sequence

import numpy as np

from recommendations.engine.purchases import Floats, Ints
from recommendations.engine.queries import RankingQuery


def measure_rankings(rankings: Sequence[Ints], queries: Sequence[RankingQuery], *, at: int = 10) -> dict[str, Floats]:
    """NDCG, hit rate and recall at a cut, one number per query. The ideal puts min(wanted, cut) hits on top."""
    discount = 1 / np.log2(np.arange(2, at + 2))
    gain, hit, recall = (np.zeros(len(queries)) for _ in range(3))
    for row, (ranking, query) in enumerate(zip(rankings, queries, strict=True)):
        hits = np.isin(ranking[:at], query.wanted)
        gain[row] = discount[: len(hits)][hits].sum() / discount[: min(query.wanted_count, at)].sum()
        hit[row] = hits.any()
        recall[row] = hits.sum() / query.wanted_count
    return {f"ndcg@{at}": gain, f"hr@{at}": hit, f"recall@{at}": recall}


def bootstrap_difference(ours: Floats, theirs: Floats, *, draws: int = 2000, seed: int = 1) -> tuple[float, float]:
    """The 95 % interval of the mean difference, queries drawn again and again in pairs."""
    random = np.random.default_rng(seed)
    difference = ours - theirs
    means = [difference[random.integers(0, len(difference), len(difference))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
