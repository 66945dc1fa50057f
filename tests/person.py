"""Somebody at the shop: opens pages, fills fields by their names and presses buttons by theirs, without JavaScript.

A `Person` walks over whatever carries requests: Django's test client, or real HTTP to a running shop. The payment page
is another server and always real.
"""

import http.client
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from django.test import Client, TestCase

from tests.page import Button, Field, Form, Page

Pairs = Sequence[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"
MOST_HOPS = 6


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    text: str


class Road(Protocol):
    """Carries one request and brings back its answer, following nothing."""

    def send(self, method: str, url: str, data: Pairs | None) -> Answer: ...


class ClientRoad:
    """Django's test client, CSRF protection on. What waits for a commit happens after each request."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    def send(self, method: str, url: str, data: Pairs | None) -> Answer:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc}
        if method not in ("GET", "HEAD"):
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        with TestCase.captureOnCommitCallbacks(execute=True):
            response = self.client.generic(method, path, urlencode(data or []), content_type=FORM, headers=headers)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        text = content.decode(response.charset or "utf-8", "replace")
        return Answer(response.status_code, {name.lower(): value for name, value in response.items()}, text)


class HttpRoad:
    """Plain HTTP with a cookie jar per host, one connection per request: servers here may die at any time."""

    def __init__(self, *, timeout_seconds: float = 30) -> None:
        self.timeout_seconds = timeout_seconds
        self._cookies: dict[str, dict[str, str]] = {}

    def send(self, method: str, url: str, data: Pairs | None) -> Answer:
        parts = urlsplit(url)
        jar = self._cookies.setdefault(parts.netloc, {})
        headers = {"Host": parts.netloc, "Origin": f"{parts.scheme}://{parts.netloc}"}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if data is not None:
            headers["Content-Type"] = FORM
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=self.timeout_seconds)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, None if data is None else urlencode(data), headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            self._keep(jar, cookie)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    @staticmethod
    def _keep(jar: dict[str, str], cookie: str) -> None:
        pair, _, rest = cookie.partition(";")
        name, _, value = pair.strip().partition("=")
        if "max-age=0" in rest.lower() or not value.strip('"'):
            jar.pop(name, None)
        else:
            jar[name] = value


@dataclass
class Person:
    """`site` is the shop's address. `url`, `status`, `text` and `page` are what is before their eyes."""

    site: str = "http://localhost:8000"
    road: Road = field(default_factory=ClientRoad)
    away: Road = field(default_factory=HttpRoad)
    url: str = ""
    status: int = 0
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    page: Page = field(default_factory=lambda: Page(""))

    # Looking

    def open(self, url: str) -> "Person":
        return self._go("GET", urljoin(self.url or f"{self.site}/", url), None)

    def click(self, link: str) -> "Person":
        found = [href for words, href in self.page.links if words == link]
        assert found, f"No link {link!r} on {self.url}: {[words for words, _ in self.page.links]}"
        return self.open(found[0])

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def is_at_shop(self) -> bool:
        return self.url.startswith(f"{self.site}/")

    @property
    def words(self) -> str:
        """The page's words without its tags."""
        bare = re.sub(r"(?s)<(style|script|svg)\b.*?</\1>|<[^>]+>", " ", self.text)
        return " ".join(bare.replace("&#x27;", "'").replace("&amp;", "&").split())

    def sees(self, words: str) -> bool:
        return words in self.words

    def has_button(self, text: str) -> bool:
        return any(button.text == text for form in self.page.forms for button in form.buttons)

    # Doing

    def fill(self, **values: str) -> "Person":
        """Fields by name of attribute: `full_name="Pat"` fills "Full name"."""
        for name, value in values.items():
            self.write(name.replace("_", " ").capitalize().replace("E mail", "E-mail"), value)
        return self

    def write(self, label: str, value: str) -> "Person":
        self._field(label).value = value
        return self

    def choose(self, label: str, words: str) -> "Person":
        """An option of a select."""
        found = self._field(label)
        [found.value] = [value for value, shown in found.options.items() if shown == words]
        return self

    def tick(self, *labels: str) -> "Person":
        for label in labels:
            self._tickable(label).is_on = True
        return self

    def untick(self, *labels: str) -> "Person":
        for label in labels:
            self._tickable(label).is_on = False
        return self

    def is_ticked(self, label: str) -> bool:
        return self._tickable(label).is_on

    def press(self, text: str, *, which: int = 0) -> "Person":
        form, button = self._button(text, which)
        target = urljoin(self.url, form.action) if form.action else self.url
        data = form.data(button)
        if form.method == "get":
            return self._go("GET", f"{target.partition('?')[0]}?{urlencode(data)}", None)
        return self._go("POST", target, data)

    def send(self, method: str, url: str, data: Pairs | None = None) -> Answer:
        """One bare request, following nothing."""
        url = urljoin(f"{self.site}/", url)
        road = self.road if urlsplit(url).netloc == urlsplit(self.site).netloc else self.away
        return road.send(method, url, data)

    def _go(self, method: str, url: str, data: Pairs | None) -> "Person":
        for _ in range(MOST_HOPS):
            answer = self.send(method, url, data)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                break
            url = urljoin(url, location)
            if answer.status < 307:
                method, data = "GET", None
        else:
            raise AssertionError(f"Sent around in circles at {url}")
        self.url, self.status, self.headers, self.text = (
            url.partition("#")[0],
            answer.status,
            answer.headers,
            answer.text,
        )
        self.page = Page(answer.text)
        return self

    def _field(self, label: str) -> Field:
        found = [each for each in self.page.labelled(label) if not each.is_tickable]
        assert found, f"No field {label!r} on {self.url}: {[each.labels for each in self.page.fields]}"
        return found[0]

    def _tickable(self, label: str) -> Field:
        found = [each for each in self.page.labelled(label) if each.kind == "checkbox"]
        assert found, f"No checkbox {label!r} on {self.url}: {[each.labels for each in self.page.fields]}"
        return found[0]

    def _button(self, text: str, which: int) -> tuple[Form, Button]:
        every = [(form, button) for form in self.page.forms for button in form.buttons]
        found = [(form, button) for form, button in every if _is_named(button, text) and not button.is_disabled]
        assert found, f"No button {text!r} on {self.url} ({self.status}): {[button.text for _, button in every]}"
        return found[which]


def _is_named(button: Button, name: str) -> bool:
    """By all its words, or by those before a dash: the button that orders goes on to say what one pays."""
    return button.text == name or button.text.startswith(f"{name} – ")
