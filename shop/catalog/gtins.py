"""The number under a barcode (GTIN: EAN-13, EAN-8, UPC and GTIN-14), and its check digit."""

import re

LENGTHS = (8, 12, 13, 14)
LONGEST_GTIN = 14
SEPARATORS = re.compile(r"[\s-]")


def clean_gtin(text: str) -> str:
    """The one form a GTIN is kept in: a UPC's twelve digits get their leading zero. Empty for an empty one.

    Raises ValueError, with what is wrong as the end of a sentence, for what is no GTIN.
    """
    digits = SEPARATORS.sub("", text)
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdecimal() and len(digits) in LENGTHS):
        raise ValueError("is no GTIN: those have 8, 12, 13 or 14 digits")
    if not has_valid_check_digit(digits):
        raise ValueError("is no GTIN: its last digit does not fit the others, so one of them is mistyped")
    return shorten_gtin(digits)


def has_valid_check_digit(digits: str) -> bool:
    """By GS1's rule: from the right, every second digit counts three times."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighted % 10 == 0


def shorten_gtin(digits: str) -> str:
    """The same number without the zeros that only make it longer: 8, 13 or 14 digits."""
    whole = digits.zfill(LONGEST_GTIN)
    if whole.startswith("000000"):
        return whole[6:]
    return whole.removeprefix("0")
