"""What staff see and say of delays: who was told what, what happens when, a later day, an essential one."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format

from orders.delays.answering import accept_delay, cancel_for_delay
from orders.delays.finding import see_to_delays
from orders.models import DelayNotice, Order
from shop.backoffice.dashboard import get_today_summary
from tests import builders
from tests.backoffice.steps import page_of
from tests.backoffice.test_access import signed_in, staff_member
from tests.delays.late import DAY, TODAY, awaiting, fresh, late_order, order_due, packed, ship, told
from tests.delays.two_parcels import approve, get_scarf, order_in_two, send
from tests.page import read_words
from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]

LIST = reverse("admin:orders_delaynotice_changelist")
ORDERS = reverse("admin:orders_order_changelist")


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def act(staff: Client, action: str, *orders: Order, **sent: str) -> list[str]:
    pks = [str(each.pk) for each in orders]
    page = staff.post(ORDERS, {"action": action, "_selected_action": pks, **sent}, follow=True)
    return [str(message) for message in page.context["messages"]]


def listed(staff: Client, matter: str) -> set[str]:
    return {each.order.number for each in staff.get(f"{LIST}?matter={matter}").context["cl"].result_list}


def tile() -> int:
    today = get_today_summary()
    return sum(each.count for each in (*today.work, *today.alarms) if each.title == "Delays")


def test_the_list_says_who_was_told_what_and_what_happens_when(staff):
    notice = told(awaiting(None))
    page = " ".join(read_words(staff.get(LIST).text).split())
    for words in (notice.order.number, "The goods come later", "nobody knows", "No answer yet"):
        assert words in page
    assert f"cancelled after {notice.deadline_on:%a} {notice.deadline_on.day} {notice.deadline_on:%b}" in page


def test_the_rule_stands_above_the_list(staff):
    page = " ".join(read_words(staff.get(LIST).text).split())
    assert "A first delay of up to 30 days with a definite day: silence means that they wait." in page


def test_each_stands_under_its_matter(staff):
    unanswered, waits, cancelled, left = (late_order() for _ in range(4))
    ship(packed(left))
    unsure = awaiting(None)
    see_to_delays()
    accept_delay(waits.pk, number=1)
    cancel_for_delay(cancelled.pk, number=1)
    assert listed(staff, "open") == {unanswered.number, unsure.number}
    assert listed(staff, "cancels") == {unsure.number}
    assert listed(staff, "wait") == {waits.number}
    assert listed(staff, "cancelled") == {cancelled.number}
    assert listed(staff, "road") == {left.number}


def test_the_first_page_counts_those_who_have_not_answered(staff):
    first, second = late_order(), late_order()
    assert tile() == 0
    see_to_delays()
    assert tile() == 2
    accept_delay(first.pk, number=1)
    cancel_for_delay(second.pk, number=1)
    assert tile() == 0


def test_its_tile_leads_to_the_list_and_the_orders_stand_in_a_queue(staff):
    order = late_order()
    see_to_delays()
    assert f'href="{LIST}?matter=open"' in staff.get("/admin/").text
    assert [each.number for each in staff.get(f"{ORDERS}?queue=delays").context["cl"].result_list] == [order.number]


def test_staff_say_when_it_leaves_in_their_own_words(staff):
    order = order_due(TODAY() + 9 * DAY)
    page = act(staff, "say_late", order, confirm="1", leaves_on=str(TODAY() + 14 * DAY), words="The kiln broke.")
    notice = order.delay_notices.get()
    assert (notice.words, notice.reason) == ("The kiln broke.", DelayNotice.Reason.STAFF)
    assert any("Told that it is late" in each for each in page)
    assert "The kiln broke." in staff.get(reverse("admin:orders_order_change", args=[order.pk])).text


def test_the_page_asks_first_and_changes_nothing(staff):
    order = order_due(TODAY() + 9 * DAY)
    page = staff.post(ORDERS, {"action": "say_late", "_selected_action": [order.pk]})
    assert "It leaves on" in page.text
    assert not DelayNotice.objects.exists()


@pytest.mark.parametrize(
    "sent", [{}, {"leaves_on": str(TODAY() + timedelta(days=30)), "is_unknown": "on"}, {"leaves_on": "soon"}], ids=str
)
def test_a_day_or_none_not_both(staff, sent):
    order = order_due(TODAY() + 9 * DAY)
    staff.post(ORDERS, {"action": "say_late", "_selected_action": [order.pk], "confirm": "1", **sent})
    assert not DelayNotice.objects.exists()
    assert fresh(order).promised_by_on == order.promised_by_on


def test_what_has_left_is_refused_and_the_rest_goes_on(staff):
    here, gone = order_due(TODAY() + 9 * DAY), order_due(TODAY() + 9 * DAY)
    ship(packed(gone))
    said = act(staff, "say_late", here, gone, confirm="1", is_unknown="on")
    assert here.delay_notices.exists()
    assert not gone.delay_notices.exists()
    assert any(gone.number in each for each in said)


def test_the_day_is_marked_essential_and_unmarked(staff):
    order = late_order()
    page = reverse("admin:orders_order_change", args=[order.pk])
    assert "The day is essential" in staff.get(page).text
    act(staff, "mark_essential", order)
    assert fresh(order).date_is_essential
    assert "The day is not essential" in staff.get(page).text
    act(staff, "unmark_essential", order)
    assert not fresh(order).date_is_essential


def test_of_an_order_that_has_left_there_is_no_such_button(staff):
    order = builders.sent_order()
    page = staff.get(reverse("admin:orders_order_change", args=[order.pk])).text
    assert "Say it is late" not in page
    assert "The day is essential" not in page


def test_who_keeps_the_catalogue_sees_none_of_it():
    told(late_order())
    assert signed_in(staff_member(role="Staff: catalogue")).get(LIST).status_code == 403


def test_of_two_parcels_staff_read_the_first_ones_day_while_that_one_is_late(staff):
    order = order_in_two(TODAY() + 3 * DAY, TODAY() + 60 * DAY)
    approve(order)
    late = f"{date_format(TODAY() - DAY, 'D j M')} (late)"
    assert late in staff.get(f"{ORDERS}?queue=late").text
    assert "late to leave" in staff.get(page_of(order)).text
    send(get_scarf(order))
    assert late not in staff.get(ORDERS).text
    assert "late to leave" not in staff.get(page_of(order)).text
