"""The staff's list says which orders are delayed, and is narrowed to them."""

import pytest
from django.test import Client
from django.utils import timezone

from orders.delays.finding import see_to_delays
from orders.models import DelayNotice, Order, Shipment
from orders.status import recalculate
from tests.backoffice.steps import LIST
from tests.delays.late import DAY, TODAY, fresh, late_order, order_due, packed, ship, told
from tests.delays.two_parcels import approve, get_scarf, order_in_two, send
from tests.page import read_words

pytestmark = pytest.mark.django_db

BADGE = '<span class="badge out">Delayed</span>'


def find_delayed(staff: Client) -> list[Order]:
    """Those that the list narrowed to them holds; each of them, and nothing else, is called so in the whole list."""
    narrowed = staff.get(LIST, {"delayed": "yes"}).context["cl"].result_list
    page = staff.get(LIST)
    assert page.text.count(BADGE) == len(narrowed)
    assert {each.pk for each in page.context["cl"].result_list if each.is_delayed} == {each.pk for each in narrowed}
    return sorted(narrowed, key=lambda order: order.pk)


def arrive(parcel: Shipment) -> None:
    Shipment.objects.filter(pk=parcel.pk).update(stage=Shipment.Stage.DELIVERED, delivered_at=timezone.now())
    recalculate(parcel.order)


def test_an_order_is_delayed_once_a_later_day_was_named_until_it_is_there(staff):
    in_time, order = order_due(TODAY() + 20 * DAY), late_order()
    assert find_delayed(staff) == []
    notice = told(order)
    assert fresh(order).promised_by_on > TODAY()
    assert find_delayed(staff) == [order]
    notice.answer, notice.answered_at = DelayNotice.Answer.WAIT, timezone.now()
    notice.save()
    assert find_delayed(staff) == [order]
    ship(packed(order))
    assert find_delayed(staff) == [order]
    arrive(order.shipments.get())
    assert find_delayed(staff) == []
    assert not in_time.delay_notices.exists()


def test_an_order_is_delayed_once_its_day_has_passed(staff):
    order = order_due(TODAY())
    assert find_delayed(staff) == []
    Order.objects.filter(pk=order.pk).update(promised_by_on=TODAY() - DAY)
    assert find_delayed(staff) == [order]


@pytest.mark.parametrize(
    "fields",
    [{"status": "cancelled"}, {"hold": "disputed"}, {"fulfilment_status": "ready"}, {"fulfilment_status": "delivered"}],
    ids=str,
)
def test_what_ended_is_there_or_on_hold_is_not_called_delayed(staff, fields):
    order = order_due(TODAY() - DAY)
    assert find_delayed(staff) == [order]
    Order.objects.filter(pk=order.pk).update(**fields)
    assert find_delayed(staff) == []


def test_what_was_to_lie_ready_by_now_is_delayed(staff):
    order = order_due(TODAY() + 9 * DAY)
    Order.objects.filter(pk=order.pk).update(pickup_ready_at=timezone.now() - DAY)
    assert find_delayed(staff) == [order]


@pytest.mark.parametrize("is_told", [True, False], ids=["told of", "its day passed"])
def test_of_two_parcels_the_first_is_delayed_by_its_own_day_until_it_is_there(staff, is_told):
    order = order_in_two(TODAY() + (3 if is_told else -1) * DAY, TODAY() + 60 * DAY)
    if is_told:
        assert find_delayed(staff) == []
        see_to_delays()
        assert order.delay_notices.get().is_of_first
    assert find_delayed(staff) == [order]
    approve(order)
    parcel = send(get_scarf(order))
    assert find_delayed(staff) == [order]
    arrive(parcel)
    assert find_delayed(staff) == []


def test_the_badge_costs_the_list_no_statement(staff, django_assert_num_queries):
    order_due(TODAY() + 20 * DAY)
    staff.get(LIST)
    with django_assert_num_queries(6):
        staff.get(LIST)
    for _ in range(3):
        order_due(TODAY() - DAY)
    with django_assert_num_queries(6):
        assert staff.get(LIST).text.count(BADGE) == 3


def test_the_filter_is_named_and_what_it_does_not_offer_is_refused(staff):
    order_due(TODAY() - DAY)
    assert "By delay" in read_words(staff.get(LIST).text)
    assert staff.get(LIST, {"delayed": "no"}).status_code == 400
