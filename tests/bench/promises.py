"""What is promised of each step, and what was measured beside it, as one table."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.meter import Cost


@dataclass(frozen=True)
class Promise:
    """The most of each; None: measured and shown, not promised. `ratio` to `anchor`, in CPU of web and PostgreSQL.

    `growth` from 2,000 to 20,000 products, `size` in KB compressed.
    """

    anchor: str = "b2"
    ratio: float | None = None
    sql: int | None = None
    growth: float | None = None
    size: float | None = None


STAFF = Promise("staff: orders", 1.2)
PROMISES = {
    "home": Promise("b2", 1.2, 4, 1.1, 10),
    "category": Promise("b2", 1.2, 4, 1.1, 10),
    "category, narrowed": Promise("b2", 1.5, 4, 1.3, 10),
    "product": Promise("b", 3.0, 6, 1.05, 8),  # five statements, and one for its shelves
    "search, rare word": Promise("b2", 1.5, 4, 1.3, 10),
    "search, common word": Promise("b2", 1.5, 4, 1.3, 10),
    "search, mistyped": Promise("b2", 1.5, 4, 1.3, 10),
    # signed in: three statements more, and one for each shelf
    "home, nothing ticked": Promise("b2", None, 7, None, 10),
    "home, all ticked": Promise("b2", None, 8, None, 10),
    "product, nothing ticked": Promise("b", None, 9, None, 8),
    "product, all ticked": Promise("b", None, 9, None, 8),
    "add to cart": Promise("b", 3.0, 8, 1.1),
    "cart": Promise("b2", 1.0, 6, 1.1),
    "checkout": Promise("b2"),
    "place order": Promise("b2", None, 20, 1.1),
    "whole guest flow": Promise("b2", None, 90, 1.1),
    "order": Promise("b2"),
    "account": Promise("b2"),
    "switches": Promise("b2"),
    "staff: orders": Promise("b2", None, 8),  # six of its own, and two of who is signed in: session, user with customer
    "staff: first page": STAFF,
    "staff: products": STAFF,
    "staff: stock": STAFF,
}
HEAD = ("step", "CPU", "of it PostgreSQL", "ratio", "SQL cold, warm", "growth", "KB", "not kept")


@dataclass(frozen=True)
class Found:
    """What was measured of a step at both sizes of the shop. `sql`: of a process's first time, and from then on."""

    small: Cost
    large: Cost
    sql: tuple[int, int]
    size: float


@dataclass(frozen=True)
class Row:
    name: str
    promise: Promise
    found: Found
    ratio: float
    growth: float

    def find_broken(self) -> list[str]:
        """The words for what is not kept. The first time in a process may take one statement more."""
        promise, (cold, warm) = self.promise, self.found.sql
        measured = {
            "ratio": (self.ratio, promise.ratio),
            "SQL": (max(warm, cold - 1), promise.sql),
            "growth": (self.growth, promise.growth),
            "size": (self.found.size, promise.size),
        }
        return [words for words, (is_now, most) in measured.items() if most is not None and is_now > most]

    def list_cells(self) -> list[str]:
        promise, found = self.promise, self.found
        return [
            self.name,
            f"{found.large.total:.2f} ms",
            f"{found.large.postgres:.2f} ms",
            f"{self.ratio:.2f} × {promise.anchor}{_show_limit(promise.ratio)}",
            f"{found.sql[0]}, {found.sql[1]}{_show_limit(promise.sql)}",
            f"{self.growth:.2f}{_show_limit(promise.growth)}",
            f"{found.size:.1f}{_show_limit(promise.size)}",
            ", ".join(self.find_broken()) or "–",
        ]


def _show_limit(most: float | None) -> str:
    return "" if most is None else f" (≤ {most:g})"


def compare_steps(found: Mapping[str, Found]) -> list[Row]:
    """Growth is what a step takes more in the larger shop, counted in b's, which reads one row in either."""
    drift = found["b"].large.total / found["b"].small.total
    return [
        Row(
            name,
            promise,
            found[name],
            ratio=found[name].large.total / found[promise.anchor].large.total,
            growth=found[name].large.total / found[name].small.total / drift,
        )
        for name, promise in PROMISES.items()
    ]


def print_table(title: str, head: tuple[str, ...], rows: list[list[str]]) -> None:
    """To the terminal, and at the end of the file that BENCH_OUT names."""
    lines = ["", title, "", *_lay_out(head, rows)]
    print(*lines, sep="\n")  # noqa: T201
    if out := os.environ.get("BENCH_OUT"):
        with Path(out).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def _lay_out(head: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for cells in (head, ["-" * width for width in widths], *rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
