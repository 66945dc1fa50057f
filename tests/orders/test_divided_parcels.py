"""What counts goods, where a line stands in two parcels: what leaves, what is cancelled, taken back, or sent ahead."""

import pytest
from django.utils import timezone

from orders import line_cancellation
from orders.delays.delayed_orders import build_delayed_filter
from orders.delays.finding import see_to_delays
from orders.fulfilment import backorders, packing, picking, rejoining, splitting, transitions, undoing
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
from shop.catalog.models import Product, StockRecord
from tests.delays.late import DAY, TODAY, fresh, goods_come
from tests.delays.two_parcels import approve, get_kettle, get_scarf
from tests.orders.divided import (
    OWN,
    deliver,
    divide,
    list_contents,
    list_live,
    list_titles,
    says_no,
    send,
    take_back,
    three_of_each,
)
from tests.papers.reading import read_pdf
from tests.paying import check_stock

pytestmark = pytest.mark.django_db
Kind, Stage = OrderEvent.Kind, Shipment.Stage


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def read_slips(parcels: list[Shipment]) -> tuple[str, ...]:
    return read_pdf(render_packing_slips(parcels, ShopSettings.current())).pages


# -- Leaving ---------------------------------------------------------------------------------------------------


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
    scarves = StockRecord.objects.get(variant__product__title="Scarf")
    assert (scarves.on_hand, scarves.allocated) == (8, 0)
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
