"""Goods come while others come, while somebody buys, and while somebody cancels. And each without its guard."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import OperationalError, transaction

from orders import cancellation, events
from orders.fulfilment import backorders
from orders.models import Allocation, Order, OrderEvent, Refund
from orders.payments import checkout_sessions
from shop.catalog import stock
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

THINKING_SECONDS = 0.05


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (checkout_sessions, cancellation):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None, raising=False)


@pytest.fixture
def _told_slowly(monkeypatch):
    """Whoever writes that goods came thinks for a moment after reading for whom."""

    def record(*args, **fields) -> OrderEvent:
        time.sleep(stretched(THINKING_SECONDS * 4))
        return events.record_order_event(*args, **fields)

    monkeypatch.setattr(backorders, "events", SimpleNamespace(record_order_event=record))


@pytest.fixture
def with_a_plan_of_its_own(monkeypatch):
    """The mutant: who gets what comes is worked out on what was read before the record was locked."""
    receive = stock.receive_stock

    def receive_late(record_id: int, **fields) -> None:
        free = StockRecord.objects.values_list("on_hand", flat=True).get(pk=record_id) + fields["quantity"]
        time.sleep(stretched(THINKING_SECONDS))
        receive(record_id, **fields)
        awaiting = Allocation.objects.filter(record=record_id, released_at=None, consumed_at=None).order_by("pk")
        for item in awaiting:
            free -= item.quantity
            Allocation.objects.filter(pk=item.pk).update(awaits_goods=free < 0)

    monkeypatch.setattr(backorders, "serve_waiting", lambda record_ids: set())
    monkeypatch.setattr(stock, "receive_stock", receive_late)


def to_come() -> Variant:
    made = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=made).update(backorder_limit=9)
    return made


def receive(item: Variant, quantity: int = 1) -> None:
    with transaction.atomic():
        stock.receive_stock(StockRecord.objects.get(variant=item).pk, quantity=quantity)


def check_served(item: Variant) -> None:
    """As many have what they were promised as the shelf holds, and each whose turn came was told once."""
    record = StockRecord.objects.get(variant=item)
    standing = Allocation.objects.filter(record=record, released_at=None, consumed_at=None)
    has_it = standing.filter(awaits_goods=False)
    assert has_it.count() == min(record.on_hand, record.allocated)
    told = OrderEvent.objects.filter(kind=OrderEvent.Kind.GOODS_CAME)
    assert sorted(told.values_list("order", flat=True)) == sorted(has_it.values_list("order_line__order", flat=True))
    assert not backorders.find_untold().exists()
    check_stock()


def receive_twice_at_once() -> None:
    item = to_come()
    for _ in range(4):
        builders.placed_order(item)
    at_once([lambda: receive(item)] * 3, slowed_ms=5)
    check_served(item)


def test_goods_received_at_once_are_given_out_once_each():
    receive_twice_at_once()


def test_without_the_records_lock_goods_are_given_out_by_what_was_there_before(with_a_plan_of_its_own):
    with pytest.raises(AssertionError):
        receive_twice_at_once()


def buy_while_goods_come(buy: Callable[[Variant], Order] = builders.placed_order) -> None:
    item = to_come()
    waiting = [builders.placed_order(item) for _ in range(2)]
    at_once([lambda: receive(item, 2), lambda: buy(item)], slowed_ms=5)
    has_it = Allocation.objects.filter(record__variant=item, awaits_goods=False)
    assert set(has_it.values_list("order_line__order", flat=True)) == {order.pk for order in waiting}
    check_served(item)


def buy_several_times(buy: Callable[[Variant], Order] = builders.placed_order) -> None:
    for _ in range(3):
        OrderEvent.objects.all().delete()
        buy_while_goods_come(buy)


def test_who_buys_while_goods_come_does_not_get_what_others_wait_for():
    buy_several_times()


def test_without_the_mark_on_what_is_promised_who_buys_takes_what_others_wait_for():
    def buy_unmarked(item: Variant) -> Order:
        with transaction.atomic():
            order = builders.placed_order(item)
            Allocation.objects.filter(order_line__order=order).update(awaits_goods=False)
        return order

    with pytest.raises(AssertionError):
        buy_several_times(buy_unmarked)


def cancel_while_goods_come() -> None:
    """Nobody is told that goods came for an order that is no more, and the next in line has them."""
    item = to_come()
    first, second = builders.placed_order(item), builders.placed_order(item)
    with transaction.atomic():  # as `receive`, but that it was about to be told
        stock.receive_stock(StockRecord.objects.get(variant=item).pk, quantity=1)
        transaction.get_connection().run_on_commit.clear()
    tell = lambda: backorders.tell_goods_came(first.pk)  # noqa: E731
    at_once([tell, lambda: cancellation.cancel_order(first.pk, actor="Kit")], slowed_ms=15)
    assert not Allocation.objects.awaiting().filter(order_line__order=second).exists()
    kinds = list(first.events.order_by("pk").values_list("kind", flat=True))
    assert OrderEvent.Kind.GOODS_CAME not in kinds[kinds.index(OrderEvent.Kind.CANCELLED) :]
    assert second.events.filter(kind=OrderEvent.Kind.GOODS_CAME).count() == 1
    assert not backorders.find_untold().exists()
    check_stock()


def cancel_several_times() -> None:
    for _ in range(3):
        cancel_while_goods_come()
        Refund.objects.all().delete()


@pytest.mark.usefixtures("_told_slowly")
def test_cancelled_while_goods_come_it_is_told_of_nothing_and_the_next_has_them():
    cancel_several_times()


@pytest.mark.usefixtures("_told_slowly")
def test_without_the_orders_lock_one_that_is_no_more_is_told_that_its_goods_came(monkeypatch):
    """Or the two lock each other out, and the database ends one of them."""
    monkeypatch.setattr(backorders, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    with pytest.raises((AssertionError, OperationalError)):
        cancel_several_times()
