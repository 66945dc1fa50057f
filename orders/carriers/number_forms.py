"""How a form of tracking numbers is written down, and how check digits are computed.

The ways to compute them follow the public collection jkeen/tracking_number_data (MIT).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_uppercase, digits

_ALPHABET = digits + ascii_uppercase


@dataclass(frozen=True)
class NumberForm:
    """`pattern` is of the number closed up. With `check`, it computes the group `check` from the group `serial`."""

    pattern: re.Pattern[str]
    check: Callable[[str], str] | None = None

    def has_shape(self, closed_up: str) -> bool:
        return self.pattern.fullmatch(closed_up) is not None

    def fits(self, closed_up: str) -> bool:
        found = self.pattern.fullmatch(closed_up)
        return found is not None and (self.check is None or self.check(found["serial"]) == found["check"])


def compute_s10_digit(serial: str) -> str:
    """The check digit of the Universal Postal Union's thirteen-character numbers."""
    rest = sum(int(digit) * weight for digit, weight in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {0: "5", 1: "0"}.get(rest, str(11 - rest))


def compute_mod7_digit(serial: str) -> str:
    return str(int(serial) % 7)


def compute_mod37_digit(serial: str) -> str:
    """ISO 7064, mod 37,36."""
    rest = 36
    for mark in serial:
        rest = (rest + _ALPHABET.index(mark)) % 36 or 36
        rest = rest * 2 % 37
    return _ALPHABET[(37 - rest) % 36]


def weigh_mod10(even: int, odd: int) -> Callable[[str], str]:
    """The places are counted from 0; a letter counts as UPS counts it (A is 2)."""

    def compute(serial: str) -> str:
        values = [int(mark) if mark.isdigit() else (ord(mark) - 3) % 10 for mark in serial]
        return str(-sum(value * (odd if place % 2 else even) for place, value in enumerate(values)) % 10)

    return compute


def weigh_mod11(*weights: int) -> Callable[[str], str]:
    def compute(serial: str) -> str:
        total = sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(serial))
        return str(total % 11 % 10)

    return compute


def compute_usps_legacy_digit(serial: str) -> str:
    """It counts the application identifier, printed or not."""
    return weigh_mod10(3, 1)(serial if serial.startswith("91") else f"91{serial}")


def write_form(pattern: str, check: Callable[[str], str] | None = None) -> NumberForm:
    """`#` stands for a digit, `!` for the check digit."""
    written = pattern.replace("!", "(?P<check>#)").replace("#", "[0-9]")
    return NumberForm(re.compile(written), check)


def write_s10_form(country: str) -> NumberForm:
    return write_form("[A-Z]{2}(?P<serial>#{8})!" + country, compute_s10_digit)
