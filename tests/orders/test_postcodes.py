"""Postcodes as staff write them for a zone: what belongs, what does not, and what is refused in words."""

import pytest

from orders.addresses.postcodes import (
    PostcodesUnclear,
    build_postcode_key,
    find_overlap,
    format_postcodes,
    parse_postcodes,
)

HIGHLANDS = "IV, KW1-KW14, HS"


def belongs(postcode: str, text: str, country: str) -> bool:
    key = build_postcode_key(postcode, country)
    return any(each.covers(key) for each in parse_postcodes(text, country))


@pytest.mark.parametrize(
    ("postcode", "text", "country"),
    [
        ("IV2 3AB", HIGHLANDS, "GB"),
        ("iv23ab", HIGHLANDS, "GB"),
        ("KW1 4XX", HIGHLANDS, "GB"),
        ("KW14 7QU", HIGHLANDS, "GB"),
        ("HS1", HIGHLANDS, "GB"),
        ("L1 4AB", "L", "GB"),
        ("EC1A 1BB", "EC1", "GB"),
        ("JE2 3AB", "JE", "JE"),
        ("20000", "20000-20999", "FR"),
        ("20999", "20000-20999", "FR"),
        ("20 137", "20", "FR"),
        ("99501-1234", "99500-99999", "US"),
        ("9000-001", "9000-9999", "PT"),
        ("X0A 0H0", "X0", "CA"),
        ("1791 AB", "1791-1797", "NL"),
    ],
)
def test_what_belongs_to_a_zone_is_found_however_it_is_typed(postcode, text, country):
    assert belongs(postcode, text, country)


@pytest.mark.parametrize(
    ("postcode", "text", "country"),
    [
        ("KW15 1AA", HIGHLANDS, "GB"),
        ("LS1 1AA", HIGHLANDS, "GB"),
        ("LS1 1AA", "L", "GB"),
        ("KW14 7QU", "KW1", "GB"),
        ("KW1 4XX", "KW14", "GB"),
        ("21000", "20000-20999", "FR"),
        ("12000", "20", "FR"),
        ("2000", "20000-20999", "FR"),
        ("", HIGHLANDS, "GB"),
        ("nonsense!", HIGHLANDS, "GB"),
    ],
)
def test_what_only_begins_alike_does_not_belong(postcode, text, country):
    assert not belongs(postcode, text, country)


@pytest.mark.parametrize(
    ("text", "country", "words"),
    [
        ("", "GB", "Name at least one"),
        (" , ;", "GB", "Name at least one"),
        ("IV!", "GB", "no postcode and no start of one"),
        ("IVXX", "GB", "no British area or district"),
        ("IV2 3AB", "GB", "no British area or district"),
        ("KW14-KW1", "GB", "from the lower to the higher"),
        ("KW1-HS2", "GB", "start with the same letters"),
        ("KW-KW4", "GB", "of one form"),
        ("KW1-", "GB", "two ends"),
        ("KW1-KW2-KW3", "GB", "two ends"),
        ("IV, IV1-IV3", "GB", "“IV” and “IV1-IV3” overlap"),
        ("HS, HS", "GB", "overlap"),
        ("20000-2099", "FR", "of one form"),
        ("200000", "FR", "longer than a postcode there, such as 33380"),
        ("IV", "FR", "have no letters, such as 33380"),
        ("00-950", "PL", "of one form"),
        ("1", "HK", "has no postcodes"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_in_words(text, country, words):
    with pytest.raises(PostcodesUnclear, match=words):
        parse_postcodes(text, country)


def test_a_list_is_kept_in_one_spelling():
    typed = "iv;  kw1 – kw14\nhs"
    assert format_postcodes(parse_postcodes(typed, "GB")) == "IV, KW1-KW14, HS"


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        ("IV", "IV3", True),
        ("KW1-KW14", "KW14-KW17", True),
        ("KW1-KW13", "KW14-KW17", False),
        ("L", "LS", False),
        ("20", "20137", True),
    ],
)
def test_two_lists_overlap_where_they_share_a_postcode(one, other, overlaps):
    country = "FR" if one.isdigit() else "GB"
    pairs = [(one, other), (other, one)]
    found = [find_overlap(parse_postcodes(a, country), parse_postcodes(b, country)) for a, b in pairs]
    assert [each is not None for each in found] == [overlaps, overlaps]
