"""A made-up language: words as unevenly used as real ones, the same for the same seed."""

from itertools import accumulate
from random import Random

ONSETS = [*"bcdfghklmnprstvw", "br", "cl", "dr", "fl", "gr", "pl", "st", "tr", "sh", "ch"]
VOWELS = [*"aeiou", "ai", "ea", "ou"]
ENDINGS = ("", "n", "r", "t", "s")
COUNT = 4000
MOST_COMMON = 3  # how flat the top of the curve is


def make_vocabulary(seed: int = 1) -> list[str]:
    """The commonest word first."""
    drawn = Random(seed)
    words = sorted({_make_word(drawn) for _ in range(COUNT)})
    drawn.shuffle(words)
    return words


def _make_word(drawn: Random) -> str:
    body = "".join(drawn.choice(ONSETS) + drawn.choice(VOWELS) for _ in range(drawn.choice((2, 2, 3))))
    return body + drawn.choice(ENDINGS)


VOCABULARY = make_vocabulary()
_WEIGHTS = list(accumulate(1 / (place + MOST_COMMON) for place in range(len(VOCABULARY))))


def draw_words(drawn: Random, count: int) -> str:
    return " ".join(drawn.choices(VOCABULARY, cum_weights=_WEIGHTS, k=count))
