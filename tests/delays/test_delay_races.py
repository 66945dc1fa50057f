"""The job decides while the buyer answers, or staff ship. Each also runs without the lock, and goes wrong there."""

import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import IntegrityError

from orders import cancellation
from orders.delays import announcing, answering, finding
from orders.delays.answering import accept_delay, end_unanswered_order
from orders.delays.prediction import Slip
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent, Shipment
from orders.payments import checkout_sessions
from tests.concurrency.racing import at_once
from tests.delays.late import DAY, TODAY, awaiting, fresh, goods_come, late_order, packed, ship, told
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)

Status = Order.Status


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


@pytest.fixture
def without_locks(monkeypatch):
    """The mutant: whoever reads the order thinks for a moment, and locks nothing; who tells thinks longest."""

    def read(order_id: int, seconds: float = 0.3) -> Order:
        order = Order.objects.get(pk=order_id)
        time.sleep(stretched(seconds))
        return order

    def read_shipment(shipment_id: int) -> Shipment:
        parcel = Shipment.objects.select_related("order").get(pk=shipment_id)
        time.sleep(stretched(0.3))
        return parcel

    for module in (answering, cancellation):
        monkeypatch.setattr(module, "lock_order", read)
    monkeypatch.setattr(announcing, "lock_order", partial(read, seconds=0.6))
    monkeypatch.setattr(transitions, "lock_shipment", read_shipment)


def overdue() -> tuple[Order, DelayNotice]:
    order = awaiting(None)
    notice = told(order)
    DelayNotice.objects.filter(pk=notice.pk).update(deadline_on=TODAY() - DAY)
    return order, notice


def quietly(step):
    def take():
        try:
            return step()
        except TransitionRefused:
            return None

    return take


def repeat(race: Callable[[], None]) -> None:
    for _ in range(4):
        race()


def answer_while_the_job_ends_it() -> None:
    """Either they wait and it stands, or it ended and they were too late: never both."""
    order, notice = overdue()
    at_once([quietly(lambda: accept_delay(order.pk, number=1)), lambda: end_unanswered_order(notice.pk)], slowed_ms=20)
    notice.refresh_from_db()
    ended = fresh(order).status == Status.CANCELLED
    assert ended != (notice.answer == "wait")
    assert order.events.filter(kind=OrderEvent.Kind.DELAY_ACCEPTED).exists() != ended


def ship_while_the_job_ends_it() -> None:
    """Either it left and stands, or it ended and stays: never both."""
    order, notice = overdue()
    goods_come()
    parcel = packed(order)
    at_once([quietly(lambda: ship(parcel)), lambda: end_unanswered_order(notice.pk)], slowed_ms=20)
    kinds = set(order.events.values_list("kind", flat=True))
    assert len(kinds & {OrderEvent.Kind.DISPATCHED, OrderEvent.Kind.CANCELLED}) == 1


def tell_many_times_at_once() -> None:
    """Without the turn of the loop: four workers that all saw the same."""
    order = late_order()
    [(found, slip)] = finding.find_slips()
    tell = lambda: announcing.announce_delay(order.pk, slip, seen_by_on=found.promised_by_on)  # noqa: E731
    at_once([tell] * 4, slowed_ms=20)
    assert order.events.filter(kind=OrderEvent.Kind.DELAYED).count() == order.delay_notices.count() == 1


def ship_while_the_job_tells() -> None:
    """A choice is never offered about what had left."""
    order = late_order()
    parcel = packed(order)
    [(found, slip)] = finding.find_slips()
    assert isinstance(slip, Slip)
    at_once(
        [
            lambda: ship(parcel),
            lambda: announcing.announce_delay(order.pk, slip, seen_by_on=found.promised_by_on),
        ],
        slowed_ms=20,
    )
    kinds = list(order.events.order_by("pk").values_list("kind", flat=True))
    left = kinds.index(OrderEvent.Kind.DISPATCHED)
    assert OrderEvent.Kind.DELAYED not in kinds[left:]


def test_the_buyer_waits_while_the_job_ends_it():
    answer_while_the_job_ends_it()


def test_without_the_lock_it_ends_although_they_wait(without_locks):
    with pytest.raises((AssertionError, IntegrityError)):
        repeat(answer_while_the_job_ends_it)


def test_staff_ship_while_the_job_ends_it():
    ship_while_the_job_ends_it()


def test_without_the_lock_it_leaves_and_ends(without_locks):
    with pytest.raises((AssertionError, IntegrityError)):
        repeat(ship_while_the_job_ends_it)


def test_what_four_workers_saw_is_told_once():
    tell_many_times_at_once()


def test_without_the_lock_four_workers_break_over_it(without_locks):
    with pytest.raises((AssertionError, IntegrityError)):
        tell_many_times_at_once()


def test_staff_ship_while_the_job_tells():
    ship_while_the_job_tells()


def test_without_the_lock_a_choice_is_offered_about_what_has_left(without_locks):
    with pytest.raises(AssertionError):
        repeat(ship_while_the_job_tells)
