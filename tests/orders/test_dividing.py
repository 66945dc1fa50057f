"""Staff put some pieces of a parcel into one of their own: until it is picked, at no cost, and by the same days."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import relay
from notifications.models import OutgoingEmail
from orders.fulfilment import dividing, packing, queue, transitions
from orders.models import (
    Allocation,
    Order,
    OrderEvent,
    Shipment,
)
from orders.timeline import build_timelines
from tests import builders, cast
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, page_of, said, take
from tests.delays.late import DAY, TODAY, fresh
from tests.delays.two_parcels import get_kettle, get_scarf
from tests.orders.divided import OWN, divide, facts, list_contents, list_live, says_no, take_back, three_of_each
from tests.paying import check_stock

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind, Stage = OrderEvent.Kind, Shipment.Stage
BUTTON = "Put some in a parcel of its own"


def may_divide(order: Order) -> bool:
    parcels = list(fresh(order).shipments.all())
    return bool(dividing.list_divisible_parcels(parcels, queue.list_standings(parcels)))


# -- Divided ---------------------------------------------------------------------------------------------------


def test_some_pieces_are_in_a_parcel_of_their_own_and_the_others_stay():
    order = three_of_each()
    own = divide(order, scarves=2, kettles=3)
    assert list_contents(order) == [{"Scarf": 1}, {"Scarf": 2, "Kettle": 3}]
    first, second = list_live(order)
    assert second == own
    assert (second.stage, second.store_id, second.carrier) == (Stage.WAITING, first.store_id, first.carrier)
    assert first.destination.address_lines == second.destination.address_lines
    check_stock()


def test_neither_day_nor_sum_moves_and_nobody_is_mailed():
    order = three_of_each()
    relay.relay_all_events()
    kept = ("promised_by_on", "promised_from_on", "ships_on", "total", "shipping_total", "fulfilment_status", "hold")
    before, mails = [getattr(order, name) for name in kept], OutgoingEmail.objects.count()
    divide(order, scarves=1)
    relay.relay_all_events()
    assert [getattr(fresh(order), name) for name in kept] == before
    assert OutgoingEmail.objects.count() == mails
    assert not order.lines.filter(promised_by_on__isnull=False).exists()


def test_of_two_parcels_by_days_of_their_own_the_pieces_keep_those_of_their_line():
    order = three_of_each(ships_as_ready=True)
    order.lines.update(goes_first=True, promised_by_on=TODAY() + 9 * DAY, ships_on=TODAY() + 5 * DAY)
    divide(order, scarves=1)
    assert set(order.lines.values_list("promised_by_on", flat=True)) == {TODAY() + 9 * DAY}
    for story in build_timelines(fresh(order)):
        assert TODAY() + 9 * DAY in {step.expected_on for step in story.steps}


def test_the_story_of_both_parcels_says_what_was_taken_out_and_staff_read_it():
    order = three_of_each()
    divide(order, scarves=2)
    stories = build_timelines(fresh(order))
    assert [story.title for story in stories] == ["Parcel 1 of 2", "Parcel 2 of 2"]
    for story in stories:
        titles = [step.title for step in story.steps]
        assert titles.index("Approved") < titles.index(OWN) < titles.index("Picked")
        assert [step.text for step in story.steps if step.title == OWN] == ["2 × Scarf."]
    event = order.events.get(kind=Kind.DIVIDED)
    assert (event.actor, event.data["reason"]) == ("Sam", "2 × Scarf")


# -- Refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "at least one thing"),
        ({"scarves": 3, "kettles": 3}, "nothing left in that parcel"),
        ({"scarves": 4}, "has 3 × Scarf there"),
        ({"scarves": 1, "seen": 5}, "changed meanwhile"),
    ],
)
def test_none_all_or_more_than_there_are_is_refused(asked, why):
    assert says_no(three_of_each(), why, **asked)


def test_what_is_in_another_parcel_is_refused():
    order = three_of_each()
    divide(order, kettles=3)
    assert says_no(order, "none of that in this parcel", kettles=1)


def test_a_single_thing_is_not_divided():
    order = three_of_each()
    divide(order, scarves=1)
    assert says_no(order, "single thing", scarves=1, of=1)


@pytest.mark.parametrize("stage", [Stage.PICKING, Stage.PICKED, Stage.PACKED, Stage.DISPATCHED, Stage.DELIVERED])
def test_a_parcel_that_is_begun_stays_as_it_is(stage):
    order = three_of_each()
    order.shipments.update(stage=stage)
    assert says_no(order, f"begun already.*“{stage.label.lower()}”", scarves=1)
    assert not may_divide(order)


def test_a_parcel_that_somebody_scans_stays_as_it_is():
    order, sam = three_of_each(), cast.sam()
    parcel = transitions.mark_shipment_picked(list_live(order)[0].pk, actor="Sam")
    packing.begin_packing(parcel.pk, packer=sam)
    assert says_no(order, f"{sam} is packing this since", scarves=1)


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"hold": "warning"}, "on hold"), ({"status": "cancelled"}, "not open"), ({"status": "completed"}, "not open")],
)
def test_what_is_on_hold_or_not_open_stays_as_it_is(fields, why):
    order = three_of_each()
    Order.objects.filter(pk=order.pk).update(**fields)
    assert says_no(order, why, scarves=1)
    assert not may_divide(order)


def test_what_is_collected_stays_together():
    order = three_of_each()
    Order.objects.filter(pk=order.pk).update(pickup_store=builders.store())
    assert says_no(order, "collected by its buyer", scarves=1)
    assert not may_divide(order)


def test_what_waits_for_goods_goes_ahead_by_its_own_step():
    order = three_of_each()
    Allocation.objects.filter(order_line=get_kettle(order)).update(awaits_goods=True)
    assert says_no(order, "“Send what is here”", scarves=1)
    assert not may_divide(order)


# -- By staff --------------------------------------------------------------------------------------------------


def typed(order: Order, *, scarves: str, kettles: str, of: int = 0, seen: int = 6) -> dict[str, str]:
    parcel = list_live(order)[of].pk
    return {
        "confirm": "1",
        f"{parcel}-line-{get_scarf(order).pk}": scarves,
        f"{parcel}-line-{get_kettle(order).pk}": kettles,
        f"{parcel}-seen_count": str(seen),
    }


def test_staff_type_how_many_of_each_and_take_it_back(staff):
    order = three_of_each()
    assert BUTTON in buttons(staff.get(page_of(order)))
    asked = take(staff, "divide_parcel", order)
    assert re.findall(r"<label[^>]*>([^<]+)", asked.text)[:2] == ["Scarf: how many of 3:", "Kettle: how many of 3:"]
    assert len(list_live(order)) == 1
    assert said(take(staff, "divide_parcel", order, **typed(order, scarves="2", kettles=""))) == [
        f"In a parcel of its own: {order.number}."
    ]
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 3}, {"Scarf": 2}]
    page = staff.get(page_of(order))
    assert "“2 × Scarf”" in page.text
    assert f"takes back “{OWN}”" in take(staff, "take_back", order).text


@pytest.mark.parametrize(
    ("scarves", "kettles", "why"),
    [
        ("0", "", "Please choose at least one thing."),
        ("3", "3", "That is all that is in it. Leave at least one thing."),
        ("4", "1", "Of “Scarf” there are 3."),
        ("-1", "1", "A number from 0 up, please."),
        ("two", "1", "A number, please."),
    ],
)
def test_what_cannot_be_is_said_on_the_form_which_keeps_what_was_typed(staff, scarves, kettles, why):
    order = three_of_each()
    before = facts(order)
    page = take(staff, "divide_parcel", order, **typed(order, scarves=scarves, kettles=kettles))
    assert why in page.text
    assert f'value="{scarves}"' in page.text
    assert facts(order) == before


def test_the_form_sent_twice_divides_once(staff):
    order = three_of_each()
    form = typed(order, scarves="1", kettles="")
    take(staff, "divide_parcel", order, **form)
    assert said(take(staff, "divide_parcel", order, **form)) == [f"{order.number} was changed meanwhile. Look again."]
    assert list_contents(order) == [{"Scarf": 2, "Kettle": 3}, {"Scarf": 1}]


def test_each_parcel_that_may_be_divided_is_asked_about(staff):
    order = three_of_each()
    divide(order, scarves=1)
    take_back(order)  # a parcel that is no more is not counted
    own = divide(order, scarves=2)
    store = builders.store()
    assert f"Parcel 1 from {store}" in (page := take(staff, "divide_parcel", order).text)
    assert f"Parcel 2 from {store}" in page
    form = typed(order, scarves="0", kettles="0", seen=4) | {
        f"{own.pk}-line-{get_scarf(order).pk}": "1",
        f"{own.pk}-seen_count": "2",
    }
    take(staff, "divide_parcel", order, **form)
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 3}, {"Scarf": 1}, {"Scarf": 1}]


def test_staff_are_told_why_it_cannot_be(staff):
    order, waiting = three_of_each(), builders.placed_order()
    assert "has no parcel to divide" in said(take(staff, "divide_parcel", waiting))[0]
    assert "Choose one order" in said(take(staff, "divide_parcel", order, waiting))[0]
    transitions.mark_shipment_picked(list_live(order)[0].pk, actor="Sam")
    assert said(take(staff, "divide_parcel", order, **typed(order, scarves="1", kettles=""))) == [
        f"{order.number} is begun already, so its parcel stays as it is: it is “picked”."
    ]
    assert BUTTON not in buttons(staff.get(page_of(order)))
    assert len(list_live(order)) == 1


def test_the_page_of_a_divided_order_takes_no_statement_more(staff):
    order = three_of_each()
    staff.get(page_of(order))  # what is remembered once is so before it is counted
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            assert BUTTON in buttons(staff.get(page_of(order)))
        counts.append(len(asked))
        divide(order, scarves=1)
    assert len(set(counts)) == 1, counts
