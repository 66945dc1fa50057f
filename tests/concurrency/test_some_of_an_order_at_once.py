"""Some of an order cancelled or refunded by several at once, and while its parcel leaves. And unlocked."""

import time
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError

from orders import line_cancellation, line_change
from orders.fulfilment import transitions
from orders.models import Allocation, Order, OrderEvent, Refund, Shipment
from orders.payments import line_refunds, refunds
from tests import builders
from tests.backoffice.steps import order_at
from tests.concurrency.racing import at_once, attempt
from tests.patience import stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)  # the database's constraints stand behind the locks


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def unlock(monkeypatch, *modules) -> None:
    def read(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    for module in modules:
        monkeypatch.setattr(module, "lock_order", read)


def two_things(stage: str | None = None) -> Order:
    goods = builders.variant(price="10.00"), builders.variant(price="5.00")
    return order_at(stage, *goods, quantity=3) if stage else builders.placed_order(*goods, quantity=3)


def cancel_at_once() -> None:
    order = two_things()
    line = order.lines.first()
    step = lambda: attempt(  # noqa: E731
        lambda: line_cancellation.cancel_lines(order.pk, {line.pk: 1}, actor="Sam", seen_cancelled=0)
    )
    assert sorted(at_once([step] * 8, slowed_ms=5)) == ["done", *["refused"] * 7]
    line.refresh_from_db()
    assert line.cancelled_quantity == 1
    assert Refund.objects.get().amount == Decimal(10)
    assert order.events.filter(kind=OrderEvent.Kind.LINES_CANCELLED).count() == 1
    check_stock()


def test_the_same_lines_cancelled_eight_times_at_once_are_cancelled_once():
    cancel_at_once()


def test_without_the_orders_lock_they_are_cancelled_again_and_again(monkeypatch):
    unlock(monkeypatch, line_cancellation)
    with pytest.raises(WRONG):
        cancel_at_once()


def cancel_while_it_leaves() -> None:
    """Whoever comes first wins: nothing leaves that was cancelled, and nothing is cancelled that has left."""
    order = two_things(Shipment.Stage.PACKED)
    parcel, line = order.shipments.get(), order.lines.first()
    ship = lambda: attempt(  # noqa: E731
        lambda: transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="")
    )
    call_off = lambda: attempt(  # noqa: E731
        lambda: line_cancellation.cancel_lines(order.pk, {line.pk: 1}, actor="Kit", seen_cancelled=0)
    )
    assert sorted(at_once([ship, call_off], slowed_ms=15)) == ["done", "refused"]
    line.refresh_from_db()
    gone = Allocation.objects.filter(order_line=line, consumed_at__isnull=False)
    has_left = gone.exists()
    assert has_left == (line.cancelled_quantity == 0)
    assert Refund.objects.exists() != has_left
    check_stock()


def cancel_several_while_they_leave() -> None:
    for _ in range(4):
        cancel_while_it_leaves()
        Refund.objects.all().delete()


def test_cancelled_while_its_parcel_leaves_it_is_one_or_the_other():
    cancel_several_while_they_leave()


def test_without_the_orders_lock_it_leaves_and_is_cancelled_too(monkeypatch):
    unlock(monkeypatch, line_cancellation)
    with pytest.raises(WRONG):
        cancel_several_while_they_leave()


def change_at_once() -> None:
    """Eight want eight sizes instead: each is taken for a moment, and one stays promised."""
    sizes = builders.product("Felt slippers", sizes=tuple("ABCDEFGHI"), on_hand=1).variants.order_by("position")
    old, *others = sizes
    order = builders.placed_order(old)
    line = order.lines.get()
    steps = [
        partial(attempt, partial(line_change.change_lines, order.pk, {line.pk: v.pk}, actor="Sam")) for v in others
    ]
    at_once(steps, slowed_ms=5)
    promised = Allocation.objects.get(order_line=line, released_at=None)
    line.refresh_from_db()
    assert promised.record.variant_id == line.variant_id != old.pk
    check_stock()


def test_one_line_changed_to_eight_sizes_at_once_is_promised_one():
    change_at_once()


def test_without_the_orders_lock_it_is_promised_several(monkeypatch):
    unlock(monkeypatch, line_change)
    with pytest.raises((*WRONG, Allocation.MultipleObjectsReturned)):
        change_at_once()


def change_while_it_is_picked() -> None:
    """Whoever comes first wins: what somebody fetches is what the line says."""
    old, new = builders.product("Felt slippers", sizes=("A", "B"), on_hand=9).variants.order_by("position")
    order = order_at(Shipment.Stage.WAITING, old)
    parcel, line = order.shipments.get(), order.lines.get()
    picked: list[int] = []

    def pick() -> str:
        outcome = attempt(lambda: transitions.start_picking_shipment(parcel.pk, actor="Sam"))
        picked.append(order.lines.get().variant_id)
        return outcome

    at_once(
        [pick, lambda: attempt(lambda: line_change.change_lines(order.pk, {line.pk: new.pk}, actor="Kit"))],
        slowed_ms=15,
    )
    line.refresh_from_db()
    assert picked == [line.variant_id]
    check_stock()


def change_several_while_they_are_picked() -> None:
    for _ in range(4):
        change_while_it_is_picked()


def test_changed_while_it_is_picked_it_is_one_or_the_other():
    change_several_while_they_are_picked()


def test_without_the_orders_lock_another_size_is_picked_than_the_line_says(monkeypatch):
    unlock(monkeypatch, line_change)
    with pytest.raises(WRONG):
        change_several_while_they_are_picked()


def refund_at_once() -> None:
    """Two staff, each shown the same: £45 left, £30 for all of the first line."""
    order = two_things(Shipment.Stage.DELIVERED)
    line = order.lines.first()
    parts = line_refunds.RefundParts({line.pk: 3})
    shown = {"seen_left": Decimal(45), "seen_sum": Decimal(30)}
    step = lambda: attempt(lambda: line_refunds.refund_parts(order.pk, parts, actor="Sam", **shown))  # noqa: E731
    assert sorted(at_once([step] * 2, slowed_ms=15)) == ["done", "refused"]
    captured = order.payments.get().amount
    assert sum(Refund.objects.values_list("amount", flat=True)) <= captured


def test_two_refund_the_same_goods_at_once_and_they_are_refunded_once():
    refund_at_once()


def test_without_the_orders_lock_more_goes_back_than_was_paid(monkeypatch):
    unlock(monkeypatch, line_refunds)
    with pytest.raises(WRONG):
        refund_at_once()
