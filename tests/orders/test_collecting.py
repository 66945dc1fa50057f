"""An order that its buyer collects: ready at the counter, handed over once, by its code."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders import cancellation, stages
from orders.addresses import address_change
from orders.fulfilment import queue, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, Shipment
from orders.models.order import draw_pickup_code
from orders.status import get_customer_status_label
from orders.timeline import build_timelines
from shop.catalog.models import Store
from tests import builders
from tests.paying import check_stock

pytestmark = pytest.mark.django_db

Stage = Shipment.Stage
Kind = OrderEvent.Kind


def collected_order(stage: Stage | None = None) -> Order:
    """To be collected from the one store, its parcel come so far."""
    order = builders.placed_order(
        builders.variant(on_hand=5),
        quantity=2,
        pickup_store=builders.store(),
        pickup_code=draw_pickup_code(),
        pickup_ready_at=timezone.now() + timedelta(hours=1),
    )
    if stage is None:
        return order
    transitions.approve_order(order.pk, actor="Sam")
    pk = order.shipments.get().pk
    for row in stages.PICKUP_ROAD[1:]:
        if order.shipments.get().stage == stage:
            break
        typed = {"code": order.pickup_code} if row.stage == Stage.COLLECTED else {}
        getattr(transitions, row.verb)(pk, actor="Sam", **typed)
    order.refresh_from_db()
    return order


def everything() -> list[object]:
    return [list(table.objects.order_by("pk").values()) for table in (Order, Shipment, OrderEvent, Allocation)]


def test_it_lies_ready_once_it_is_packed():
    order = collected_order(Stage.PACKED)
    transitions.mark_shipment_ready(order.shipments.get().pk, actor="Sam")
    order.refresh_from_db()
    assert order.shipments.get().ready_at is not None
    assert (order.status, order.fulfilment_status) == ("confirmed", "ready")
    assert get_customer_status_label(order) == "Ready to collect"
    assert queue.find_queue_for_order(order, [Stage.READY]).title == "Ready to collect"
    assert list(queue.filter_by_queue(Order.objects.all(), "collect")) == [order]


def test_with_its_code_it_is_handed_over_and_the_order_is_complete():
    order = collected_order(Stage.READY)
    code = f" {order.pickup_code[:3].lower()}-{order.pickup_code[3:]}"
    transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=code)
    order.refresh_from_db()
    parcel = order.shipments.get()
    assert (order.status, order.fulfilment_status, parcel.stage) == ("completed", "delivered", "collected")
    assert parcel.delivered_at is not None
    assert get_customer_status_label(order) == "Collected"
    assert order.events.latest("pk").kind == Kind.COLLECTED
    record = Allocation.objects.get().record
    assert (record.on_hand, record.allocated) == (3, 0)
    check_stock()


@pytest.mark.parametrize("code", ["", "222222", "every other"])
def test_with_another_code_nothing_is_handed_over(code):
    order = collected_order(Stage.READY)
    wrong = collected_order().pickup_code if code == "every other" else code
    before = everything()
    with pytest.raises(TransitionRefused, match="that is not its code"):
        transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=wrong)
    assert everything() == before


def test_an_order_without_a_code_is_handed_over_by_none():
    order = collected_order(Stage.READY)
    Order.objects.update(pickup_code="")
    before = everything()
    with pytest.raises(TransitionRefused, match="that is not its code"):
        transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code="")
    assert everything() == before


def test_nobody_hands_it_over_twice():
    order = collected_order(Stage.COLLECTED)
    before = everything()
    with pytest.raises(TransitionRefused, match="“collected” already"):
        transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=order.pickup_code)
    assert everything() == before


def test_what_is_collected_is_not_shipped_and_what_is_shipped_is_not_collected():
    order = collected_order(Stage.PACKED)
    before = everything()
    with pytest.raises(TransitionRefused, match="is collected at Harbour Row, and not shipped"):
        transitions.dispatch_shipment(order.shipments.get().pk, actor="Sam", carrier="dpd", tracking_number="1")
    assert everything() == before
    Order.objects.update(pickup_store=None)
    before = everything()
    with pytest.raises(TransitionRefused, match="nobody comes to collect it"):
        transitions.mark_shipment_ready(order.shipments.get().pk, actor="Sam")
    assert everything() == before


@pytest.mark.parametrize("stage", [row.stage for row in stages.PICKUP_ROAD if row.stage != Stage.READY])
def test_only_what_lies_ready_is_handed_over(stage):
    order = collected_order(stage)
    before = everything()
    with pytest.raises(TransitionRefused):
        transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=order.pickup_code)
    assert everything() == before


def test_on_hold_it_stays_at_the_counter():
    order = collected_order(Stage.READY)
    Order.objects.update(hold=Order.Hold.DISPUTED)
    before = everything()
    with pytest.raises(TransitionRefused, match="on hold"):
        transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=order.pickup_code)
    assert everything() == before


def test_until_it_is_collected_it_can_be_cancelled_and_then_no_more(monkeypatch):
    assert cancellation.may_cancel(collected_order(Stage.READY))
    assert not cancellation.may_cancel(collected_order(Stage.COLLECTED))


def test_ready_by_mistake_is_taken_back_and_what_was_packed_stays_as_it_was():
    order = collected_order(Stage.READY)
    Shipment.objects.update(packing_note="With care", weight_grams=400)
    last = undoing.find_last_step(order)
    undoing.take_back_step(order.pk, actor="Sam", seen=last.event.pk)
    parcel = order.shipments.get()
    assert (parcel.stage, parcel.ready_at, parcel.packing_note, parcel.weight_grams) == (
        "packed", None, "With care", 400,
    )  # fmt: skip


def test_its_story_ends_at_the_counter():
    order = collected_order(Stage.READY)
    titles = [step.title for step in build_timelines(order)[0].steps]
    assert titles == ["Placed and paid", "Approved", "Picked", "Packed", "Ready to collect", "Collected"]
    done = [step.title for step in build_timelines(collected_order(Stage.COLLECTED))[0].steps if step.state != "done"]
    assert done == []


def test_what_lies_ready_is_not_late_whenever_its_buyer_comes():
    long_ago = timezone.now() - timedelta(days=900)
    Order.objects.filter(pk=collected_order(Stage.READY).pk).update(ships_on=long_ago, pickup_ready_at=long_ago)
    assert not queue.filter_by_queue(Order.objects.all(), "late").exists()


@pytest.mark.parametrize(("minutes", "is_late"), [(-1, True), (5, False)])
def test_not_ready_by_its_hour_staff_see_it_as_late_the_same_day(minutes, is_late):
    order = collected_order(Stage.PACKED)
    Order.objects.update(pickup_ready_at=timezone.now() + timedelta(minutes=minutes), ships_on=timezone.localdate())
    order.refresh_from_db()
    assert queue.filter_by_queue(Order.objects.all(), "late").exists() is is_late
    assert queue.is_late_to_leave(order) is is_late


def test_there_is_no_address_to_change():
    order = collected_order()
    assert not address_change.may_change_address(order)


def test_a_store_that_orders_are_collected_from_stays():
    collected_order()
    with pytest.raises(Exception, match="protected"):
        Store.objects.all().delete()
