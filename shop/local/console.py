"""What the local tools say to the person at the terminal, and the same lines in a log file."""

import os
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TextIO

_COLOURS = {"shop": 1, "postgres": 34, "valkey": 35, "stripe": 36, "mailbox": 33, "web": 32, "worker": 94, "beat": 90}
_WIDTH = 9  # of the longest part's name, so that the lines stand under each other


class Console:
    """Writes whole lines, each with the name of the part that spoke. Safe from several threads."""

    def __init__(self, stream: TextIO | None = None, log_path: Path | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._log = _open_fresh_log(log_path) if log_path else None
        self._lock = threading.Lock()

    def line(self, part: str, text: str) -> None:
        with self._lock:
            self._write(f"{self._label(part)} {text}\n")
            if self._log:
                now = datetime.now().astimezone().isoformat(timespec="seconds")
                self._log.write(f"{now} {part:<{_WIDTH}} {text}\n")
                self._log.flush()

    def say(self, text: str) -> None:
        """A word from the supervisor itself."""
        for line in text.splitlines() or [""]:
            self.line("shop", line)

    def plain(self, text: str) -> None:
        """A block that somebody will want to copy from: no names in front."""
        with self._lock:
            self._write(text.rstrip("\n") + "\n")

    def _label(self, part: str) -> str:
        label = f"{part:<{_WIDTH}}|"
        return f"\x1b[{_COLOURS.get(part, 37)}m{label}\x1b[0m" if self._coloured else label

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal has gone; the log file goes on
            self._stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _open_fresh_log(path: Path) -> TextIO:
    """Opens the log, keeping the one of the run before as `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_suffix(path.suffix + ".1"))
    return path.open("w", encoding="utf-8")
