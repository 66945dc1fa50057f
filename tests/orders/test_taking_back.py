"""A step taken by mistake is taken back until the parcel has left; the customer's timeline stays truthful."""

from decimal import Decimal

import pytest

from notifications import delivery, relay
from notifications.models import OutgoingEmail
from orders.fulfilment import approval_rule, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, PackingScan, Shipment, ShopSettings
from orders.timeline import build_timelines
from tests import builders, cast
from tests.backoffice.conftest import staff
from tests.backoffice.steps import IN_THE_HOUSE, order_at, page_of, said, stages, take
from tests.notifications.conftest import sink
from tests.paying import check_stock

__all__ = ["sink", "staff"]

pytestmark = pytest.mark.django_db

Kind = OrderEvent.Kind


def take_back(order: Order) -> undoing.LastStep:
    last = undoing.find_last_step(Order.objects.get(pk=order.pk))
    assert last is not None
    return undoing.take_back_step(order.pk, actor="Kit", seen=last.event.pk)


def told(order: Order) -> list[str]:
    """What the customer's timeline says has happened."""
    (story,) = build_timelines(Order.objects.get(pk=order.pk))
    return [step.title for step in story.steps if step.state in ("done", "now")]


def parcel(order: Order) -> Shipment:
    return order.shipments.exclude(stage="cancelled").get()


def everything() -> list[object]:
    return [list(table.objects.order_by("pk").values()) for table in (Order, Shipment, OrderEvent)]


def test_every_step_is_taken_back_the_last_first_and_the_timeline_follows():
    order = order_at("packed", builders.variant(on_hand=5), quantity=2)
    assert told(order) == ["Placed and paid", "Approved", "Picked", "Packed"]
    assert take_back(order).name == "Packed"
    assert (parcel(order).stage, told(order)) == ("picked", ["Placed and paid", "Approved", "Picked"])
    assert take_back(order).name == "Picked"
    assert (parcel(order).stage, told(order)) == ("waiting", ["Placed and paid", "Approved"])
    assert take_back(order).name == "Approved"
    order.refresh_from_db()
    assert (order.approved_at, order.fulfilment_status, told(order)) == (None, "unfulfilled", ["Placed and paid"])
    kinds = list(order.events.values_list("kind", "actor"))
    assert kinds.count((Kind.TAKEN_BACK, "Kit")) == 3
    assert (Kind.PACKED, "Sam") in kinds  # what was done stays in the order's history
    assert undoing.find_last_step(order) is None
    check_stock()


@pytest.mark.parametrize("row", IN_THE_HOUSE, ids=lambda row: row.stage)
def test_what_was_taken_back_can_be_taken_again_and_leaves_like_any_other(row):
    item = builders.variant(on_hand=5)
    order = order_at(row.stage, item, quantity=2)
    take_back(order)
    if not Order.objects.get(pk=order.pk).approved_at:
        transitions.approve_order(order.pk, actor="Sam")
    for again in IN_THE_HOUSE[1:]:
        if parcel(order).stage in again.follows:
            getattr(transitions, again.verb)(parcel(order).pk, actor="Sam")
    transitions.dispatch_shipment(parcel(order).pk, actor="Sam", carrier="dpd", tracking_number="15501234567890")
    assert told(order)[-2:] == ["Packed", "On the truck"]
    assert len(build_timelines(order)) == 1
    assert item.stock.get().on_hand == 3
    check_stock()


def test_what_was_typed_and_scanned_for_the_step_goes_with_it():
    order = order_at("packed")
    Shipment.objects.update(packing_note="Hi", packed_by="Sam", weight_grams=5, box_count=2)
    PackingScan.objects.create(shipment_line=parcel(order).lines.get())
    take_back(order)
    found = parcel(order)
    assert (found.packing_note, found.packed_by, found.weight_grams, found.box_count) == ("", "", None, 1)
    assert not PackingScan.objects.exists()


def check_refused(order: Order, words: str, *, seen: int = 0) -> None:
    before = everything()
    with pytest.raises(TransitionRefused, match=words):
        undoing.take_back_step(order.pk, actor="Kit", seen=seen)
    assert everything() == before


def test_what_has_left_was_never_approved_or_is_called_off_is_not_taken_back():
    check_refused(order_at("dispatched"), "has left")
    check_refused(builders.placed_order(), "not approved")
    gone = order_at("waiting")
    Order.objects.filter(pk=gone.pk).update(status=Order.Status.CANCELLED)
    check_refused(gone, "was cancelled")


def test_pressed_twice_one_step_is_taken_back():
    order = order_at("packed")
    seen = undoing.find_last_step(order).event.pk
    undoing.take_back_step(order.pk, actor="Kit", seen=seen)
    check_refused(order, "has moved meanwhile", seen=seen)
    assert parcel(order).stage == "picked"


def test_of_two_parcels_the_last_step_is_taken_back():
    order = order_at("waiting")
    other = Shipment.objects.create(order=order, store=builders.store())
    transitions.mark_shipment_picked(other.pk, actor="Sam")
    assert take_back(order).event.shipment_id == other.pk
    assert stages(order) == ["waiting", "waiting"]


def test_an_approval_taken_back_is_not_given_again_by_the_rule():
    ShopSettings(pk=1, approve_up_to=Decimal(1000)).save()
    order = builders.placed_order()
    approval_rule.approve_by_rule(order)
    take_back(order)
    assert approval_rule.approve_waiting_orders() == 0
    transitions.approve_order(order.pk, actor="Sam")
    assert told(order)[-1] == "Approved"


# -- Mail ------------------------------------------------------------------------------------------------------


def topics_sent(sink) -> list[str]:
    return [topic for topic in sink.topics if topic != "receipt"]


def test_mail_that_has_not_gone_falls_with_its_step_and_goes_when_it_is_taken_again(sink):
    order = order_at("picked", customer=cast.alice())
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked"]
    transitions.mark_shipment_packed(parcel(order).pk, actor="Sam")
    relay.relay_all_events()
    take_back(order)
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked"]
    fallen = OutgoingEmail.objects.get(topic="order_packed")
    assert (fallen.state, fallen.skip_reason) == ("skipped", "order_changed")
    transitions.mark_shipment_packed(parcel(order).pk, actor="Sam")
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked", "order_packed"]


def test_mail_that_has_gone_does_not_go_again(sink):
    order = order_at("packed", customer=cast.alice())
    relay.relay_all_events()
    delivery.deliver_due_mail()
    take_back(order)
    transitions.mark_shipment_packed(parcel(order).pk, actor="Sam")
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked", "order_packed"]


def test_taken_back_and_taken_again_before_it_is_sent_it_goes_once(sink):
    order = order_at("packed", customer=cast.alice())
    relay.relay_all_events()
    take_back(order)
    transitions.mark_shipment_packed(parcel(order).pk, actor="Sam")
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked", "order_packed"]


def test_news_of_another_parcel_does_not_fall(sink):
    order = order_at("waiting", customer=cast.alice())
    other = Shipment.objects.create(order=order, store=builders.store())
    first = order.shipments.first()
    for each in (first, other):
        transitions.mark_shipment_picked(each.pk, actor="Sam")
    relay.relay_all_events()
    take_back(order)
    delivery.deliver_due_mail()
    assert topics_sent(sink) == ["order_approved", "order_picked"]


# -- The page --------------------------------------------------------------------------------------------------


def test_staff_read_what_would_be_taken_back_before_it_is(staff):
    order = order_at("packed")
    assert "Take back the last step" in staff.get(page_of(order)).text
    page = take(staff, "take_back", order)
    assert "takes back “Packed”, by Sam" in " ".join(page.text.split())
    assert parcel(order).stage == "packed"
    seen = undoing.find_last_step(order).event.pk
    sent = {"confirm": "1", f"seen-{order.pk}": str(seen), "back": page_of(order)}
    assert said(take(staff, "take_back", order, **sent)) == [f"Taken back: {order.number}."]
    assert parcel(order).stage == "picked"
    assert "has moved meanwhile" in said(take(staff, "take_back", order, **sent))[0]
    assert parcel(order).stage == "picked"


def test_what_has_left_offers_nothing_to_take_back(staff):
    order = order_at("dispatched")
    assert "Take back the last step" not in staff.get(page_of(order)).text
    assert "no step to take back" in said(take(staff, "take_back", order))[0]
