"""One process that starts the whole shop, keeps its parts running, and takes all of them with it when it ends."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.home import Home
from shop.local.processes import Part, RunningPart, describe_exit
from shop.local.servers import start_with_retries

_CHECK_SECONDS = 0.2
_SETTLED_SECONDS = 30  # a part that ran this long starts anew without waiting
_LONGEST_WAIT_SECONDS = 30
_TRIES_BEFORE_FIRST_ANSWER = 3
_STILL_WORKING_SECONDS = 5
_SLOW_STOP_SECONDS = 3
_ASSUMED_READY_SECONDS = 2


class StoppedError(Exception):
    """Somebody asked for the end while we were still starting."""


@dataclass
class _SupervisedPart:
    part: Part
    running: RunningPart | None
    has_answered: bool = False
    is_reported_down: bool = False
    failures: int = 0
    due_at: float = 0.0


class Supervisor:
    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._kept: list[_SupervisedPart] = []
        self._end = threading.Event()
        self._asked_at: float | None = None

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
            signal.signal(signal.SIGHUP, self._on_signal)

    def start_server(self, part: Part) -> None:
        """Starts a server everything else needs, and waits until it answers."""
        running = start_with_retries(part, notes=self._home.notes, on_line=self._console.line)
        self._kept.append(_SupervisedPart(part, running, has_answered=True))

    def start(self, part: Part) -> None:
        self._kept.append(_SupervisedPart(part, self._spawn(part)))

    def step(self, title: str, part: Part) -> None:
        """Runs one step of getting ready and shows how it goes. Raises `LocalError` with its last words."""
        began = time.monotonic()
        self._console.say(f"{title} …")
        running = RunningPart(part, notes=self._home.notes, on_line=lambda _, line: self._console.line("setup", line))
        try:
            code = self._wait_for(running, title)
        finally:
            running.stop()
        if code:
            raise LocalError(f"{title} failed ({describe_exit(code)}); its last words are above.")
        self._console.say(f"{title}: done in {time.monotonic() - began:.1f} s")

    def wait_until_ready(self) -> None:
        said_at = time.monotonic()
        while missing := [kept.part.name for kept in self._kept if not kept.has_answered]:
            self._check_all()
            self._pause()
            if time.monotonic() - said_at > _STILL_WORKING_SECONDS:
                said_at = time.monotonic()
                self._console.say(f"waiting for {', '.join(missing)}")

    def keep_running(self) -> None:
        """Until somebody asks for the end."""
        while not self._end.wait(_CHECK_SECONDS):
            self._check_all()

    def stop(self) -> None:
        """Stops the parts, those that others lean on last."""
        self._console.say("Stopping: the web and the workers first, the database last.")
        for rank in sorted({kept.part.stop_rank for kept in self._kept}):
            running = [kept.running for kept in self._kept if kept.running and kept.part.stop_rank == rank]
            for each in running:
                each.request_stop()
            for each in running:
                self._wait_for_end(each)
        self._console.say("Everything has stopped.")

    def _wait_for_end(self, running: RunningPart) -> None:
        began = time.monotonic()
        ended_by_itself = running.stop(is_asked=True)
        seconds = time.monotonic() - began
        if not ended_by_itself:
            self._console.say(
                f"{running.part.name} did not stop in {running.part.patience_seconds:g} s and was killed."
            )
        elif seconds > _SLOW_STOP_SECONDS:
            self._console.say(f"{running.part.name} stopped after {seconds:.0f} s.")

    def _spawn(self, part: Part) -> RunningPart:
        return RunningPart(part, notes=self._home.notes, on_line=self._console.line)

    def _wait_for(self, running: RunningPart, title: str) -> int:
        """The code it ends with. While it says nothing itself, we say now and then that it is still at it."""
        began = quiet_since = time.monotonic()
        seen: list[str] = []
        patience_seconds = float(_STILL_WORKING_SECONDS)
        while (code := running.exit_code()) is None:
            self._check_all()
            self._pause()
            now = time.monotonic()
            if seen != list(running.last_lines):
                seen, quiet_since = list(running.last_lines), now
            elif now - quiet_since > patience_seconds:
                quiet_since, patience_seconds = now, min(2 * patience_seconds, _LONGEST_WAIT_SECONDS)
                self._console.say(f"{title}: still at it after {now - began:.0f} s")
        return code

    def _pause(self) -> None:
        if self._end.wait(_CHECK_SECONDS):
            raise StoppedError

    def _check_all(self) -> None:
        for kept in self._kept:
            if kept.running is None:
                self._restart_when_due(kept)
            elif (code := kept.running.exit_code()) is not None:
                self._on_death(kept, kept.running, code)
            elif not kept.has_answered or kept.is_reported_down:
                self._on_first_answer(kept)

    def _on_first_answer(self, kept: _SupervisedPart) -> None:
        if kept.running and _is_answering(kept.running):
            if kept.is_reported_down:
                self._console.say(f"{kept.part.name} is back.")
            kept.has_answered, kept.is_reported_down = True, False

    def _on_death(self, kept: _SupervisedPart, running: RunningPart, code: int) -> None:
        lived_seconds = time.monotonic() - running.started_at
        running.clean_up()
        kept.running = None
        kept.failures = 1 if lived_seconds > _SETTLED_SECONDS else kept.failures + 1
        if not kept.has_answered and kept.failures >= _TRIES_BEFORE_FIRST_ANSWER:
            words = "\n".join(running.last_lines)
            raise LocalError(f"{kept.part.name} does not start ({describe_exit(code)}). Its last words:\n{words}")
        wait_seconds = min(0.5 * 2 ** (kept.failures - 1), _LONGEST_WAIT_SECONDS)
        kept.due_at, kept.is_reported_down = time.monotonic() + wait_seconds, True
        self._console.say(f"{kept.part.name} died ({describe_exit(code)}). Starting it again in {wait_seconds:g} s.")

    def _restart_when_due(self, kept: _SupervisedPart) -> None:
        if time.monotonic() >= kept.due_at:
            kept.running = self._spawn(kept.part)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Ctrl-C reaches us twice, from the terminal and through make; only one pressed again later means "at once".
        if self._asked_at is not None and time.monotonic() - self._asked_at > 1.5:
            for kept in self._kept:
                if kept.running is not None:
                    kept.running.kill()
        self._asked_at = self._asked_at or time.monotonic()
        self._end.set()


def _is_answering(running: RunningPart) -> bool:
    if running.part.is_ready is None:
        return time.monotonic() - running.started_at > _ASSUMED_READY_SECONDS
    return running.part.is_ready()


def run_supervised(supervisor: Supervisor, getting_ready: Callable[[], None]) -> None:
    """Gets ready, keeps running, and stops everything however that ends."""
    supervisor.listen()
    try:
        getting_ready()
        supervisor.keep_running()
    except StoppedError:
        pass
    finally:
        supervisor.stop()
