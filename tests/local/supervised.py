"""A small supervisor for tests: `python -m tests.local.supervised FOLDER`. Its parts note their ids and sleep."""

import sys
from pathlib import Path

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.home import Home, file_lock
from shop.local.processes import Part
from shop.local.servers import stop_servers_left_behind
from shop.local.supervisor import Supervisor, run_supervised

_SLEEPER = """
import os, pathlib, signal, subprocess, sys, time
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / f"{name}.child").write_text(str(child.pid))
signal.signal(signal.SIGTERM, lambda *_: ((folder / "stops").open("a").write(name + " "), child.kill(), sys.exit(0)))
(folder / f"{name}.pid").write_text(str(os.getpid()))
print("hello from", name, flush=True)
while True:
    time.sleep(0.1)
"""


def main(folder: Path) -> int:
    home = Home(folder / "home")
    home.path.mkdir(exist_ok=True)
    console = Console(log_path=folder / "log")
    with file_lock(home.path / "lock") as ours:
        if not ours:
            sys.stderr.write("running already\n")
            return 1
        console.say(f"left: {stop_servers_left_behind(home)}")
        supervisor = Supervisor(home, console)
        try:
            run_supervised(supervisor, lambda: _get_ready(folder, supervisor))
        except LocalError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def _get_ready(folder: Path, supervisor: Supervisor) -> None:
    supervisor.step("A step", Part("setup", [sys.executable, "-c", "print('stepping')"]))
    for name, rank in (("base", 1), ("web", 0)):
        supervisor.start(_sleeper(name, folder, rank))
    if (folder / "broken").exists():
        supervisor.start(Part("broken", [sys.executable, "-c", "raise SystemExit('no such setting')"]))
    supervisor.wait_until_ready()
    (folder / "open").touch()


def _sleeper(name: str, folder: Path, rank: int) -> Part:
    pid_file = folder / f"{name}.pid"
    command = [sys.executable, "-c", _SLEEPER, name, str(folder)]
    return Part(name, command, is_ready=pid_file.exists, stop_rank=rank)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
