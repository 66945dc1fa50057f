"""`make run`, as a person starts it: servers, sample store, worker, payment stand-in and mailbox, all of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from shop.local.carrier.testing import steer_stand_in
from shop.local.home import CHECKOUT, get_home
from tests.reliability.stack import free_port

OPENING_SECONDS = 240  # a machine with its hands full takes its time
OPEN = "The shop is open"
PARTS = ("PORT", "MAILBOX_PORT", "STRIPE_PORT", "SMTP_PORT", "CARRIER_PORT")


@dataclass
class Shop:
    ports: dict[str, int]
    lines: list[str] = field(default_factory=list)
    is_open: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.ports['PORT']}"

    @property
    def origins(self) -> tuple[str, ...]:
        """The shop's own, and the payment page's. A page of ours asks no other for anything."""
        return self.url, f"http://localhost:{self.ports['STRIPE_PORT']}"

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Oldest first, with text and html."""
        found = self._ask(f"/api/messages?{urlencode({'to': to})}")["messages"]
        return [self._ask(f"/api/messages/{mail['id']}") for mail in reversed(found)]

    def wait_for_mail(self, to: str, topic: str = "", *, holding: str = "", seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in self.mails(to):
                if topic in ("", mail["topic"]) and holding in mail["text"]:
                    return mail
            time.sleep(0.3)
        raise AssertionError(f"No mail {topic} for {to} after {seconds:.0f} s, only {self.topics(to)}")

    def topics(self, to: str) -> list[str]:
        return [mail["topic"] for mail in self.mails(to)]

    def steer_carrier(self, what: str, **told: Any) -> None:
        """At its stand-in (docs/carriers.md): a number it follows, what it scans of it."""
        steer_stand_in(self.ports["CARRIER_PORT"], what, **told)

    def wait_until_told(self, *, seconds: float = 30) -> None:
        """Until the shop has nothing left to say to anybody."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.HTTPError):  # a busy machine is not ready for a moment
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['PORT']}/readyz") as answer:
                    outbox = json.load(answer)["outbox"]
                if not outbox["unrelayed"] and not outbox["queued"]:
                    return
            time.sleep(0.2)
        raise AssertionError("The outbox does not empty.")

    def _ask(self, path: str) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.ports['MAILBOX_PORT']}{path}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextlib.contextmanager
def open_shop() -> Iterator[Shop]:
    shop = Shop({name: free_port() for name in PARTS})
    home = get_home("tests").folder(f"browser-{os.getpid()}")
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "SAY_WHEN_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "shop.local", "run"],
        cwd=CHECKOUT,
        env=environment | {name: str(port) for name, port in shop.ports.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    reader = threading.Thread(target=_read, args=(process, shop), daemon=True)
    reader.start()
    try:
        if not shop.is_open.wait(OPENING_SECONDS) or process.poll() is not None:
            raise AssertionError("The shop did not open:\n" + "\n".join(shop.lines[-40:]))
        yield shop
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait()
        reader.join(5)
        if process.stdout:
            process.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


def _read(process: "subprocess.Popen[str]", shop: Shop) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        shop.lines.append(line.rstrip())
        if OPEN in line:
            shop.is_open.set()
    shop.is_open.set()  # it has ended; whoever waits looks at why
