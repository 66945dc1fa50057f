"""The note that goes in with an order: changed by buyer and staff until somebody begins to pack it."""

import pytest

from orders import gift_note
from orders.fulfilment import packing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment
from orders.papers import issuing
from orders.timeline import build_timelines
from tests import builders, cast
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, order_at, page_of, said, take
from tests.page import Page

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind
OLD, NEW = "For Ann, happy birthday", "For Ben, who is forty"
STILL_OPEN = ["placed", "waiting", "picking", "picked"]


def page(order: Order) -> str:
    return f"/orders/{order.number}/changed-lines/"


def address(order: Order) -> str:
    return f"/orders/{order.number}/gift-note/"


def order_with_note(stage: str = "waiting", note: str = OLD) -> Order:
    return builders.placed_order(gift_note=note) if stage == "placed" else order_at(stage, gift_note=note)


def note_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).gift_note


def changes(order: Order) -> list[tuple[str, object]]:
    return list(order.events.filter(kind=Kind.NOTE_CHANGED).values_list("actor", "data"))


def begin_packing(order: Order) -> Shipment:
    return packing.begin_packing(order.shipments.get().pk, packer=cast.sam())


@pytest.mark.parametrize("stage", STILL_OPEN)
def test_the_buyer_changes_the_note_until_it_is_packed(buyer, stage):
    order = order_with_note(stage)
    client = buyer(order)
    assert f"{page(order)}#note" in client.get(f"/orders/{order.number}/").text
    [shown] = [each.value for each in Page(client.get(page(order)).text).fields if each.name == "gift_note"]
    assert shown.strip() == OLD
    response = client.post(address(order), {"gift_note": NEW}, follow=True)
    assert "The note is changed." in response.text
    assert NEW in response.text
    assert OLD not in response.text
    assert note_of(order) == NEW
    assert changes(order) == [("the customer", {})]


def test_the_timeline_says_that_it_changed_and_not_how(buyer):
    order = order_with_note("picked")
    buyer(order).post(address(order), {"gift_note": NEW})
    [story] = build_timelines(Order.objects.get(pk=order.pk))
    [step] = [step for step in story.steps if "note" in step.title]
    assert (step.state, step.text) == ("done", "")
    assert [each.title for each in story.steps].index(step.title) < [each.state for each in story.steps].index("next")
    assert NEW not in str(story)
    assert OLD not in str(story)


def test_the_packing_slip_has_the_new_one(staff, buyer):
    order = order_with_note("picked")
    buyer(order).post(address(order), {"gift_note": NEW})
    slip = take(staff, "packing_slips", order).text
    assert NEW in slip
    assert OLD not in slip


def test_where_there_was_none_one_is_added_and_an_empty_one_takes_it_away(buyer):
    order = order_with_note(note="")
    client = buyer(order)
    assert "Add a note to go in with it" in client.get(f"/orders/{order.number}/").text
    client.post(address(order), {"gift_note": NEW})
    assert note_of(order) == NEW
    client.post(address(order), {"gift_note": "  "})
    assert note_of(order) == ""
    assert len(changes(order)) == 2


def test_the_same_note_again_is_no_change(buyer):
    order = order_with_note()
    response = buyer(order).post(address(order), {"gift_note": OLD}, follow=True)
    assert "The note is as it was." in response.text
    assert (note_of(order), changes(order)) == (OLD, [])


def test_one_that_is_too_long_is_asked_for_again_and_nothing_typed_is_lost(buyer):
    order, long = order_with_note(), "x" * 281
    response = buyer(order).post(address(order), {"gift_note": long})
    assert "room for 280 characters" in response.text
    assert long in response.text
    assert (note_of(order), changes(order)) == (OLD, [])


def test_once_somebody_packs_it_the_note_stays(buyer):
    order = order_with_note("picked")
    client = buyer(order)
    begin_packing(order)
    assert "#note" not in client.get(f"/orders/{order.number}/").text
    response = client.post(address(order), {"gift_note": NEW}, follow=True)
    assert "The note of this order can no longer be changed here. Write to us" in response.text
    assert "can no longer be changed here" in client.get(page(order), follow=True).text
    with pytest.raises(TransitionRefused, match="is being packed already"):
        gift_note.change_gift_note(order.pk, NEW, actor="Sam")
    assert (note_of(order), changes(order)) == (OLD, [])


def test_put_back_into_the_queue_the_note_may_be_changed_again():
    order = order_with_note("picked")
    parcel = begin_packing(order)
    packing.put_parcel_back(parcel.pk, packer=parcel.packer)
    assert gift_note.change_gift_note(order.pk, NEW, actor="Sam")


@pytest.mark.parametrize("stage", ["packed", "dispatched", "delivered"])
def test_what_is_packed_or_has_left_keeps_its_note(buyer, stage):
    order = order_with_note(stage)
    response = buyer(order).post(address(order), {"gift_note": "x" * 281}, follow=True)
    assert "can no longer be changed here" in response.text
    with pytest.raises(TransitionRefused, match="so its note stays as it is"):
        gift_note.change_gift_note(order.pk, NEW, actor="Sam")
    assert (note_of(order), changes(order)) == (OLD, [])


@pytest.mark.parametrize("fields", [{"hold": "warning"}, {"status": "cancelled"}, {"status": "pending"}])
def test_what_is_on_hold_or_not_open_keeps_its_note(fields):
    order = order_with_note("placed")
    Order.objects.filter(pk=order.pk).update(**fields)
    with pytest.raises(TransitionRefused, match="stays as it is"):
        gift_note.change_gift_note(order.pk, NEW, actor="Sam")
    assert (note_of(order), changes(order)) == (OLD, [])


def test_an_invoice_does_not_keep_the_note(buyer):
    order = order_with_note()
    issuing.issue_for_order(order.pk)
    client = buyer(order)
    assert "What would you like instead?" not in client.get(page(order)).text
    client.post(address(order), {"gift_note": NEW})
    assert note_of(order) == NEW


def test_a_stranger_changes_nothing(client):
    order = order_with_note()
    assert client.post(address(order), {"gift_note": NEW}).status_code == 404
    assert (note_of(order), changes(order)) == (OLD, [])


def test_staff_change_it_from_the_orders_page(staff):
    order = order_with_note("picked")
    assert "Change the gift note" in buttons(staff.get(page_of(order)))
    assert OLD in take(staff, "change_note", order).text
    assert "room for 280" in take(staff, "change_note", order, confirm="1", gift_note="x" * 281).text
    assert note_of(order) == OLD
    response = take(staff, "change_note", order, confirm="1", gift_note=NEW)
    assert any("The note is as you typed it" in message for message in said(response))
    assert note_of(order) == NEW
    assert [actor for actor, _ in changes(order)] != ["the customer"]


def test_staff_are_told_that_what_is_packed_keeps_its_note(staff):
    order = order_with_note("packed")
    assert "Change the gift note" not in buttons(staff.get(page_of(order)))
    assert any("nobody packs yet" in message for message in said(take(staff, "change_note", order, confirm="1")))
    assert (note_of(order), changes(order)) == (OLD, [])


def test_whoever_packs_it_reads_the_new_one_and_that_an_older_slip_has_another(staff, buyer):
    order = order_with_note("picked")
    parcel = order.shipments.get()
    buyer(order).post(address(order), {"gift_note": NEW})
    staff.post(f"/admin/orders/order/packing/{parcel.pk}/start/")
    shown = staff.get(f"/admin/orders/order/packing/{parcel.pk}/").text
    assert NEW in shown
    assert "The gift note was changed" in " ".join(shown.split())


def test_whoever_packs_what_was_never_changed_is_told_nothing(staff):
    order = order_with_note("picked")
    parcel = order.shipments.get()
    staff.post(f"/admin/orders/order/packing/{parcel.pk}/start/")
    assert "print it again" not in staff.get(f"/admin/orders/order/packing/{parcel.pk}/").text
