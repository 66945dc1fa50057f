"""One normal form for names and codes, so that what looks the same is the same; and addresses in plain letters."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii
from django.utils.text import slugify

CACHE_SIZE = 10_000
# Beside the format characters (category Cf): joiners, fillers, the blank of Braille, selectors of variants.
_IGNORED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_INVISIBLE = ("Cf", "Cc", "Cs")
_GAPS = re.compile(r"[-_\s]+")
JOINERS = "\u200c\u200d"  # they shape the letters of Persian and Indian scripts, and families of emoji


@lru_cache(CACHE_SIZE)
def clean_spelling(text: str) -> str:
    """On one line: accents composed, single spaces, nothing that cannot be seen."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(_strip_invisible(" ".join(unicodedata.normalize("NFC", text).split())).split())


@lru_cache(CACHE_SIZE)
def clean_title(text: str) -> str:
    """As `clean_spelling`, for what people read: the joiners inside words stay."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    return " ".join(_strip_invisible(spaced, kept=JOINERS).strip(JOINERS).split())


@lru_cache(CACHE_SIZE)
def make_spelling_key(text: str) -> str:
    """What two spellings of one thing have in common: neither case, width, spacing nor invisible characters count."""
    folded = unicodedata.normalize("NFKC", clean_spelling(text)).casefold()
    return clean_spelling(unicodedata.normalize("NFKC", folded))


def make_name_key(text: str) -> str:
    """As `make_spelling_key`, and hyphens are spaces: “rag-socks” is “Rag socks”."""
    return _GAPS.sub(" ", make_spelling_key(text)).strip()


@lru_cache(CACHE_SIZE)
def make_slug(text: str, *, longest: int) -> str:
    """An address of plain letters, transliterated from any script; empty for a text without letters and digits."""
    plain = slugify(anyascii(text)) if any(letter.isalnum() or not letter.isascii() for letter in text) else ""
    return plain[:longest].strip("-_")


def _strip_invisible(text: str, *, kept: str = "") -> str:
    return "".join(
        letter
        for letter in text
        if letter in kept or not (unicodedata.category(letter) in _INVISIBLE or _IGNORED.match(letter))
    )
