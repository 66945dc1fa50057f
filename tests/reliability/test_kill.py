"""`kill -9` of web, worker and beat while people buy, and a broker that forgets or is away: no order is lost, no mail
is lost, nobody pays twice.
"""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment, ShopSettings
from tests import builders
from tests.notifications.sink import Sink
from tests.patience import wait_until
from tests.reliability import books
from tests.reliability.buyers import Buyer, crowd, let_in
from tests.reliability.stack import Stack, running_stack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("processes")]

SLUGS = ["blanket", "mug", "socks", "pie-tin"]
VERBS = (
    lambda pk: transitions.mark_shipment_picked(pk, actor="Sam"),
    lambda pk: transitions.mark_shipment_packed(pk, actor="Sam", note=""),
    lambda pk: transitions.dispatch_shipment(pk, actor="Sam", carrier="dpd", tracking_number="155"),
    lambda pk: transitions.mark_shipment_delivered(pk, actor="Sam"),
)
Fault = tuple[str, str]
KILLS: tuple[Fault, ...] = (
    ("kill_child", "web"),
    ("kill", "worker"),
    ("kill", "web"),
    ("kill_child", "worker"),
    ("flush", "broker"),
    ("kill", "beat"),
    ("away", "broker"),
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[tuple[Stack, Sink]]:
    open_the_shop()
    with running_stack(tmp_path) as running:
        yield running


def open_the_shop() -> None:
    """Plenty of everything; obvious orders approve themselves."""
    builders.shipping_method()
    builders.tax_rate()
    ShopSettings.objects.update_or_create(id=1, defaults={"approve_up_to": 500})
    for slug in SLUGS:
        builders.product(slug.capitalize(), slug=slug, on_hand=5000)


class Trouble(threading.Thread):
    """Kills something in turn, one fault each time so many visits are over and the shop answers again."""

    def __init__(
        self, stack: Stack, faults: tuple[Fault, ...], *, visits_apart: int, away_seconds: float, seed: int
    ) -> None:
        super().__init__(name="trouble", daemon=True)
        self.stack, self.faults, self.visits_apart = stack, faults, visits_apart
        self.away_seconds = away_seconds
        self.visit_count = 0
        self.luck = random.Random(seed)
        self.end = threading.Event()

    def count_visit(self) -> None:
        self.visit_count += 1

    def run(self) -> None:
        place = 0
        while not self.end.wait(self.luck.uniform(0.05, 0.3)):
            if self.visit_count >= (place + 1) * self.visits_apart and self.stack.is_open():
                self._do(*self.faults[place % len(self.faults)])
                place += 1

    def _do(self, verb: str, name: str) -> None:
        if verb == "kill":
            self.stack.kill(name)
        elif verb == "kill_child":
            self.stack.kill_child(name, self.luck)
        elif verb == "flush":
            self.stack.flush_broker()
        else:
            self.stack.kill_broker()
            self.end.wait(self.away_seconds)
            self.stack.start_broker()


class Staff(threading.Thread):
    """Works through the parcels as they come, straight through the domain's own doors."""

    def __init__(self) -> None:
        super().__init__(name="staff", daemon=True)
        self.end = threading.Event()
        self.trouble = ""

    def run(self) -> None:
        try:
            while not self.end.wait(0.5):
                self.take_a_step()
        except Exception as error:  # noqa: BLE001  (told by the test)
            self.trouble = repr(error)
        finally:
            connection.close()

    def take_a_step(self) -> None:
        """One step for every other parcel; those of people who cancel stop by themselves."""
        stages = ["waiting", "picked", "packed", "dispatched"]
        for pk, stage in Shipment.objects.filter(stage__in=stages).values_list("pk", "stage"):
            if pk % 2 == 0:
                try:
                    VERBS[stages.index(stage)](pk)
                except TransitionRefused:
                    continue


def buy_amid(
    stack: Stack,
    sink: Sink,
    count: int,
    *,
    faults: tuple[Fault, ...],
    visits_apart: int,
    away_seconds: float,
    seed: int,
) -> None:
    """People buy while things die; once it is quiet the books must be right."""
    stack.standin.webhooks(copies=2, order="shuffled", spread_seconds=0.5)
    buyers = crowd(count, stack.site, SLUGS, random.Random(seed))
    trouble, staff = Trouble(stack, faults, visits_apart=visits_apart, away_seconds=away_seconds, seed=seed), Staff()
    trouble.start()
    staff.start()
    let_in(buyers, at_once=8, after_each=trouble.count_visit)
    trouble.end.set()
    trouble.join()
    finish(stack, sink, buyers, staff)


def finish(stack: Stack, sink: Sink, buyers: list[Buyer], staff: Staff | None = None) -> None:
    assert [buyer.trouble for buyer in buyers if buyer.trouble] == [], stack.last_words()
    try:
        wait_until(books.is_quiet, "quiet", seconds=60)
    except AssertionError as error:
        raise AssertionError(f"{error}: {books.what_waits()}\n{stack.last_words()}") from error
    finally:
        if staff is not None:
            staff.end.set()
            staff.join()
            assert staff.trouble == ""
    wait_until(books.is_quiet, "quiet after the last step", seconds=20)
    books.check_all(buyers, sink, stack.standin, deadlocks_before=stack.deadlocks_before)


def test_fifty_orders_survive_kill_9_of_web_worker_and_beat(stack):
    running, sink = stack
    buy_amid(running, sink, 50, faults=KILLS, visits_apart=6, away_seconds=4, seed=7)
    assert len(running.deaths) >= 5
    assert Order.objects.exclude(placed_at=None).count() >= 40
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.CANCELLED).exists()


@pytest.mark.soak
def test_a_thousand_orders_survive_kill_9_of_web_worker_and_beat(stack):
    running, sink = stack
    buy_amid(running, sink, 1100, faults=KILLS, visits_apart=20, away_seconds=20, seed=11)
    assert len(running.deaths) >= 30
    assert Order.objects.exclude(placed_at=None).count() >= 1000


# -- The guard off ---------------------------------------------------------------------------------------------


def pay_and_close_the_browser(folder: Path, *, seconds: float, **timers: str) -> None:
    """Nobody tells the shop of the payments: the browsers are closed, the webhooks lost, the web is killed."""
    open_the_shop()
    with running_stack(folder, **timers) as (stack, _):
        stack.standin.webhooks(paused=True)
        buyers = [Buyer(number=number, site=stack.site, goods=SLUGS[:1], closes_browser=True) for number in range(3)]
        let_in(buyers, at_once=3)
        stack.kill("web")
        assert [buyer.trouble for buyer in buyers if buyer.trouble] == []
        wait_until(books.is_quiet, "quiet", seconds=seconds)
        books.check_nobody_was_lost(buyers)


def test_who_paid_is_found_though_browser_and_webhook_are_gone(tmp_path):
    pay_and_close_the_browser(tmp_path, seconds=60)


def test_without_the_reconciler_their_orders_are_lost(tmp_path):
    # patient, or else a busy machine leaves a page to be opened later, which finds out who paid as well
    timers = {"RECONCILE_SECONDS": "86400", "PAYMENT_HOLD_SECONDS": "86400", "PATIENCE_SECONDS": "600"}
    with pytest.raises(AssertionError, match="in vain: quiet"):
        pay_and_close_the_browser(tmp_path, seconds=5, **timers)
