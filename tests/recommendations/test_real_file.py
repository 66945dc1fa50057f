"""The real file's shelves read as they were evaluated, however long ago it all was. Needs SHARED_DATA, and says so."""

import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from recommendations.engine import metrics, queries, rankers
from recommendations.engine.model import K
from recommendations.engine.published import ProductFacts, PublishedTables, compute_published_tables
from recommendations.engine.purchases import PurchaseRow, Purchases, to_epoch_days
from recommendations.evaluation import EvaluationBench, OrderHistory

CUTOFF = datetime(2011, 10, 14)  # noqa: DTZ001  (wall time)
YEARS_LATER = datetime(2026, 11, 26, 15)  # noqa: DTZ001
FILE = "online_retail.csv.gz"
SHARE = 3  # one customer in so many: a bounded sample


@pytest.fixture(scope="module")
def history() -> OrderHistory:
    folder = os.environ.get("SHARED_DATA")
    if not folder or not (Path(folder) / FILE).exists():
        pytest.skip(f"not run: SHARED_DATA is not set, or has no {FILE}")
    found = OrderHistory()
    found.add(Path(folder) / FILE)
    found.rows = [row for row in found.rows if int(row.customer) % SHARE == 0]
    return found


@pytest.fixture(scope="module")
def bench(history) -> EvaluationBench:
    return EvaluationBench.of(history, k=K)


@pytest.fixture(scope="module")
def tables(history, bench) -> PublishedTables:
    """What a shop of today publishes that knows the file up to the cut-off."""
    return published(history, bench.purchases.between(end=to_epoch_days(CUTOFF)))


def published(history: OrderHistory, purchases: Purchases) -> PublishedTables:
    return compute_published_tables(
        purchases, {sku: ProductFacts(title) for sku, title in history.titles.items()}, cutoff=YEARS_LATER, k=K
    )


def served(tables, bench: EvaluationBench, posed: list[queries.RankingQuery]) -> list[np.ndarray]:
    """The ten best beside each cart, as the shelf's statement finds them: published cart scores, summed."""
    beside = defaultdict(list)
    for pair in tables.together:
        beside[pair.product].append((pair.similar, pair.cart_score))
    keys, index = bench.purchases.products, bench.purchases.product_index
    answers = []
    for query in posed:
        scores: dict[str, float] = defaultdict(float)
        for given in query.given:
            for similar, score in beside[keys[given]]:
                scores[similar] += score
        ranked = sorted((-score, index[key]) for key, score in scores.items() if index[key] not in set(query.given))
        answers.append(np.array([product for _, product in ranked[:10]], dtype=np.int64))
    return answers


def gain(answers: list[np.ndarray], posed: list[queries.RankingQuery]) -> float:
    return float(metrics.measure_rankings(answers, posed)["ndcg@10"].mean())


def test_the_real_files_shelves_read_as_evaluated(bench, tables, capsys):
    model = bench.train_model_at(to_epoch_days(CUTOFF))
    posed = queries.build_queries(model.history, bench.purchases.between(to_epoch_days(CUTOFF)))["cart"]
    evaluated = gain([best for best, _ in rankers.rank_products(rankers.score_cart, model, posed)], posed)
    on_the_shelf = gain(served(tables, bench, posed), posed)
    with capsys.disabled():
        print(f"\ncart, N@10: evaluated {evaluated:.3f}, on the shelf {on_the_shelf:.3f}")  # noqa: T201
    assert on_the_shelf >= 0.95 * evaluated
    assert len(tables.popular) > 100


def test_one_purchase_of_today_does_not_forget_the_past(history, bench, tables):
    """The shop that imported its history opens: its first order must not make all the rest fifteen years old."""
    rows = [row for row in history.rows if row.bought_at < CUTOFF]
    opening = PurchaseRow("0", bench.purchases.products[0], YEARS_LATER)
    joined = published(history, Purchases.of([*rows, opening]))
    first = {pair.product: pair.similar for pair in tables.together if pair.rank == 1}
    still = {pair.product: pair.similar for pair in joined.together if pair.rank == 1}
    same = sum(first[product] == still.get(product) for product in first) / len(first)
    assert same > 0.97
    assert len(joined.popular) > 0.8 * len(tables.popular)
