"""Which orders are told that they will be late, once each, and what the notice, the order and its story then say."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders import shop_terms
from orders.delays import announcing
from orders.delays.answering import accept_delay
from orders.delays.finding import find_standings, see_to_delays
from orders.delays.prediction import compute_arrival
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, DelayNotice, Order, OrderEvent, Refund, ShippingMethod
from orders.status import get_customer_status_label
from orders.timeline import build_timelines
from shop.catalog import stock
from shop.catalog.models import StockRecord
from tests import builders
from tests.delays.late import (
    DAY,
    TODAY,
    awaiting,
    fresh,
    goods_come,
    late_order,
    method,
    nothing_is_told,
    order_due,
    packed,
    ship,
    told,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]

Kind, Reason, Rule = OrderEvent.Kind, DelayNotice.Reason, DelayNotice.Rule
FAR = timedelta(days=60)


def test_an_order_that_can_no_longer_make_it_is_told_before_its_day():
    order = late_order()
    notice = told(order)
    assert (notice.number, notice.reason, notice.rule) == (1, Reason.BEHIND, Rule.SILENCE_WAITS)
    assert notice.was_by_on == order.promised_by_on > TODAY()
    assert notice.new_by_on > order.promised_by_on
    assert order.events.filter(kind=Kind.DELAYED).count() == 1


def test_the_order_then_carries_the_new_days_and_remembers_the_first():
    order = late_order()
    notice = told(order)
    now = fresh(order)
    assert (now.promised_by_on, now.first_promised_by_on) == (notice.new_by_on, order.promised_by_on)
    assert now.ships_on >= TODAY()
    assert now.promised_from_on <= now.promised_by_on
    assert get_customer_status_label(now) == "Delayed"


def test_nothing_is_told_twice():
    order = late_order()
    see_to_delays()
    assert see_to_delays() == 0
    assert order.delay_notices.count() == order.events.filter(kind=Kind.DELAYED).count() == 1


def test_an_order_that_can_make_it_hears_nothing():
    assert nothing_is_told(order_due(TODAY() + 14 * DAY))


@pytest.mark.parametrize(
    "fields",
    [
        {"hold": "warning"},
        {"status": "pending"},
        {"status": "cancelled"},
        {"source": "import"},
        {"shipping_method": None},
        {"promised_by_on": None},
        {"promised_by_on": TODAY() - 15 * DAY},
        {"fulfilment_status": "delivered"},
    ],
    ids=str,
)
def test_who_is_not_told(fields):
    order = late_order()
    Order.objects.filter(pk=order.pk).update(**fields)
    assert nothing_is_told(order)


@pytest.mark.parametrize("standing", ["unfulfilled", "in_progress", "partly_sent", "partly_here"])
def test_whoever_still_waits_for_some_of_it_is_told(standing):
    order = late_order()
    Order.objects.filter(pk=order.pk).update(fulfilment_status=standing)
    assert told(order).reason == Reason.BEHIND


def test_goods_whose_day_has_moved_are_told_with_the_new_one():
    order = awaiting(TODAY() + 10 * DAY)
    notice = told(order)
    assert (notice.reason, notice.rule) == (Reason.GOODS, Rule.SILENCE_WAITS)
    assert notice.new_by_on > TODAY() + 10 * DAY


def test_goods_that_come_after_more_than_thirty_days_need_a_yes():
    notice = told(awaiting(TODAY() + FAR))
    assert (notice.rule, notice.deadline_on) == (Rule.SILENCE_CANCELS, TODAY() + 2 * DAY)


@pytest.mark.parametrize("restock_on", [None, TODAY() - DAY])
def test_goods_of_which_nobody_knows_are_told_without_a_day(restock_on):
    order = awaiting(restock_on)
    notice = told(order)
    assert (notice.new_by_on, notice.rule) == (None, Rule.SILENCE_CANCELS)
    now = fresh(order)
    assert (now.promised_by_on, now.ships_on) == (None, None)
    assert now.first_promised_by_on == order.promised_by_on


def test_once_a_day_is_known_it_is_told_to_whoever_had_none():
    order = awaiting(None)
    first = told(order)
    assert see_to_delays() == 0
    StockRecord.objects.update(restock_on=TODAY() + 5 * DAY)
    second = told(order)
    assert (second.number, second.rule, second.deadline_on) == (2, Rule.SILENCE_CANCELS, first.deadline_on)
    assert fresh(order).promised_by_on == second.new_by_on is not None


def test_who_agreed_to_wait_however_long_is_asked_nothing_when_a_day_is_known():
    order = awaiting(None)
    accept_delay(order.pk, number=told(order).number)
    StockRecord.objects.update(restock_on=TODAY() + FAR)
    assert told(order).rule == Rule.AGREED


def test_a_day_that_slips_again_needs_a_yes():
    order = awaiting(TODAY() + 10 * DAY)
    first = told(order)
    accept_delay(order.pk, number=first.number)
    StockRecord.objects.update(restock_on=TODAY() + 11 * DAY)
    second = told(order)
    assert (second.number, second.rule, second.deadline_on) == (2, Rule.SILENCE_CANCELS, first.new_by_on)
    assert list(order.delay_notices.filter(is_current=True)) == [second]


def test_what_is_here_goes_to_the_oldest_promise():
    """Two wait for one thing, and one thing is here: the other is late."""
    item = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=item).update(backorder_limit=9, restock_on=TODAY() + FAR)
    later, sooner = order_due(TODAY() + 9 * DAY, item), order_due(TODAY() + 8 * DAY, item)
    with transaction.atomic():
        stock.receive_stock(StockRecord.objects.get(variant=item).pk, quantity=1)
    see_to_delays()
    assert later.delay_notices.exists()
    assert not sooner.delay_notices.exists()


def test_an_order_that_was_told_keeps_its_place():
    """By its new day it would stand behind who ordered after it."""
    item = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=item).update(backorder_limit=9, restock_on=TODAY() + FAR)
    first = order_due(TODAY() + 2 * DAY, item)
    told(first)
    other = order_due(TODAY() + FAR + 3 * DAY, item)
    StockRecord.objects.filter(variant=item).update(on_hand=1, restock_on=TODAY() + 2 * FAR)
    methods = ShippingMethod.objects.in_bulk()
    found = {each.order_id: each for each in find_standings(shop_terms.load_terms(), methods)}
    assert first.pk not in found  # its goods are here, and its day is far off
    assert found[other.pk].outlook.awaits_goods


def test_goods_let_go_or_gone_are_not_waited_for():
    order = awaiting(TODAY() + FAR, by_on=TODAY() + 14 * DAY)
    Allocation.objects.update(released_at=timezone.now())
    assert nothing_is_told(order)


def test_a_parcel_that_left_too_late_is_told_without_a_choice():
    order = late_order()
    ship(packed(order))
    notice = told(order)
    assert (notice.reason, notice.rule, notice.deadline_on) == (Reason.ROAD, Rule.HAS_LEFT, None)
    assert notice.shipment == order.shipments.get()
    assert notice.new_by_on == compute_arrival(
        shop_terms.load_terms().calendar, method(), leaves_on=TODAY()
    ).by_on  # fmt: skip
    assert see_to_delays() == 0


def test_a_parcel_that_may_still_come_in_time_is_not():
    order = order_due(TODAY() + 9 * DAY)
    ship(packed(order))
    assert nothing_is_told(order)


def test_an_order_whose_day_was_essential_ends_at_once_and_the_money_goes_back():
    order = late_order()
    announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    notice = told(order)
    assert (notice.rule, notice.deadline_on) == (Rule.ENDS, None)
    assert notice.ended_at is not None
    assert fresh(order).status == Order.Status.CANCELLED
    assert Refund.objects.get().amount == order.total
    assert not order.events.filter(kind=Kind.DELAYED).exists()
    assert order.events.get(kind=Kind.CANCELLED).data["reason"] == announcing.ENDED_REASON


def test_marked_twice_or_after_it_left_is_refused():
    order = late_order()
    announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    with pytest.raises(TransitionRefused):
        announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    announcing.set_date_essential(order.pk, is_essential=False, actor="Sam")
    ship(packed(order))
    with pytest.raises(TransitionRefused):
        announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    assert not fresh(order).date_is_essential
    assert order.events.filter(kind__contains="essential").count() == 2


# -- Said by staff ---------------------------------------------------------------------------------------------


def test_staff_name_a_later_day_in_their_own_words():
    order = order_due(TODAY() + 9 * DAY)
    leaves_on = TODAY() + 14 * DAY
    notice = announcing.set_later_day(order.pk, leaves_on=leaves_on, words="The kiln broke.", actor="Sam")
    assert (notice.reason, notice.words, notice.actor) == (Reason.STAFF, "The kiln broke.", "Sam")
    assert notice.rule == Rule.SILENCE_WAITS
    assert fresh(order).ships_on >= leaves_on
    assert fresh(order).promised_by_on == notice.new_by_on > order.promised_by_on


def test_staff_do_not_know_and_the_job_leaves_it_so():
    order = order_due(TODAY() + 9 * DAY)
    notice = announcing.set_later_day(order.pk, leaves_on=None, words="", actor="Sam")
    assert (notice.new_by_on, notice.rule, notice.deadline_on) == (None, Rule.SILENCE_CANCELS, order.promised_by_on)
    assert see_to_delays() == 0


@pytest.mark.parametrize("ahead", [0, 4])
def test_a_day_that_is_no_later_is_refused(ahead):
    order = order_due(TODAY() + 14 * DAY)
    with pytest.raises(TransitionRefused, match="no later"):
        announcing.set_later_day(order.pk, leaves_on=TODAY() + ahead * DAY, words="", actor="Sam")
    assert nothing_is_told(order)


def test_of_what_has_left_no_other_day_is_named():
    order = order_due(TODAY() + 14 * DAY)
    ship(packed(order))
    with pytest.raises(TransitionRefused):
        announcing.set_later_day(order.pk, leaves_on=TODAY() + 20 * DAY, words="", actor="Sam")
    assert nothing_is_told(order)


# -- The story -------------------------------------------------------------------------------------------------


def outline(order: Order) -> list[tuple[str, str]]:
    [story] = build_timelines(fresh(order))
    return [(step.title, step.state) for step in story.steps]


def test_the_story_says_delayed_where_it_was_told():
    order = awaiting(TODAY() + 10 * DAY)
    told(order)
    assert outline(order)[:3] == [("Placed and paid", "now"), ("Delayed", "wait"), ("Approved", "next")]
    goods_come()
    parcel = packed(order)
    assert outline(order)[:3] == [("Placed and paid", "done"), ("Delayed", "done"), ("Approved", "done")]
    ship(parcel)
    assert ("Delayed", "done") in outline(order)


def test_an_erased_delay_tells_no_story():
    order = late_order()
    told(order)
    OrderEvent.objects.update(data={})
    assert "Delayed" not in dict(outline(order))
