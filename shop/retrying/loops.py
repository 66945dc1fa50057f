"""Background loops whose items stand or fall alone: an item that fails waits, longer each time, and the rest goes on.

A loop declares itself once, asks `due` which rows it may try now, and tries each inside `attempt`. What failed is a
`StuckItem`, which staff see on their first page with the error and what to do. The pause doubles with each failure, is
bounded, and is counted on the database's clock.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import CharField, DateTimeField, Exists, Func, Model, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.module_loading import autodiscover_modules

from shop.advisory_locks import AdvisoryLock, to_lock_part, try_session_lock
from shop.registry import Registry
from shop.retrying.models import StuckItem

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 15 * 60
WHOLE = ""  # the item of a job that is one piece of work
ADDRESS = re.compile(r"[^\s'\"(<=]+@[^\s'\")>]+")
Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")

_RECORD = """
    INSERT INTO retrying_stuckitem AS stuck
        (loop, item, subject, error, attempt_count, first_failed_at, last_failed_at, retry_at)
    VALUES (%(loop)s, %(item)s, %(subject)s, %(error)s, 1, clock_timestamp(), clock_timestamp(),
            clock_timestamp() + %(first)s * interval '1 second')
    ON CONFLICT (loop, item) DO UPDATE SET
        subject = excluded.subject, error = excluded.error, attempt_count = stuck.attempt_count + 1,
        last_failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + interval '1 second'
            * LEAST(%(longest)s, %(first)s * power(2, LEAST(stuck.attempt_count, 20)))
    RETURNING attempt_count"""


class DatabaseClock(Func):
    """The database's time at this statement, not at the beginning of the transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()


@dataclass(frozen=True)
class Loop:
    """A background loop. `title` says what an item is and `advice` what staff can do about one that is stuck.

    `model`: the label of the rows it works through, for a link to the stuck one; empty where there is none.
    `first_pause_seconds`: before the second attempt, and never more than `RETRY_SECONDS`.
    """

    key: str
    title: str
    advice: str
    model: str = ""
    first_pause_seconds: int = 60
    longest_pause_seconds: int = LONGEST_PAUSE_SECONDS

    def due(self, rows: QuerySet[Row], *, key: str = "pk") -> QuerySet[Row]:
        """The rows that are not waiting to be tried again."""
        waiting = self._stuck().filter(item=Cast(OuterRef(key), CharField()))
        return rows.filter(~Exists(waiting.filter(retry_at__gt=DatabaseClock())))

    def forget_settled(self, rows: QuerySet[Any], *, key: str = "pk") -> None:
        """Drops what is stuck and is not among the rows still to be worked through: somebody else dealt with it."""
        pending = rows.annotate(as_item=Cast(key, CharField())).filter(as_item=OuterRef("item"))
        self._stuck().filter(~Exists(pending)).delete()

    def waiting_items(self) -> set[str]:
        """What failed and is not to be tried yet."""
        return set(self._stuck().filter(retry_at__gt=DatabaseClock()).values_list("item", flat=True))

    def items_to_retry(self) -> list[str]:
        """What failed before and may be tried again now."""
        return list(self._stuck().filter(retry_at__lte=DatabaseClock()).values_list("item", flat=True))

    def attempt_count(self, item: object = WHOLE) -> int:
        """How often it has failed; 0 for what is not stuck."""
        return self._rows(item).values_list("attempt_count", flat=True).first() or 0

    def is_due(self, item: object = WHOLE) -> bool:
        return not self._rows(item).filter(retry_at__gt=DatabaseClock()).exists()

    def take_turn(self) -> AbstractContextManager[bool]:
        """Whether nobody else is running this loop now. The database frees the turn when the worker dies."""
        return try_session_lock(AdvisoryLock.LOOP_TURN, to_lock_part(self.key))

    @contextmanager
    def attempt(self, item: object = WHOLE, *, subject: str = "") -> Iterator[None]:
        """Tries one item. A failure is written down and goes no further; a success clears what was written.

        Raises only when the failure cannot be written down: then the database is what failed.
        """
        savepoint = transaction.savepoint() if connection.in_atomic_block else None
        try:
            yield
        except Exception as error:
            if savepoint and isinstance(error, DatabaseError):  # the caller's transaction stays usable
                transaction.set_rollback(False)
                transaction.savepoint_rollback(savepoint)
            logger.exception("%s: %s failed", self.key, item)
            self.record_failure(item, error, subject=subject)
        else:
            self.clear(item)

    def record_failure(self, item: object, error: Exception, *, subject: str = "") -> int:
        """Returns how often it has failed so far. Raises `error` when the database does not take it down."""
        values: dict[str, Any] = {
            "loop": self.key,
            "item": str(item),
            "subject": subject[:200],
            "error": describe_error(error)[:300],
            "first": max(1, min(self.first_pause_seconds, settings.RETRY_SECONDS)),
            "longest": self.longest_pause_seconds,
        }
        try:
            with connection.cursor() as cursor:
                cursor.execute(_RECORD, values)
                return int(cursor.fetchone()[0])
        except DatabaseError:
            raise error from None

    def clear(self, item: object = WHOLE) -> None:
        """It is done, or there is nothing left to do."""
        self._rows(item).delete()

    def run_whole(self, work: Callable[[], object]) -> None:
        """For a job that is one piece of work: tries it unless it failed a moment ago."""
        if self.is_due():
            with self.attempt(subject=self.title):
                work()

    def run_batch(self, items: Sequence[Item], work: Callable[[Sequence[Item]], object], *, key: str = "pk") -> int:
        """Works on all items in one transaction; where that fails, on each half, down to the one that fails.

        Returns how many were done.
        """
        if not items:
            return 0
        if len(items) == 1:
            return self._run_one(items[0], work, key)
        try:
            with transaction.atomic():
                work(items)
        except Exception:  # noqa: BLE001  (the one at fault is found below, and written down)
            middle = len(items) // 2
            return self.run_batch(items[:middle], work, key=key) + self.run_batch(items[middle:], work, key=key)
        return len(items)

    def _run_one(self, item: Item, work: Callable[[Sequence[Item]], object], key: str) -> int:
        with self.attempt(getattr(item, key, item), subject=f"{self.title} {getattr(item, key, item)}"):
            with transaction.atomic():
                work([item])
            return 1
        return 0

    def _rows(self, item: object) -> QuerySet[StuckItem]:
        return self._stuck().filter(item=str(item))

    def _stuck(self) -> QuerySet[StuckItem]:
        return StuckItem.objects.filter(loop=self.key)


_loops = Registry[Loop]("The loop")


def register_loop(loop: Loop) -> Loop:
    """Makes the loop known to the staff's pages. Each is declared once, beside its code."""
    _loops.add(loop.key, loop)
    return loop


def find_loop(key: str) -> Loop | None:
    """None for a loop that is gone from the code. A web process has not read all jobs, and reads them here."""
    if key not in _loops:
        autodiscover_modules("tasks")
    return _loops.get(key)


def retry_now(items: QuerySet[StuckItem]) -> int:
    """Lets the chosen items be tried at the loop's next turn. Returns how many."""
    return items.update(retry_at=DatabaseClock())


def describe_error(error: BaseException) -> str:
    """The error in one line for staff; addresses and the values a database quotes are left out."""
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(error)
    line = " ".join(ADDRESS.sub("…@…", message).split())
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
