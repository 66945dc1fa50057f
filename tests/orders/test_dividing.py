"""Some pieces of a parcel in one of their own: until it is picked, at no cost, and by the same days."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import relay
from notifications.models import OutgoingEmail
from orders import line_cancellation
from orders.delays.delayed_orders import build_delayed_filter
from orders.delays.finding import see_to_delays
from orders.fulfilment import backorders, dividing, packing, picking, queue, rejoining, splitting, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import (
    Allocation,
    DelayNotice,
    Order,
    OrderEvent,
    OrderLine,
    Shipment,
    ShopSettings,
    Withdrawal,
)
from orders.papers.packing_slips import render_packing_slips
from orders.payments import refunds
from orders.returns import pieces
from orders.returns.deadlines import find_arrival_day
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.status import get_customer_status_label, recalculate
from orders.timeline import build_timelines
from shop.catalog.models import Product, StockRecord
from tests import builders, cast
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, page_of, said, take
from tests.delays.late import DAY, TODAY, fresh, goods_come, order_due, ship
from tests.delays.two_parcels import approve, get_kettle, get_scarf
from tests.papers.reading import read_pdf
from tests.paying import check_stock

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind, Stage = OrderEvent.Kind, Shipment.Stage
FAR = TODAY() + 40 * DAY
BUTTON = "Put some in a parcel of its own"
OWN = "Some of it in a parcel of its own"


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def three_of_each(by_on=FAR, **fields) -> Order:
    """Approved: three scarves and three kettles, all here, in one parcel."""
    builders.tax_rate()
    goods = [builders.product(title, price="10.00", on_hand=9).variants.get() for title in ("Scarf", "Kettle")]
    order = order_due(by_on, *goods, quantity=3, **fields)
    approve(order)
    return fresh(order)


def list_live(order: Order) -> list[Shipment]:
    return list(order.shipments.exclude(stage=Stage.CANCELLED).order_by("pk"))


def divide(order: Order, *, scarves: int = 0, kettles: int = 0, seen: int | None = None, of: int = 0) -> Shipment:
    """Out of its oldest parcel, or the one that is so much younger."""
    parcel = list_live(order)[of]
    wanted = {get_scarf(order).pk: scarves, get_kettle(order).pk: kettles}
    seen = dividing.count_pieces(parcel) if seen is None else seen
    return dividing.divide_parcel(parcel.pk, wanted, actor="Sam", seen_count=seen)


def take_back(order: Order) -> str:
    last = undoing.find_last_step(fresh(order))
    assert last is not None
    return undoing.take_back_step(order.pk, actor="Kit", seen=last.event.pk).name


def list_contents(order: Order) -> list[dict[str, int]]:
    return [dict(parcel.lines.values_list("order_line__title", "quantity")) for parcel in list_live(order)]


def send(parcel: Shipment) -> None:
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    ship(parcel.pk)


def deliver(parcel: Shipment) -> None:
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")


def facts(order: Order) -> tuple[object, ...]:
    inside = order.shipments.order_by("pk", "lines__pk").values_list("stage", "lines__order_line", "lines__quantity")
    return list(inside), order.events.count(), list(Allocation.objects.order_by("pk").values())


def says_no(order: Order, why: str, **asked) -> bool:
    """Refused with that sentence, and nothing has changed."""
    before = facts(order)
    with pytest.raises(TransitionRefused, match=why):
        divide(order, **asked)
    return facts(order) == before


def may_divide(order: Order) -> bool:
    parcels = list(fresh(order).shipments.all())
    return bool(dividing.list_divisible_parcels(parcels, queue.list_standings(parcels)))


def list_titles(order: Order) -> list[list[str]]:
    return [[step.title for step in story.steps] for story in build_timelines(fresh(order))]


def read_slips(parcels: list[Shipment]) -> tuple[str, ...]:
    return read_pdf(render_packing_slips(parcels, ShopSettings.current())).pages


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


def test_each_parcel_takes_its_own_goods_from_the_shelf_as_it_leaves():
    order = three_of_each()
    divide(order, scarves=2)
    first, second = list_live(order)
    send(second)
    assert get_customer_status_label(fresh(order)) == "Partly on its way"
    on_hand = dict(StockRecord.objects.values_list("variant__product__title", "on_hand"))
    assert on_hand == {"Scarf": 7, "Kettle": 9}
    check_stock()
    send(first)
    assert fresh(order).fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    assert dict(StockRecord.objects.values_list("variant__product__title", "on_hand")) == {"Scarf": 6, "Kettle": 6}
    assert not Allocation.objects.filter(consumed_at=None).exists()
    check_stock()


def test_the_order_is_complete_and_may_be_withdrawn_from_by_its_last_parcel():
    order = three_of_each()
    divide(order, scarves=2)
    for parcel in list_live(order):
        send(parcel)
    first, second = list_live(order)
    deliver(second)
    assert (fresh(order).status, find_arrival_day(list_live(order))) == (Order.Status.CONFIRMED, None)
    deliver(first)
    assert (fresh(order).status, find_arrival_day(list_live(order))) == (Order.Status.COMPLETED, TODAY())


def test_each_parcel_follows_its_own_carriers_scans():
    order = three_of_each()
    divide(order, scarves=2)
    for parcel in list_live(order):
        send(parcel)
    first, second = list_live(order)
    transitions.move_shipment_by_scan(second.pk, Stage.OUT_FOR_DELIVERY, actor="dpd")
    assert [each.stage for each in list_live(order)] == [Stage.DISPATCHED, Stage.OUT_FOR_DELIVERY]
    transitions.move_shipment_by_scan(first.pk, Stage.RETURNED, actor="dpd")
    transitions.move_shipment_by_scan(second.pk, Stage.DELIVERED, actor="dpd", delivered_at=timezone.now())
    assert fresh(order).fulfilment_status == Order.FulfilmentStatus.RETURNED


def test_pick_list_packing_table_and_slips_say_what_is_in_each():
    order = three_of_each()
    divide(order, scarves=2, kettles=1)
    parcels = list(order.shipments.select_related("order", "store").prefetch_related("lines__order_line"))
    counts = {item.name: item.quantity for group in picking.build_pick_list(parcels) for item in group.items}
    assert counts == {"Scarf": 3, "Kettle": 3}
    first, second = (" ".join(page.split()) for page in read_slips(parcels))
    assert ("Parcel 1 of 2" in first, "1 Scarf" in first, "2 Kettle" in first) == (True, True, True)
    assert ("Parcel 2 of 2" in second, "2 Scarf" in second, "1 Kettle" in second) == (True, True, True)
    for parcel, scarves in zip(parcels, (1, 2), strict=True):
        assert [each.missing_count for each in packing.read_packing(parcel) if each.name == "Scarf"] == [scarves]


def test_what_left_in_one_of_them_may_be_sent_back_and_no_more():
    order = three_of_each()
    divide(order, scarves=2)
    second = list_live(order)[1]
    send(second)
    assert pieces.count_sent_pieces_left(fresh(order)) == {get_scarf(order): 2}


# -- Cancelled and withdrawn -----------------------------------------------------------------------------------


def cancel(order: Order, *, scarves: int) -> None:
    seen = line_cancellation.count_cancelled(fresh(order))
    line_cancellation.cancel_lines(order.pk, {get_scarf(order).pk: scarves}, actor="Kit", seen_cancelled=seen)


def test_pieces_that_are_cancelled_come_out_of_what_nobody_has_begun():
    order = three_of_each()
    own = divide(order, scarves=2)
    transitions.mark_shipment_picked(own.pk, actor="Sam")
    transitions.mark_shipment_packed(own.pk, actor="Sam")
    cancel(order, scarves=1)
    assert list_contents(order) == [{"Kettle": 3}, {"Scarf": 2}]
    assert list_live(order)[1].stage == Stage.PACKED
    cancel(order, scarves=1)
    assert list_contents(order) == [{"Kettle": 3}, {"Scarf": 1}]
    assert list_live(order)[1].stage == Stage.PICKED
    check_stock()


def test_of_a_line_that_has_left_in_part_the_rest_is_cancelled_and_its_parcel_is_no_more():
    order = three_of_each()
    divide(order, kettles=3, scarves=1)
    first, second = list_live(order)
    send(second)
    assert line_cancellation.count_cancellable_pieces(fresh(order)) == {get_scarf(order): 2}
    with pytest.raises(TransitionRefused, match="of Scarf 2 can be cancelled"):
        cancel(order, scarves=3)
    cancel(order, scarves=2)
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 3}]
    first.refresh_from_db()
    assert first.stage == Stage.CANCELLED
    deliver(second)
    assert fresh(order).status == Order.Status.COMPLETED
    check_stock()


def test_a_parcel_of_which_all_was_cancelled_is_told_of_and_not_put_back():
    order = three_of_each()
    divide(order, scarves=2)
    cancel(order, scarves=2)
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 3}]
    [titles] = list_titles(order)
    assert titles.index(OWN) < titles.index("Some of it cancelled")
    assert take_back(order) == "Approved"


def test_withdrawn_from_it_is_on_hold_and_goes_on_divided():
    order = three_of_each()
    divide(order, scarves=2)
    said_so = Declaration("Pat", "pat@example.com", {get_scarf(order).pk: 1})
    declare_withdrawal(order.pk, said_so, way=Withdrawal.Way.ORDER)
    assert fresh(order).hold == Order.Hold.WITHDRAWN
    assert says_no(order, "on hold", kettles=1)
    transitions.release_order_from_hold(order.pk, actor="Sam")
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 3}, {"Scarf": 2}]


# -- Taken back ------------------------------------------------------------------------------------------------


def test_taken_back_all_is_in_one_parcel_and_the_story_says_nothing_of_it():
    order = three_of_each()
    before = list_contents(order)
    divide(order, scarves=2, kettles=3)
    assert take_back(order) == OWN
    assert list_contents(order) == before
    [titles] = list_titles(order)
    assert OWN not in titles
    kept = order.events.filter(kind__in=[Kind.DIVIDED, Kind.TAKEN_BACK]).values_list("kind", "actor")
    assert list(kept) == [(Kind.DIVIDED, "Sam"), (Kind.TAKEN_BACK, "Kit")]
    send(list_live(order)[0])
    assert fresh(order).fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    check_stock()


def test_divided_again_and_again_it_is_taken_back_the_last_first():
    order = three_of_each()
    divide(order, scarves=2, kettles=1)
    divide(order, scarves=1, of=1)
    divide(order, kettles=1)
    assert list_contents(order) == [{"Scarf": 1, "Kettle": 1}, {"Scarf": 1, "Kettle": 1}, {"Scarf": 1}, {"Kettle": 1}]
    assert [take_back(order) for _ in range(3)] == [OWN] * 3
    assert list_contents(order) == [{"Scarf": 3, "Kettle": 3}]
    assert take_back(order) == "Approved"
    approve(order)
    assert list_contents(order) == [{"Scarf": 3, "Kettle": 3}]


@pytest.mark.parametrize("begun", [0, 1])
def test_once_one_of_the_two_is_begun_its_step_comes_first_and_then_the_division(begun):
    order = three_of_each()
    divide(order, scarves=2)
    transitions.mark_shipment_picked(list_live(order)[begun].pk, actor="Sam")
    assert take_back(order) == "Picked"
    assert take_back(order) == OWN
    assert list_contents(order) == [{"Scarf": 3, "Kettle": 3}]


@pytest.mark.parametrize("gone", [0, 1])
def test_once_one_of_the_two_has_left_nothing_is_taken_back(gone):
    order = three_of_each()
    divide(order, scarves=2)
    send(list_live(order)[gone])
    assert undoing.find_last_step(fresh(order)) is None


# -- Beside “Send what is here” --------------------------------------------------------------------------------


def with_kettles_to_come() -> Order:
    """They lie on the shelf, and are not out yet."""
    order = three_of_each()
    Product.objects.filter(title="Kettle").update(released_on=TODAY() + 9 * DAY)
    return order


def test_what_is_here_goes_ahead_also_where_the_parcel_was_divided():
    order = with_kettles_to_come()
    divide(order, scarves=1, kettles=1)
    divide(order, kettles=1)
    assert list_contents(order) == [{"Scarf": 2, "Kettle": 1}, {"Scarf": 1, "Kettle": 1}, {"Kettle": 1}]
    splitting.split_order(order.pk, actor="Sam")
    assert list_contents(order) == [{"Scarf": 2}, {"Scarf": 1}, {"Kettle": 1}, {"Kettle": 1}, {"Kettle": 1}]
    check_stock()


def test_what_goes_by_another_day_since_is_not_put_back():
    order = with_kettles_to_come()
    divide(order, kettles=3)
    splitting.split_order(order.pk, actor="Sam")
    assert list_contents(order) == [{"Scarf": 3}, {"Kettle": 3}]
    assert get_scarf(order).promised_by_on < get_kettle(order).promised_by_on
    assert take_back(order) == "Approved"


def test_sent_together_again_each_line_is_once_in_its_parcel():
    order = with_kettles_to_come()
    divide(order, scarves=1, kettles=1)
    splitting.split_order(order.pk, actor="Sam")
    rejoining.rejoin_order(order.pk, actor="Kit")
    [parcel] = list_live(order)
    assert sorted(parcel.lines.values_list("order_line__title", "quantity")) == [("Kettle", 3), ("Scarf", 3)]
    [titles] = list_titles(order)
    assert "In two parcels" not in titles
    check_stock()


def test_goods_that_come_are_told_in_each_parcel_that_waits_for_them():
    order = three_of_each()
    divide(order, kettles=1)
    kettles = StockRecord.objects.filter(variant__product__title="Kettle")
    StockRecord.objects.filter(pk__in=kettles).update(backorder_limit=9)
    Allocation.objects.filter(order_line=get_kettle(order)).update(awaits_goods=True)
    goods_come()
    backorders.serve_all_waiting()
    backorders.tell_goods_came(order.pk)
    assert ["The Kettle you wait for is here" in titles for titles in list_titles(order)] == [True, True]


def first_of_two_in_two() -> Order:
    """What goes first is in two parcels, of which one has left; the rest waits."""
    order = three_of_each(TODAY() + 20 * DAY, ships_as_ready=True)
    order.lines.update(promised_by_on=TODAY() + 20 * DAY, ships_on=TODAY() + 16 * DAY)
    OrderLine.objects.filter(pk=get_scarf(order).pk).update(
        goes_first=True, promised_by_on=TODAY() + 2 * DAY, ships_on=TODAY() - DAY
    )
    divide(order, kettles=3)
    see_to_delays()
    divide(order, scarves=1)
    send(list_live(order)[0])
    recalculate(order)
    return fresh(order)


def test_a_delay_of_what_goes_first_may_be_answered_while_some_of_it_is_here():
    order = first_of_two_in_two()
    notice = DelayNotice.objects.get(order=order, is_of_first=True)
    assert list(DelayNotice.objects.unanswered()) == [notice]
    send(list_live(order)[2])
    assert not DelayNotice.objects.unanswered().exists()


def test_what_goes_first_is_late_until_all_of_it_is_there():
    order = first_of_two_in_two()
    DelayNotice.objects.all().delete()
    OrderLine.objects.filter(pk=get_scarf(order).pk).update(promised_by_on=TODAY() - DAY, ships_on=TODAY() - 5 * DAY)
    first, _, second = list_live(order)
    deliver(first)
    assert list(Order.objects.filter(build_delayed_filter())) == [order]
    send(second)
    deliver(second)
    assert not Order.objects.filter(build_delayed_filter()).exists()


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
    divide(order, scarves=2)
    own = list_live(order)[1]
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
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            assert BUTTON in buttons(staff.get(page_of(order)))
        counts.append(len(asked))
        divide(order, scarves=1)
    assert len(set(counts)) == 1, counts
