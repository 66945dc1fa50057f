"""A shop with a database and a Redis of its own, which a test may stop, start, freeze and crowd; and its pages."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg2
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, get_resolver

from shop.local.home import CHECKOUT, Home, file_lock, get_home
from shop.local.parts import make_health_check
from shop.local.postgres import PORT, USER, Postgres
from shop.local.processes import Part, RunningPart
from shop.local.servers import start_with_retries, stop_servers_left_behind
from shop.local.valkey import Valkey
from tests.reliability.stack import free_port, wait_until

COOKIE = "session=abcdefghijklmnopqrstuvwxyz123456; csrf=abcdefghijklmnopqrstuvwxyz123456"
MANY_CONNECTIONS = 2000  # more than any server here gives


@dataclass(frozen=True)
class Seen:
    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Away:
    """Web alone, over servers that come and go."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = free_port()
        self._postgres, self._valkey = Postgres(home, durable=False), Valkey(home)
        self._servers: dict[str, RunningPart] = {}
        self._web: RunningPart | None = None

    def start(self) -> None:
        self.start_postgres()
        self.start_redis()
        self._postgres.ensure_database()
        manage = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(manage, cwd=CHECKOUT, env=self._environment(), check=True, capture_output=True)
        web = ("--bind", f"127.0.0.1:{self.port}", "--threads", "8", "--no-control-socket", "--log-level", "critical")
        command = [sys.executable, "-m", "gunicorn", "shop.wsgi", *web]
        part = Part("web", command, self._environment(), CHECKOUT, is_ready=make_health_check(self.port))
        self._web = RunningPart(part, notes=self.home.notes, on_line=lambda *_: None)
        wait_until(make_health_check(self.port), seconds=60, what="the shop to open")

    def stop(self) -> None:
        self.thaw("postgres"), self.thaw("valkey")
        for running in (self._web, *self._servers.values()):
            if running:
                running.kill()
                running.clean_up()

    def start_postgres(self) -> None:
        self._servers["postgres"] = start_with_retries(self._postgres.part(), notes=self.home.notes)

    def start_redis(self) -> None:
        self._servers["valkey"] = start_with_retries(self._valkey.part(), notes=self.home.notes)

    def stop_postgres(self) -> None:
        self._stop("postgres")

    def stop_redis(self) -> None:
        self._stop("valkey")

    def freeze(self, name: str) -> None:
        """It holds its connections and takes new ones, and answers nothing."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        for pid in self._pids(name):
            with suppress(ProcessLookupError):  # a backend that ended since it was listed
                os.kill(pid, number)

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """Every connection the database gives is somebody else's."""
        held = []
        try:
            with suppress(psycopg2.OperationalError):
                while len(held) < MANY_CONNECTIONS:
                    held.append(self.connect())
                    held[0].cursor().execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = 'shop' AND application_name = '' AND backend_type = 'client backend'"
                        " AND pid <> ALL(%s)",
                        [[each.get_backend_pid() for each in held]],
                    )
            yield
        finally:
            for each in held:
                each.close()

    def execute(self, *statements: str) -> None:
        with closing(self.connect()) as line:
            for statement in statements:
                line.cursor().execute(statement)

    def end_sessions(self) -> None:
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> pg_backend_pid()"
        )

    def connect(self) -> Any:
        made = psycopg2.connect(host=str(self.home.sockets), port=PORT, user=USER, dbname="shop", connect_timeout=5)
        made.autocommit = True
        return made

    def visit(
        self, path: str, *, method: str = "GET", form: dict[str, str] | None = None, seconds: float = 30, **headers: str
    ) -> Seen:
        """`form`: what is posted; else a few bytes that are none."""
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        begun = time.monotonic()
        try:
            body = urlencode(form).encode() if form else b"{}" if method == "POST" else None
            line.request(method, path, body=body, headers={"Host": "localhost", **headers})
            answer = line.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return Seen(answer.status, dict(answer.headers), text, time.monotonic() - begun)
        finally:
            line.close()

    def _stop(self, name: str) -> None:
        running = self._servers.pop(name)
        running.kill()
        running.clean_up()

    def _pids(self, name: str) -> list[int]:
        running = self._servers.get(name)
        if running is None:
            return []
        listed = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True, check=False)
        return [running.pid, *(int(line) for line in listed.stdout.split())]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": self._postgres.url(),
            "REDIS_URL": self._valkey.url(),
            "SITE_URL": f"http://localhost:{self.port}",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }


@contextmanager
def running_shop() -> Iterator[Away]:
    tests = get_home("tests")
    home = Home(tests.folder(f"run-{os.getpid()}-away"), tests.owner)
    with file_lock(home.path / "lock"):
        made = Away(home)
        try:
            made.start()
            yield made
        finally:
            made.stop()
            stop_servers_left_behind(home)


def every_address() -> list[str]:
    """One for each view there is, its arguments filled in with what may be anything."""
    found = sorted({_filled(f"/{prefix}{pattern.pattern}") for prefix, pattern in _patterns("", get_resolver())})
    assert len(found) > 150
    return found


def _patterns(prefix: str, resolver: Any) -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield prefix, each
        else:
            yield from _patterns(f"{prefix}{each.pattern}", each)


def _filled(pattern: str) -> str:
    plain = simplify_regex(pattern.replace("//", "/"))
    return re.sub(r"<(\w+)>", "1", re.sub(r"<(?:uuid:)\w+>", str(Path("0" * 8 + "-0000-0000-0000-" + "0" * 12)), plain))
