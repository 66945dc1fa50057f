"""The engine on purchases small enough to count by hand."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine import metrics, pairs, queries, rankers, text
from recommendations.engine.model import EASE_DROPOUT, EASE_RIDGE, PurchaseModel
from recommendations.engine.published import ProductFacts, compute_published_tables, find_similar_products
from recommendations.engine.purchases import PurchaseRow, Purchases, to_epoch_days
from recommendations.engine.queries import RankingQuery

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001  (wall time)
TODAY = int(to_epoch_days(NOON))


def row(customer: str, product: str, *, days_ago: float = 0, quantity: int = 1) -> PurchaseRow:
    return PurchaseRow(customer, product, NOON - timedelta(days=days_ago), quantity)


def baskets(*contents: str, days_ago: float = 0) -> list[PurchaseRow]:
    """A customer for each: "ab" bought a and b together."""
    return [row(f"{name}{days_ago}", item, days_ago=days_ago) for name, items in enumerate(contents) for item in items]


def model(rows: list[PurchaseRow], *, k: int = 1, titles: dict[str, str] | None = None) -> PurchaseModel:
    purchases = Purchases.of(rows, products=list(titles or {}))
    return PurchaseModel(purchases, TODAY, [(titles or {}).get(key, "") for key in purchases.products], k)


def test_a_basket_is_a_customer_and_a_day():
    rows = [
        row("ann", "a", days_ago=0.4),
        row("ann", "b"),
        row("ann", "a"),
        row("ann", "c", days_ago=1),
        row("bo", "a"),
    ]
    made = Purchases.of(rows).baskets
    assert made.contents.toarray().tolist() == [[0, 0, 1], [1, 1, 0], [1, 0, 0]]
    assert made.customer.tolist() == [0, 0, 1]
    assert made.day.tolist() == [TODAY - 1, TODAY, TODAY]


def test_the_order_of_rows_does_not_matter():
    rows = baskets("abc", "bd", "ad")
    straight, turned = Purchases.of(rows), Purchases.of(rows[::-1])
    assert straight.products == turned.products
    assert straight.product.tolist() == turned.product.tolist()


def test_quantities_of_none_or_less_are_no_purchase():
    purchases = Purchases.of([row("ann", "a", quantity=0), row("ann", "b", quantity=-3), row("ann", "c")])
    assert purchases.products == ("c",)


def test_the_engine_stands_an_empty_shop():
    empty = compute_published_tables(Purchases.of([]), {}, cutoff=NOON, k=5)
    assert (empty.together, empty.popular) == ([], {})
    nobody = compute_published_tables(
        Purchases.of([], products=["a", "b"]), {"a": ProductFacts("A"), "b": ProductFacts("B")}, cutoff=NOON, k=5
    )
    assert nobody.together == []


def test_co_occurrence_decays_by_age_and_basket_size():
    together = pairs.weigh_co_purchases(
        Purchases.of([*baskets("ab"), *baskets("abcd", days_ago=90)]).baskets, today=TODAY, half_life=90
    )
    assert together[[0], [1]][0] == pytest.approx(1 / np.sqrt(2) + 0.5 / np.sqrt(4))
    assert together[[2], [3]][0] == pytest.approx(0.5 / 2)


def test_support_counts_customers_not_baskets():
    rows = [row("ann", item, days_ago=day) for item in "ab" for day in range(9)]
    rows += [row("bo", "a"), row("bo", "b"), row("cy", "a", days_ago=1), row("cy", "b")]  # Cy: not in one basket
    assert pairs.compute_support(Purchases.of(rows).baskets, k=1).toarray().tolist() == [[0, 2], [2, 0]]
    assert pairs.compute_support(Purchases.of(rows).baskets, k=3).nnz == 0


def test_support_is_the_same_however_it_is_cut(monkeypatch):
    random = np.random.default_rng(3)
    rows = [row(str(c), str(p), days_ago=int(d)) for c, p, d in random.integers(0, (30, 12, 5), (400, 3))]
    whole = pairs.compute_support(Purchases.of(rows).baskets, k=2).toarray()
    monkeypatch.setattr(pairs, "_CHUNK", 50)
    assert (pairs.compute_support(Purchases.of(rows).baskets, k=2).toarray() == whole).all()


def in_one_basket(rows: list[PurchaseRow]) -> dict[tuple[str, str], set[str]]:
    """Slowly and plainly: who has which two in one basket."""
    held: dict[tuple[str, object], set[str]] = {}
    for item in rows:
        held.setdefault((item.customer, item.bought_at.date()), set()).add(item.product)
    found: dict[tuple[str, str], set[str]] = {}
    for (customer, _), items in held.items():
        for left in items:
            for right in items - {left}:
                found.setdefault((left, right), set()).add(customer)
    return found


purchases_of_some = st.lists(
    st.builds(row, st.sampled_from("mnopqr"), st.sampled_from("abcdef"), days_ago=st.integers(0, 40)), max_size=80
)


@settings(max_examples=150, deadline=None)
@given(purchases_of_some, st.integers(1, 4))
def test_no_pair_and_no_best_seller_of_fewer_than_k_customers_is_ever_published(rows, k):
    goods = {name: ProductFacts(f"Thing {name}") for name in "abcdef"}
    tables = compute_published_tables(
        Purchases.of(rows, products=list(goods)), goods, cutoff=NOON + timedelta(hours=1), k=k
    )
    people = in_one_basket(rows)
    assert {(p.product, p.similar): p.support for p in tables.together} == {
        pair: len(who) for pair, who in people.items() if len(who) >= k
    }
    for product in tables.popular:
        assert len({item.customer for item in rows if item.product == product}) >= k


@settings(max_examples=60, deadline=None)
@given(purchases_of_some, st.sampled_from("mnopqr"), st.randoms())
def test_the_rows_alone_decide_whatever_their_order_and_whoever_was_there_before(rows, leaver, random):
    goods = {name: ProductFacts(f"Thing {name}") for name in "abcdef"}

    def tables(wanted):
        return compute_published_tables(Purchases.of(wanted, products=list(goods)), goods, cutoff=NOON, k=2)

    tables(rows)
    staying = [item for item in rows if item.customer != leaver]
    shuffled = random.sample(staying, len(staying))
    assert tables(staying) == tables(shuffled)


def test_nothing_after_the_cut_off_is_known():
    later = row("zoe", "b", days_ago=-1)
    rows = [*baskets("ab", "ab"), later, row("zoe", "a", days_ago=-1)]
    tables = compute_published_tables(Purchases.of(rows), {}, cutoff=NOON + timedelta(minutes=1), k=1)
    assert {pair.support for pair in tables.together} == {2}


def test_ranks_follow_scores():
    tables = compute_published_tables(
        Purchases.of(baskets("ab", "ab", "ab", "ac", "b", "c")), {}, cutoff=NOON + timedelta(minutes=1), k=1
    )
    beside_a = [pair for pair in tables.together if pair.product == "a"]
    assert [(pair.similar, pair.rank) for pair in beside_a] == [("b", 1), ("c", 2)]
    assert beside_a[0].score > beside_a[1].score


def test_without_ease_a_large_shop_still_has_cart_scores(monkeypatch):
    monkeypatch.setattr("recommendations.engine.model.EASE_LIMIT", 1)
    assert model(baskets("ab", "ab", "ac")).cart_scores.nnz > 0


def test_ease_is_what_its_formula_says():
    made = model(baskets("ab", "abc", "bc", "a"))
    weight = 1 / np.sqrt(made.baskets.sizes)
    contents = made.baskets.contents.toarray()
    gram = contents.T @ (weight[:, None] * contents)
    inverse = np.linalg.inv(gram + EASE_RIDGE * np.eye(3) + EASE_DROPOUT * np.diag(np.diag(gram)))
    expected = -inverse / np.diag(inverse)
    expected[made.support.toarray() == 0] = 0
    np.fill_diagonal(expected, 0)
    assert made._ease.toarray() == pytest.approx(expected)


def test_popular_counts_recent_baskets_of_k_customers():
    rows = [*baskets("a", "a", "b"), *baskets("bbb", "b", days_ago=40)]
    assert model(rows, k=2).popular(28).tolist() == [1.0, 0.0]


def test_titles_alike_share_words_whatever_their_number_or_case():
    titles = text.vectorize_titles(["RED wool socks", "Red Wool Sock", "Tin mug", ""])
    likeness = (titles @ titles.T).toarray()
    assert likeness[0, 1] == pytest.approx(1)
    assert likeness[0, 2] == 0
    assert likeness[3, 3] == 0


def test_the_strongest_of_a_row_are_kept_and_ties_go_to_the_first():
    matrix = sparse.csr_array(np.array([[0.5, 0.9, 0.5, 0.1], [0, 0, 0, 0.3]]))
    assert text.keep_strongest(matrix, top=2).toarray().tolist() == [[0.5, 0.9, 0, 0], [0, 0, 0, 0.3]]


def test_alike_goes_by_title_then_category_and_maker():
    goods = {
        1: ProductFacts("Wool socks", frozenset({"Socks", "Fell"})),
        2: ProductFacts("Wool socks, long", frozenset({"Socks"})),
        3: ProductFacts("Cotton tights", frozenset({"Socks"})),
        4: ProductFacts("Tin mug", frozenset({"Mugs"})),
    }
    assert [
        similar
        for product, similar, *_ in sorted(find_similar_products(goods), key=lambda a: (a[0], -a[2]))
        if product == 1
    ] == [
        2,
        3,
    ]


def test_a_new_thing_is_ranked_by_what_its_title_recalls():
    titles = {"s1": "Wool socks", "m1": "Tin mug", "new sock": "Wool socks, striped", "new mug": "Tin mug, blue"}
    made = model([row("ann", "s1"), row("bo", "m1")], titles=titles)
    fresh = np.array([made.history.product_index["new mug"], made.history.product_index["new sock"]])
    posed = [RankingQuery(made.history.customer_index[name], candidates=fresh) for name in ("ann", "bo")]
    ranked = [
        made.history.products[best[0]] for best, _ in rankers.rank_products(rankers.score_new_products, made, posed)
    ]
    assert ranked == ["new sock", "new mug"]


def test_nothing_given_is_ranked_and_strangers_get_an_answer_from_every_ranker():
    made = model(baskets("abc", "abd", "bcd"), titles=dict.fromkeys("abcde", "Thing"))
    a, e = made.history.product_index["a"], made.history.product_index["e"]
    for task in queries.TASKS:
        posed = [RankingQuery(given=np.array([a]), candidates=np.array([a, e]) if task == "new" else None)]
        [(best, scores)] = rankers.rank_products(rankers.RANKERS[task], made, posed)
        assert a not in best
        assert len(best) == len(scores) > 0
        assert np.isfinite(scores).all()


def test_ndcg_recall_and_hits_by_hand():
    query = RankingQuery(wanted=np.array([1, 2]), wanted_count=3)
    measured = metrics.measure_rankings([np.array([7, 1, 8, 2])], [query])
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert measured["ndcg@10"][0] == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / ideal)
    assert measured["recall@10"][0] == pytest.approx(2 / 3)
    assert measured["hr@10"][0] == 1
    assert metrics.measure_rankings([np.array([7, 8])], [query], at=1)["hr@1"][0] == 0


def test_the_bootstrap_holds_a_steady_difference():
    theirs = np.linspace(0, 1, 200)
    low, high = metrics.bootstrap_difference(theirs + 0.1, theirs)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)
    low, high = metrics.bootstrap_difference(theirs, theirs[::-1])
    assert low < 0 < high


def test_the_tasks_ask_what_they_promise():
    history = [row("ann", item, days_ago=10) for item in "abcdefgh"] + [row("bo", "a", days_ago=10)]
    future = [row("ann", item) for item in "abcdef"] + [row("ann", "new")] + [row("bo", "b"), row("cy", "c")]
    everything = Purchases.of(history + future)
    posed = queries.build_queries(everything.between(end=TODAY), everything.between(TODAY))
    key = everything.product_index

    assert len(posed["single"]) == queries.SINGLES_PER_BASKET
    assert {(len(query.given), len(query.wanted)) for query in posed["single"]} == {(1, 5)}
    assert posed["single_history"] == posed["single"]
    [cart] = posed["cart"]
    assert (len(cart.given), len(cart.wanted)) == (3, 3)
    assert sorted(np.concatenate((cart.given, cart.wanted)).tolist()) == sorted(key[item] for item in "abcdef")

    ann, bo = posed["next"]
    assert (len(ann.wanted), ann.wanted_count) == (6, 7)  # the unknown product counts and cannot be found
    assert bo.wanted.tolist() == [key["b"]]
    new_to_ann, new_to_bo = posed["next_new"]
    assert (len(new_to_ann.wanted), new_to_ann.wanted_count) == (0, 1)
    assert new_to_bo.given.tolist() == [key["a"]]

    [window] = queries.build_new_product_queries(everything, start=TODAY)
    assert window.customer == everything.customer_index["ann"]
    assert window.candidates.tolist() == window.wanted.tolist() == [key["new"]]
