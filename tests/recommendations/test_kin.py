"""Who is whose sibling, told for many without comparing each with each."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations import beside
from recommendations.beside import Found, Kin, Thing, Way, are_siblings, choose

TITLES = [" ".join(words) for words in product(("Lunch", "Tall red", "Garden tin"), ("bag", "mugs", "box of cards"))]
things = st.builds(
    Thing,
    id=st.integers(1, 6),
    title=st.sampled_from(TITLES),
    category_id=st.integers(1, 2),
    maker_id=st.none(),
    sizes=st.sets(st.sampled_from("SML"), max_size=2).map(sorted),
)


@given(given_ones=st.lists(things, max_size=6, unique_by=lambda thing: thing.id), found=things)
def test_it_finds_whom_comparing_each_with_each_finds(given_ones, found):
    one_by_one = any(are_siblings(found, other) for other in given_ones if other.id != found.id)
    assert Kin(given_ones).has_sibling_of(found) == one_by_one


@pytest.mark.parametrize("each", ["same sizes", "same words", "same kind"])
def test_whatever_makes_siblings_is_found(each):
    bag = Thing(1, "Red lunch bag with dinosaurs", 1, None, ["S"])
    other = {
        "same sizes": Thing(2, "Garden chair", 1, None, ["S", "M"]),
        "same words": Thing(2, "Lunch bag straps", 2, None, []),
        "same kind": Thing(2, "Paper bag", 2, None, []),
    }[each]
    assert are_siblings(bag, other)
    assert Kin([bag]).has_sibling_of(other)
    assert not Kin([bag]).has_sibling_of(bag)


def test_what_shares_nothing_is_not_compared(monkeypatch):
    compared = []
    monkeypatch.setattr(beside, "are_siblings", lambda *pair: compared.append(pair))
    kin = Kin([Thing(1, "Lunch bag", 1, None, ["S"]), Thing(2, "Garden chair", 1, None, ["M"])])
    assert not kin.has_sibling_of(Thing(3, "Tall lamp", 1, None, ["L"]))
    assert not kin.has_sibling_of(Thing(4, "Oak chair", 2, None, ["S"]))
    assert [{one.id, other.id} for one, other in compared] == [{4, 2}] * len(compared)


def test_a_shelf_that_is_full_asks_no_further():
    titles = ["Lunch bag", "Garden chair", "Tall lamp", "Oak table", "Tin mug"]
    found = (
        Found(thing, Way.PAIR, thing) for thing in (Thing(at, title, at, None, []) for at, title in enumerate(titles))
    )
    assert [each.product_id for each in choose(found, limit=2)] == [0, 1]
    assert [each.product_id for each in found] == [2, 3, 4]


def test_what_had_to_wait_for_its_maker_comes_first_again():
    makers = [7, 7, 7, 8, 9, 9]
    titles = ["Lunch bag", "Garden chair", "Tall lamp", "Oak table", "Tin mug", "Straw hat"]
    things = (Thing(at, title, at, maker, []) for at, (title, maker) in enumerate(zip(titles, makers, strict=True)))
    chosen = choose((Found(thing, Way.PAIR, thing) for thing in things), limit=6)
    assert [each.product_id for each in chosen] == [0, 1, 3, 4, 2, 5]
