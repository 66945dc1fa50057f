"""Two people press a button at the same moment. Each race also runs without the lock, and must go wrong there."""

import itertools
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from orders import cancellation
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, Refund, Shipment
from orders.payments import checkout_sessions
from shop.catalog.models import StockRecord
from tests import builders
from tests.patience import PATIENCE_SECONDS, stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

PAUSE_SECONDS = 0.4
Kind = OrderEvent.Kind


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


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

    for module in (transitions, cancellation):
        monkeypatch.setattr(module, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(transitions, "lock_shipment", unlocked_shipment)


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
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get().pk
    transitions.mark_shipment_picked(parcel, actor="Sam")
    transitions.mark_shipment_packed(parcel, actor="Sam")
    return order


def approve_twice(order: Order) -> list[str]:
    return together(
        lambda: transitions.approve_order(order.pk, actor="Sam"),
        lambda: transitions.approve_order(order.pk, actor="Kit"),
    )


def ship(order: Order, actor: str) -> Callable[[], object]:
    parcel = order.shipments.get().pk
    return lambda: transitions.dispatch_shipment(parcel, actor=actor, carrier="dpd", tracking_number=actor)


def cancel(order: Order) -> Callable[[], object]:
    return lambda: cancellation.cancel_order(order.pk, actor="Kit")


def test_two_approve_the_same_order(slowly):
    slowly(transitions, "_create_shipments")
    order = builders.placed_order()
    assert approve_twice(order) == ["done", "refused"]
    assert Shipment.objects.count() == 1
    assert OrderEvent.objects.filter(kind=Kind.APPROVED).count() == 1


def test_two_approve_without_the_lock_and_make_two_parcels(slowly, without_locks):
    slowly(transitions, "_create_shipments")
    order = builders.placed_order()
    assert approve_twice(order) == ["done", "done"]
    assert Shipment.objects.count() == 2


def test_two_ship_the_same_parcel(slowly):
    order = packed_order()
    slowly(transitions, "_consume_stock")
    assert together(ship(order, "Sam"), ship(order, "Kit")) == ["done", "refused"]
    assert OrderEvent.objects.filter(kind=Kind.DISPATCHED).count() == 1
    assert StockRecord.objects.get().on_hand == 8
    check_stock()


def test_two_ship_without_the_lock_and_the_parcel_leaves_twice(slowly, without_locks):
    order = packed_order()
    slowly(transitions, "_consume_stock")
    together(ship(order, "Sam"), ship(order, "Kit"))
    assert OrderEvent.objects.filter(kind=Kind.DISPATCHED).count() == 2


def test_one_ships_while_the_other_cancels(slowly):
    order = packed_order()
    slowly(transitions, "_consume_stock")
    slowly(cancellation, "cancel_and_release_stock")
    assert together(ship(order, "Sam"), cancel(order)) == ["done", "refused"]
    order.refresh_from_db()
    has_left = order.fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    assert (order.status == Order.Status.CANCELLED) != has_left
    assert Refund.objects.exists() != has_left
    assert Allocation.objects.filter(consumed_at=None, released_at=None).count() == 0
    check_stock()


def test_without_the_lock_it_leaves_and_is_cancelled_too(slowly, without_locks):
    order = packed_order()
    slowly(transitions, "_consume_stock")
    slowly(cancellation, "cancel_and_release_stock")
    assert together(ship(order, "Sam"), cancel(order)) == ["done", "done"]
    assert OrderEvent.objects.filter(kind__in=[Kind.DISPATCHED, Kind.CANCELLED]).count() == 2
    assert Refund.objects.count() == 1


# -- Two parcels, one number -----------------------------------------------------------------------------------

NUMBER = "RB123456785GB"


@pytest.fixture
def without_number_lock(monkeypatch):
    """The mutant: looks whether the number is used without keeping others from using it meanwhile."""
    monkeypatch.setattr(transitions, "lock_number", lambda number: None)


def ship_as(order: Order, number: str) -> Callable[[], object]:
    parcel = order.shipments.get().pk
    return lambda: transitions.dispatch_shipment(parcel, actor="Sam", carrier="royal_mail", tracking_number=number)


def correct_to(order: Order, number: str, *, carrier: str = "royal_mail", seen: str = "") -> Callable[[], object]:
    parcel = order.shipments.get().pk
    shown = ("royal_mail", seen) if seen else None
    return lambda: transitions.correct_shipment_tracking(
        parcel, actor="Kit", carrier=carrier, tracking_number=number, seen=shown
    )


def check_log(*orders: Order) -> None:
    """Each correction starts from what the one before it left, and the last ends at what the parcel has."""
    for parcel in Shipment.objects.filter(order__in=orders, stage=Shipment.Stage.DISPATCHED):
        told = parcel.order.events.filter(kind=Kind.TRACKING_CORRECTED).order_by("pk")
        corrections = [event.data["reason"].split(" became ") for event in told]
        for (_, became), (was, _) in itertools.pairwise(corrections):
            assert became == was
        assert parcel.order.events.filter(kind=Kind.DISPATCHED).count() == 1
        if corrections:
            assert corrections[-1][1].endswith(f" {parcel.tracking_number}")


def used_by() -> int:
    return Shipment.objects.numbered(NUMBER).count()


def test_two_parcels_shipped_with_one_number(slowly):
    one, other = packed_order(), packed_order()
    slowly(transitions, "_consume_stock")
    assert together(ship_as(one, NUMBER), ship_as(other, NUMBER.lower())) == ["done", "refused"]
    assert used_by() == 1
    assert sorted(Shipment.objects.values_list("stage", flat=True)) == ["dispatched", "packed"]
    assert OrderEvent.objects.filter(kind=Kind.DISPATCHED).count() == 1
    check_log(one, other)
    check_stock()


def test_two_parcels_without_the_numbers_lock_share_it_unasked(slowly, without_number_lock):
    one, other = packed_order(), packed_order()
    slowly(transitions, "_consume_stock")
    assert together(ship_as(one, NUMBER), ship_as(other, NUMBER.lower())) == ["done", "done"]
    assert used_by() == 2


def test_one_ships_with_the_number_that_the_other_corrects_to(slowly):
    one, other = packed_order(), packed_order()
    ship_as(other, "RB123456799GB")()
    slowly(transitions, "_consume_stock")
    slowly(transitions, "get_carrier_name")  # after it has looked whether the number is used
    assert together(ship_as(one, NUMBER), correct_to(other, NUMBER)) == ["done", "refused"]
    assert used_by() == 1
    check_log(one, other)
    check_stock()


def test_without_the_numbers_lock_ship_and_correction_share_it_unasked(slowly, without_number_lock):
    one, other = packed_order(), packed_order()
    ship_as(other, "RB123456799GB")()
    slowly(transitions, "_consume_stock")
    slowly(transitions, "get_carrier_name")  # after it has looked whether the number is used
    assert together(ship_as(one, NUMBER), correct_to(other, NUMBER)) == ["done", "done"]
    assert used_by() == 2


def correct_twice(slowly) -> Order:
    order = packed_order()
    ship_as(order, NUMBER)()
    slowly(transitions, "_check_number")
    together(
        correct_to(order, "RB123456799GB", seen=NUMBER),
        correct_to(order, "RB123456808GB", seen=NUMBER),
    )
    return order


def test_two_correct_the_same_parcel(slowly):
    order = correct_twice(slowly)
    assert order.events.filter(kind=Kind.TRACKING_CORRECTED).count() == 1
    check_log(order)


def test_two_correct_without_the_lock_and_the_log_tells_two_stories(slowly, without_locks):
    order = correct_twice(slowly)
    assert order.events.filter(kind=Kind.TRACKING_CORRECTED).count() == 2
    with pytest.raises(AssertionError):
        check_log(order)


def test_one_corrects_while_the_other_ships_the_parcel(slowly):
    order = packed_order()
    slowly(transitions, "_consume_stock")
    ended = together(ship_as(order, NUMBER), correct_to(order, "RB123456799GB"))
    is_corrected = ended == ["done", "done"]
    assert order.shipments.get().tracking_number == ("RB123456799GB" if is_corrected else NUMBER)
    assert order.events.filter(kind=Kind.TRACKING_CORRECTED).exists() is is_corrected
    check_log(order)
    check_stock()


def test_one_corrects_without_the_lock_while_the_other_ships_and_is_not_heard(slowly, without_locks):
    """It looks while the parcel has not left yet, although it is leaving: the correction that was due is refused."""
    order = packed_order()
    slowly(transitions, "_consume_stock")
    assert together(ship_as(order, NUMBER), correct_to(order, "RB123456799GB")) == ["done", "refused"]
    assert order.shipments.get().tracking_number == NUMBER
