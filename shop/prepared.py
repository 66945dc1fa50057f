"""Small statements that pages live on, planned once by each connection: planning them costs more than running them.

The plan is one for all values, which PostgreSQL would not always choose by itself: it takes ten rows to be asked for
where one is, and then plans each time. So a statement must be as good planned blindly; above all, its LIMITs are
numbers and no parameters.

Safe whatever becomes of the connection: a statement that the server has forgotten, or whose result a migration changed,
runs as it stands and is prepared anew the next time. Inside a transaction, where such an error could not be taken back,
every statement runs as it stands, unless the transaction is one of `run_in_transaction`, which can be begun again. See
docs/adr/0048-prepared-statements.md and docs/adr/0053-transactions-planned-once.md.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

T = TypeVar("T")

MOST_PREPARED = 60  # of a connection, each of up to 250 KB of its memory

_NAMED = re.compile(r"%\((\w+)\)s")
_KNOWN_ALREADY = "42P05"  # by its name: behind a pooler, another client of ours prepared it
_FORGOTTEN = frozenset({"26000", "0A000"})  # no such statement; its result would be of other types by now
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # names, by the driver's connection
_repeatable: WeakSet[Any] = WeakSet()  # the driver's connections whose transaction can be begun again


class PreparedStatement:
    """SQL of ours with named parameters, such as `%(ids)s`; a plain % is written `%%`.

    Its name is that of its text: the same text, one plan.
    """

    def __init__(self, sql: str) -> None:
        names = list(dict.fromkeys(_NAMED.findall(sql)))
        places = {name: f"${place}" for place, name in enumerate(names, start=1)}
        self.sql = sql
        self.name = f"shop_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
        self._prepare = f"PREPARE {self.name} AS {_NAMED.sub(lambda match: places[match[1]], sql).replace('%%', '%')}"
        self._execute = f"EXECUTE {self.name} ({', '.join(f'%({name})s' for name in names)})"

    def fetch_rows(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row. Values the statement does not name are not looked at."""
        with connection.cursor() as cursor:
            if not (settings.PREPARED_STATEMENTS and self._run_prepared(cursor, values)):
                cursor.execute(self.sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _run_prepared(self, cursor: CursorWrapper, values: Mapping[str, Any]) -> bool:
        """False where it may not run so, or the server knew it no longer: then nothing has run."""
        if not _is_in_no_transaction():
            return self._run_in_repeatable(cursor, values)
        try:
            self.prepare(cursor)
            cursor.execute(self._execute, values)
        except DatabaseError as error:
            if _get_code(error) not in _FORGOTTEN:
                raise
            _forget_prepared(cursor)
            return False
        return True

    def _run_in_repeatable(self, cursor: CursorWrapper, values: Mapping[str, Any]) -> bool:
        driver = connection.connection
        if driver not in _repeatable or self.name not in _prepared.get(driver, ()):
            return False
        cursor.execute(self._execute, values)
        return True

    def prepare(self, cursor: CursorWrapper) -> None:
        """Has this connection plan it, unless it has. Outside of transactions: they would take the setting back."""
        known = _prepared.setdefault(connection.connection, set())
        if len(known) >= MOST_PREPARED and self.name not in known:
            cursor.execute("DEALLOCATE ALL")
            known.clear()
        if not known:
            cursor.execute("SET plan_cache_mode = force_generic_plan")
        if self.name not in known:
            self._make_known(cursor)
            known.add(self.name)

    def _make_known(self, cursor: CursorWrapper) -> None:
        try:
            cursor.execute(self._prepare)
        except DatabaseError as error:
            if _get_code(error) != _KNOWN_ALREADY:
                raise


def run_in_transaction(work: Callable[[], T], *, statements: Iterable[PreparedStatement]) -> T:
    """What `work` returns, in a transaction in which these statements run as prepared.

    Should the server have forgotten one, everything is taken back and `work` begins again, with statements as they
    stand: it does nothing that a rollback does not take back. Inside another transaction they run as they stand.
    """
    if not settings.PREPARED_STATEMENTS or not _is_in_no_transaction():
        return _run_atomically(work)
    with connection.cursor() as cursor:
        for statement in statements:
            statement.prepare(cursor)
        driver = connection.connection
        _repeatable.add(driver)
        try:
            return _run_atomically(work)
        except DatabaseError as error:
            if _get_code(error) not in _FORGOTTEN:
                raise
            _forget_prepared(cursor)
        finally:
            _repeatable.discard(driver)
    return _run_atomically(work)


def _run_atomically(work: Callable[[], T]) -> T:
    with transaction.atomic():
        return work()


def _forget_prepared(cursor: CursorWrapper) -> None:
    cursor.execute("DEALLOCATE ALL")
    _prepared.pop(connection.connection, None)


def _is_in_no_transaction() -> bool:
    return connection.get_autocommit() and not connection.in_atomic_block


def _get_code(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)
