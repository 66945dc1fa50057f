"""Postcodes as staff write them for a zone (“IV, KW1-KW14, HS”), and which belong to it. Plain values; nothing queries.

Each is compared by a key in which only what belongs together begins alike: of British ones “L” (Liverpool) is no
beginning of “LS1” (Leeds), nor “KW1” of “KW14”. Elsewhere the first characters decide.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from accounts.people.postal_rules import PostalRules, get_postal_rules

BRITISH = frozenset({"GB", "GG", "IM", "JE"})
INWARD_LENGTH = 3  # of a British postcode, what comes after the district
_OUTWARD = re.compile(r"([A-Z]{1,2})(?:(\d{1,2})([A-Z]?))?")
_BETWEEN_ENTRIES = re.compile(r"[,;\n]+")
_DASHES = re.compile(r"\s*[-‐‑–—]\s*")
_WITHIN = re.compile(r"[\s-]+")
_PLAIN = re.compile(r"[A-Z0-9]+")


class PostcodesUnclear(ValueError):  # noqa: N818  (a refusal, not an error)
    """What was typed is no list of postcodes. The message says why, for staff."""


@dataclass(frozen=True)
class PostcodeRange:
    """Every postcode whose key begins with `low`, with `high`, or with what lies between; both are equally long."""

    words: str
    low: str
    high: str

    def covers(self, key: str) -> bool:
        return self.low <= key[: len(self.low)] <= self.high

    def overlaps(self, other: "PostcodeRange") -> bool:
        shared = min(len(self.low), len(other.low))
        return self.low[:shared] <= other.high[:shared] and other.low[:shared] <= self.high[:shared]


def build_postcode_key(postcode: str, country: str) -> str:
    """Of a whole postcode, as people type it."""
    plain = _WITHIN.sub("", postcode.upper())
    if country not in BRITISH:
        return plain
    outward = plain[:-INWARD_LENGTH] if len(plain) > INWARD_LENGTH + 1 else plain
    return _build_british_key(outward) + plain[len(outward) :] if _OUTWARD.fullmatch(outward) else plain


@lru_cache(maxsize=512)
def parse_postcodes(text: str, country: str) -> tuple[PostcodeRange, ...]:
    """Raises `PostcodesUnclear`."""
    entries = [" ".join(entry.upper().split()) for entry in _BETWEEN_ENTRIES.split(text)]
    found = tuple(_parse_entry(entry, country) for entry in entries if entry)
    if not found:
        raise PostcodesUnclear("Name at least one postcode, or the start of some.")
    if clash := find_overlap(found, found):
        raise PostcodesUnclear(f"“{clash[0].words}” and “{clash[1].words}” overlap. Leave one of them out.")
    return found


def find_overlap(
    ranges: Sequence[PostcodeRange], others: Sequence[PostcodeRange]
) -> tuple[PostcodeRange, PostcodeRange] | None:
    """The first of each that share a postcode; a range and itself do not count."""
    return next(((one, other) for one in ranges for other in others if one is not other and one.overlaps(other)), None)


def format_postcodes(ranges: Sequence[PostcodeRange]) -> str:
    """As they are kept: “IV, KW1-KW14, HS”."""
    return ", ".join(each.words for each in ranges)


def _parse_entry(entry: str, country: str) -> PostcodeRange:
    ends = _DASHES.split(entry)
    if len(ends) > 2 or not all(ends):
        raise PostcodesUnclear(
            f"“{entry}” is not a range. A range has two ends, such as {_get_range_example(country)}."
        )
    low, high = (_build_entry_key(end, country) for end in (ends[0], ends[-1]))
    if len(ends) == 2:
        _check_range(entry, low, high, country)
    return PostcodeRange("-".join(ends), low, high)


def _check_range(entry: str, low: str, high: str, country: str) -> None:
    if [each.isdigit() for each in low] != [each.isdigit() for each in high]:
        raise PostcodesUnclear(
            f"“{entry}”: both ends of a range are of one form, such as {_get_range_example(country)}. "
            "Leave out a hyphen that belongs to the postcode itself."
        )
    if country in BRITISH and low[:2] != high[:2]:
        raise PostcodesUnclear(
            f"“{entry}”: both ends of a range start with the same letters. Write each area by itself."
        )
    if low > high:
        raise PostcodesUnclear(f"“{entry}”: a range runs from the lower to the higher.")


def _build_entry_key(end: str, country: str) -> str:
    plain = _WITHIN.sub("", end)
    if not _PLAIN.fullmatch(plain):
        raise PostcodesUnclear(f"“{end}” is no postcode and no start of one: letters and digits only.")
    if country not in BRITISH:
        _check_form(end, plain, get_postal_rules(country))
        return plain
    if not _OUTWARD.fullmatch(plain):
        raise PostcodesUnclear(f"“{end}” is no British area or district. Write them such as IV, KW1 or EC1A.")
    return _build_british_key(plain)


def _build_british_key(outward: str) -> str:
    """“KW1” as “KW01”, “L” as “L ”: as long as others of its kind, so that none begins like another."""
    found = _OUTWARD.fullmatch(outward)
    area, district, ending = found.groups() if found else (outward, "", "")
    return f"{area:2}{district:0>2}{ending}" if district else f"{area:2}"


def _check_form(end: str, plain: str, rules: PostalRules) -> None:
    """Against the country's example: letters where it has none, and what is longer, would fit nothing."""
    example = _WITHIN.sub("", rules.postcode_example)
    if not rules.has_postcode:
        raise PostcodesUnclear("That country has no postcodes.")
    if example.isdigit() and not plain.isdigit():
        raise PostcodesUnclear(f"“{end}”: postcodes there have no letters, such as {rules.postcode_example}.")
    if example and len(plain) > len(example):
        raise PostcodesUnclear(f"“{end}” is longer than a postcode there, such as {rules.postcode_example}.")


def _get_range_example(country: str) -> str:
    return "KW1-KW14" if country in BRITISH else "20000-20999"
