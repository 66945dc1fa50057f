"""How carriers compute check digits: each function takes the digits before it, closed up, and gives the check digit.

The ways follow the public collection jkeen/tracking_number_data (MIT); S10 is the Universal Postal Union's.
"""

from collections.abc import Callable
from string import ascii_uppercase, digits

_ALPHABET = digits + ascii_uppercase
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)

ComputeDigit = Callable[[str], str]


def compute_s10_digit(serial: str) -> str:
    """The check digit of the Universal Postal Union's thirteen-character numbers."""
    rest = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {0: "5", 1: "0"}.get(rest, str(11 - rest))


def compute_mod7_digit(serial: str) -> str:
    return str(int(serial) % 7)


def compute_mod37_digit(serial: str) -> str:
    """ISO 7064, mod 37,36: the check character may be a letter."""
    rest = 36
    for mark in serial:
        rest = (rest + _ALPHABET.index(mark)) % 36 or 36
        rest = rest * 2 % 37
    return _ALPHABET[(37 - rest) % 36]


def compute_luhn_digit(serial: str) -> str:
    """Every second digit from the right counts double, and of two digits their sum."""
    doubled = (int(digit) * (1 if place % 2 else 2) for place, digit in enumerate(reversed(serial)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def weigh_mod10(even: int, odd: int) -> ComputeDigit:
    """The places are counted from 0; a letter counts as UPS counts it (A is 2)."""

    def compute(serial: str) -> str:
        values = [int(mark) if mark.isdigit() else (ord(mark) - 3) % 10 for mark in serial]
        return str(-sum(value * (odd if place % 2 else even) for place, value in enumerate(values)) % 10)

    return compute


def weigh_mod11(*weights: int) -> ComputeDigit:
    """The weights begin anew where they end; of a rest of 10 the check digit is 0."""

    def compute(serial: str) -> str:
        total = sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(serial))
        return str(total % 11 % 10)

    return compute


def count_prefix(prefix: str, compute: ComputeDigit) -> ComputeDigit:
    """The same for numbers printed without the prefix that their check digit counts."""
    return lambda serial: compute(serial if serial.startswith(prefix) else prefix + serial)
