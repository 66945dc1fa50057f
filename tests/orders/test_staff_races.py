"""Two people press a button at the same moment. Each race also runs without the lock, and must go wrong there."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from orders import cancellation, fulfilment, payments
from orders.fulfilment import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, Refund, Shipment
from shop.catalog.models import StockRecord
from tests import builders
from tests.patience import PATIENCE_SECONDS, stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

PAUSE_SECONDS = 0.4
Kind = OrderEvent.Kind


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(payments, "settle_refund", lambda refund_id: None)


@pytest.fixture
def slowly(monkeypatch):
    """Lets the step think for a moment after it has looked and before it writes, so that the two really meet."""

    def slow(module, name: str) -> None:
        step = getattr(module, name)

        def paused(*args, **kwargs):
            time.sleep(stretched(PAUSE_SECONDS))
            return step(*args, **kwargs)

        monkeypatch.setattr(module, name, paused)

    return slow


@pytest.fixture
def without_locks(monkeypatch):
    """The mutant: reads without taking the row's lock."""

    def unlocked_shipment(shipment_id: int) -> Shipment:
        return Shipment.objects.select_related("order").get(pk=shipment_id)

    for module in (fulfilment, cancellation):
        monkeypatch.setattr(module, "locked_order", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(fulfilment, "locked_shipment", unlocked_shipment)


def together(*steps: Callable[[], object]) -> list[str]:
    """Takes the steps at once; says of each whether it was "done" or "refused"."""
    outcomes: list[str] = []
    start = threading.Barrier(len(steps))

    def take(step: Callable[[], object]) -> None:
        try:
            start.wait()
            step()
            outcomes.append("done")
        except TransitionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    return sorted(outcomes)


def packed_order() -> Order:
    order = builders.placed_order(builders.variant(on_hand=10), quantity=2)
    parcel = fulfilment.approve(order.pk, actor="Sam").shipments.get().pk
    fulfilment.mark_picked(parcel, actor="Sam")
    fulfilment.mark_packed(parcel, actor="Sam")
    return order


def approve_twice(order: Order) -> list[str]:
    return together(
        lambda: fulfilment.approve(order.pk, actor="Sam"),
        lambda: fulfilment.approve(order.pk, actor="Kit"),
    )


def ship(order: Order, actor: str) -> Callable[[], object]:
    parcel = order.shipments.get().pk
    return lambda: fulfilment.dispatch(parcel, actor=actor, carrier="dpd", tracking_number=actor)


def cancel(order: Order) -> Callable[[], object]:
    return lambda: cancellation.cancel(order.pk, actor="Kit")


def test_two_approve_the_same_order(slowly):
    slowly(fulfilment, "_make_shipments")
    order = builders.placed_order()
    assert approve_twice(order) == ["done", "refused"]
    assert Shipment.objects.count() == 1
    assert OrderEvent.objects.filter(kind=Kind.APPROVED).count() == 1


def test_two_approve_without_the_lock_and_make_two_parcels(slowly, without_locks):
    slowly(fulfilment, "_make_shipments")
    order = builders.placed_order()
    assert approve_twice(order) == ["done", "done"]
    assert Shipment.objects.count() == 2


def test_two_ship_the_same_parcel(slowly):
    order = packed_order()
    slowly(fulfilment, "_consume_stock")
    assert together(ship(order, "Sam"), ship(order, "Kit")) == ["done", "refused"]
    assert OrderEvent.objects.filter(kind=Kind.DISPATCHED).count() == 1
    assert StockRecord.objects.get().on_hand == 8
    check_stock()


def test_two_ship_without_the_lock_and_the_parcel_leaves_twice(slowly, without_locks):
    order = packed_order()
    slowly(fulfilment, "_consume_stock")
    together(ship(order, "Sam"), ship(order, "Kit"))
    assert OrderEvent.objects.filter(kind=Kind.DISPATCHED).count() == 2


def test_one_ships_while_the_other_cancels(slowly):
    order = packed_order()
    slowly(fulfilment, "_consume_stock")
    slowly(cancellation, "call_off")
    assert together(ship(order, "Sam"), cancel(order)) == ["done", "refused"]
    order.refresh_from_db()
    has_left = order.fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    assert (order.status == Order.Status.CANCELLED) != has_left
    assert Refund.objects.exists() != has_left
    assert Allocation.objects.filter(consumed_at=None, released_at=None).count() == 0
    check_stock()


def test_without_the_lock_it_leaves_and_is_cancelled_too(slowly, without_locks):
    order = packed_order()
    slowly(fulfilment, "_consume_stock")
    slowly(cancellation, "call_off")
    assert together(ship(order, "Sam"), cancel(order)) == ["done", "done"]
    assert OrderEvent.objects.filter(kind__in=[Kind.DISPATCHED, Kind.CANCELLED]).count() == 2
    assert Refund.objects.count() == 1
