"""Whose a number is. A few of the published ones always, all of them where SHARED_DATA is set.

They are from the public collection jkeen/tracking_number_data (MIT).
"""

import gzip
import json
import os
import re
import string
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import assume, given
from hypothesis import strategies as st

from orders.carriers.check_digits import (
    compute_luhn_digit,
    compute_mod7_digit,
    compute_mod37_digit,
    compute_s10_digit,
    weigh_mod10,
    weigh_mod11,
)
from orders.carriers.number_forms import close_up
from orders.carriers.published_forms import PUBLISHED_FORMS
from orders.carriers.recognition import recognise_courier

FILE = "carriers/tracking_number_data.json.gz"
ANY_MARK = string.digits + string.ascii_uppercase
VALID = (
    ("amazon", "TBC 000000000000"),
    ("amazon", "C1004444443"),
    ("canadapost", "4002847016405018"),
    ("canpar", "D576002440000001718010"),
    ("dhl", "3318810025"),
    ("dhl", "JJD0099999999"),
    ("dhl", "GM2951173225174494"),
    ("dhl", "60120172242323"),
    ("dpd", "00 81827 0998 0000 0200 33 350 276 C"),
    ("dpd", "09 9800 0002 0033 F"),
    ("fedex", " 7 9 0 5 3 5 3 1 2 3 1 7 "),
    ("fedex", "1195266473930007521100871079919940"),
    ("fedex", "3 29715 145 6010244 784917580286 2014"),
    ("fedex", "0414 4176 0228 964"),
    ("fedex", "00 0123 4500 0000 0027"),
    ("fedex", "9611020987654312345672"),
    ("fedex", "9622001560001234567100794808390594"),
    ("gofo", "GFUS01011884214464"),
    ("landmark", "LTN74207623N1"),
    ("lasership", "LX17635036"),
    ("lasership", "1LS720000000000"),
    ("lasership", "1LS7119013618127-1"),
    ("lasership", "1LS CX VE00 58631Y"),
    ("old_dominion", "78045768393"),
    ("old_dominion", "80003280379"),
    ("ontrac", "C10999911320231"),
    ("ontrac", "D 100 113 459 830 10"),
    ("purolator", "287809468872"),
    ("purolator", "JFV247545960"),
    ("s10", "RB123456785CV"),
    ("speedee", "SP029692510000920746"),
    ("ups", " 1 Z 8 V 9 2 A 7 0 3 6 7 2 0 3 0 2 4 "),
    ("ups", "V0490119172"),
    ("usps", "7112 3456 7891 2345 6787"),
    ("usps", "7196 9010 7560 0307 7385"),
    ("usps", "420787459400111206206406260787"),
    ("usps", " 4 2 0 1 0 2 8 2 0 0 0 0 9 2 6 1 2 9 0 1 1 3 1 8 5 4 1 7 4 6 8 5 1 0 "),
    ("yodel", "J J D 0 0 0 2 2 5 7 6 3 9 0 3 2 0 2 0"),
    ("yunexpress", "YT2229521272164446"),
)
INVALID = (
    *("TBA50288727400A", "000000000000", "5002847016405018", "M576002440000002510003", "3318810010"),
    "D1234567890",  # pragma: allowlist secret
    *("XJD0099999998", "GR295117494011169045", "601201722X2323", "09980000020033D", "996578788855"),
    *("5682 8361 0012 732", "000000000000000001", "9600000000000000000001", "GFUS0101188421446", "LSN74209518N2"),
    *("LX9763503N", "1LS7119013618127-2", "07209562773", "C10000000000000", "320595463939", "KY009956937"),
    *("RB123456786US", "RB123456785XX", "029692510000920746", "2Z5R89390357567127", "K1506235622"),
    *("0307 1790 0005 2348 3742", "61299998820821171811", "4201028200009261290113185417468511"),
    *("JD000225440506099", "YT123456789012345", "GMA951173225174494", "", " - ", "Ω", "RB1234\x0056785GB", "9" * 300),
)
# `#` is a digit, `*` a digit or letter, `@` a letter, `{9}` nine of them, `!` the check digit.
SHAPES = {
    "s10": "@{2}#{8}!GB @{2}#{8}!DE",
    "amazon": "TBA#{12} F#{10}",
    "canadapost": "#{15}!",
    "canpar": "Z#{21}",
    "dhl": "#{9}! 1#{9}! JJD#{10} GM1*{9} 9#{13}",
    "dpd": "#{27}! #{14}!",
    "fedex": "9#{10}! 1#{32}! 3#{26}!#{4} #{14}! 00#{15}! 96#{19}! 96#{31}!",
    "gofo": "GFUS#{14}",
    "landmark": "LTN#{8}N1",
    "lasership": "LE2#{7} 1LS71#{10} 1LS72#{2}013#{6}-1 1LSCX*{10}",
    "old_dominion": "778#{7}! 80#{8}!",
    "ontrac": "C#{13}! D#{13}!",
    "purolator": "3#{10}! K@{2}#{9}",
    "speedee": "SP#{18}",
    "ups": "1Z*{15}! K#{9}!",
    "usps": "#{19}! 9400#{1}9#{15}! 420#{5}9400#{1}1#{15}! 420#{9}93#{3}1#{15}! 92#{3}9#{15}! 95#{3}8#{19}! 91#{19}!",
    "yodel": "JD#{16} JJD#{16}",
    "yunexpress": "YT#{16}",
}
ALL_SHAPES = [(courier, shape) for courier, shapes in SHAPES.items() for shape in shapes.split()]
digit = st.sampled_from(string.digits)


def fill_shape(draw: st.DrawFn, shape: str) -> str:
    marks = {"#": string.digits, "*": ANY_MARK, "@": string.ascii_uppercase}

    def fill(found: re.Match[str]) -> str:
        count = int(found[2])
        return "".join(draw(st.lists(st.sampled_from(marks[found[1]]), min_size=count, max_size=count)))

    return re.sub(r"([#*@])\{(\d+)\}", fill, shape)


def fits_courier(courier: str, number: str) -> bool:
    return any(form.fits(close_up(number)) for form in PUBLISHED_FORMS[courier])


@pytest.mark.parametrize(("courier", "number"), VALID)
def test_a_published_number_is_its_couriers(courier, number):
    assert recognise_courier(number) == courier


@pytest.mark.parametrize("number", INVALID)
def test_a_number_that_is_nobodys_is_refused(number):
    assert recognise_courier(number) is None


def test_of_every_courier_a_number_stands_here():
    assert {courier for courier, _ in VALID} == {courier for courier, _ in ALL_SHAPES} == set(PUBLISHED_FORMS)


def test_every_published_number_is_recognised_and_every_wrong_one_refused():
    folder = os.environ.get("SHARED_DATA")
    if not folder or not (Path(folder) / FILE).exists():
        pytest.skip(f"not run: SHARED_DATA is not set, or has no {FILE}")
    with gzip.open(Path(folder) / FILE) as file:
        couriers = json.load(file)
    assert set(couriers) == set(PUBLISHED_FORMS)
    forms = [
        (courier, form["test_numbers"]) for courier, about in couriers.items() for form in about["tracking_numbers"]
    ]
    judged = [
        (number, recognise_courier(number), courier if kind == "valid" else None)
        for courier, numbers in forms
        for kind in ("valid", "invalid")
        for number in numbers[kind]
    ]
    assert len(judged) > 150
    assert [each for each in judged if each[1] != each[2]] == []


@pytest.mark.parametrize(("courier", "shape"), ALL_SHAPES)
@given(data=st.data())
def test_a_number_made_after_its_form_is_recognised(courier, shape, data):
    made = fill_shape(data.draw, shape)
    assume(made.strip("0!"))
    whole = [made.replace("!", mark) for mark in (ANY_MARK if "!" in made else "-")]
    fitting = [number for number in whole if fits_courier(courier, number)]
    assert len(fitting) in ((1, 2) if courier == "usps" else (1,))  # two of USPS's forms have the same length
    owner = recognise_courier(fitting[0])
    order = list(PUBLISHED_FORMS)
    assert owner is not None
    assert order.index(owner) <= order.index(courier)


@pytest.mark.parametrize("number", ["1Z5R89390357567127", "RB123456785GB", "TBA000000000001", "320595463938"])
@pytest.mark.parametrize("gap", ["", " ", "-", "\u2013", ".", "\u00a0", "\u200b", "\t"])
def test_however_it_is_typed_it_is_the_same_number(number, gap):
    assert recognise_courier(gap.join(number.lower())) == recognise_courier(number) is not None


def test_a_number_of_two_forms_goes_to_the_narrower():
    assert fits_courier("fedex", "287809468872")
    assert fits_courier("dhl", "JFV247545960")
    assert fits_courier("fedex", "000000000000")


@pytest.mark.parametrize(
    "number",
    [
        "RX123456784DE",  # a postal number, not DHL eCommerce's letters and digits
        "4201028200009261290113185417460005",  # a USPS number behind its postcode, not FedEx's 34 digits
        "07209562765",  # Old Dominion's, not DHL Express's
    ],
)
def test_a_wrong_check_digit_of_a_narrow_form_does_not_make_it_anothers(number):
    assert recognise_courier(number) is None


# -- Check digits: what each can tell ---------------------------------------------------------------------------

DETECTED = {
    # name: (how, digits, one digit altered goes unseen, two neighbours swapped go unseen)
    "mod10 3/1": (weigh_mod10(3, 1), 19, lambda a, b: False, lambda a, b: abs(a - b) == 5),
    "mod10 1/2": (weigh_mod10(1, 2), 15, lambda a, b: abs(a - b) == 5, lambda a, b: False),
    "luhn": (compute_luhn_digit, 11, lambda a, b: False, lambda a, b: {a, b} == {0, 9}),
    "mod7": (compute_mod7_digit, 9, lambda a, b: abs(a - b) == 7, lambda a, b: abs(a - b) == 7),
    "mod37": (compute_mod37_digit, 14, lambda a, b: False, None),
}
SWAPS_DETECTED = [name for name in DETECTED if name != "mod37"]  # with two moduli, some swaps go unseen
# Two rests of eleven share one digit: only there can a slip go unseen.
SHARED_DIGIT = {
    "mod11": (weigh_mod11(3, 1, 7), 11, "0"),
    "s10": (compute_s10_digit, 8, "5"),
}


@st.composite
def serials(draw: st.DrawFn, length: int) -> tuple[str, int, str]:
    """A number without its check digit, a place in it, and another digit for that place."""
    serial = "".join(draw(st.lists(digit, min_size=length, max_size=length)))
    place = draw(st.integers(0, length - 2))
    other = draw(digit.filter(lambda mark: mark != serial[place]))
    return serial, place, other


@pytest.mark.parametrize("name", DETECTED)
@given(data=st.data())
def test_one_digit_altered_is_noticed_whenever_it_can_be(name, data):
    compute, length, is_unseen, _ = DETECTED[name]
    serial, place, other = data.draw(serials(length))
    assume(not is_unseen(int(serial[place]), int(other)))
    assert compute(serial[:place] + other + serial[place + 1 :]) != compute(serial)


@pytest.mark.parametrize("name", SWAPS_DETECTED)
@given(data=st.data())
def test_two_neighbours_swapped_are_noticed_whenever_they_can_be(name, data):
    compute, length, _, is_unseen = DETECTED[name]
    serial, place, _ = data.draw(serials(length))
    one, two = serial[place], serial[place + 1]
    assume(one != two and not is_unseen(int(one), int(two)))
    assert compute(serial[:place] + two + one + serial[place + 2 :]) != compute(serial)


@pytest.mark.parametrize("name", SHARED_DIGIT)
@given(data=st.data())
def test_modulo_eleven_notices_both_but_where_two_rests_share_a_digit(name, data):
    compute, length, shared = SHARED_DIGIT[name]
    serial, place, other = data.draw(serials(length))
    assume(compute(serial) != shared)
    assert compute(serial[:place] + other + serial[place + 1 :]) != compute(serial)
    one, two = serial[place], serial[place + 1]
    weighs_alike = name == "mod11" and (3, 1, 7)[place % 3] == (3, 1, 7)[(place + 1) % 3]
    assume(one != two and not weighs_alike)
    assert compute(serial[:place] + two + one + serial[place + 2 :]) != compute(serial)


# -- The command ------------------------------------------------------------------------------------------------


def run_command(*words: str) -> str:
    out = StringIO()
    call_command("recognise_tracking", *words, stdout=out)
    return out.getvalue()


def test_the_command_answers_under_each_number_as_it_was_given():
    asked = ("1z5r89390357567127", " RB123456785GB ", "RB123456786GB")
    assert json.loads(run_command(*asked, "--json")) == dict(zip(asked, ["ups", "s10", None], strict=True))


def test_without_json_it_is_one_line_each():
    assert run_command("320595463938", "x").splitlines() == ["320595463938: purolator", "x: not recognised"]
