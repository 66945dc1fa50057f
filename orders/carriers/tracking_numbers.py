"""Tracking numbers as they are typed, kept and compared, and whether one looks like its carrier's.

A number that fits none of its carrier's forms may still be right: ask, never refuse.
"""

import re
import unicodedata

from orders.carriers import CARRIERS
from orders.carriers.number_forms import NumberForm, clean_characters, close_up
from orders.carriers.recognition import recognise_courier

LONGEST_NUMBER = 60


class ImpossibleNumberError(ValueError):
    """No label has such a number on it; the message says why, for people."""


def clean_number(typed: str) -> str:
    """What was typed, pasted or scanned as it is kept: one line without invisible characters; "" for nothing.

    Raises `ImpossibleNumberError`.
    """
    number = clean_characters(typed)
    if any(unicodedata.category(mark) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for mark in number):
        raise ImpossibleNumberError("There is a character in it that no label has. Type or scan the number alone.")
    number = " ".join(number.split())
    if number and not get_bare_number(number):
        raise ImpossibleNumberError("A tracking number has at least one letter from A to Z or digit.")
    if len(number) > LONGEST_NUMBER:
        raise ImpossibleNumberError(
            f"These are {len(number)} characters; a tracking number has at most {LONGEST_NUMBER}. "
            "Is it more than one number?"
        )
    return number


def get_bare_number(number: str) -> str:
    """Letters and digits only, in capitals: two numbers are the same if these are."""
    return re.sub(r"[^0-9A-Za-z]", "", number).upper()


def _get_forms(carrier: str) -> tuple[NumberForm, ...]:
    known = CARRIERS.get(carrier)
    return known.number_forms if known else ()


def fits_carrier(carrier: str, number: str) -> bool:
    """Whether it may be a number of `carrier`, a key of `CARRIERS`; True where not all its forms are known."""
    known = CARRIERS.get(carrier)
    if known is None or not known.number_forms or has_form_of_carrier(carrier, number):
        return True
    return known.takes_others and not has_wrong_check_digit(carrier, number)


def has_form_of_carrier(carrier: str, number: str) -> bool:
    """Whether it has one of the forms we know of `carrier`, check digit included."""
    closed_up = close_up(number)
    return any(form.fits(closed_up) for form in _get_forms(carrier))


def has_wrong_check_digit(carrier: str, number: str) -> bool:
    """Of a number that does not fit: whether it is one of the carrier's but for its check digit."""
    closed_up = close_up(number)
    return any(form.has_shape(closed_up) for form in _get_forms(carrier))


def guess_carriers(number: str) -> list[str]:
    """Those with a form that the number fits to its check digit, by key; else the one whose form alone tells."""
    closed_up = close_up(number)
    guessed = [
        key
        for key, carrier in CARRIERS.items()
        if any(form.check is not None and form.fits(closed_up) for form in carrier.number_forms)
    ]
    return guessed or _guess_by_form(closed_up)


def _guess_by_form(closed_up: str) -> list[str]:
    """Of a number with letters whose form has no check digit, as `TBA` and twelve digits."""
    courier = None if closed_up.isdigit() else recognise_courier(closed_up)
    return [key for key, carrier in CARRIERS.items() if courier and carrier.courier == courier]


def find_plain_owners(carrier: str, number: str) -> list[str]:
    """Whose the number plainly is, by key, where `carrier` takes any: only letters and a form together tell so much."""
    if close_up(number).isdigit() or has_form_of_carrier(carrier, number):
        return []
    return guess_carriers(number)


def format_number(carrier: str, number: str) -> str:
    """As it is kept: a number of a known form without its gaps and in capitals, any other as it was typed."""
    return close_up(number) if has_form_of_carrier(carrier, number) else number
