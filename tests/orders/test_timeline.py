"""An order's story as its customer reads it."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders import events
from orders.arrivals import find_parcel_days, format_arrival
from orders.fulfilment import transitions
from orders.fulfilment.release import cancel_and_release_stock
from orders.models import Order, OrderEvent, Shipment
from orders.promise import format_day
from orders.stages import ROAD
from orders.status import get_customer_status_label
from orders.timeline import NO_DAY_TEXT, build_timelines
from orders.timeline_step import TimelineStep
from shop.catalog import stock
from shop.catalog.models import Store, Variant
from tests import builders
from tests.login import sign_in

pytestmark = pytest.mark.django_db

Kind = OrderEvent.Kind
TODAY = timezone.localdate


def story(order: Order) -> list[TimelineStep]:
    (only,) = build_timelines(Order.objects.get(pk=order.pk))
    return only.steps


def outline(order: Order) -> list[tuple[str, str]]:
    return [(step.title, step.state) for step in story(order)]


def order_due(**fields) -> Order:
    fields.setdefault("ships_on", TODAY() + timedelta(days=1))
    fields.setdefault("promised_by_on", TODAY() + timedelta(days=4))
    return builders.placed_order(**fields)


def taken_to_the_truck(order: Order) -> None:
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get().pk
    transitions.mark_shipment_picked(parcel, actor="Sam")
    transitions.mark_shipment_packed(parcel, actor="Sam", note="Enjoy the first cup.", packed_by="Sam")
    transitions.dispatch_shipment(parcel, actor="Sam", carrier="royal_mail", tracking_number="AB123456789GB")


def test_before_anything_happens_it_says_what_comes_and_when():
    order = order_due()
    assert outline(order) == [
        ("Placed and paid", "now"),
        *((row.milestone, "next") for row in ROAD if row.milestone),
    ]
    assert story(order)[0].at is not None
    expected = {step.title: step.expected_on for step in story(order) if step.expected_on}
    assert expected == {"On the truck": order.ships_on, "At your door": order.promised_by_on}


def test_while_somebody_fetches_it_the_story_says_so():
    order = order_due()
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    assert story(order)[1].text == ""
    transitions.start_picking_shipment(parcel.pk, actor="Sam")
    approved = story(order)[1]
    assert (approved.state, approved.text) == ("now", "Somebody is fetching it from the shelf.")


def test_on_the_truck_it_links_to_the_carriers_own_page():
    order = order_due()
    taken_to_the_truck(order)
    assert outline(order)[-3:] == [("Packed", "done"), ("On the truck", "now"), ("At your door", "next")]
    truck = story(order)[-2]
    assert truck.text == "Tracking number AB123456789GB."
    assert truck.link_url == "https://www.royalmail.com/track-your-item#/tracking-results/AB123456789GB"


def test_boxes_that_go_under_one_number_are_counted_for_the_buyer():
    order = order_due()
    taken_to_the_truck(order)
    order.shipments.update(box_count=2)
    assert story(order)[-2].text == "2 boxes. Tracking number AB123456789GB."
    order.shipments.update(tracking_number="", is_untracked=True)
    assert story(order)[-2].text == "2 boxes. Sent with Royal Mail, without a tracking number."


def test_delivered_is_the_end_of_it():
    order = order_due()
    taken_to_the_truck(order)
    transitions.mark_shipment_delivered(order.shipments.get().pk, actor="Sam")
    assert {state for _, state in outline(order)} == {"done"}


@pytest.mark.parametrize(
    "verb", ["mark_delivery_failed", "mark_shipment_undeliverable", "mark_shipment_returned"], ids=str
)
@pytest.mark.parametrize("ahead", [2, -2], ids=["its day is to come", "its day has passed"])
def test_of_what_is_held_up_no_day_is_promised_and_the_page_says_so(client, verb, ahead):
    order, customer = order_due(), builders.customer("alice@example.com")
    Order.objects.update(customer=customer)
    sign_in(client, customer.user)
    taken_to_the_truck(order)
    assert story(order)[-1] == TimelineStep("At your door", "next", expected_on=order.promised_by_on)
    assert "With you" in client.get(order.get_absolute_url()).text
    by_on = TODAY() + timedelta(days=ahead)
    Order.objects.update(promised_from_on=by_on, promised_by_on=by_on)
    getattr(transitions, verb)(order.shipments.get().pk, actor="Sam")
    assert story(order)[-1] == TimelineStep("At your door", "wait", text="No day is known at the moment.")
    page = client.get(order.get_absolute_url()).text
    assert "No day is known at the moment." in page
    assert "With you" not in page
    assert format_day(by_on, TODAY()) not in page


def test_where_nobody_knows_the_day_or_the_order_is_on_hold_the_story_says_so():
    order = order_due(promised_by_on=None)
    assert story(order)[-1] == TimelineStep("At your door", "next", text=NO_DAY_TEXT)
    order = order_due()
    Order.objects.filter(pk=order.pk).update(hold=Order.Hold.WARNING)
    assert story(order)[-1] == TimelineStep("At your door", "wait", text=NO_DAY_TEXT)


def test_a_day_that_has_passed_is_no_day_to_come(client):
    order, customer = order_due(), builders.customer("alice@example.com")
    passed = TODAY() - timedelta(days=2)
    Order.objects.update(customer=customer, promised_from_on=passed, promised_by_on=passed)
    sign_in(client, customer.user)
    taken_to_the_truck(order)
    said = f"We said {format_day(passed, TODAY())}, and it is later than that. We are sorry."
    assert story(order)[-1] == TimelineStep("At your door", "wait", text=f"{said} {NO_DAY_TEXT}")
    assert "With you" not in client.get(order.get_absolute_url()).text
    transitions.mark_shipment_out_for_delivery(order.shipments.get().pk, actor="Sam")
    assert story(order)[-1].text == said  # it is almost there


def test_the_packers_note_is_on_it_signed():
    order = order_due()
    taken_to_the_truck(order)
    (only,) = build_timelines(order)
    assert (only.note, only.note_by) == ("Enjoy the first cup.", "Sam")


def test_a_passed_date_is_owned_up_to():
    order = order_due(ships_on=TODAY() - timedelta(days=1))
    *_, truck, door = story(order)
    said = f"We said {format_day(order.ships_on, TODAY())}, and it is later than that. We are sorry."
    assert truck == TimelineStep("On the truck", "wait", text=said)
    assert door.state == "next"


def test_a_cancelled_order_stops_there_with_its_reason():
    order = order_due()
    transitions.approve_order(order.pk, actor="Sam")
    cancel_and_release_stock(Order.objects.get(), actor="Sam", reason="The last one was cracked.")
    assert outline(order) == [("Placed and paid", "done"), ("Approved", "done"), ("Cancelled", "stop")]
    assert story(order)[-1].text == "The last one was cracked."


def test_each_refund_is_a_step_with_its_amount():
    order = order_due()
    events.record_order_event(order, Kind.REFUNDED, amount="5.00")
    events.record_order_event(order, Kind.REFUNDED, amount="9.00", reason="One mug came chipped.")
    told = [("Placed and paid", "now"), ("£5.00 refunded", "done"), ("£9.00 refunded", "done")]
    assert outline(order)[:3] == told  # before what is still to come
    assert story(order)[2].text == "The way you paid. One mug came chipped."


def test_two_parcels_have_a_story_each():
    here, there = builders.variant(), builders.variant()
    there.stock.update(store=Store.objects.create(name="The barn", position=5))
    order = builders.placed_order(here, there, quantity=2)
    transitions.approve_order(order.pk, actor="Sam")
    transitions.mark_shipment_picked(order.shipments.order_by("pk")[0].pk, actor="Sam")
    first, second = build_timelines(Order.objects.get())
    assert [first.title, second.title] == ["Parcel 1 of 2", "Parcel 2 of 2"]
    assert [first.contents, second.contents] == [f"2 × {here.product.title}", f"2 × {there.product.title}"]
    picked = [step.title for step in first.steps].index("Picked")
    assert first.steps[picked].state == "now"
    assert second.steps[picked].state == "next"


def send(parcel: Shipment) -> None:
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="royal_mail", tracking_number="")


def order_in_two_parcels(*, in_days: int) -> tuple[Order, Variant, Variant]:
    """Approved: one of two things is here, two of the other wait for goods."""
    here, later = builders.variant(), builders.variant(on_hand=0)
    later.stock.update(backorder_limit=5)
    promised = {"ships_on": TODAY() + timedelta(days=1), "promised_by_on": TODAY() + timedelta(days=4)}
    order = builders.placed_order(here, later, ships_as_ready=True, **promised)
    order.lines.filter(sku=later.sku).update(promised_by_on=TODAY() + timedelta(days=in_days))
    transitions.approve_order(order.pk, actor="Sam")
    return order, here, later


@pytest.mark.parametrize("delivered", [False, True])
def test_once_some_has_left_the_label_says_so_and_the_story_what_waits_and_for_when(delivered):
    order, _, later = order_in_two_parcels(in_days=40)
    assert get_customer_status_label(Order.objects.get()) == "Approved"
    assert not any("Still to come" in step.text for each in build_timelines(Order.objects.get()) for step in each.steps)
    first, second = order.shipments.order_by("pk")
    send(first)
    if delivered:
        transitions.mark_shipment_delivered(first.pk, actor="Sam")
    now = Order.objects.get()
    assert get_customer_status_label(now) == ("Partly delivered" if delivered else "Partly on its way")
    left, waits = build_timelines(now)
    assert not any("Still to come" in step.text for step in left.steps)
    (told,) = [step.text for step in waits.steps if step.state == "now"]
    title = now.lines.get(sku=later.sku).title
    day = format_arrival(find_parcel_days(now, [now.lines.get(sku=later.sku)]), TODAY())
    assert told == f"Still to come: {title}, with you {day}."
    with transaction.atomic():
        stock.receive_stock(later.stock.get().pk, quantity=1)
    send(second)
    assert get_customer_status_label(Order.objects.get()) == "On its way"
    assert not any("Still to come" in step.text for each in build_timelines(Order.objects.get()) for step in each.steps)


def test_a_day_that_has_passed_is_not_promised_again_for_what_waits():
    order, _, later = order_in_two_parcels(in_days=-1)
    send(order.shipments.order_by("pk")[0])
    _, waits = build_timelines(Order.objects.get())
    (told,) = [step.text for step in waits.steps if step.state == "now"]
    assert told == f"Still to come: {order.lines.get(sku=later.sku).title}."


def test_an_order_partly_sent_is_not_promised_whole(client):
    order, _, _ = order_in_two_parcels(in_days=40)
    customer = builders.customer("alice@example.com")
    Order.objects.update(customer=customer)
    sign_in(client, customer.user)
    assert "With you" in client.get(order.get_absolute_url()).text
    send(order.shipments.order_by("pk")[0])
    page = client.get(order.get_absolute_url()).text
    assert '<span class="badge wait">Partly on its way</span>' in page
    assert "With you" not in page
    assert "Still to come: " in page


def test_an_imported_order_tells_what_it_knows():
    order = builders.paid_order()
    Order.objects.update(status="completed", fulfilment_status="delivered")
    assert {state for _, state in outline(order)} == {"done"}
    assert story(order)[0].at == order.placed_at


def test_a_story_costs_four_queries_and_two_more_for_what_is_in_each_of_several_parcels(django_assert_num_queries):
    order = order_due()
    taken_to_the_truck(order)
    found = Order.objects.get()
    with django_assert_num_queries(4):
        build_timelines(found)
    for count in (2, 3):
        builders.sent_parcel(order)
        found = Order.objects.get(pk=order.pk)
        with django_assert_num_queries(6):
            assert len(build_timelines(found)) == count
