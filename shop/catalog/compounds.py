"""Words that are written as one or as two: “cakestand” and “cake stand” are one thing, whoever writes which.

What may be split is learnt from the catalog: two words that stand side by side in a name (`SearchCompound`). Joining
needs no list: a joined word that is nowhere finds nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shop.catalog.search_correction import IDLE, Wanted, get_forms

DEEPEST = 3  # “baroquecandlestick” is baroque candlestick is baroque candle stick

# A part of a WITH RECURSIVE: of each word typed, and of each half again, the halves the catalog knows.
SPLIT = f"""split (word, first, second, depth) AS (
    SELECT typed.word, c.first, c.second, 1
    FROM unnest(%(words)s::text[]) AS typed (word)
    JOIN catalog_searchcompound c ON c.stem = (ts_lexize('english_stem', typed.word))[1]
    UNION
    SELECT half.word, c.first, c.second, split.depth + 1
    FROM split CROSS JOIN LATERAL (VALUES (split.first), (split.second)) AS half (word)
    JOIN catalog_searchcompound c ON c.stem = (ts_lexize('english_stem', half.word))[1]
    WHERE split.depth < {DEEPEST}
)"""  # noqa: S608


@dataclass
class Compounds:
    """What the catalog knows of some words: `splits` of a word into two."""

    splits: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    def write_word(self, word: str, depth: int = DEEPEST) -> str:
        """A tsquery for a word, in every form and splitting."""
        either = [f"'{form}'" for form in get_forms(word)]
        if depth:
            for pair in sorted(self.splits.get(word, ())):
                halves = (self.write_word(half, depth - 1) for half in pair)
                either.append(f"({' & '.join(halves)})")
        return _write_either(either)

    def write_clauses(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """The words that count, each with its tsquery: the word, or it and a neighbour as one."""
        clauses = []
        for place, word in enumerate(words):
            before = _join(*words[place - 1 : place + 1]) if place else ""
            after = _join(*words[place : place + 2]) if place + 1 < len(words) else ""
            either = [f"'{joined}'" for joined in (before, after) if joined]
            if word not in IDLE:
                clauses.append((word, _write_either([self.write_word(word), *either])))
            elif after:
                clauses.append((word, f"'{after}'"))
        return clauses


def _join(first: str, second: str) -> str:
    """Both as one word; empty where that is none. Of what is idle only T begins a word: t-light, t-shirt, t-bar."""
    if (
        second in IDLE
        or (first in IDLE and not (first == "t" and second.isalpha()))
        or (first[-1].isdigit() and second[0].isdigit())
    ):
        return ""
    return first + second


def write_tsquery(options: Iterable[Wanted], compounds: Compounds) -> str:
    """For `to_tsquery('english', …)`. Empty where nothing is asked for."""
    written = [_write_wanted(wanted, compounds) for wanted in options]
    return " | ".join(f"({query})" for query in written if query)


def _write_wanted(wanted: Wanted, compounds: Compounds) -> str:
    every = [clause for _, clause in compounds.write_clauses(wanted.words)]
    every += [_write_phrase(phrase) for phrase in wanted.phrases]
    for words in wanted.excluded:
        every += [f"!({' & '.join(clause for _, clause in compounds.write_clauses(words)) or _write_phrase(words)})"]
    return " & ".join(every)


def _write_phrase(words: Sequence[str]) -> str:
    return "(" + " <-> ".join(f"'{word}'" for word in words) + ")"


def _write_either(either: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(either))
    return distinct[0] if len(distinct) == 1 else f"({' | '.join(distinct)})"
