"""What the shop checks about itself before it starts: `manage.py check`, and with its database at `migrate`."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.admin import site
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's own name)
from django.db import ProgrammingError, connections

from accounts.consent import purposes, uses
from accounts.consent.purposes import MailKind
from notifications.topics import TOPICS
from orders import stage_checks, stages
from orders.gateways.amounts import is_chargeable
from orders.repricing import describe_foreign_prices
from shop.admin_queries import StrictAdmin

OLDEST, NEWEST = 15, 18  # of PostgreSQL


@register()
def check_purposes_are_used(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A switch appears only with the thing it switches, and nothing personal happens without a switch."""
    used = {use.purpose for use in uses.get_uses()}
    idle = [purpose.key for purpose in purposes.PURPOSES if purpose.key not in used]
    unknown = [use for use in uses.get_uses() if not _is_known_purpose(use.purpose)]
    return [
        *(Error(f"The purpose {key!r} switches nothing: no mail, shelf or recorder names it.", id="shop.E001")
          for key in idle),
        *(Error(f"The {use.kind} {use.name!r} names the purpose {use.purpose!r}, which does not exist.", id="shop.E002")
          for use in unknown),
    ]  # fmt: skip


def _is_known_purpose(key: str) -> bool:
    return purposes.is_purpose(key) or key == purposes.VISITOR_HISTORY.key


@register()
def check_order_stages(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A half-made stage would hide its parcels from every queue, or its news from those who asked for it."""
    faults = [*stage_checks.find_stage_faults(stages.ROAD), *stage_checks.find_counter_faults()]
    faults += _find_stage_mail_faults()
    return [Error(fault, id="shop.E008") for fault in faults]


def _find_stage_mail_faults() -> list[str]:
    rows = [row for row in stages.EVERY_STAGE if row.mail_purpose]
    named = [(event, row.mail_purpose) for row in rows for event in (row.event, row.reminder) if event]
    switches = list(dict.fromkeys(purpose for _, purpose in named))
    told = {row.event for row in stages.EVERY_STAGE}
    service = (topic for topic in TOPICS.values() if topic.kind is MailKind.SERVICE)
    sent = {(topic.event, topic.purpose) for topic in service if topic.event in told or topic.purpose in switches}
    faults = [
        f"The event {event!s} goes with the switch {purpose!r} in a mail topic or in orders.stages, and not in both."
        for event, purpose in sent ^ set(named)
    ]
    if switches != [key for key in purposes.NEWS_OF_ORDERS if key in switches]:
        faults.append("The switches for news of orders are not in the order of orders.stages.")
    return faults


@register(Tags.admin)
def check_admin_lists_are_strict(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Django's own lists answer questions about columns they do not show."""
    return [
        Error(f"{type(each).__name__} is no StrictAdmin: its list would take any look-up.", id="shop.E007")
        for each in site._registry.values()  # noqa: SLF001  (nothing public lists them)
        if not isinstance(each, StrictAdmin)
    ]


@register(Tags.security)
def check_site_url_is_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return []
    return [Error(f"SITE_URL is {settings.SITE_URL}: plain http is for this machine alone. Use https.", id="shop.E003")]


@register(Tags.database)
def check_database_version(
    app_configs: Sequence[Any] | None, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias in databases or ():
        version = _get_postgres_version(alias)
        if version < OLDEST:
            found.append(Error(f"PostgreSQL {version} is too old: {OLDEST} to {NEWEST} will do.", id="shop.E004"))
        elif version > NEWEST:
            found.append(Warning(f"PostgreSQL {version} is newer than what the shop was tried on.", id="shop.W001"))
    return found


@register()
def check_currency_is_chargeable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if is_chargeable(settings.CURRENCY):
        return []
    return [Error(f"CURRENCY is {settings.CURRENCY}, whose amounts Stripe cannot carry.", id="shop.E005")]


@register(Tags.database)
def check_price_currencies(
    app_configs: Sequence[Any] | None, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    if not databases:
        return []
    try:
        found = describe_foreign_prices()
    except ProgrammingError:  # before the first migration
        return []
    return [Error(found, id="shop.E006")] if found else []


def _get_postgres_version(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
