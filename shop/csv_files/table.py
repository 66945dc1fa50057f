"""A CSV file as a table: a header of known columns, and rows of as many cells."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from shop.csv_files.arguments import UTF_8, CsvFormat, format_delimiter_option
from shop.csv_files.lines import UNCLOSED_QUOTE, CsvRecord, read_records, split_single_line
from shop.csv_files.opening import open_text, suggest_encoding
from shop.csv_files.report import BadRow, UnusableFileError, UnusableRowError
from shop.spelling import clean_title, make_spelling_key

LONGEST_NAME = 80
DELIMITERS = ",;\t|"
DECIMAL_COMMA = re.compile(r"[0-9]{1,9},[0-9]{1,2}")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FORMULA = re.compile(r"'(?=[=+\-@\t\r])")  # as `shop.csv_files.writing` leaves such cells

Parsed = TypeVar("Parsed")
Parse = Callable[[int, Mapping[str, str]], Parsed]


@dataclass(frozen=True)
class Columns:
    """What a kind of file has. `long_texts`: where line breaks may stand, as they may in unknown columns that count."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    long_texts: frozenset[str] = frozenset()
    keeps_others: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def find_missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in self.required if name not in names]

    def normalize_names(self, header: Sequence[str]) -> list[str]:
        """Our own spelling of each known name, whatever its case and spacing; of an unknown one, its clean form."""
        known = {make_spelling_key(name): name for name in self.known}
        keys = [make_spelling_key(name) for name in header]
        cleaned = [clean_title(name)[:LONGEST_NAME].strip() for name in header]
        return [known.get(key, known.get(key.replace(" ", "_"), name)) for key, name in zip(keys, cleaned, strict=True)]

    def allows_break(self, name: str) -> bool:
        return name in self.long_texts or (self.keeps_others and name not in self.known)


class CsvTable:
    """An open file with a header that fits one of the kinds accepted. Its rows can be read once."""

    def __init__(self, path: Path, raw: BinaryIO, text: TextIO, accepted: Sequence[Columns], how: CsvFormat) -> None:
        self.how = how
        self._path = path
        self._raw = raw
        self._parse: Parse[object] | None = None
        self.names: list[str] = []
        self._records = read_records(text, how.delimiter, self._check_multiline_record)
        header = self._read_header()
        self.columns = self._choose(header, accepted)
        self.names = self.columns.normalize_names(header)
        self._has_unnamed = "" in self.names
        self._check_names()

    @property
    def position(self) -> int:
        """Bytes of the file read so far, for progress."""
        return self._raw.tell()

    @property
    def unused(self) -> list[str]:
        """Columns of the file that nothing reads."""
        return [
            name for name in self.names if name and name not in self.columns.known and not self.columns.keeps_others
        ]

    def read_rows(self, parse: Parse[Parsed]) -> Iterator[Parsed | BadRow]:
        """Each row as `parse` makes it from its number and its cells by name. Empty rows are passed over."""
        self._parse = parse
        for record in self._records:
            if isinstance(record, BadRow):
                yield record
            elif any(record.cells):
                try:
                    row = parse(record.number, self._name_cells(record))
                except UnusableRowError as reason:
                    yield BadRow(record.number, str(reason))
                else:
                    yield row

    # -- The header --

    def _read_header(self) -> list[str]:
        for record in self._records:
            if isinstance(record, BadRow):
                raise UnusableFileError(f"{self._path}: the first line {record.reason}.")
            if any(cell.strip() for cell in record.cells):
                for line in record.text:
                    self._check_text(line, UnusableFileError, f"{self._path}: the first line ")
                return record.cells
        raise UnusableFileError(f"{self._path} is empty.")

    def _choose(self, header: list[str], accepted: Sequence[Columns]) -> Columns:
        for columns in accepted:
            if not columns.find_missing(columns.normalize_names(header)):
                return columns
        first = accepted[0]
        for columns in accepted:
            self._check_delimiter(header, columns)
        missing = first.find_missing(first.normalize_names(header))
        if len(accepted) > 1:
            lacking = " nor ".join(columns.find_missing(columns.normalize_names(header))[0] for columns in accepted)
            raise MissingColumnsError(f"{self._path} has the columns of neither format: no {lacking}.", header)
        raise MissingColumnsError(
            f"{self._path} has no column {missing[0]}. The first line lacks: {', '.join(missing)}.", header
        )

    def _check_delimiter(self, header: list[str], columns: Columns) -> None:
        line = self.how.delimiter.join(header)
        declared = re.fullmatch(r"sep=(.)?", line)
        for delimiter in DELIMITERS if not declared else (declared[1] or self.how.delimiter):
            if declared:
                raise UnusableFileError(
                    f"{self._path} begins with “{line}”: take that line out, "
                    f"and add {format_delimiter_option(delimiter)}."
                )
            if not columns.find_missing(columns.normalize_names(split_single_line(line, delimiter))):
                raise UnusableFileError(
                    f"{self._path} has “{delimiter}” between its columns, not “{self.how.delimiter}”: "
                    f"add {format_delimiter_option(delimiter)}{self._advise_decimal(delimiter)}"
                )

    def _advise_decimal(self, delimiter: str) -> str:
        """Looks at the rows below a header in another separator."""
        for _, record in zip(range(20), self._records, strict=False):
            cells = record.text[0].rstrip("\r\n").split(delimiter) if isinstance(record, CsvRecord) else []
            if delimiter != "," and self.how.decimal == "." and any(DECIMAL_COMMA.fullmatch(cell) for cell in cells):
                return " and --decimal ,"
        return ""

    def _check_names(self) -> None:
        keys = [make_spelling_key(name) for name in self.names]
        twice = sorted({name for name, key in zip(self.names, keys, strict=True) if name and keys.count(key) > 1})
        if twice:
            raise UnusableFileError(f"{self._path}: the first line names twice: {', '.join(twice)}.")

    # -- The rows --

    def _name_cells(self, record: CsvRecord) -> dict[str, str]:
        cells, width = record.cells, len(self.names)
        for line in record.text:
            if not (line.isascii() and line.rstrip("\r\n").isprintable()):
                self._check_text(line, UnusableRowError, "")
        if len(cells) != width:
            raise UnusableRowError(f"has {len(cells)} cells where the first line has {width}")
        if "'" in record.text[0]:
            cells = [_FORMULA.sub("", cell, count=1) if cell.startswith("'") else cell for cell in cells]
        named = dict(zip(self.names, cells, strict=True))
        if self._has_unnamed and named.pop("", "").strip():
            raise UnusableRowError("has a value in a column without a name")
        return named

    def _check_text(self, line: str, kind: type[Exception], subject: str) -> None:
        found = _UNREADABLE.search(line)
        if found is None:
            return
        if found[0] == "\x00":
            raise kind(f"{subject}holds a zero byte")
        if found[0] < " " or found[0] == "\x7f":
            raise kind(f"{subject}holds a control character (number {ord(found[0])})")
        hint = suggest_encoding(line) if self.how.encoding == UTF_8 else ""
        raise kind(f"{subject}is not in {self.how.encoding.upper()}{hint}")

    def _check_multiline_record(self, cells: Sequence[str], lines: Sequence[str]) -> str:
        """Of a record of several lines: whether a quotation mark left open made it so."""
        if not self.names:
            return UNCLOSED_QUOTE
        for name, cell in zip(self.names, cells, strict=False):
            if ("\n" in cell or "\r" in cell) and not self.columns.allows_break(name):
                return f"{UNCLOSED_QUOTE} (in {name})"
        return UNCLOSED_QUOTE if any(self._is_row(line) for line in lines[1:]) else ""

    def _is_row(self, line: str) -> bool:
        """Whether a line inside a text would be a row by itself: sentences have spaces after commas, rows have none."""
        cells = split_single_line(line, self.how.delimiter)
        width = len(self.names)
        if sum(not cell.startswith(" ") for cell in cells) >= width:
            return True
        if len(cells) != width or self._parse is None:
            return False
        try:
            self._parse(0, dict(zip(self.names, cells, strict=True)))
        except UnusableRowError:
            return False
        return True


class MissingColumnsError(UnusableFileError):
    """`header`: what the first line has instead."""

    def __init__(self, message: str, header: Sequence[str]) -> None:
        super().__init__(message)
        self.header = header


@contextmanager
def open_table(path: Path, *accepted: Columns, how: CsvFormat) -> Iterator[CsvTable]:
    """Raises UnusableFileError, also from inside the block, for what is wrong with the file as a whole."""
    with open_text(path, how.encoding) as (raw, text):
        yield CsvTable(path, raw, text, accepted, how)
