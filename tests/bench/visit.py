"""A browser at a WSGI handler, as cheap as can be: what is measured is the shop."""

import io
from collections.abc import Container, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings

TOKEN = "a" * 32
SHOWN, LED_ON = (200,), (302, 303)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Visit:
    """Keeps cookies, takes pages compressed, and follows nothing."""

    def __init__(self, handler: WSGIHandler, cookies: dict[str, str] | None = None) -> None:
        self.handler = handler
        self.cookies = {settings.CSRF_COOKIE_NAME: TOKEN, **(cookies or {})}

    def get(self, address: str) -> Reply:
        return self._send("GET", address, b"", expected=SHOWN)

    def post(self, address: str, **fields: object) -> Reply:
        return self._send("POST", address, urlencode(fields).encode(), expected=LED_ON)

    def follow(self, address: str) -> Reply:
        """A page that leads on to another."""
        return self._send("GET", address, b"", expected=LED_ON)

    def _send(self, method: str, address: str, body: bytes, *, expected: Container[int]) -> Reply:
        told: list[tuple[int, Sequence[tuple[str, str]]]] = []
        response = self.handler(
            self._make_environ(method, address, body),
            lambda status, headers, *_: told.append((int(status[:3]), headers)),  # type: ignore[arg-type]
        )
        content = b"".join(response)
        response.close()
        [(status, headers)] = told
        assert status in expected, f"{method} {address}: {status}"
        for name, value in headers:
            if name == "Set-Cookie":
                self.cookies.update({key: morsel.value for key, morsel in SimpleCookie(value).items()})
        return Reply(status, dict(headers), content)

    def _make_environ(self, method: str, address: str, body: bytes) -> dict[str, object]:
        path, _, query = address.partition("?")
        return {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8000",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "HTTP_X_CSRFTOKEN": TOKEN,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }


def make_handler(middleware: Sequence[str] | None = None) -> WSGIHandler:
    """The shop's own way in, or one with this middleware alone."""
    if middleware is None:
        return WSGIHandler()
    with override_settings(MIDDLEWARE=list(middleware)):
        return WSGIHandler()
