"""Staff and buyer act on an order that staff entered at the same moment. And unlocked."""

import time
import uuid

import pytest
from django.utils import timezone

from orders import staff_orders
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Payment
from orders.shop_terms import load_terms
from orders.staff_orders import Channel, DraftLine, OrderDraft
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched
from tests.paying import BUYER, check_stock

pytestmark = pytest.mark.django_db(transaction=True)


def enter(variant: Variant, key: uuid.UUID) -> Order:
    draft = OrderDraft(
        lines=[DraftLine(variant, 1)],
        address={name: value for name, value in BUYER.items() if name != "email"},
        method=builders.shipping_method(),
        channel=Channel.PHONE,
        key=key,
    )
    return staff_orders.create_draft_order(draft, actor="Sam", terms=load_terms())


def enter_at_once() -> None:
    goods, key = builders.variant(), uuid.uuid4()
    builders.shipping_method()
    entered = at_once([lambda: enter(goods, key)] * 8, slowed_ms=5)
    assert len({order.pk for order in entered}) == 1
    assert Order.objects.count() == 1
    assert StockRecord.objects.get().allocated == 1


def mark_paid(order: Order) -> bool:
    try:
        staff_orders.mark_paid_by_hand(order.pk, how="Cash", actor="Sam")
    except TransitionRefused:
        return False
    return True


def mark_paid_at_once() -> None:
    """Eight clicks, and the job that lets go of what nobody paid."""
    order = enter(builders.variant(), uuid.uuid4())
    Order.objects.update(pay_by_at=timezone.now())
    said = at_once([lambda: mark_paid(order)] * 8 + [staff_orders.end_unpaid_orders], slowed_ms=5)
    order.refresh_from_db()
    is_paid = order.status == Order.Status.CONFIRMED
    assert said[:8].count(True) == (1 if is_paid else 0)
    assert Payment.objects.filter(status="captured").count() == (1 if is_paid else 0)
    ended = order.events.filter(kind__in=[OrderEvent.Kind.PLACED, OrderEvent.Kind.DRAFT_ENDED])
    assert ended.count() == 1
    check_stock()


def test_the_same_form_eight_times_at_once_is_one_order():
    enter_at_once()


def test_marked_paid_eight_times_as_its_time_runs_out_it_is_paid_once_or_ended():
    mark_paid_at_once()


def test_without_the_forms_key_it_is_entered_again_and_again(monkeypatch):
    create = Order.objects.create
    monkeypatch.setattr(Order.objects, "create", lambda **fields: create(**fields | {"cart_fingerprint": ""}))
    with pytest.raises(AssertionError):
        enter_at_once()


def test_without_the_orders_lock_it_is_paid_again_or_ended_as_well(monkeypatch):
    def read(order_id: int) -> Order:
        order = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.05))
        return order

    monkeypatch.setattr(staff_orders, "lock_order", read)
    with pytest.raises(Exception):  # noqa: B017, PT011  (two placed at once: the database or the count refuses)
        mark_paid_at_once()
