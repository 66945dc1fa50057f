"""Every advisory lock of the shop, by name, so that no two of them mean the same number.

A session's lock is held on the connection: the database lets go when the worker dies, and it outlives transactions.
The others are held until the transaction ends, and are refused where there is none to hold them.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection
from django.db.transaction import TransactionManagementError


class AdvisoryLock(IntEnum):
    """The first of a lock's two numbers. The second, `part`, tells apart what is locked under one name."""

    ERASURE = 1
    TRAINING = 2
    ORDER_IMPORT = 3
    LOOP_TURN = 4
    MAIL_SLOT = 5
    MAIL_CUSTOMER = 6
    TRACKING_NUMBER = 7


def to_lock_part(key: int | str) -> int:
    """A key of any size or kind as a lock's second number; two keys may meet in one, and then wait for each other."""
    number = zlib.crc32(key.encode()) if isinstance(key, str) else key
    return number % 2**31


@contextmanager
def try_session_lock(lock: AdvisoryLock, part: int = 0) -> Iterator[bool]:
    """Whether the lock was free; if so it is held until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, part])
        is_held = bool(cursor.fetchone()[0])
        try:
            yield is_held
        finally:
            if is_held:
                _unlock(lock, part)


@contextmanager
def hold_session_lock(lock: AdvisoryLock, part: int = 0) -> Iterator[None]:
    """Waits for the lock and holds it until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [lock, part])
    try:
        yield
    finally:
        _unlock(lock, part)


def _unlock(lock: AdvisoryLock, part: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, part])


def lock_until_commit(lock: AdvisoryLock, part: int = 0) -> None:
    """Waits for the lock. Raises TransactionManagementError outside a transaction, which would let go at once."""
    _require_transaction(lock)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock, part])


def try_lock_until_commit(lock: AdvisoryLock, part: int = 0) -> bool:
    """Whether the lock was free and is held now. Raises TransactionManagementError outside a transaction."""
    _require_transaction(lock)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [lock, part])
        return bool(cursor.fetchone()[0])


def _require_transaction(lock: AdvisoryLock) -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"The lock {lock.name} needs a transaction to be held in.")
