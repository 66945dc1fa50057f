"""The parts of a running shop beside its two servers: how each is started, and how to ask whether it answers."""

import http.client
import sys
from collections.abc import Callable
from pathlib import Path

from shop.local.environment import Ports, uses_own
from shop.local.home import CHECKOUT, Home
from shop.local.processes import Part

WEB_WORKERS = 2


def parts_of(home: Home, ports: Ports, environment: dict[str, str]) -> list[Part]:
    """In the order they start; they stop in the reverse."""
    parts = []
    if uses_own("EMAIL_URL"):
        parts.append(_mailbox(home, ports, environment))
    if uses_own("STRIPE_SECRET_KEY"):
        parts.append(_stripe(home, ports, environment))
    return [*parts, *_workers(home, environment), _beat(home, environment), _web(ports, environment)]


def answers(port: int, path: str = "/healthz") -> Callable[[], bool]:
    """A question to ask again and again: does the part on this port answer 200?"""

    def ask() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def _web(ports: Ports, environment: dict[str, str]) -> Part:
    # Threads, because browsers open connections ahead of need and a worker without threads would wait on them.
    command = _python(
        *("gunicorn", "shop.wsgi", "--bind", f"127.0.0.1:{ports.web}", "--workers", str(WEB_WORKERS), "--threads", "4"),
        *("--preload", "--graceful-timeout", "8", "--no-control-socket", "--log-level", "warning"),
    )
    return Part("web", command, environment, CHECKOUT, is_ready=answers(ports.web), patience_seconds=12)


def _workers(home: Home, environment: dict[str, str]) -> list[Part]:
    """One for the ticks that must never wait (a mail server may hold up two of its processes), one for long work."""
    return [
        _celery(name, environment, "worker", "-Q", queue, "-c", processes, "-n", f"{name}@shop", *_QUIET_WORKER)
        for name, queue, processes in (("ticks", "ticks", "3"), ("worker", "work", "1"))
    ]


def _beat(home: Home, environment: dict[str, str]) -> Part:
    return _celery("beat", environment, "beat", "--pidfile", "")


def _stripe(home: Home, ports: Ports, environment: dict[str, str]) -> Part:
    command = _python(
        *("shop.local.stripe", "--port", str(ports.stripe), "--data", str(home.folder("stripe"))),
        *("--webhook-url", f"http://127.0.0.1:{ports.web}/webhooks/stripe/"),
        *("--webhook-secret", environment["STRIPE_WEBHOOK_SECRET"], "--api-key", environment["STRIPE_SECRET_KEY"]),
    )
    return Part("stripe", command, environment, CHECKOUT, is_ready=answers(ports.stripe), stop_rank=1)


def _mailbox(home: Home, ports: Ports, environment: dict[str, str]) -> Part:
    command = _python(
        *("shop.local.mailbox", "--smtp-port", str(ports.smtp), "--port", str(ports.mailbox)),
        *("--data", str(home.folder("mailbox"))),
    )
    return Part("mailbox", command, environment, CHECKOUT, is_ready=answers(ports.mailbox), stop_rank=1)


_QUIET_WORKER = ("--without-gossip", "--without-mingle")


def _celery(name: str, environment: dict[str, str], *arguments: str) -> Part:
    command = _python("celery", "-A", "shop", "--quiet", *arguments, "--loglevel", "INFO")
    return Part(name, command, environment, CHECKOUT, patience_seconds=15)


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def manage_command(*arguments: str) -> list[str]:
    return [sys.executable, str(Path(CHECKOUT) / "manage.py"), *arguments]
