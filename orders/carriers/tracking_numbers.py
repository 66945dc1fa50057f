"""What a carrier's tracking numbers look like, check digits included, where their forms are published.

Most forms follow the public collection jkeen/tracking_number_data (MIT); the rest is what carriers print in their own
help pages. A number that fits none of its carrier's forms may still be right: ask, never refuse.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase, digits

LONGEST_NUMBER = 60
_ALPHABET = digits + ascii_uppercase
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")


class ImpossibleNumberError(ValueError):
    """No label has such a number on it; the message says why, for people."""


def clean_number(typed: str) -> str:
    """What was typed, pasted or scanned as it is kept: one line without invisible characters; "" for nothing.

    Raises `ImpossibleNumberError`.
    """
    visible = "".join(mark for mark in typed if unicodedata.category(mark) != "Cf")
    number = unicodedata.normalize("NFKC", visible).translate(_DASHES).strip()
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


def _close_up(number: str) -> str:
    """In capitals, without the gaps, dashes and dots that labels print for reading."""
    return re.sub(r"[ .-]", "", number).upper()


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


def _compute_mod37_digit(serial: str) -> str:
    """ISO 7064, mod 37,36."""
    rest = 36
    for mark in serial:
        rest = (rest + _ALPHABET.index(mark)) % 36 or 36
        rest = rest * 2 % 37
    return _ALPHABET[(37 - rest) % 36]


def _weigh_mod10(even: int, odd: int) -> Callable[[str], str]:
    """The places are counted from 0; a letter counts as UPS counts it (A is 2)."""

    def compute(serial: str) -> str:
        values = [int(mark) if mark.isdigit() else (ord(mark) - 3) % 10 for mark in serial]
        return str(-sum(value * (odd if place % 2 else even) for place, value in enumerate(values)) % 10)

    return compute


def _weigh_mod11(*weights: int) -> Callable[[str], str]:
    def compute(serial: str) -> str:
        total = sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(serial))
        return str(total % 11 % 10)

    return compute


def _compute_usps_legacy_digit(serial: str) -> str:
    """It counts the application identifier, printed or not."""
    return _weigh_mod10(3, 1)(serial if serial.startswith("91") else f"91{serial}")


def _form(pattern: str, check: Callable[[str], str] | None = None) -> NumberForm:
    """`#` stands for a digit, `!` for the check digit."""
    written = pattern.replace("!", "(?P<check>#)").replace("#", "[0-9]")
    return NumberForm(re.compile(written), check)


def _s10(country: str) -> NumberForm:
    return _form("[A-Z]{2}(?P<serial>#{8})!" + country, compute_s10_digit)


_SSCC = _weigh_mod10(3, 1)
_MAILER = r"(?:9#{8}(?:#{15}|#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"
_SHORT_MAILER = r"(?:9#{8}(?:#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"

NUMBER_FORMS: dict[str, Sequence[NumberForm]] = {
    "royal_mail": [_s10("GB")],
    "dpd": [
        NumberForm(re.compile("(?P<serial>[0-9]{27}|[0-9]{14})(?P<check>[0-9A-Z])"), _compute_mod37_digit),
        _form("#{14}|#{10}"),  # as on a card or in a mail, without the check character
    ],
    "evri": [_form("(?=(?:[A-Z]*#){8})[0-9A-Z]{16}")],
    "ups": [
        _form("1Z(?P<serial>[0-9A-Z]{15})!", _weigh_mod10(1, 2)),
        _form("[AHJKTV](?P<serial>#{9})!", _weigh_mod10(1, 2)),
    ],
    "fedex": [
        _form("(?P<serial>#{11})!", _weigh_mod11(3, 1, 7)),
        _form("[0-8]#{19}(?P<serial>#{13})!", _weigh_mod11(1, 7, 3)),
        _form("3#{15}(?P<serial>#{11})!#{4}", _weigh_mod11(3, 1, 7)),
        _form("(?P<serial>#{14})!", _weigh_mod10(1, 3)),
        _form("#{2}(?P<serial>#{15})!", _SSCC),
        _form("96#{5}(?P<serial>#{14})!", _weigh_mod10(1, 3)),
        _form("96#{18}(?P<serial>#{13})!", _weigh_mod11(1, 7, 3)),
    ],
    "dhl": [
        _form("(?P<serial>#{9,10})!", compute_mod7_digit),
        _form("J[A-Z]{2,3}#{9,10}|JJD#{18}|JVGL#{11,20}|3S[A-Z]{3,5}#{6,12}"),
        _form("(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)(?=[A-Z]*#)[0-9A-Z]{10,39}|#{14}"),
        _form("(?P<serial>#{11})!", _weigh_mod10(4, 9)),
        _form("(?P<serial>00#{17})!", _SSCC),
        _s10("DE"),
    ],
    "usps": [
        _form("(?P<serial>#{19})!", _weigh_mod10(3, 1)),
        _form(
            f"(?:420#{{5}}(?=#{{22}}$|#{{26}}$)(?:#{{4}}(?=#{{22}}$))?)?(?P<serial>94#{{3}}{_MAILER})!",
            _weigh_mod10(3, 1),
        ),
        _form(
            r"(?:420#{5}(?:#{4}(?=#{22}$))?)?(?P<serial>(?:92(?=#{3}9)|93(?=#{3}[0-8])|95)#{3}" + _SHORT_MAILER + ")!",
            _weigh_mod10(3, 1),
        ),
        _form("(?:420#{5}(?:#{4})?)?(?P<serial>(?:91)?#{19})!", _compute_usps_legacy_digit),
        _s10("US"),
    ],
}


def fits_carrier(carrier: str, number: str) -> bool:
    """Whether it is a number as `carrier`, a key of `CARRIERS`, gives them; True where its forms are not known."""
    forms = NUMBER_FORMS.get(carrier)
    closed_up = _close_up(number)
    return forms is None or any(form.fits(closed_up) for form in forms)


def has_wrong_check_digit(carrier: str, number: str) -> bool:
    """Of a number that does not fit: whether it is one of the carrier's but for its check digit."""
    closed_up = _close_up(number)
    return any(form.has_shape(closed_up) for form in NUMBER_FORMS.get(carrier, ()))


def guess_carriers(number: str) -> list[str]:
    """Those with a form that the number fits to its check digit, by key."""
    closed_up = _close_up(number)
    return [
        key
        for key, forms in NUMBER_FORMS.items()
        if any(form.check is not None and form.fits(closed_up) for form in forms)
    ]


def format_number(carrier: str, number: str) -> str:
    """As it is kept: a number of a known form without its gaps and in capitals, any other as it was typed."""
    is_known = carrier in NUMBER_FORMS and fits_carrier(carrier, number)
    return _close_up(number) if is_known else number
