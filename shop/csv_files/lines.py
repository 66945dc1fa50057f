"""Records of a CSV file, strictly: a quotation mark left open spoils its own line and no other.

The lines of the record at hand are kept. When the record turns out to be broken, its first line is reported and the
others are read again, each as the row it is.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, TextIO

from shop.csv_files.report import BadRow

LONGEST_LINE = 1_000_000  # characters
LONGEST_CELL = csv.field_size_limit()  # characters; Python's own limit
UNCLOSED_QUOTE = "opens a quotation mark that is not closed on its line; a mark inside a text is written twice"
TOO_LONG = f"holds more than {LONGEST_CELL:,} characters in one cell"

Judge = Callable[[Sequence[str], Sequence[str]], str]


class CsvRecord(NamedTuple):
    """`number`: the line it begins on, as an editor counts. `text`: its lines as they stand in the file, until the next
    record is asked for.
    """

    number: int
    cells: list[str]
    text: list[str]


class _LineBuffer:
    """The lines of a file. Those given for the record at hand are `taken`, and can be given again."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.is_overlong = False

    def give(self) -> Iterator[str]:
        take, again = self.taken.append, self._again
        for line in chain(iter(partial(_pop_line, again), ""), iter(partial(self._file.readline, LONGEST_LINE), "")):
            if len(line) >= LONGEST_LINE:
                self._skip_rest(line)
            take(line)
            yield line

    def _skip_rest(self, line: str) -> None:
        while line and line[-1] not in "\r\n":
            self.is_overlong = True
            line = self._file.readline(LONGEST_LINE)

    def begin(self) -> None:
        self.taken.clear()
        self.is_overlong = False

    def push_back(self) -> int:
        """All but the first line of the record are to be given again. Returns how many."""
        self._again.extendleft(reversed(self.taken[1:]))
        return len(self.taken) - 1


def _pop_line(waiting: deque[str]) -> str:
    return waiting.popleft() if waiting else ""


def read_records(file: TextIO, delimiter: str, judge: Judge) -> Iterator[CsvRecord | BadRow]:
    """`judge` is asked about each record of several lines (its cells, its lines) and says what is wrong, or nothing."""
    lines = _LineBuffer(file)
    before = 0  # lines of the file given to earlier readers
    reader = csv.reader(lines.give(), delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        number = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = _describe_csv_error(str(error), is_long=len(lines.taken) > 1)
        else:
            problem = judge(cells, lines.taken) if len(lines.taken) > 1 else ""
        if lines.is_overlong:
            problem = f"is a line of more than {LONGEST_LINE:,} characters"
        if not problem:
            yield CsvRecord(number, cells, lines.taken)
            continue
        before += reader.line_num - lines.push_back()
        reader = csv.reader(lines.give(), delimiter=delimiter, strict=True)
        yield BadRow(number, problem)


def _describe_csv_error(error: str, *, is_long: bool) -> str:
    if is_long or "unexpected end" in error:
        return UNCLOSED_QUOTE
    if "field limit" in error:
        return TOO_LONG
    if "expected after" in error:
        return "has text after a closing quotation mark; a mark inside a text is written twice"
    return f"is not readable as CSV: {error}"


def split_single_line(line: str, delimiter: str) -> list[str]:
    """A line as a record of its own; where its quotation marks forbid that, split at every delimiter."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return line.rstrip("\r\n").split(delimiter)
