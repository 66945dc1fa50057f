"""What lies ready and nobody collects: a queue for staff, one reminder for whoever wants it, nothing ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment import queue, transitions, undoing
from orders.fulfilment.uncollected import remind_uncollected
from orders.models import Order, OrderEvent, Shipment, ShopSettings
from tests.orders.test_collecting import collected_order

pytestmark = pytest.mark.django_db

Kind, Stage = OrderEvent.Kind, Shipment.Stage


def lying(days: int, **fields) -> Order:
    """Ready for so many days and a minute, where the shop keeps things for seven."""
    order = collected_order(Stage.READY)
    Shipment.objects.filter(order=order).update(ready_at=timezone.now() - timedelta(days=days, minutes=1))
    if fields:
        Order.objects.filter(pk=order.pk).update(**fields)
    return order


def is_in_queue(order: Order) -> bool:
    """Shown there, and counted."""
    shown = queue.filter_by_queue(Order.objects.filter(pk=order.pk), "uncollected").exists()
    [counted] = [each for each in queue.summarize_queues() if each.queue.key == "uncollected"]
    assert (counted.count, counted.oldest_at is not None) == (int(shown), shown)
    return shown


def reminders(order: Order) -> int:
    return order.events.filter(kind=Kind.UNCOLLECTED).count()


def test_after_the_days_it_is_kept_staff_see_it_and_its_buyer_is_reminded_once():
    order = lying(7)
    assert is_in_queue(order)
    assert [remind_uncollected() for _ in range(3)] == [1, 0, 0]
    assert reminders(order) == 1
    order.refresh_from_db()
    assert (order.status, order.shipments.get().stage) == (Order.Status.CONFIRMED, Stage.READY)


@pytest.mark.parametrize(
    ("days", "fields"), [(6, {}), (90, {"hold": Order.Hold.INQUIRY})], ids=["not so long yet", "on hold"]
)
def test_others_are_left_alone(days, fields):
    order = lying(days, **fields)
    assert not is_in_queue(order)
    assert (remind_uncollected(), reminders(order)) == (0, 0)


def test_the_shop_says_how_long_it_keeps_things():
    order = lying(7)
    ShopSettings.objects.create(pk=1, pickup_days=8)
    assert not is_in_queue(order)
    assert remind_uncollected() == 0
    ShopSettings.objects.update(pickup_days=1)
    assert is_in_queue(order)


def test_once_it_is_collected_it_is_in_no_queue():
    order = lying(9)
    transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=order.pickup_code)
    assert not is_in_queue(order)
    assert remind_uncollected() == 0


def test_made_ready_anew_its_days_begin_anew_and_so_does_the_reminder():
    order = lying(9)
    remind_uncollected()
    parcel = order.shipments.get().pk
    undoing.take_back_step(order.pk, actor="Sam", seen=undoing.find_last_step(order).event.pk)
    transitions.mark_shipment_ready(parcel, actor="Sam")
    assert not is_in_queue(order)
    OrderEvent.objects.filter(kind=Kind.UNCOLLECTED).update(created_at=timezone.now() - timedelta(days=30))
    Shipment.objects.update(ready_at=timezone.now() - timedelta(days=8))
    assert remind_uncollected() == 1
