"""How long a request waits for what is outside the shop, and how many of its threads may be waiting at once.

A request has so many seconds for all that it asks of the outside together; whoever asks runs the call in a `Bulkhead`,
which gives up when they are spent. The call itself goes on in its thread until its own timeout, and holds no request.
Where no request is being answered, in a worker or a command, there is no such limit.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


class WaitTimedOut(Exception):  # noqa: N818  (a state of the world, not an error of ours)
    """No answer within the time there was. What was asked may or may not be done."""


class BulkheadFull(WaitTimedOut):
    """So many wait already that nothing was asked. It says nothing about whoever was to be asked."""


@dataclass
class Patience:
    """`seconds_left` of waiting; time in which the request works by itself does not count."""

    seconds_left: float


_current: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def limit_waiting(seconds: float) -> Iterator[None]:
    """What is asked inside waits so long in all, and no longer."""
    token = _current.set(Patience(seconds))
    try:
        yield
    finally:
        _current.reset(token)


def get_current_patience() -> Patience | None:
    """None where nobody is waiting for an answer."""
    return _current.get()


class Bulkhead:
    """So many places, in each process, for calls to something that may hang; `queue` more may wait for a place.

    While one call is late nobody waits for another: the next are left to go on by themselves.
    """

    def __init__(self, name: str, *, places: int, queue: int = 0) -> None:
        self._name = name
        self._free = BoundedSemaphore(places + queue)
        self._threads = ThreadPoolExecutor(max_workers=places, thread_name_prefix=name)
        self._late: set[Future[Any]] = set()

    def run(self, call: Callable[[], T], patience: Patience) -> T:
        """The call's answer, or its error. Raises `WaitTimedOut` when the answer takes too long, and `BulkheadFull`
        when the call was not even begun.
        """
        if not self._find_place(patience):
            raise BulkheadFull(f"{self._name}: too many are waiting")
        future = self._threads.submit(call)
        future.add_done_callback(self._free_place)
        self._wait(future, patience)
        if not future.done():
            self._late.add(future)
            future.add_done_callback(self._note_late)
            raise WaitTimedOut(f"{self._name}: no answer in time")
        return future.result()

    def _find_place(self, patience: Patience) -> bool:
        begun_at = time.monotonic()
        found = self._free.acquire(timeout=0 if self._late else max(0, patience.seconds_left))
        patience.seconds_left -= time.monotonic() - begun_at
        return found

    def _wait(self, future: Future[T], patience: Patience) -> None:
        begun_at = time.monotonic()
        wait([future], timeout=0 if self._late else max(0, patience.seconds_left))
        patience.seconds_left -= time.monotonic() - begun_at

    def _free_place(self, _future: Future[Any]) -> None:
        self._free.release()

    def _note_late(self, future: Future[Any]) -> None:
        self._late.discard(future)
        error = future.exception()
        logger.warning("%s answered late: %s", self._name, type(error).__name__ if error else "done")
