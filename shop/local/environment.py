"""The environment of a local shop: what the settings ask for, filled in for whatever the developer left unset."""

import json
import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import chain

from shop.local.account import LocalError
from shop.local.home import Home
from shop.local.postgres import Postgres
from shop.local.valkey import Valkey

WEB_PORT = 8000
_MAILBOX_AFTER, _STRIPE_AFTER, _SMTP_AFTER, _CARRIER_AFTER = 25, 12, 26, 37  # ports, counted from the shop's own


@dataclass(frozen=True)
class Ports:
    """Where the parts listen, all on 127.0.0.1."""

    web: int
    mailbox: int
    stripe: int
    smtp: int
    carrier: int


def choose_ports(environment: Mapping[str, str] = os.environ) -> Ports:
    """The ports asked for. Raises `LocalError` when one that somebody asked for, or the shop's own, is taken."""
    web = _read_port(environment, "PORT") or _require_free_port(WEB_PORT, "PORT")
    chosen = [web]
    for name, distance in (
        ("MAILBOX_PORT", _MAILBOX_AFTER),
        ("STRIPE_PORT", _STRIPE_AFTER),
        ("SMTP_PORT", _SMTP_AFTER),
        ("CARRIER_PORT", _CARRIER_AFTER),
    ):
        chosen.append(_read_port(environment, name) or _find_free_port(web + distance, but_not=chosen))
    return Ports(*chosen)


def save_ports(home: Home, ports: Ports) -> None:
    (home.path / "ports.json").write_text(json.dumps(asdict(ports)))


def load_ports(home: Home) -> Ports:
    try:
        return Ports(**json.loads((home.path / "ports.json").read_text()))
    except (OSError, ValueError, TypeError):
        web = WEB_PORT
        return Ports(web, web + _MAILBOX_AFTER, web + _STRIPE_AFTER, web + _SMTP_AFTER, web + _CARRIER_AFTER)


def uses_local_service(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the developer left this service to us."""
    return not environment.get(name)


def build_shop_environment(home: Home, ports: Ports) -> dict[str, str]:
    """What every part of this shop is started with: the caller's environment wins, the local stack fills the rest."""
    ours = {
        "SECRET_KEY": home.secret("SECRET_KEY"),
        "SITE_URL": f"http://localhost:{ports.web}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": Postgres(home).url(),
        "REDIS_URL": Valkey(home).url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "DEFAULT_FROM_EMAIL": "Say When <shop@saywhen.example>",
        "CARRIER_WEBHOOK_SECRET": home.secret("CARRIER_WEBHOOK_SECRET"),
        "MAIL_WEBHOOK_SECRET": home.secret("MAIL_WEBHOOK_SECRET"),
        "MEDIA_ROOT": str(home.folder("media")),
        "PRIVATE_ROOT": str(home.folder("private")),
        "STATIC_ROOT": str(home.folder("static")),
        "CHECKPOINT_FOLDER": str(home.folder("checkpoints")),
        "JOURNAL_PATH": str(home.path / "journal"),
        "CELERY_BEAT_SCHEDULE_FILENAME": str(home.folder("beat") / "schedule"),
        "REQUIRE_STAFF_MFA": "0",
        "PYTHONUNBUFFERED": "1",
    }
    if uses_local_service("STRIPE_SECRET_KEY"):
        ours |= {
            "STRIPE_SECRET_KEY": f"sk_test_{home.secret('STRIPE_SECRET_KEY')}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{home.secret('STRIPE_WEBHOOK_SECRET')}",
            "STRIPE_API_BASE": f"http://127.0.0.1:{ports.stripe}",
            "STRIPE_CHECKOUT_ORIGIN": f"http://localhost:{ports.stripe}",
        }
    if uses_local_service("EASYPOST_API_KEY"):
        ours |= {
            "EASYPOST_API_KEY": home.secret("EASYPOST_API_KEY"),
            "EASYPOST_API_BASE": f"http://127.0.0.1:{ports.carrier}",
        }
    return {**ours, **{name: value for name, value in os.environ.items() if value or name not in ours}}


def _read_port(environment: Mapping[str, str], name: str) -> int | None:
    value = environment.get(name)
    if not value:
        return None
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise LocalError(f"{name}={value} is not a port number.")
    return _require_free_port(int(value), name)


def _require_free_port(port: int, name: str) -> int:
    problem = _find_port_problem(port)
    if problem:
        other = _find_free_port(port + 1)
        raise LocalError(f"Port {port} {problem}. Stop what uses it, or choose another: make run {name}={other}")
    return port


def _find_free_port(port: int, *, but_not: Collection[int] = ()) -> int:
    every = chain(range(port, 65536), range(1024, 65536))
    return next(each for each in every if each not in but_not and _find_port_problem(each) is None)


def _find_port_problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "is not ours to open"
        except OSError:
            return "is taken by another program"
    return None
