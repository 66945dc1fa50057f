"""What a busy machine may not break: waiting for others is not held to the shop's own limits."""

import threading
import time
from contextlib import closing

import psycopg2
import pytest
from django.db import connection
from django.db.utils import OperationalError

from shop.local import testing
from tests import databases, patience

pytestmark = pytest.mark.django_db


@pytest.fixture
def another_migrates():
    """Somebody else holds the lock under which the first database is migrated, for longer than a statement may wait."""
    if not testing.owns_servers():
        pytest.skip("not run: the servers are not this run's own")
    held, release = threading.Event(), threading.Event()
    settings = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}

    def hold() -> None:
        with closing(psycopg2.connect(**{**settings, "dbname": "postgres"})) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(1)")
            held.set()
            release.wait(patience.PATIENCE_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(patience.PATIENCE_SECONDS)
    threading.Timer(1.0, release.set).start()
    yield
    release.set()
    holder.join()


@pytest.fixture
def hurried(monkeypatch):
    """The limits that a connection starts with, a hundredth of the shop's."""
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"options": "-c lock_timeout=100ms"})


def test_whoever_comes_second_waits_for_the_first_migration_however_long(another_migrates, hurried):
    begun = time.monotonic()
    assert databases.migrated_database() == databases.MIGRATED
    assert time.monotonic() - begun > 0.5


def test_with_the_shops_own_limits_it_would_not(another_migrates, hurried):
    with pytest.raises(OperationalError, match="lock timeout"), connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")


def test_connections_of_tests_are_more_patient_than_the_shops():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("2min", "10min")


def test_waiting_lasts_longer_where_more_is_at_work(monkeypatch):
    monkeypatch.setattr(patience.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(patience.os, "getloadavg", lambda: (0.5, 9, 9))
    assert patience.stretched(10) == 10
    monkeypatch.setattr(patience.os, "getloadavg", lambda: (8.0, 9, 9))
    assert patience.stretched(10) == 40


def test_waiting_in_vain_says_for_what():
    with pytest.raises(AssertionError, match="in vain: the moon"):
        patience.wait_until(lambda: False, "the moon", seconds=0)
