"""CPU a request takes, web and PostgreSQL together, of several pages by turns in one run."""

import io
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import override_settings


class Meter:
    """`pages`: name to (handler, path). Ask `measure()`; all times in milliseconds per request."""

    def __init__(self, pages: Mapping[str, tuple[WSGIHandler, str]]) -> None:
        self.pages = pages

    def measure(self, *, rounds: int = 12, requests: int = 10) -> dict[str, float]:
        for handler, path in self.pages.values():
            get(handler, path)
            get(handler, path)
        times: dict[str, list[float]] = {name: [] for name in self.pages}
        for _ in range(rounds):
            for name, (handler, path) in self.pages.items():
                before = _cpu()
                for _ in range(requests):
                    get(handler, path)
                times[name].append((_cpu() - before) * 1000 / requests)
        return {name: statistics.median(each) for name, each in times.items()}


def handler(middleware: Sequence[str] | None = None) -> WSGIHandler:
    if middleware is None:
        return WSGIHandler()
    with override_settings(MIDDLEWARE=list(middleware)):
        return WSGIHandler()


def get(handler: WSGIHandler, address: str) -> bytes:
    """The page as a browser gets it: compressed."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "localhost:8000",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    }
    status: list[str] = []
    response = handler(environ, lambda code, *_: status.append(code))  # type: ignore[arg-type]
    body = b"".join(response)
    response.close()
    assert status[0].startswith("200"), f"{address}: {status[0]}"
    return body


def _cpu() -> float:
    """Seconds of CPU so far: ours, and those of the PostgreSQL process that serves us, where it runs here."""
    return time.process_time() + _postgres_seconds()


def _postgres_seconds() -> float:
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    try:
        return int(schedule.read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def queries(handler: WSGIHandler, address: str) -> int:
    """How often the page asks the database."""
    asked = []
    execute = CursorWrapper.execute

    def counting(self: CursorWrapper, *args: object) -> object:
        asked.append(args)
        return execute(self, *args)

    CursorWrapper.execute = counting
    try:
        get(handler, address)
    finally:
        CursorWrapper.execute = execute
    return len(asked)
