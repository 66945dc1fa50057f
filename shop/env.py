"""Reads the environment. Every variable the shop knows is read through here, in `shop.settings`."""

from itertools import chain
from urllib.parse import parse_qs, unquote, urlparse

from babel.core import get_global
from django.core.exceptions import ImproperlyConfigured
from environs import Env

env = Env()


def read_required(name: str, *, why: str) -> str:
    """The variable's value. Raises `ImproperlyConfigured`, naming it, when unset or empty."""
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment: {why}.")
    return value


def parse_currency_code(value: str) -> str:
    """GBP, for gbp. Raises `ImproperlyConfigured` for what is no money anywhere today."""
    code = value.strip().upper()
    known = chain.from_iterable(get_global("territory_currencies").values())
    if not any(code == each and until is None and is_tender for each, _, until, is_tender in known):
        raise ImproperlyConfigured(f"CURRENCY is {value!r}: set it to the three letters of one in use, such as GBP.")
    return code


def parse_mail_url(url: str) -> dict[str, object]:
    """Django's EMAIL_* settings from smtp://user:password@host:port (smtps:// for TLS, ?tls=1 for STARTTLS)."""
    parts = urlparse(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL looks like smtp://user:password@host:port (or smtps://).")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parse_qs(parts.query).get("tls") == ["1"],
    }


def parse_redis_url(url: str) -> dict[str, str]:
    """Broker and cache addresses from one REDIS_URL (redis://, rediss:// or unix:///path/to/socket?db=0)."""
    parts = urlparse(url)
    if parts.scheme == "unix":
        first = int(parse_qs(parts.query).get("db", ["0"])[0])
        return {
            "broker": f"redis+socket://{parts.path}?virtual_host={first}",
            "cache": f"unix://{parts.path}?db={first + 2}",
        }
    base = url.rsplit("/", 1)[0] if parts.path else url
    return {"broker": f"{base}/0", "cache": f"{base}/2"}
