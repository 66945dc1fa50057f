"""Many at once, for real: threads with connections of their own against PostgreSQL, and a buyer each."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections
from django.template import Context, Template
from django.test import Client
from django.utils.safestring import SafeString

from orders.fulfilment.transitions import TransitionRefused
from orders.models import Cart, CartLine
from orders.payments.refunds import RefundRefused
from shop.catalog import stock
from shop.catalog.models import StockRecord, Variant
from shop.prepared import PreparedStatement
from tests.patience import stretched

AT_ONCE = 25  # connections a test may hold: others run beside it
PATIENCE_SECONDS = 300
SLIPS = (TypeError, AttributeError, NameError)

T = TypeVar("T")


def at_once(jobs: Iterable[Callable[[], T]], *, slowed_ms: int = 0, most: int = AT_ONCE) -> list[T]:
    """Runs the jobs side by side, the first of them let off by one gun. Raises what any of them raises.

    Nobody collects the templates rendered meanwhile: each of Django's test clients would, from all the others too.
    A page that broke by a slip raises it: a twin that cannot even be called shows nothing of the guard it took away.
    """
    waiting = list(jobs)
    gun = threading.Barrier(min(most, len(waiting)))
    started = threading.Semaphore(gun.parties)

    def run(job: Callable[[], T]) -> T:
        if started.acquire(blocking=False):
            gun.wait(PATIENCE_SECONDS)
        try:
            with slowed(slowed_ms):
                return job()
        finally:
            connections.close_all()

    with mock.patch.object(Template, "_render", _rendered), ThreadPoolExecutor(gun.parties) as pool:
        futures = [pool.submit(run, job) for job in waiting]
        answers = [future.result(PATIENCE_SECONDS) for future in futures]
    for answer in answers:
        _raise_slip(answer)
    return answers


def attempt(step: Callable[[], object]) -> str:
    """“refused” where it may not be taken, else “done”."""
    try:
        step()
    except (TransitionRefused, RefundRefused):
        return "refused"
    return "done"


def _raise_slip(answer: object) -> None:
    _, broken, _ = getattr(answer, "exc_info", None) or (None, None, None)
    if isinstance(broken, SLIPS):
        raise broken


def _rendered(template: Template, context: Context) -> SafeString:
    return template.nodelist.render(context)


@contextmanager
def slowed(milliseconds: int) -> Iterator[None]:
    """The database of this thread answers late: what is read is old by the time it is used."""

    def late(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        time.sleep(milliseconds / 1000)
        return answer

    if not milliseconds:
        yield
        return
    with connection.execute_wrapper(late):
        yield


def buyer(*variants: Variant) -> Client:
    """A visitor with these in the cart, ready to check out. A fault of ours comes back as a 500, as it would."""
    cart = Cart.objects.create()
    CartLine.objects.bulk_create(CartLine(cart=cart, variant=variant, quantity=1) for variant in variants)
    session = SessionStore()
    session.update({"cart": cart.token, "cart_count": len(variants)})
    session.create()
    client = Client(raise_request_exception=False)
    client.cookies["session"] = session.session_key
    return client


def oversell(variant_id: int, quantity: int, record_ids: Sequence[int], _allocate: PreparedStatement) -> int:
    """The mutant of the stock's guard: looks first, writes later, as if nobody else were there."""
    record = StockRecord.objects.get(pk=record_ids[0])
    if record.available < quantity:
        raise stock.OutOfStock(variant_id)
    time.sleep(stretched(0.3))
    StockRecord.objects.filter(pk=record.pk).update(allocated=record.allocated + quantity)
    return record.pk
