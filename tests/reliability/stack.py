"""The whole shop as processes a test may kill: web, worker, beat, broker, payment stand-in, and a mail server.

They share the test's own database, so that the test can look at the books itself.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from shop.local.home import CHECKOUT, Home, file_lock, get_home
from shop.local.parts import make_health_check
from shop.local.processes import Part, RunningPart
from shop.local.servers import start_with_retries
from shop.local.stripe.testing import StandIn
from shop.local.valkey import Valkey
from tests.notifications.sink import Server, Sink
from tests.patience import wait_until
from tests.reliability.books import deadlock_count

RESTART_SECONDS = 0.3  # what a supervisor takes to notice
TIMERS = {
    "RECONCILE_SECONDS": "2",
    "PAYMENT_HOLD_SECONDS": "20",
    "MAIL_RETRY_SECONDS": "1",
    "MAIL_LEASE_SECONDS": "4",
    "LOG_LEVEL": "WARNING",
}


class Stack:
    """Web, worker and beat, started again whenever they die. `log` holds what they said."""

    def __init__(self, home: Home, *, standin: StandIn, smtp_port: int, web_port: int, timers: dict[str, str]) -> None:
        self.home = home
        self.standin = standin
        self.site = f"http://localhost:{web_port}"
        self.log = home.path / "stack.log"
        self.deaths: list[str] = []
        self.deadlocks_before = deadlock_count()
        self._valkey = Valkey(home)
        self._broker: RunningPart | None = None
        self._parts = {part.name: part for part in self._services(smtp_port, web_port, timers)}
        self._running: dict[str, RunningPart | None] = {}
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._keeper = threading.Thread(target=self._keep_running, name="keeper", daemon=True)

    def start(self) -> None:
        self.start_broker()
        for name in self._parts:
            self._spawn(name)
        self._keeper.start()
        wait_until(self.is_open, "the shop to open")

    def stop(self) -> None:
        self._end.set()
        self._keeper.join(5)
        with self._lock:
            every = [running for running in (*self._running.values(), self._broker) if running]
            for running in every:
                running.kill()
            for running in every:
                running.clean_up()

    def is_open(self) -> bool:
        ready = self._parts["web"].is_ready
        return ready is not None and ready()

    def kill(self, name: str) -> None:
        """As the machine would, with no time to say goodbye: the process and all it started."""
        with self._lock:
            running = self._running.get(name)
            if running is not None:
                self.deaths.append(name)
                running.kill()

    def kill_child(self, name: str, luck: random.Random) -> None:
        """One of the processes that do its work; it starts another by itself."""
        with self._lock:
            running = self._running.get(name)
        children = _children(running.pid) if running else []
        if children:
            self.deaths.append(f"a child of {name}")
            _kill(luck.choice(children))

    def start_broker(self) -> None:
        self._broker = start_with_retries(self._valkey.part(), notes=self.home.notes)

    def kill_broker(self) -> None:
        assert self._broker is not None
        self.deaths.append("broker")
        self._broker.kill()
        self._broker.clean_up()
        self._broker = None

    def flush_broker(self) -> None:
        """Everything in it is gone: waiting tasks, locks, cache."""
        self.deaths.append("the broker's memory")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self._valkey.socket))
            link.sendall(b"FLUSHALL\r\n")
            assert link.recv(16).startswith(b"+OK")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    def _services(self, smtp_port: int, web_port: int, timers: dict[str, str]) -> Iterator[Part]:
        environment = self._environment(smtp_port, timers)

        def part(name: str, *arguments: str, is_ready: Callable[[], bool] | None = None) -> Part:
            return Part(name, [sys.executable, "-m", *arguments], environment, CHECKOUT, is_ready=is_ready)

        web = (
            "--bind",
            f"127.0.0.1:{web_port}",
            "--workers",
            "2",
            "--threads",
            "4",
            "--preload",
            "--no-control-socket",
        )
        quiet = ("--quiet", "--loglevel", "WARNING")
        yield part("web", "gunicorn", "shop.wsgi", *web, "--log-level", "warning", is_ready=make_health_check(web_port))
        yield part("worker", "celery", "-A", "shop", *quiet[:1], "worker", "-c", "2", "--without-mingle", *quiet[1:])
        schedule = str(self.home.folder("beat") / "schedule")
        yield part("beat", "celery", "-A", "shop", *quiet[:1], "beat", "--pidfile", "", "-s", schedule, *quiet[1:])

    def _environment(self, smtp_port: int, timers: dict[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            **TIMERS,
            **timers,
            "DATABASE_URL": database_url(),
            "REDIS_URL": self._valkey.url(),
            "SITE_URL": self.site,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
            "STRIPE_SECRET_KEY": self.standin.api_key,
            "STRIPE_WEBHOOK_SECRET": self.standin.webhook_secret,
            "STRIPE_API_BASE": self.standin.url,
            "STRIPE_CHECKOUT_ORIGIN": self.standin.origin,
            "PYTHONUNBUFFERED": "1",
        }

    def _spawn(self, name: str) -> None:
        self._running[name] = RunningPart(self._parts[name], notes=self.home.notes, on_line=self._note)

    def _note(self, name: str, line: str) -> None:
        with self.log.open("a") as file:
            file.write(f"{name}: {line}\n")

    def _keep_running(self) -> None:
        while not self._end.wait(0.05):
            for name in self._parts:
                with self._lock:
                    running = self._running[name]
                    if running is None or running.exit_code() is None:
                        continue
                    running.clean_up()
                if not self._end.wait(RESTART_SECONDS):
                    with self._lock:
                        self._spawn(name)


@contextmanager
def running_stack(folder: Path, **timers: str) -> Iterator[tuple[Stack, Sink]]:
    tests = get_home("tests")
    home = Home(tests.folder(f"run-{os.getpid()}-stack"), tests.owner)
    sink, smtp_port, web_port = Sink(), free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(file_lock(home.path / "lock"))
        for left_by_the_last in ("valkey", "beat"):  # its jobs would be done by this one's worker
            shutil.rmtree(home.folder(left_by_the_last))
        server = Server(sink, smtp_port)
        server.start()
        stack.callback(server.stop, no_assert=True)
        webhooks = f"http://127.0.0.1:{web_port}/webhooks/stripe/"
        standin = stack.enter_context(StandIn(folder / "stripe", webhook_url=webhooks))
        made = Stack(home, standin=standin, smtp_port=smtp_port, web_port=web_port, timers=timers)
        stack.callback(made.stop)
        made.start()
        yield made, sink


def database_url() -> str:
    """The test's own database, for other processes."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
