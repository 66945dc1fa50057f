"""A shelf is one declaration: half of one is refused before the shop starts."""

from dataclasses import replace

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommendations import checks
from recommendations.picks import FOR_YOU, FROM_VISIT, GOES_WELL, JUST_IN, SHELVES, Page, shelf
from shop import start
from shop.registry import RegisteredTwiceError


def test_the_shelves_of_the_shop_are_whole():
    assert checks.check_shelves_are_whole(None) == []


def change_switch(made, **fields):
    first, *others = made.stands_on
    return replace(made, stands_on=(replace(first, **fields), *others))


@pytest.mark.parametrize(
    ("half_made", "number", "words"),
    [
        (replace(FOR_YOU, stands_on=()), "E001", "is personal and names no purpose"),
        (change_switch(FOR_YOU, key="watch_everything"), "E001", "'watch_everything', which does not exist"),
        (change_switch(GOES_WELL, key="watch_everything"), "E001", "'watch_everything', which does not exist"),
        (replace(JUST_IN, pages=()), "E002", "stands on no page"),
        (replace(FROM_VISIT, pages=(Page.HOME, Page.CART)), "E002", "the page cart shows no such shelf"),
        (replace(FOR_YOU, pick=None), "E003", "nothing comes to it"),
        (replace(JUST_IN, pick=FOR_YOU.pick), "E003", "which nobody calls"),
        (replace(JUST_IN, title=""), "E004", "has no title"),
        (replace(JUST_IN, title="For you"), "E004", "has the title of 'for_you'"),
        (replace(JUST_IN, title="Sells well here"), "E004", "has the title of 'sells_well'"),
        (replace(JUST_IN, ways=frozenset()), "E004", "how things come to it"),
        (change_switch(FOR_YOU, off=""), "E004", "does not say what a preview"),
        (change_switch(FOR_YOU, on=""), "E004", "does not say what a preview"),
        (replace(FOR_YOU, link=""), "E005", "has no `link`"),
        (replace(FOR_YOU, link_text=""), "E005", "no words for the link"),
        (replace(FOR_YOU, link="nowhere#at-all"), "E005", "no URL's name"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_half_of_one_is_refused(monkeypatch, half_made, number, words):
    monkeypatch.setitem(shelf._shelves, half_made.key, half_made)
    found = [error for error in checks.check_shelves_are_whole(None) if not error.id.endswith("E006")]
    assert {error.id for error in found} == {f"recommendations.{number}"}
    assert any(error.msg.startswith(f"The shelf {half_made.key!r}") and words in error.msg for error in found)


def test_one_that_is_not_listed_is_refused(monkeypatch):
    monkeypatch.delitem(shelf._shelves, JUST_IN.key)
    found = checks.check_shelves_are_whole(None)
    assert [(error.id, "'just_in' is not listed" in error.msg) for error in found] == [("recommendations.E006", True)]


def test_a_web_process_refuses_a_half_made_shelf_and_says_what_it_lacks(monkeypatch):
    start.refuse_half_made_tables()
    monkeypatch.setitem(shelf._shelves, JUST_IN.key, replace(JUST_IN, pages=()))
    with pytest.raises(ImproperlyConfigured, match="'just_in' stands on no page"):
        start.refuse_half_made_tables()


def test_a_key_stands_for_one_shelf():
    before = dict(SHELVES)
    with pytest.raises(RegisteredTwiceError, match="'just_in' is registered twice"):
        shelf.register_shelves(replace(JUST_IN, title="Just out"))
    assert dict(SHELVES) == before
