"""CSV files that the shop writes: a spreadsheet that opens one runs nothing of it."""

import csv
from collections.abc import Iterable
from typing import TextIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvWriter:
    """Writes rows of cells. A text that a spreadsheet would take for a formula gets a “'” in front; ours ignore it."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)

    def write_row(self, cells: Iterable[object]) -> None:
        self._writer.writerow([_escape_formula(cell) for cell in cells])


def _escape_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
