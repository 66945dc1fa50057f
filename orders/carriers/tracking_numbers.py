"""Tracking numbers as they are typed, kept and compared, and whether one looks like its carrier's.

A number that fits none of its carrier's forms may still be right: ask, never refuse.
"""

import re
import unicodedata

from orders.carriers import CARRIERS
from orders.carriers.number_forms import NumberForm, clean_characters, close_up

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
    """Whether it is a number as `carrier`, a key of `CARRIERS`, gives them; True where its forms are not known."""
    forms, closed_up = _get_forms(carrier), close_up(number)
    return not forms or any(form.fits(closed_up) for form in forms)


def has_wrong_check_digit(carrier: str, number: str) -> bool:
    """Of a number that does not fit: whether it is one of the carrier's but for its check digit."""
    closed_up = close_up(number)
    return any(form.has_shape(closed_up) for form in _get_forms(carrier))


def guess_carriers(number: str) -> list[str]:
    """Those with a form that the number fits to its check digit, by key."""
    closed_up = close_up(number)
    return [
        key
        for key, carrier in CARRIERS.items()
        if any(form.check is not None and form.fits(closed_up) for form in carrier.number_forms)
    ]


def format_number(carrier: str, number: str) -> str:
    """As it is kept: a number of a known form without its gaps and in capitals, any other as it was typed."""
    is_known = bool(_get_forms(carrier)) and fits_carrier(carrier, number)
    return close_up(number) if is_known else number
