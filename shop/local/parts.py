"""The parts of a running shop beside its two servers: how each is started, and how to ask whether it answers."""

import http.client
import sys
from collections.abc import Callable
from pathlib import Path

from shop.local.environment import Ports, uses_local_service
from shop.local.home import CHECKOUT, Home
from shop.local.processes import Part

WEB_WORKERS = 2


def build_parts(home: Home, ports: Ports, environment: dict[str, str]) -> list[Part]:
    """In the order they start; they stop in the reverse."""
    parts = []
    if uses_local_service("EMAIL_URL"):
        parts.append(_make_mailbox_part(home, ports, environment))
    if uses_local_service("STRIPE_SECRET_KEY"):
        parts.append(_make_stripe_part(home, ports, environment))
    if uses_local_service("EASYPOST_API_KEY"):
        parts.append(_make_carrier_part(home, ports, environment))
    return [
        *parts,
        *_make_worker_parts(home, environment),
        _make_beat_part(home, environment),
        _make_web_part(ports, environment),
    ]


def make_health_check(port: int, path: str = "/healthz") -> Callable[[], bool]:
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


def _make_web_part(ports: Ports, environment: dict[str, str]) -> Part:
    # Threads, because browsers open connections ahead of need and a worker without threads would wait on them.
    command = _build_python_command(
        *("gunicorn", "shop.wsgi", "--bind", f"127.0.0.1:{ports.web}", "--workers", str(WEB_WORKERS), "--threads", "4"),
        *("--preload", "--graceful-timeout", "8", "--no-control-socket", "--log-level", "warning"),
    )
    return Part("web", command, environment, CHECKOUT, is_ready=make_health_check(ports.web), patience_seconds=12)


def _make_worker_parts(home: Home, environment: dict[str, str]) -> list[Part]:
    """One for the ticks that must never wait (a mail server may hold up two of its processes), one for long work."""
    return [
        _make_celery_part(
            name, environment, "worker", "-Q", queue, "-c", processes, "-n", f"{name}@shop", *_QUIET_WORKER
        )
        for name, queue, processes in (("ticks", "ticks", "3"), ("worker", "work", "1"))
    ]


def _make_beat_part(home: Home, environment: dict[str, str]) -> Part:
    return _make_celery_part("beat", environment, "beat", "--pidfile", "")


def _make_stripe_part(home: Home, ports: Ports, environment: dict[str, str]) -> Part:
    command = _build_python_command(
        *("shop.local.stripe", "--port", str(ports.stripe), "--data", str(home.folder("stripe"))),
        *("--webhook-url", f"http://127.0.0.1:{ports.web}/webhooks/stripe/"),
        f"--webhook-secret={environment['STRIPE_WEBHOOK_SECRET']}",
        f"--api-key={environment['STRIPE_SECRET_KEY']}",
    )
    return Part("stripe", command, environment, CHECKOUT, is_ready=make_health_check(ports.stripe), stop_rank=1)


def _make_carrier_part(home: Home, ports: Ports, environment: dict[str, str]) -> Part:
    command = _build_python_command(
        *("shop.local.carrier", "--port", str(ports.carrier), "--data", str(home.folder("carrier"))),
        *("--webhook-url", f"http://127.0.0.1:{ports.web}/webhooks/carrier/easypost/"),
        f"--webhook-secret={environment['CARRIER_WEBHOOK_SECRET']}",
        f"--api-key={environment['EASYPOST_API_KEY']}",
    )
    return Part("carrier", command, environment, CHECKOUT, is_ready=make_health_check(ports.carrier), stop_rank=1)


def _make_mailbox_part(home: Home, ports: Ports, environment: dict[str, str]) -> Part:
    command = _build_python_command(
        *("shop.local.mailbox", "--smtp-port", str(ports.smtp), "--port", str(ports.mailbox)),
        *("--data", str(home.folder("mailbox"))),
    )
    return Part("mailbox", command, environment, CHECKOUT, is_ready=make_health_check(ports.mailbox), stop_rank=1)


_QUIET_WORKER = ("--without-gossip", "--without-mingle")


def _make_celery_part(name: str, environment: dict[str, str], *arguments: str) -> Part:
    command = _build_python_command("celery", "-A", "shop", "--quiet", *arguments, "--loglevel", "INFO")
    return Part(name, command, environment, CHECKOUT, patience_seconds=15)


def _build_python_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def build_manage_command(*arguments: str) -> list[str]:
    return [sys.executable, str(Path(CHECKOUT) / "manage.py"), *arguments]
