"""What is wrong with a file, or with a row of it, in words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

MOST_KEPT = 1000  # bad rows reported one by one; those beyond are only counted
LONGEST_QUOTE = 40


class UnusableFileError(Exception):
    """Nothing of the file was used; the message says why and what to do."""


class UnusableRowError(ValueError):
    """This row cannot be used; the message says why, without its number."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """`number`: the line on which the row begins, as an editor shows it."""

    number: int
    reason: str


class TextOutput(Protocol):
    def write(self, msg: str, /) -> object: ...


@dataclass
class RowReport:
    """The bad rows of one file: all are counted, the first thousand kept."""

    count: int = 0
    kept: list[BadRow] = field(default_factory=list)

    def add(self, *rows: BadRow) -> None:
        self.extend(rows)

    def extend(self, rows: Iterable[BadRow]) -> None:
        for row in rows:
            self.count += 1
            if len(self.kept) < MOST_KEPT:
                self.kept.append(row)

    def write_to(self, output: TextOutput) -> None:
        """A line for each row, by its number."""
        for row in sorted(self.kept, key=lambda each: each.number):
            output.write(f"Row {row.number}: {row.reason}")
        if self.count > len(self.kept):
            output.write(f"… and {self.count - len(self.kept):,} more rows like these.")


def quote_cell(text: str) -> str:
    """A cell's text inside a message: short, and without anything that could move a terminal's cursor."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text[: LONGEST_QUOTE + 1])
    return f"“{shown}”" if len(shown) <= LONGEST_QUOTE else f"“{shown[:LONGEST_QUOTE]}…”"
