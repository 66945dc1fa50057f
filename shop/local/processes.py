"""Processes we start: their output as lines, their end in order, and finding them again after a crash.

Each process leads a session of its own, so that Ctrl-C reaches only the supervisor, and so that everything a process
started can be ended with it. A note on disk holds its id and its start time: an id alone may be somebody else's by now.
"""

import codecs
import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shop.local.account import SystemAccount, write_safely

_PROC = Path("/proc")
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Part:
    """How one part of the shop is started and ended."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)
    is_ready: Callable[[], bool] | None = None  # None: there is nothing to ask, running on for a moment is the answer
    stop_signal: signal.Signals = signal.SIGTERM
    patience_seconds: float = 10
    stop_rank: int = 0  # parts of a higher rank stop later, when nobody leans on them any more
    run_as: SystemAccount | None = None


class RunningPart:
    """A started part."""

    def __init__(self, part: Part, *, notes: Path, on_line: Callable[[str, str], None]) -> None:
        self.part = part
        self.last_lines: deque[str] = deque(maxlen=15)
        self.started_at = time.monotonic()
        self._on_line = on_line
        self._note = notes / f"{part.name}.json"
        self._process = subprocess.Popen(
            list(part.command),
            cwd=part.folder,
            env=dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **(part.run_as.popen_arguments() if part.run_as else {}),
        )
        self.pid = self._process.pid
        _write_process_note(self._note, pid=self.pid, stop_signal=part.stop_signal)
        self._reader = threading.Thread(target=self._read, name=f"{part.name} output", daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        return self._process.wait(timeout)

    def request_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.part.stop_signal)

    def stop(self, *, is_asked: bool = False) -> bool:
        """Asks, waits for the part's patience, then ends what is left of its session. Whether it ended by itself."""
        if not is_asked:
            self.request_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.part.patience_seconds)
        ended_by_itself = self._process.poll() is not None
        self.clean_up()
        return ended_by_itself

    def kill(self) -> None:
        kill_session(self.pid)

    def clean_up(self) -> None:
        """Ends what the process left behind, reaps it and forgets it."""
        kill_session(self.pid)
        self._process.wait()
        self._reader.join(1)
        self._note.unlink(missing_ok=True)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  (it was asked for above)
        with self._process.stdout as stream:
            for line in _read_lines(stream.fileno()):
                self.last_lines.append(line)
                self._on_line(self.part.name, line)


def describe_exit(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def stop_left_behind(notes: Path) -> list[str]:
    """Ends the processes an earlier, killed supervisor left running. Returns their names."""
    left = []
    for note in sorted(notes.glob("*.json")):
        with contextlib.suppress(ValueError, KeyError, OSError):
            if _stop_noted_process(json.loads(note.read_text())):
                left.append(note.stem)
        note.unlink(missing_ok=True)
    return left


def is_process_running(pid: int, start: str | None) -> bool:
    return start is not None and get_start_time(pid) == start


def get_start_time(pid: int) -> str | None:
    """When the process started, in the words of this system; None when there is no such process."""
    if _PROC.joinpath("self").exists():
        stat = _read_stat(pid)
        return None if stat is None or stat[0] == "Z" else stat[19]
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def get_command_line(pid: int) -> str:
    """The process's command line; empty when there is no such process."""
    if _PROC.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def kill_session(leader: int) -> None:
    """SIGKILL to every process of the session that `leader` began, whether or not the leader still lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in _list_session_members(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _list_session_members(leader: int) -> Iterator[int]:
    for entry in _PROC.glob("[0-9]*"):
        stat = _read_stat(int(entry.name))
        if stat is not None and int(stat[3]) == leader and stat[0] != "Z":
            yield int(entry.name)


def _read_stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the name: state, parent, group, session, …, start time as the 20th."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _write_process_note(path: Path, *, pid: int, stop_signal: signal.Signals) -> None:
    text = json.dumps({"pid": pid, "start": get_start_time(pid), "stop_signal": int(stop_signal)})
    write_safely(path, text, mode=0o644)  # the next supervisor may be another account; the folder is private


def _stop_noted_process(noted: Mapping[str, object]) -> bool:
    pid, start = int(str(noted["pid"])), noted["start"]
    leader_lives = isinstance(start, str) and is_process_running(pid, start)
    if leader_lives:
        os.kill(pid, int(str(noted["stop_signal"])))
        deadline = time.monotonic() + 15
        while is_process_running(pid, str(start)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    elif get_start_time(pid) is not None:
        return False  # the id is somebody else's now
    orphans = list(_list_session_members(pid))
    if leader_lives or orphans:
        kill_session(pid)
    return leader_lives or bool(orphans)


def _read_lines(descriptor: int) -> Iterator[str]:
    """Lines as they come. A progress bar's carriage returns count as line ends, at most one line every two seconds."""
    rest, shown_at = "", 0.0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while chunk := os.read(descriptor, 65536):
        *pieces, rest = (rest + decoder.decode(chunk)).replace("\r\n", "\n").split("\n")
        for piece in pieces:
            if text := piece.rpartition("\r")[2].rstrip():
                yield text
        if "\r" in rest and time.monotonic() - shown_at > 2:
            shown_at = time.monotonic()
            if text := rest.rstrip("\r").rpartition("\r")[2].rstrip():
                yield text
            rest = ""
    if rest.strip():
        yield rest.strip()
