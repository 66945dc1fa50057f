"""What shoppers type: made plain for PostgreSQL's text search, and forgiven.

A word that finds nothing is replaced by the words of the catalog nearest to it: first by trigrams and by its first
letters (in SQL, over the catalog's own vocabulary, so the cost does not grow with the products), then by how alike
the letters run (here).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db import connection

LONGEST = 200  # characters of a search that are read
MOST_WORDS = 8  # of a search that are looked at one by one
ALIKE = 0.66  # of 1: how alike two words must be to stand in for each other
MOST_STAND_INS = 3

_EXCLUDES = re.compile(r"(?:^|\s)-\w")  # “-heart”: they know what they are doing

_NEAREST = """
SELECT typed.word,
       EXISTS (SELECT 1 FROM catalog_product p
               WHERE p.is_published AND p.search_vector @@ plainto_tsquery('english', typed.word)),
       ARRAY(SELECT near.word FROM (
                 (SELECT word FROM catalog_searchword WHERE word %% typed.word
                  ORDER BY similarity(word, typed.word) DESC LIMIT 12)
                 UNION
                 (SELECT word FROM catalog_searchword
                  WHERE word >= left(typed.word, 2) AND word < left(typed.word, 2) || '\x7f'
                  ORDER BY similarity(word, typed.word) DESC LIMIT 6)
             ) near)
FROM unnest(%s::text[]) AS typed (word)
"""
_WHOLE = """
SELECT EXISTS (SELECT 1 FROM catalog_product p
               WHERE p.is_published AND p.search_vector @@ websearch_to_tsquery('english', %s))
"""


@dataclass(frozen=True)
class Correction:
    """`every` and `some`: tsqueries for all of the words or any. `shown`: for people, what was looked for instead."""

    every: str
    some: str
    shown: str


def plain(text: str) -> str:
    """Lower case, without accents and what PostgreSQL cannot take, at a bounded length."""
    kept = unicodedata.normalize("NFKD", text.replace("\x00", " ")[:LONGEST]).casefold()
    return " ".join("".join(letter for letter in kept if not unicodedata.combining(letter)).split())


def correction(text: str) -> Correction | None:
    """For a search that found nothing; `text` as `plain` made it. None when it would find something unfiltered."""
    typed = list(dict.fromkeys(re.findall(r"[^\W_]+", text)))[:MOST_WORDS]
    if not typed or _EXCLUDES.search(text) or _finds_something(text):
        return None
    groups = [[word] if known else nearest(word, near) for word, known, near in _look_up(typed)]
    groups = [group for group in groups if group]
    if not groups:
        return None
    either = ["(" + " | ".join(f"'{word}'" for word in group) + ")" for group in groups]
    return Correction(" & ".join(either), " | ".join(either), " ".join(group[0] for group in groups))


def nearest(word: str, candidates: Sequence[str]) -> list[str]:
    """The candidates most like the word, best first."""
    scored = sorted(((SequenceMatcher(None, word, other).ratio(), other) for other in candidates), reverse=True)
    best = [other for ratio, other in scored if ratio >= ALIKE]
    return best[:MOST_STAND_INS]


def _finds_something(text: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE, [text])
        return bool(cursor.fetchone()[0])


def _look_up(typed: Sequence[str]) -> list[tuple[str, bool, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, [list(typed)])
        rows: list[tuple[str, bool, list[str]]] = cursor.fetchall()
    return rows
