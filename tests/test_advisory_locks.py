"""Locks that no row carries: named in one place, and never taken where nothing would hold them."""

from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shop.advisory_locks import (
    AdvisoryLock,
    hold_session_lock,
    lock_until_commit,
    to_lock_part,
    try_lock_until_commit,
    try_session_lock,
)

ROOT = Path(__file__).resolve().parent.parent


def held_count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take", [lock_until_commit, try_lock_until_commit])
def test_a_lock_of_a_transaction_is_refused_outside_one(take):
    with pytest.raises(TransactionManagementError, match="TRAINING"):
        take(AdvisoryLock.TRAINING)
    assert held_count() == 0
    with transaction.atomic():
        take(AdvisoryLock.TRAINING)
        assert held_count() == 1
    assert held_count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take", [try_session_lock, hold_session_lock])
def test_a_lock_of_a_session_is_let_go_whatever_happens_within(take):
    def stumble() -> None:
        with take(AdvisoryLock.ERASURE):
            assert held_count() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stumble()
    assert held_count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_holds_is_not_had_twice():
    with closing(connection.copy()) as elsewhere, elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, 0)", [AdvisoryLock.LOOP_TURN])
        with try_session_lock(AdvisoryLock.LOOP_TURN) as is_held:
            assert not is_held
        with try_session_lock(AdvisoryLock.LOOP_TURN, 1) as is_held:  # another part
            assert is_held
        with transaction.atomic():
            assert not try_lock_until_commit(AdvisoryLock.LOOP_TURN)


def test_a_key_of_any_size_is_a_lock_that_the_database_takes():
    for key in (0, 2**31, 2**63 - 1, "", "order_news"):
        assert 0 <= to_lock_part(key) < 2**31


def test_nobody_takes_one_past_the_names():
    rooms = [ROOT / room for room in ("shop", "accounts", "orders", "notifications", "recommendations")]
    takers = {
        path
        for room in rooms
        for path in room.rglob("*.py")
        if "advisory_" in path.read_text().replace("advisory_locks", "")
    }
    assert takers == {ROOT / "shop" / "advisory_locks.py"}
