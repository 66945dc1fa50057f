"""Of an order in two parcels each is watched by its own days, whatever holds for the other."""

import pytest
from django.core.cache import cache
from django.db import transaction

from orders.delays import announcing
from orders.delays.answering import accept_delay, cancel_for_delay, end_unanswered_order
from orders.delays.delay_words import describe_slip, list_told_delays
from orders.delays.finding import see_to_delays
from orders.fulfilment import backorders, queue
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, DelayNotice, Order, OrderEvent, Refund, Shipment
from orders.status import get_customer_status_label
from shop.catalog.models import StockRecord
from tests import builders
from tests.delays.late import DAY, TODAY, fresh, goods_come, nothing_is_told, open_by_mail, told
from tests.delays.two_parcels import approve, get_kettle, get_parcel, get_scarf, order_in_two, send
from tests.login import sign_in

pytestmark = pytest.mark.django_db

Kind, Reason, Rule = OrderEvent.Kind, DelayNotice.Reason, DelayNotice.Rule
FAR = TODAY() + 60 * DAY


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


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


def test_an_order_is_delayed_for_its_buyer_where_only_the_first_parcel_is(client):
    order = order_in_two(TODAY() + 3 * DAY, FAR)
    customer = builders.customer("alice@example.com")
    Order.objects.update(customer=customer)
    sign_in(client, customer.user)
    assert get_customer_status_label(fresh(order)) != "Delayed"
    see_to_delays()
    late_one = fresh(order)
    assert (late_one.first_promised_by_on, bool(get_scarf(order).first_promised_by_on)) == (None, True)
    for page in ("/account/orders/", f"/orders/{order.number}/"):
        assert '<span class="badge wait">Delayed</span>' in " ".join(client.get(page).text.split()), page
    approve(order)
    send(get_scarf(order))
    assert get_customer_status_label(fresh(order)) == "Partly on its way"


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


# -- Told ------------------------------------------------------------------------------------------------------


def test_the_first_parcel_is_told_late_alone_and_the_rest_keeps_its_day():
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    notice = told(order)
    assert (notice.is_of_first, notice.reason, notice.rule) == (True, Reason.BEHIND, Rule.SILENCE_WAITS)
    assert (notice.was_by_on, notice.new_by_on) == (TODAY() + 2 * DAY, get_scarf(order).promised_by_on)
    assert get_scarf(order).first_promised_by_on == TODAY() + 2 * DAY < get_scarf(order).promised_by_on
    now = fresh(order)
    assert get_kettle(order).promised_by_on == now.promised_by_on == FAR
    assert now.first_promised_by_on is None
    [event] = order.events.filter(kind=Kind.DELAYED)
    assert (event.data["what"], event.shipment) == (["Scarf"], get_parcel(get_scarf(order)))
    assert see_to_delays() == 0


def test_the_first_is_told_also_where_nobody_knows_the_day_of_the_rest():
    order = order_in_two(TODAY() + 2 * DAY, None)
    assert told(order).is_of_first
    assert fresh(order).promised_by_on is None


def test_where_both_slip_both_are_told_each_with_its_own_day():
    order = order_in_two(TODAY() + 2 * DAY, TODAY() + 3 * DAY, restock_on=TODAY() + 2 * DAY)
    first, rest = (told_of(order, is_first=is_first) for is_first in (True, False))
    assert get_scarf(order).promised_by_on == first.new_by_on < rest.new_by_on
    assert fresh(order).promised_by_on == get_kettle(order).promised_by_on == rest.new_by_on


def told_of(order: Order, *, is_first: bool) -> DelayNotice:
    see_to_delays()
    return order.delay_notices.get(is_current=True, is_of_first=is_first)


def test_a_first_parcel_that_can_make_it_or_is_gone_hears_nothing():
    assert nothing_is_told(order_in_two(TODAY() + 20 * DAY, FAR))
    cancelled = order_in_two(TODAY() + 2 * DAY, FAR)
    cancelled.lines.filter(pk=get_scarf(cancelled).pk).update(cancelled_quantity=1)
    assert nothing_is_told(cancelled)


def test_a_first_parcel_that_left_too_late_is_told_and_the_rest_is_not_touched():
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    parcel = send(get_scarf(order))
    notice = told(order)
    assert (notice.is_of_first, notice.reason, notice.rule, notice.shipment) == (
        True,
        Reason.ROAD,
        Rule.HAS_LEFT,
        parcel,
    )
    assert fresh(order).promised_by_on == FAR


def test_of_both_late_each_has_its_own_question_and_an_answer_to_one_is_none_to_the_other():
    order = order_in_two(TODAY() + 2 * DAY, TODAY() + 9 * DAY)
    approve(order)
    first = told_of(order, is_first=True)
    announcing.set_later_day(order.pk, leaves_on=None, words="The mill burned.", actor="Sam")
    rest = order.delay_notices.get(is_current=True, is_of_first=False)
    assert set(DelayNotice.objects.unanswered()) == {first, rest}
    accept_delay(order.pk, number=first.number)
    assert list(DelayNotice.objects.unanswered()) == [rest]


def test_cancelling_the_first_leaves_the_rest(standin):
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    cancel_for_delay(order.pk, number=told(order).number)
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == (0, 1)
    assert fresh(order).status == Order.Status.CONFIRMED
    assert Refund.objects.get().amount == 10


@pytest.mark.parametrize("of_first", [True, False])
def test_silence_about_one_parcel_ends_that_one_alone(of_first, standin):
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    if not of_first:
        announcing.set_later_day(order.pk, leaves_on=None, words="The mill burned.", actor="Sam")
    notice = told_of(order, is_first=of_first)
    DelayNotice.objects.filter(pk=notice.pk).update(rule=Rule.SILENCE_CANCELS, deadline_on=TODAY() - DAY)
    see_to_delays()
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == ((0, 1) if of_first else (1, 0))


def test_once_the_first_has_left_its_question_is_over(standin):
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    notice = told(order)
    send(get_scarf(order))
    assert not DelayNotice.objects.unanswered().exists()
    with pytest.raises(TransitionRefused, match="has left"):
        cancel_for_delay(order.pk, number=notice.number)
    assert not Refund.objects.exists()
    assert get_kettle(order).open_quantity == 1


def test_the_page_says_which_parcel_and_cancels_that_one(standin):
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    approve(order)
    told(order)
    [said] = list_told_delays(order.events.all())
    slip = describe_slip(said, TODAY())
    assert slip.startswith("We promised the Scarf by")
    assert slip.endswith("This is about one of your two parcels.")
    person = open_by_mail(order)
    for words in ("Part of your order is late", slip, "The other parcel stays as it is."):
        assert person.sees(words)
    person.open(order.get_absolute_url())
    assert person.sees("One of your two parcels comes later than we promised.")
    assert person.sees(slip)
    person = open_by_mail(order)
    person.press("Cancel that parcel and refund it")
    assert person.sees("That parcel is cancelled.")
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == (0, 1)


def test_being_told_of_a_delay_costs_the_first_its_place_in_no_line():
    order = order_in_two(TODAY() + 2 * DAY, FAR)
    told(order)
    later = builders.placed_order(get_scarf(order).variant, promised_by_on=TODAY() + 3 * DAY)
    StockRecord.objects.filter(variant=get_scarf(order).variant).update(on_hand=1, backorder_limit=9)
    with transaction.atomic():
        backorders.serve_waiting(list(StockRecord.objects.values_list("pk", flat=True)))
    waits = Allocation.objects.filter(awaits_goods=True, order_line__title="Scarf")
    assert [each.order_line.order_id for each in waits] == [later.pk]


@pytest.mark.parametrize("kettle_by", [FAR, None], ids=["the rest has a day", "the rest has none"])
def test_on_the_road_the_first_is_late_by_its_own_day_while_the_rest_is_here(kettle_by):
    order = order_in_two(TODAY() + 9 * DAY, kettle_by)
    approve(order)
    parcel = send(get_scarf(order))
    Shipment.objects.filter(pk=parcel.pk).update(estimated_on=TODAY() + 12 * DAY)
    notice = told(order)
    assert (notice.is_of_first, notice.reason, notice.shipment) == (True, Reason.CARRIER, parcel)
    assert get_scarf(order).promised_by_on == notice.new_by_on == TODAY() + 12 * DAY
    assert get_kettle(order).promised_by_on == fresh(order).promised_by_on == kettle_by
    assert see_to_delays() == 0


def test_a_carriers_day_before_the_first_ones_own_is_no_news():
    order = order_in_two(TODAY() + 9 * DAY, FAR)
    approve(order)
    parcel = send(get_scarf(order))
    Shipment.objects.filter(pk=parcel.pk).update(estimated_on=TODAY() + 9 * DAY)
    assert nothing_is_told(order)


@pytest.mark.parametrize("is_answered", [True, False], ids=["by the buyer", "by the rule"])
def test_in_another_tab_nobody_waits_for_a_parcel_that_was_cancelled(is_answered):
    order = order_in_two(TODAY() - DAY, FAR)
    approve(order)
    see_to_delays()
    number = told(order).number
    if is_answered:
        cancel_for_delay(order.pk, number=number)
    else:
        DelayNotice.objects.update(deadline_on=TODAY() - DAY)
        end_unanswered_order(told(order).pk)
    assert (get_scarf(order).open_quantity, fresh(order).status) == (0, Order.Status.CONFIRMED)
    before = told(order).answer
    with pytest.raises(TransitionRefused, match="cancelled already"):
        accept_delay(order.pk, number=number)
    assert told(order).answer == before != DelayNotice.Answer.WAIT
    assert not order.events.filter(kind=Kind.DELAY_ACCEPTED).exists()
