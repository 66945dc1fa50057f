"""The supervisor keeps its parts running and leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.local.processes import get_start_time, kill_session
from tests.patience import PATIENCE_SECONDS, wait_until


class Supervised:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        (self.folder / "open").unlink(missing_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.local.supervised", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start_again(self) -> None:
        self.process = self._start()
        self.wait_until_open()

    def wait_until_open(self) -> None:
        wait_until((self.folder / "open").exists, "the supervisor is ready")

    def pid(self, name: str) -> int:
        return int((self.folder / name).read_text() or 0)

    def pids(self) -> list[int]:
        return [self.pid(name) for name in ("web.pid", "web.child", "base.pid", "base.child")]

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """Everything it said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return said

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path)
    running.wait_until_open()
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGTERM)
    for name in ("web.pid", "base.pid"):
        kill_session(running.pid(name))


def is_gone(pid: int) -> bool:
    return get_start_time(pid) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_end_stops_every_process_those_others_lean_on_last(
    supervised: Supervised, number: signal.Signals
) -> None:
    pids = supervised.pids()

    said = supervised.stop(number)

    assert supervised.process.returncode == 0
    assert all(is_gone(pid) for pid in pids)
    assert (supervised.folder / "stops").read_text().split() == ["web", "base"]
    assert "Everything has stopped." in said


def test_lines_carry_the_name_of_the_part_that_spoke_on_screen_and_in_the_log(supervised: Supervised) -> None:
    said = supervised.stop()

    assert "web      | hello from web" in said
    assert "setup    | stepping" in said
    assert "hello from base" in (supervised.folder / "log").read_text()


def test_a_part_that_is_killed_is_started_again_and_said_so(supervised: Supervised) -> None:
    before = supervised.pids()
    os.kill(supervised.pid("web.pid"), signal.SIGKILL)

    wait_until(lambda: supervised.pid("web.pid") not in {0, before[0]}, "web runs again")
    wait_until(lambda: is_gone(before[1]), "what web had started is gone")
    after_base = supervised.pid("base.pid")
    said = supervised.stop()

    assert "web died (killed by SIGKILL). Starting it again in 0.5 s." in said
    assert after_base == before[2], "the others were left alone"


def test_a_start_after_kill_9_finds_what_was_left_running_and_ends_it(supervised: Supervised) -> None:
    before = supervised.pids()
    supervised.kill()
    assert not any(is_gone(pid) for pid in before)

    supervised.start_again()

    assert all(is_gone(pid) for pid in before)
    assert "left: ['base', 'web']" in supervised.stop()


def test_a_second_supervisor_for_the_same_shop_is_refused_and_touches_nothing(supervised: Supervised) -> None:
    before = supervised.pids()

    second = subprocess.run(
        [sys.executable, "-m", "tests.local.supervised", str(supervised.folder)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (second.returncode, second.stderr) == (1, "running already\n")
    assert supervised.pids() == before
    assert not any(is_gone(pid) for pid in before)


def test_a_part_that_cannot_start_stops_the_whole_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()

    process = Supervised(tmp_path).process
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 1
    assert "broken does not start (exit code 1). Its last words:\nno such setting" in said
    assert is_gone(int((tmp_path / "web.pid").read_text()))
