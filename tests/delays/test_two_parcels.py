"""Of an order in two parcels each is watched by its own days, whatever holds for the other."""

import pytest

from orders.fulfilment import backorders, queue
from orders.models import Allocation, Order
from tests.delays.late import DAY, TODAY, fresh, goods_come
from tests.delays.two_parcels import approve, get_kettle, get_scarf, order_in_two, send

pytestmark = pytest.mark.django_db

FAR = TODAY() + 60 * DAY


def late(order: Order) -> bool:
    """In staff's queue, counted there, and marked on its page."""
    is_there = queue.filter_by_queue(Order.objects.filter(pk=order.pk), queue.LATE.key).exists()
    [count] = [each.count for each in queue.summarize_queues() if each.queue == queue.LATE]
    assert bool(count) == is_there == queue.is_late_to_leave(fresh(order))
    return is_there


@pytest.mark.parametrize("kettle_by", [FAR, None], ids=["the rest has a day", "the rest has none"])
def test_the_first_parcel_is_late_by_its_own_day(kettle_by):
    order = order_in_two(TODAY() + 3 * DAY, kettle_by)  # it should have left yesterday
    assert late(order)
    approve(order)
    assert late(order)
    send(get_scarf(order))
    assert not late(order)


def test_a_first_parcel_whose_day_is_today_is_not_late():
    assert not late(order_in_two(TODAY() + 4 * DAY, FAR))


def test_one_that_was_cancelled_or_is_on_hold_is_not_late():
    order = order_in_two(TODAY() + 3 * DAY, FAR)
    order.lines.filter(pk=get_scarf(order).pk).update(cancelled_quantity=1)
    assert not late(order)
    order.lines.update(cancelled_quantity=0)
    Order.objects.update(hold="warning")
    assert not queue.filter_by_queue(Order.objects.all(), queue.LATE.key).exists()


def test_when_the_last_has_left_the_first_is_still_late():
    order = order_in_two(TODAY() + 3 * DAY, FAR)
    approve(order)
    goods_come()
    send(get_kettle(order))
    assert late(order)


@pytest.mark.parametrize("kettle_by", [FAR, None], ids=["the rest has a day", "the rest has none"])
def test_what_came_sooner_brings_its_own_parcel_forward_whatever_the_rest_has(kettle_by):
    order = order_in_two(TODAY() + 40 * DAY, kettle_by)
    scarf = get_scarf(order)
    Allocation.objects.filter(order_line=scarf).update(came_at="2026-01-01T00:00Z")
    backorders.tell_goods_came(order.pk)
    moved = get_scarf(order)
    assert TODAY() < moved.promised_by_on < scarf.promised_by_on
    assert moved.ships_on < scarf.ships_on
    assert get_kettle(order).promised_by_on == fresh(order).promised_by_on == kettle_by


def test_what_came_at_once_for_both_brings_both_forward():
    order = order_in_two(TODAY() + 40 * DAY, FAR)
    Allocation.objects.update(came_at="2026-01-01T00:00Z", awaits_goods=False)
    backorders.tell_goods_came(order.pk)
    now = fresh(order)
    assert TODAY() < get_scarf(order).promised_by_on == get_kettle(order).promised_by_on == now.promised_by_on
    assert now.promised_by_on < TODAY() + 40 * DAY
