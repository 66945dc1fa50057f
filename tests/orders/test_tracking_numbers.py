"""Which numbers look like a carrier's. A few of the published ones always, all of them where SHARED_DATA is set.

They are from the public collection jkeen/tracking_number_data (MIT).
"""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.carriers import build_tracking_url, find_carrier
from orders.carriers.tracking_numbers import (
    LONGEST_NUMBER,
    ImpossibleNumberError,
    clean_number,
    fits_carrier,
    format_number,
    get_bare_number,
    guess_carriers,
    has_wrong_check_digit,
)

FILE = "carriers/tracking_number_data.json.gz"
RIGHT = (
    ("royal_mail", "RB123456785GB"),
    ("dpd", "00 81827 0998 0000 0200 33 350 276 C"),
    ("dpd", "09 9800 0002 0033 F"),
    ("dpd", "15501234567890"),
    ("evri", "H01HYA0012345678"),
    ("ups", "1Z5R89390357567127"),
    ("ups", "K1506235620"),
    ("fedex", "986578788855"),
    ("fedex", "0414 4176 0228 964"),
    ("fedex", "9611020987654312345672"),
    ("fedex", "1001921334250001000300779017972697"),
    ("dhl", "3318810025"),
    ("dhl", "JJD0099999999"),
    ("dhl", "GM2951173225174494"),
    ("usps", "0307 1790 0005 2348 3741"),
    ("usps", "420787459400111206206406260787"),
    ("usps", "7196 9010 7560 0307 7385"),
    ("usps", "4201002334249200190132607600833457"),
    ("packeta", "Z 123 4567 890"),
)
WRONG = (
    ("royal_mail", "RB123456786GB"),
    ("royal_mail", "RB123456785CV"),
    ("dpd", "008182709980000020033350276A"),
    ("dpd", "1550123456789"),
    ("evri", "H0WRONG"),
    ("evri", "ABCDEFGHIJKLMNOP"),
    ("ups", "1Z1111111111111111"),
    ("ups", "K1506235622"),
    ("fedex", "996578788855"),
    ("fedex", "9600000000000000000001"),
    ("dhl", "3318810010"),
    ("dhl", "AAAAAAAAAAAAAAAAAA"),
    ("usps", "0307 1790 0005 2348 3742"),
    ("usps", "RB123456786US"),
    ("packeta", "1234567890"),
    ("ctt", "RB123456786PT"),
)
WAYS_TO_WRITE = (
    "rb123456785gb",
    "RB 1234 5678 5GB",
    "RB-1234-5678-5GB",
    "RB–1234–5678–5GB",
    "  RB123456785GB\r\n",
    "RB123456785GB\t",
    "RB\u00a01234\u202f5678\u20095GB",
    "\ufeffRB1234\u200b5678\u00ad5GB",
    "ＲＢ１２３４５６７８５ＧＢ",
)
IMPOSSIBLE = ("RB12\x0034", "RB123\n456", "RB\x1b[31m", "RB\u2028123", "---", "Ω", "é", "9" * (LONGEST_NUMBER + 1))


def published() -> Iterator[tuple[str, str, bool]]:
    """Of the couriers that are carriers of ours: carrier, number, whether it is one of theirs."""
    with gzip.open(Path(os.environ["SHARED_DATA"]) / FILE) as file:
        couriers = json.load(file)
    posts = {"GB": "royal_mail", "US": "usps", "DE": "dhl"}
    for courier, about in couriers.items():
        for form in about["tracking_numbers"]:
            for kind, numbers in form["test_numbers"].items():
                for number in numbers:
                    carrier = posts.get(number[-2:], "") if courier == "s10" else courier
                    yield carrier, number, kind == "valid"


@pytest.mark.parametrize(("carrier", "number"), RIGHT)
def test_a_carriers_number_is_known_as_one(carrier, number):
    assert fits_carrier(carrier, number)


@pytest.mark.parametrize(("carrier", "number"), [*WRONG, *((carrier, "x") for carrier, _ in RIGHT)])
def test_a_number_with_one_wrong_character_is_not(carrier, number):
    assert not fits_carrier(carrier, number)


def test_every_published_number_is_judged_as_its_carrier_would():
    folder = os.environ.get("SHARED_DATA")
    if not folder or not (Path(folder) / FILE).exists():
        pytest.skip(f"not run: SHARED_DATA is not set, or has no {FILE}")
    known = {"royal_mail", "dpd", "ups", "fedex", "dhl", "usps"}
    judged = [(carrier, number, is_right) for carrier, number, is_right in published() if carrier in known]
    assert len(judged) > 60
    assert [each for each in judged if fits_carrier(each[0], each[1]) is not each[2]] == []


@pytest.mark.parametrize(
    ("carrier", "number", "place"), [("royal_mail", "RB123456785GB", 10), ("ups", "1Z5R89390357567127", 17)]
)
def test_every_other_check_digit_is_noticed_and_said_to_be_it(carrier, number, place):
    for other in set("0123456789") - {number[place]}:
        mistyped = number[:place] + other + number[place + 1 :]
        assert not fits_carrier(carrier, mistyped)
        assert has_wrong_check_digit(carrier, mistyped)
    assert not has_wrong_check_digit(carrier, "x")


def test_of_an_unknown_carrier_every_number_may_be_right():
    assert fits_carrier("", "x")
    assert format_number("", "my van 7") == "my van 7"


@pytest.mark.parametrize("typed", WAYS_TO_WRITE)
def test_however_it_is_pasted_or_scanned_the_same_number_is_kept(typed):
    number = clean_number(typed)
    assert fits_carrier("royal_mail", number)
    assert format_number("royal_mail", number) == "RB123456785GB"
    assert get_bare_number(number) == "RB123456785GB"


def test_what_fits_no_form_is_kept_as_it_was_typed():
    assert format_number("royal_mail", clean_number("  van 7 / b ")) == "van 7 / b"


@pytest.mark.parametrize("typed", IMPOSSIBLE)
def test_what_no_label_can_hold_is_refused_with_a_reason(typed):
    with pytest.raises(ImpossibleNumberError, match=r"\w+ .+\."):
        clean_number(typed)


def test_a_number_of_another_carrier_is_named():
    assert guess_carriers("1Z5R89390357567127") == ["ups"]
    assert guess_carriers("x") == []


@pytest.mark.parametrize(
    ("words", "carrier"),
    [
        ("royal_mail", "royal_mail"),
        ("Royal Mail Tracked 48", "royal_mail"),
        ("ROYAL MAIL", "royal_mail"),
        ("DHL Express", "dhl"),
        ("dpd-uk", "dpd"),
        ("Hermes", "evri"),
        ("UPS Ground", "ups"),
        ("FedEx", "fedex"),
        ("United States Postal Service", "usps"),
        ("Groups of pigeons", ""),
        ("", ""),
    ],
)
def test_a_carrier_named_in_words_is_found(words, carrier):
    assert find_carrier(words) == carrier


def test_a_parcel_whose_carrier_came_in_words_can_be_followed_too():
    assert build_tracking_url("DPD Next Day", "15501234567890") == build_tracking_url("dpd", "15501234567890") != ""
    assert build_tracking_url("Pigeon", "1") == ""
