"""The shop's two servers, for as long as a block of code needs them: a management command, or a run of the tests."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from shop.local.account import LocalError
from shop.local.home import Home, file_lock
from shop.local.postgres import Postgres
from shop.local.processes import Part, RunningPart, describe_exit, stop_left_behind
from shop.local.valkey import Valkey

_PATIENCE_SECONDS = 120  # a busy machine starts a server slowly


@contextlib.contextmanager
def started_servers(home: Home, *, durable: bool = True) -> Iterator[None]:
    """Both servers, started here and stopped at the end. The caller holds the shop's lock."""
    with contextlib.ExitStack() as stack:
        for server in (Postgres(home, durable), Valkey(home, durable)):
            running = start_with_retries(server.part(), notes=home.notes)
            stack.callback(running.stop)
        Postgres(home).ensure_database()
        yield


@contextlib.contextmanager
def borrowed_servers(home: Home) -> Iterator[None]:
    """The running shop's servers, or our own for as long as we and those who borrow them from us need them."""
    with file_lock(home.path / "lock") as ours:
        if ours:
            stop_servers_left_behind(home)
            with started_servers(home):
                yield
                with file_lock(home.path / "borrowed", wait=True):
                    pass
        else:
            with file_lock(home.path / "borrowed", shared=True):
                _wait_for_running_servers(home)
                yield


def stop_servers_left_behind(home: Home) -> list[str]:
    """Stops whatever a killed supervisor left running for this shop. Returns the names of what was found."""
    left = stop_left_behind(home.notes)
    if Postgres(home).stop_left_behind():
        left.append("postgres")
    return left


def start_with_retries(
    part: Part, *, notes: Path, on_line: Callable[[str, str], None] = lambda *_: None
) -> RunningPart:
    """Starts a server and waits until it answers.

    After a `kill -9` its old lock may stand for a second or two, so a start that fails is tried again.
    Raises `LocalError` with its last words.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        running = RunningPart(part, notes=notes, on_line=on_line)
        code = _wait_until_ready(running, deadline)
        if code is None:
            return running
        running.clean_up()
        if time.monotonic() > deadline - _PATIENCE_SECONDS + 8:
            words = "\n".join(running.last_lines)
            raise LocalError(f"{part.name} does not start ({describe_exit(code)}):\n{words}")
        time.sleep(0.5)


def _wait_until_ready(running: RunningPart, deadline: float) -> int | None:
    """None once it answers, or the code it ended with."""
    while running.part.is_ready and not running.part.is_ready():
        code = running.exit_code()
        if code is not None:
            return code
        if time.monotonic() > deadline:
            running.stop()
            raise LocalError(f"{running.part.name} started but does not answer after {_PATIENCE_SECONDS} s.")
        time.sleep(0.05)
    return running.exit_code()


def _wait_for_running_servers(home: Home) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (Postgres(home).is_ready() and Valkey(home).is_ready()):
        if time.monotonic() > deadline:
            raise LocalError(
                "The shop is starting or stopping in another terminal and its database does not answer yet."
            )
        time.sleep(0.2)
