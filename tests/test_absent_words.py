"""That a short word is absent is asked of words: pages and mails carry tokens, and a token may spell it by chance.

Three letters stand somewhere in the 80 of a sealed address once in 3,000 mails.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LONG_ENOUGH = 6  # one token of 80 signs in some hundred million spells six letters
CARRY_TOKENS = ("page", "mail", ".text", ".html", ".content")


def find_absences(source: str) -> list[tuple[int, str]]:
    """Line and text of each `"word" not in …` whose right side is a page or a mail as it came."""
    return [
        (node.lineno, ast.unparse(node))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn)
        if isinstance(node.left, ast.Constant) and is_short_word(node.left.value)
        if carries_tokens(ast.unparse(node.comparators[0]))
    ]


def is_short_word(value: object) -> bool:
    return isinstance(value, str) and len(value) < LONG_ENOUGH and value.replace("-", "").isalnum()


def carries_tokens(place: str) -> bool:
    return any(each in place for each in CARRY_TOKENS) and "words" not in place


def test_no_short_word_is_missed_in_what_carries_tokens():
    found = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in ROOT.rglob("*.py")
        for line, text in find_absences(path.read_text())
    ]
    assert found == []


def test_what_carries_tokens_is_found():
    assert find_absences('assert "Mug" not in mail.text + mail.html')
    assert not find_absences('assert "Mug" not in mail.words')
    assert not find_absences('assert "Mug" not in titles')
