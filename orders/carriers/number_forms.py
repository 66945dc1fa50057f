"""How a form of tracking numbers is written down, and how a number is closed up to be held against one."""

import re
import unicodedata
from dataclasses import dataclass

from orders.carriers.check_digits import ComputeDigit, compute_s10_digit

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")


@dataclass(frozen=True)
class NumberForm:
    """`pattern` is of the number closed up. With `check`, it computes the group `check` from the group `serial`."""

    pattern: re.Pattern[str]
    check: ComputeDigit | None = None

    def has_shape(self, closed_up: str) -> bool:
        return self.pattern.fullmatch(closed_up) is not None

    def fits(self, closed_up: str) -> bool:
        found = self.pattern.fullmatch(closed_up)
        return found is not None and (self.check is None or self.check(found["serial"]) == found["check"])


def write_form(pattern: str, check: ComputeDigit | None = None) -> NumberForm:
    """`#` stands for a digit, `!` for the check digit."""
    written = re.sub(r"(?<!\?)!", "(?P<check>#)", pattern).replace("#", "[0-9]")
    return NumberForm(re.compile(written), check)


def write_s10_form(*countries: str) -> NumberForm:
    """The Universal Postal Union's form, of the posts of these countries: two letters each."""
    return write_form(f"[A-Z]{{2}}(?P<serial>#{{8}})!(?:{'|'.join(countries)})", compute_s10_digit)


def clean_characters(typed: str) -> str:
    """Without what cannot be seen; full-width digits and letters, and every kind of dash, in their plain form."""
    visible = "".join(mark for mark in typed if unicodedata.category(mark) != "Cf")
    return unicodedata.normalize("NFKC", visible).translate(_DASHES).strip()


def close_up(number: str) -> str:
    """In capitals, without the gaps, dashes and dots that labels print for reading."""
    return re.sub(r"[\s.-]", "", clean_characters(number)).upper()
