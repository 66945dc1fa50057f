"""A bar for long steps on a terminal; in a log, a line now and then."""

import sys
import time
from typing import TextIO

WIDTH = 30
SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_FRAMES = 0.1


class Progress:
    """`with Progress("Importing", total) as bar: bar.at(done)`. Writes to stderr."""

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = max(total, 1)
        self.stream = stream or sys.stderr
        self.is_live = self.stream.isatty()
        self.drawn_at = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.is_live:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def at(self, done: int, note: str = "") -> None:
        pause = SECONDS_BETWEEN_FRAMES if self.is_live else SECONDS_BETWEEN_LINES
        if time.monotonic() - self.drawn_at >= pause:
            self.drawn_at = time.monotonic()
            self._draw(min(done / self.total, 1.0), note)

    def _draw(self, share: float, note: str) -> None:
        full = int(share * WIDTH)
        line = f"{self.label} [{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%} {note}"
        self.stream.write(f"\r\x1b[K{line}" if self.is_live else f"{line}\n")
        self.stream.flush()
