"""Who is whose sibling, told for many without comparing each with each."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations import beside
from recommendations.beside import Kin, Thing, are_siblings

TITLES = [" ".join(words) for words in product(("Lunch", "Tall red", "Garden tin"), ("bag", "mugs", "box of cards"))]
things = st.builds(
    Thing,
    id=st.integers(1, 6),
    title=st.sampled_from(TITLES),
    category_id=st.integers(1, 2),
    maker_id=st.none(),
    sizes=st.sets(st.sampled_from("SML"), max_size=2).map(sorted),
)


@given(given_ones=st.lists(things, max_size=6), found=things)
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
