"""For a search that found nothing: mistyped words are put right, fillers passed over, and some words may do for all.

A word that finds nothing is replaced by the words of the catalog nearest to it: first by trigrams and by its first
letters (in SQL, over the catalog's own vocabulary, so the cost does not grow with the products), then by how many
slips of the fingers lie between (here). What the catalog has nothing like counts against whatever is found without it.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from shop.catalog.compounds import Compounds
from shop.catalog.search_correction import IDLE, PEOPLE, Wanted, drop_fillers
from shop.prepared import PreparedStatement

MOST_WORDS = 8  # of a search that are looked at one by one
ALIKE = 0.66  # of 1: how alike two words must be to stand in for each other
MOST_STAND_INS = 3
LONG = 5  # letters of a word in which two slips may be made
MOST_SLIPS = 2
MOST_LONGER = 1  # letters a word may be longer or shorter than what stands in for it
COUNTED = 5000  # products with a word, at most
LEAST_SHARE = 0.3  # of the weight of all words that a find must have, or it has nothing to do with what was asked for
STANDS_IN = 20  # products a word that was put right is taken to be in
_ROUNDING = 1e-6  # of sums of weights

# Only words of about the same length are looked at: no others stand in. Beside trigrams that is written as a sum, which
# no index helps with: one would lead past theirs. How many products there are weighs words against each other, so that
# one word needs no such count.
_ANALYZE = PreparedStatement(rf"""
SELECT typed.place, counted.count, total.count, is_found.anything,
       CASE WHEN counted.count > 0 THEN '[]' ELSE (
           SELECT coalesce(jsonb_agg(jsonb_build_array(near.word, (
                      SELECT coalesce(jsonb_agg(jsonb_build_array(c.first, c.second)), '[]')
                      FROM catalog_searchcompound c WHERE c.stem = (ts_lexize('english_stem', near.word))[1]))), '[]')
           FROM (
               (SELECT word FROM catalog_searchword
                WHERE word %% typed.word AND abs(length(word) - length(typed.word)) <= {MOST_LONGER}
                ORDER BY similarity(word, typed.word) DESC, word LIMIT 12)
               UNION
               (SELECT word FROM catalog_searchword WHERE word = ANY(string_to_array(typed.slips, ' ')))
               UNION
               (SELECT word FROM catalog_searchword
                WHERE word >= left(typed.word, 2) AND word < left(typed.word, 2) || E'\x7f'
                  AND length(word) BETWEEN length(typed.word) - {MOST_LONGER} AND length(typed.word) + {MOST_LONGER}
                ORDER BY similarity(word, typed.word) DESC, word LIMIT 6)
           ) near) END
FROM unnest(%(words)s::text[], %(clauses)s::text[], %(slips)s::text[])
    WITH ORDINALITY AS typed (word, clause, slips, place)
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT 1 FROM catalog_product p
        WHERE p.is_published AND p.search_vector @@ to_tsquery('english', typed.clause) LIMIT {COUNTED}) bounded
) counted
CROSS JOIN (
    SELECT CASE WHEN cardinality(%(words)s::text[]) = 1 THEN {COUNTED} ELSE (
        SELECT count(*) FROM (SELECT 1 FROM catalog_product p WHERE p.is_published LIMIT {COUNTED}) bounded
    ) END AS count
) total
CROSS JOIN (
    SELECT EXISTS (SELECT 1 FROM catalog_product p
                   WHERE p.is_published AND p.search_vector @@ to_tsquery('english', %(query)s)) AS anything
) is_found
ORDER BY typed.place
""")  # noqa: S608


@dataclass(frozen=True)
class Term:
    """A word as it is looked for. `weight`: the more, the rarer it is. `clause` is empty where nothing is like it."""

    shown: str
    clause: str
    weight: float


@dataclass(frozen=True)
class Forgiven:
    """What is looked for instead. `total_weight`: of all words that count, those we have nothing like too."""

    terms: Sequence[Term]
    total_weight: float
    missing: Sequence[str] = field(default_factory=tuple)
    is_corrected: bool = False

    @property
    def every(self) -> str:
        return " & ".join(term.clause for term in self.terms)

    @property
    def some(self) -> str:
        """What may be listed has one of these: the lightest words, all together below the floor, are left out."""
        heavy, left = [], self.floor
        for term in sorted(self.terms, key=lambda term: term.weight):
            left -= term.weight
            if left <= _ROUNDING:
                heavy.append(term.clause)
        return " | ".join(heavy)

    @property
    def floor(self) -> float:
        """The least weight of a find that lacks some of the words."""
        return self.total_weight * LEAST_SHARE

    @property
    def is_one_word(self) -> bool:
        """Then whatever has some of the words has all of them."""
        return len(self.terms) == 1

    @property
    def shown(self) -> str:
        return " ".join(term.shown for term in self.terms)


def forgive(options: Sequence[Wanted], query: str, compounds: Compounds) -> Forgiven | None:
    """None: there is nothing else to look for, or the words would find something if nothing else were chosen.

    `query`: what found nothing, as a tsquery. Whoever excludes a word knows what they are doing.
    """
    if any(wanted.excluded for wanted in options):
        return None
    words = [word for wanted in options for run in (wanted.words, *wanted.phrases) for word in run]
    counting = _clauses_that_count(list(dict.fromkeys(words)), compounds)[:MOST_WORDS]
    if not counting:
        return None
    rows = _analyze(counting, query)
    if rows[0]["anything"]:
        return None
    return _choose_terms(counting, rows, compounds)


def _clauses_that_count(words: Sequence[str], compounds: Compounds) -> list[tuple[str, str]]:
    clauses = compounds.write_clauses(words)
    kept = set(drop_fillers([word for word, _ in clauses]))
    return [(word, clause) for word, clause in clauses if word in kept and word not in IDLE]


def _choose_terms(
    counting: Sequence[tuple[str, str]], rows: Sequence[dict[str, Any]], compounds: Compounds
) -> Forgiven | None:
    terms, missing, lost_weight, is_corrected = [], [], 0.0, False
    for (word, clause), row in zip(counting, rows, strict=True):
        total = row["total"]
        if row["count"]:
            terms.append(Term(word, clause, _weigh(word, row["count"], total)))
            continue
        for near, pairs in row["near"]:
            compounds.splits[near].update((first, second) for first, second in pairs)
        stand_ins = find_nearest(word, [near for near, _ in row["near"]])
        if stand_ins:
            is_corrected = True
            either = " | ".join(compounds.write_word(each, 1) for each in stand_ins)
            terms.append(Term(stand_ins[0], f"({either})", _weigh(word, STANDS_IN, total)))
        else:
            missing.append(word)
            lost_weight += _weigh(word, 0.5, total)
    found_weight = sum(term.weight for term in terms)
    if found_weight < LEAST_SHARE * (found_weight + lost_weight) or not terms:
        return None
    return Forgiven(terms, found_weight + lost_weight, tuple(missing), is_corrected)


def _weigh(word: str, count: float, total: int) -> float:
    return math.log1p(total / count) * (0.5 if word in PEOPLE else 1)


def find_nearest(word: str, candidates: Sequence[str]) -> list[str]:
    """The candidates that fingers may have made the word of: the fewest slips first, then the most alike."""
    most = MOST_SLIPS if len(word) >= LONG else 1
    scored = []
    for other in candidates:
        slips, alike = _count_slips(word, other), SequenceMatcher(None, word, other).ratio()
        if slips <= most and alike >= ALIKE and abs(len(word) - len(other)) <= MOST_LONGER:
            scored.append((slips, -alike, other))
    return [other for _, _, other in sorted(scored)][:MOST_STAND_INS]


def _undo_slip(word: str) -> Iterator[str]:
    """The word with a letter left out or two neighbours changed over: then it has few trigrams in common."""
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
        yield word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]


def _count_slips(word: str, other: str) -> int:
    """Letters too many, too few or wrong, and neighbours in each other's place."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(word, 1):
        two_before, before, row = before, row, [place]
        for at, beside in enumerate(other, 1):
            fewest = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != beside))
            if place > 1 and at > 1 and letter == other[at - 2] and beside == word[place - 2]:
                fewest = min(fewest, two_before[at - 2] + 1)
            row.append(fewest)
    return row[-1]


def _analyze(counting: Sequence[tuple[str, str]], query: str) -> list[dict[str, Any]]:
    values: dict[str, Any] = {
        "words": [word for word, _ in counting],
        "clauses": [clause for _, clause in counting],
        "slips": [" ".join(_undo_slip(word)) for word, _ in counting],
        "query": query,
    }
    names = ("place", "count", "total", "anything", "near")
    rows = [dict(zip(names, row, strict=True)) for row in _ANALYZE.fetch_rows(values)]
    return [row | {"near": json.loads(row["near"])} for row in rows]
