"""What is on the shelf leaves first where the buyer wants each part as it is ready; else all of it waits together.

What comes goes to whoever was promised it by the earliest day, and their order's story says so.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders import cancellation
from orders.delays.finding import see_to_delays
from orders.fulfilment import backorders, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent
from orders.timeline import build_timelines
from shop.catalog import stock
from shop.catalog.models import StockMovement, StockRecord, Variant
from tests import builders
from tests.paying import check_stock

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def to_come(count: int = 5) -> Variant:
    made = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=made).update(backorder_limit=count)
    return made


def promised(item: Variant, in_days: int, **fields) -> Order:
    return builders.placed_order(item, promised_by_on=timezone.localdate() + in_days * DAY, **fields)


def receive(item: Variant, quantity: int = 1, **fields) -> None:
    with transaction.atomic():
        stock.receive_stock(StockRecord.objects.get(variant=item).pk, quantity=quantity, **fields)


def approve(order: Order) -> list[list[str]]:
    approved = transitions.approve_order(order.pk, actor="Sam")
    return [[line.order_line.sku for line in parcel.lines.all()] for parcel in approved.shipments.all()]


def awaits(order: Order) -> bool:
    return Allocation.objects.awaiting().filter(order_line__order=order).exists()


def stories(order: Order) -> list[list[str]]:
    return [[step.title for step in story.steps] for story in build_timelines(Order.objects.get(pk=order.pk))]


def test_each_part_as_it_is_ready_is_a_parcel_for_what_is_here_and_one_for_what_is_to_come():
    here, later = builders.variant(), to_come()
    order = builders.placed_order(later, here, ships_as_ready=True)
    assert approve(order) == [[here.sku], [later.sku]]


@pytest.mark.parametrize("ships_as_ready", [True, False])
def test_else_it_is_one_parcel(ships_as_ready):
    goods = [builders.variant(), builders.variant() if ships_as_ready else to_come()]
    order = builders.placed_order(*goods, ships_as_ready=ships_as_ready)
    assert len(approve(order)) == 1


def test_what_comes_goes_to_whoever_was_promised_it_by_the_earliest_day():
    wanted = to_come()
    later, sooner = promised(wanted, 9), promised(wanted, 5)
    assert awaits(later)
    assert awaits(sooner)
    receive(wanted)
    assert not awaits(sooner)
    assert awaits(later)
    receive(wanted)
    assert not awaits(later)
    check_stock()


def test_of_two_promised_by_the_same_day_who_paid_first_is_served_first():
    wanted, now = to_come(), timezone.now()
    second, first = promised(wanted, 5, placed_at=now), promised(wanted, 5, placed_at=now - DAY)
    receive(wanted)
    assert (awaits(first), awaits(second)) == (False, True)


def test_whoever_wants_more_than_came_is_not_overtaken():
    wanted = to_come(9)
    first, second = promised(wanted, 5, quantity=3), promised(wanted, 6)
    receive(wanted, 2)
    assert awaits(first)
    assert awaits(second)
    receive(wanted)
    assert (awaits(first), awaits(second)) == (False, True)


def test_who_has_it_keeps_it_when_somebody_is_promised_an_earlier_day():
    wanted = to_come()
    has_it = promised(wanted, 9)
    receive(wanted)
    newcomer = promised(wanted, 3)
    assert awaits(newcomer)
    receive(wanted)
    assert not awaits(has_it)
    assert not awaits(newcomer)


def test_a_lower_count_takes_it_from_the_latest_promise_and_not_from_what_is_fetched_already():
    wanted = to_come()
    fetched, left, right = promised(wanted, 9), promised(wanted, 5), promised(wanted, 7)
    receive(wanted, 3)
    approve(fetched)
    transitions.start_picking_shipment(fetched.shipments.get().pk, actor="Sam")
    with transaction.atomic():
        stock.record_stocktake({wanted.pk: 2}, store_id=builders.store().pk, reference="a count")
    assert [awaits(each) for each in (fetched, left, right)] == [False, False, True]


@pytest.mark.parametrize("kind", [StockMovement.Kind.RECEIVED, StockMovement.Kind.RETURNED])
def test_by_whatever_door_it_comes_its_buyer_reads_of_it_once(kind, django_capture_on_commit_callbacks):
    wanted = to_come()
    order = promised(wanted, 5)
    approve(order)
    said = f"The {wanted.product.title} you wait for is here"
    assert said not in stories(order)[0]
    with django_capture_on_commit_callbacks(execute=True):
        receive(wanted, kind=kind)
    assert stories(order)[0].count(said) == 1
    assert stories(order)[0].index(said) == stories(order)[0].index("Approved") + 1
    backorders.tell_goods_came(order.pk)
    see_to_delays()
    assert order.events.filter(kind=OrderEvent.Kind.GOODS_CAME).count() == 1


def test_only_the_parcel_it_is_for_tells_of_it(django_capture_on_commit_callbacks):
    here, later = builders.variant(), to_come()
    order = builders.placed_order(here, later, ships_as_ready=True)
    approve(order)
    with django_capture_on_commit_callbacks(execute=True):
        receive(later)
    ready, waited = stories(order)
    said = f"The {later.product.title} you wait for is here"
    assert said in waited
    assert said not in ready


def test_what_a_crash_left_untold_is_told_by_the_job():
    wanted = to_come()
    order = promised(wanted, 5)
    receive(wanted)  # and whoever was to tell of it is gone
    assert not order.events.filter(kind=OrderEvent.Kind.GOODS_CAME).exists()
    see_to_delays()
    assert order.events.filter(kind=OrderEvent.Kind.GOODS_CAME).count() == 1
    assert not backorders.find_untold().exists()


def test_what_an_order_let_go_goes_to_whoever_waits(django_capture_on_commit_callbacks):
    wanted = to_come()
    first, second = promised(wanted, 5), promised(wanted, 6)
    receive(wanted)
    assert awaits(second)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        cancellation.cancel_order(first.pk, actor="Sam")
    assert not awaits(second)
    assert not first.events.filter(kind=OrderEvent.Kind.GOODS_CAME).exists()
    assert second.events.filter(kind=OrderEvent.Kind.GOODS_CAME).count() == 1
    check_stock()


def test_what_is_to_come_is_not_picked_before_it_has_come_and_what_is_here_leaves():
    here, later = builders.variant(), to_come()
    order = builders.placed_order(here, later, ships_as_ready=True)
    approve(order)
    ready, waiting = order.shipments.all()
    for verb in (transitions.start_picking_shipment, transitions.mark_shipment_picked):
        with pytest.raises(TransitionRefused, match="goods that are not here yet"):
            verb(waiting.pk, actor="Sam")
    waiting.refresh_from_db()
    assert waiting.stage == "waiting"
    assert not order.events.filter(shipment=waiting).exists()
    receive(later)
    for parcel in (ready, waiting):
        transitions.mark_shipment_picked(parcel.pk, actor="Sam")
        transitions.mark_shipment_packed(parcel.pk, actor="Sam")
        transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="")
    check_stock()


def days(order: Order) -> list[object]:
    """When it is to be there: the order, and each of its lines that has a day of its own."""
    fresh = Order.objects.get(pk=order.pk)
    return [fresh.promised_by_on, *fresh.lines.values_list("promised_by_on", flat=True)]


def test_the_day_of_its_parcel_follows_what_came_sooner(django_capture_on_commit_callbacks):
    wanted, method = to_come(), builders.shipping_method(days_min=1, days_max=2)
    order = promised(wanted, 60, quantity=2, shipping_method=method)
    far = days(order)
    with django_capture_on_commit_callbacks(execute=True):
        receive(wanted)
    assert days(order) == far  # not all of it is here
    with django_capture_on_commit_callbacks(execute=True):
        receive(wanted)
    assert timezone.localdate() < days(order)[0] < far[0] - 30 * DAY
    steps = {step.title: step.expected_on for step in build_timelines(Order.objects.get(pk=order.pk))[0].steps}
    assert steps["At your door"] == days(order)[0]


def test_of_two_parcels_the_day_of_the_one_that_waited_follows(django_capture_on_commit_callbacks):
    here, later, today = builders.variant(), to_come(), timezone.localdate()
    method = builders.shipping_method(days_min=1, days_max=2)
    order = promised(later, 60, shipping_method=method, ships_as_ready=True)
    order.lines.update(promised_by_on=today + 60 * DAY)
    first = builders.placed_order(here).lines.get()
    first.order, first.promised_by_on = order, today + 30 * DAY
    first.save()
    with django_capture_on_commit_callbacks(execute=True):
        receive(later)
    whole, waited, ready = days(order)
    assert waited < ready == today + 30 * DAY
    assert whole == ready


@pytest.mark.parametrize("change", [{"first_promised_by_on": timezone.localdate()}, {"shipping_method": None}])
def test_a_day_that_had_slipped_or_that_nobody_can_count_stays(change, django_capture_on_commit_callbacks):
    wanted = to_come()
    fields = {"shipping_method": builders.shipping_method(days_min=1, days_max=2)} | change
    order = promised(wanted, 60, **fields)
    before = days(order)
    with django_capture_on_commit_callbacks(execute=True):
        receive(wanted)
    assert days(order) == before
    assert order.events.filter(kind=OrderEvent.Kind.GOODS_CAME).exists()


def test_what_comes_no_sooner_moves_no_day(django_capture_on_commit_callbacks):
    wanted = to_come()
    order = promised(wanted, 1, shipping_method=builders.shipping_method(days_min=3, days_max=4))
    before = days(order)
    with django_capture_on_commit_callbacks(execute=True):
        receive(wanted)
    assert days(order) == before
