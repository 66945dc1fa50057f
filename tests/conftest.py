"""Starts the run's servers before anything reads the settings."""

import os
import re
from collections.abc import Iterator

import django
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from shop.cache import ForgivingRedisCache
from shop.local import testing
from tests import databases
from tests.layout import pages_without_layout

hypothesis_settings.register_profile("shop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("shop")  # a busy machine is no fault of the shop
testing.prepare_test_environment()
django.setup()
databases.be_patient(connection.settings_dict)
# A worker that inherits this would load its settings, and with them another's Redis database, before it gets here.
os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_configure(config: pytest.Config) -> None:
    """Transactional tests empty every table: row by row, as few are left, and past the consent ledger's triggers.

    Those that measure leave many rows, and nobody vacuums here: their tables are truncated.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def flush_past_triggers(self: DatabaseOperations, sql_list: list[str]) -> None:
        deletions = [f'DELETE FROM "{table}";' for sql in sql_list for table in re.findall(r'"(\w+)"', sql)]  # noqa: S608
        emptying = sql_list if config.option.markexpr == "bench" else deletions
        asleep = ["SET session_replication_role = replica;", *emptying, "SET session_replication_role = origin;"]
        flush(self, ["".join(asleep)])

    DatabaseOperations.execute_sql_flush = flush_past_triggers
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one proves nothing here


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Migrations run once: each process's database is a copy of theirs."""
    if testing.owns_servers():
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = databases.migrated_database()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Servers that end with the run take its databases along; dropping one first could only find a straggler in it."""
    return django_db_keepdb or testing.owns_servers()


@pytest.fixture(autouse=True, scope="session")
def _pages_without_layout() -> Iterator[None]:
    """A template that is laid out anew says the same."""
    with pages_without_layout():
        yield


@pytest.fixture(autouse=True)
def fresh_frame() -> None:
    """The frame keeps departments and terms for a few seconds; no test may see another's."""
    from shop.storefront import page_cache

    page_cache.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: what one process has to itself, or else the others wait for it at the end."""
    items.sort(key=_is_shared)
    if testing.find_chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium here"))


def _is_shared(item: pytest.Item) -> bool:
    """Whatever empties tables stays behind those who count on what a migration put there."""
    return item.get_closest_marker("xdist_group") is None or item.get_closest_marker("django_db") is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if testing.find_chromium() is None:
        terminalreporter.write_line("")
        terminalreporter.write_line(
            "Browser tests did NOT run: no Chromium here. Install Debian's chromium, or set CHROMIUM=/path/to/it."
        )


def pytest_unconfigure() -> None:
    testing.stop_test_servers()


@pytest.fixture(autouse=True)
def _nothing_cached() -> None:
    """Rate limits and the like start afresh in each test."""
    ForgivingRedisCache.wake()
    cache.clear()
