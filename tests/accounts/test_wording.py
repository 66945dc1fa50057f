"""A first-time visitor can tell from the page alone what each switch reads and gives: short, and easy to read."""

import re

import pytest

from accounts.consent import purposes
from accounts.consent.purposes import Purpose

EVERY = (*purposes.PURPOSES, purposes.PERSONAL_SHOPPER)
PARTS = [(purpose, part) for purpose in EVERY for part in ("explanation", "reads", "gives")]
MOST_WORDS = 40
HARDEST_GRADE = 8.0
SILENT = re.compile(  # written and not spoken, as in: like, while, picked, gives, makes
    r"(?<=[^laeiouy])e$|(?<=[aeiouy]l)e$|(?<=[^tdaeiouy])ed$|(?<=[^szxaeiouygch])es$|(?<=[aeiouy][kmnprtv])es$"
)


def words_of(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+(?:['’][A-Za-z]+)*", text)


def syllables(word: str) -> int:
    """By groups of vowels, a silent ending not counted: near enough for a grade."""
    plain = re.sub(r"['’]s?", "", word.lower())
    plain = SILENT.sub("", plain)
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


def grade(text: str) -> float:
    """Flesch and Kincaid's grade: about the years of school it takes to read it with ease."""
    words = words_of(text)
    sentences = max(1, len(re.findall(r"[.!?:;]+(?:\s|$)", text)))
    per_word = sum(map(syllables, words)) / len(words)
    return 0.39 * len(words) / sentences + 11.8 * per_word - 15.59


@pytest.mark.parametrize(("purpose", "part"), PARTS, ids=[f"{purpose.key} {part}" for purpose, part in PARTS])
def test_what_a_switch_does_reads_and_gives_is_short_and_easy_to_read(purpose: Purpose, part: str):
    text = getattr(purpose, part)
    assert 0 < len(words_of(text)) <= MOST_WORDS, text
    assert grade(text) <= HARDEST_GRADE, f"{grade(text):.1f}: {text}"


@pytest.mark.parametrize(
    ("word", "count"),
    [("picked", 1), ("order", 2), ("delivered", 3), ("suggestions", 3), ("gives", 1), ("purchase", 2), ("people", 2)],
)
def test_syllables_are_counted_about_right(word, count):
    assert syllables(word) == count


def test_the_words_of_lawyers_would_not_pass():
    text = "Behavioural information is processed for the purpose of personalising recommendations and communications."
    assert grade(text) > 2 * HARDEST_GRADE
    assert grade("The cat sat on the mat.") < 1
