"""Somebody rings or writes: staff enter what they say, by the same rules, and both read who entered it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AccessLogEntry
from orders import order_access
from orders.models import Order, OrderEvent, ReturnAuthorization, Withdrawal
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.wording import ENTERED_FOR_BUYER
from tests import builders
from tests.backoffice.steps import buttons, page_of, said, take
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words
from tests.person import Person
from tests.returns.selling import Kind, Wanted, came, returned, take_back

pytestmark = pytest.mark.django_db

STEPS = {"enter_return": "Enter a return", "enter_fault": "Enter a fault", "enter_withdrawal": "Enter a withdrawal"}
ANSWERS = {
    "enter_return": {"wanted": "refund", "reason": "too_small"},
    "enter_fault": {"wanted": "repair", "reason": "broke", "words": "Torn"},
    "enter_withdrawal": {},
}


@pytest.fixture(autouse=True)
def _policy():
    take_back()


def typed(order: Order, action: str, *, count: int = 1, **fields: str) -> dict[str, str]:
    return {"confirm": "1", f"line-{order.lines.get().pk}": str(count), **ANSWERS[action], **fields}


def enter(staff: Client, action: str, order: Order, **fields):
    return take(staff, action, order, **typed(order, action, **fields))


def is_told_by_the_shop(order: Order) -> bool:
    return Person().open(order_access.build_order_link(order)).sees(ENTERED_FOR_BUYER)


def count_entered(order: Order) -> tuple[int, int, int]:
    kinds = (OrderEvent.Kind.RETURN_REQUESTED, OrderEvent.Kind.WITHDRAWN)
    return order.returns.count(), order.withdrawals.count(), order.events.filter(kind__in=kinds).count()


def set_placed(order: Order, *, days_ago: int) -> Order:
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(days=days_ago))
    order.refresh_from_db()
    return order


def moment(*, days_ago: int = 0, hours: int = 0) -> str:
    """As the browser sends it: the shop's own time, to the minute."""
    when = timezone.localtime(timezone.now() - timedelta(days=days_ago) + timedelta(hours=hours))
    return when.strftime("%Y-%m-%dT%H:%M")


# -- Where it is offered ---------------------------------------------------------------------------------------


def test_the_buttons_stand_where_a_step_can_be_taken(staff):
    assert set(STEPS.values()) <= set(buttons(staff.get(page_of(came()))))
    here = buttons(staff.get(page_of(builders.placed_order())))
    assert "Enter a withdrawal" in here
    assert not {"Enter a return", "Enter a fault"} & set(here)


@pytest.mark.parametrize(
    "state", [{"status": Order.Status.CANCELLED}, {"payment_status": Order.PaymentStatus.REFUNDED}], ids=str
)
def test_of_an_order_that_is_over_nothing_is_offered(staff, state):
    over = came()
    Order.objects.filter(pk=over.pk).update(**state)
    assert not set(STEPS.values()) & set(buttons(staff.get(page_of(over))))


# -- What is entered -------------------------------------------------------------------------------------------


def test_a_return_that_staff_enter_says_so_in_event_and_story(staff):
    order = came(quantity=2)
    page = take(staff, "enter_return", order)
    assert "Anything we should know?" in page.text
    assert "Picture" not in read_words(page.text)
    assert count_entered(order) == (0, 0, 0)
    told = said(enter(staff, "enter_return", order))
    made = ReturnAuthorization.objects.get()
    assert told == [f"Entered {made.number}: {order.number}."]
    assert (made.kind, made.wanted, made.piece_count, made.entered_by) == (Kind.RETURN, Wanted.REFUND, 1, "Sam")
    assert order.events.get(kind=OrderEvent.Kind.RETURN_REQUESTED).actor == "Sam"
    assert AccessLogEntry.objects.filter(detail=f"Entered {made.number}").count() == 1
    assert is_told_by_the_shop(order)


def test_an_exchange_that_staff_enter_names_what_is_wanted_instead(staff):
    order = came()
    line = order.lines.get()
    other = line.product.variants.exclude(pk=line.variant_id).get()
    enter(staff, "enter_return", order, wanted="exchange", **{f"instead-{line.pk}": str(other.pk)})
    made = ReturnAuthorization.objects.get()
    assert (made.wanted, made.lines.get().exchange_variant) == (Wanted.EXCHANGE, other)


def test_a_fault_that_staff_enter_is_the_buyers_choice_of_two_and_has_no_window(staff):
    order = came(days_ago=400)
    enter(staff, "enter_fault", order, wanted="replacement")
    made = ReturnAuthorization.objects.get()
    assert (made.kind, made.wanted, made.words) == (Kind.FAULTY, Wanted.REPLACEMENT, "Torn")
    assert made.entered_by == "Sam"
    assert is_told_by_the_shop(order)


def test_a_withdrawal_that_staff_enter_names_them_and_goes_to_the_orders_own_address(staff):
    order = came(quantity=2)
    page = take(staff, "enter_withdrawal", order).text
    assert 'value="2"' in page  # all of it, as on the buyer's page
    assert order.email not in page
    assert said(enter(staff, "enter_withdrawal", order)) == [f"Withdrawal entered: {order.number}."]
    made = Withdrawal.objects.get()
    assert (made.way, made.entered_by, made.piece_count) == (Withdrawal.Way.STAFF, "Sam", 1)
    assert made.acknowledged_to == order.email
    event = order.events.get(kind=OrderEvent.Kind.WITHDRAWN)
    assert (event.actor, event.data["withdrawal"]) == ("Sam", made.pk)
    assert is_told_by_the_shop(order)


def test_the_buyers_page_of_withdrawals_says_who_entered_it(staff):
    order = came(quantity=2)
    enter(staff, "enter_withdrawal", order)
    page = Person().open(order_access.build_order_link(order)).open(f"/orders/{order.number}/withdrawal/")
    assert page.sees("You told us of your withdrawal on")
    assert page.sees(ENTERED_FOR_BUYER)


def test_what_buyers_say_for_themselves_is_not_called_the_shops():
    order = came(quantity=2)
    assert returned(order).entered_by == ""
    made = declare_withdrawal(order.pk, Declaration("Pat", order.email), way=Withdrawal.Way.ORDER).withdrawal
    assert made.entered_by == ""
    assert not is_told_by_the_shop(order)


@pytest.mark.parametrize("change", [{"entered_by": ""}, {"way": Withdrawal.Way.ORDER}], ids=str)
def test_the_database_keeps_together_that_staff_entered_it_and_who(staff, change):
    enter(staff, "enter_withdrawal", came())
    with pytest.raises(IntegrityError), transaction.atomic():
        Withdrawal.objects.update(**change)
    made = Withdrawal.objects.get()
    assert (made.way, made.entered_by) == (Withdrawal.Way.STAFF, "Sam")


# -- When it was said ------------------------------------------------------------------------------------------


def test_a_letter_counts_from_when_it_was_sent(staff):
    order = set_placed(came(days_ago=30), days_ago=35)
    sent_at = moment(days_ago=28)
    enter(staff, "enter_withdrawal", order, said_at=sent_at)
    made = Withdrawal.objects.get()
    assert not made.is_late
    assert sent_at == timezone.localtime(made.declared_at).strftime("%Y-%m-%dT%H:%M")


def test_what_is_said_now_counts_from_now_and_may_be_late(staff):
    order = set_placed(came(days_ago=30), days_ago=35)
    before = timezone.now()
    enter(staff, "enter_withdrawal", order)
    made = Withdrawal.objects.get()
    assert made.is_late
    assert made.declared_at >= before


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"hours": 2}, "That is still to come."),
        ({"days_ago": 9}, "The order was not placed yet then."),
    ],
    ids=["to come", "before the order"],
)
def test_a_moment_that_cannot_be_is_refused_in_words_and_nothing_is_written(staff, when, words):
    order = set_placed(came(), days_ago=8)
    said_at = moment(**when)
    page = enter(staff, "enter_withdrawal", order, said_at=said_at).text
    assert words in page
    assert f'value="{said_at}"' in page  # what was typed stays
    assert count_entered(order) == (0, 0, 0)


@pytest.mark.parametrize("nonsense", ["yesterday", "2026-13-41T99:99", "0001-01-01T00:00", "9999-12-31T23:59"])
def test_nonsense_for_a_moment_is_refused_and_nothing_is_written(staff, nonsense):
    order = came()
    answer = enter(staff, "enter_withdrawal", order, said_at=nonsense)
    assert answer.status_code == 200
    assert "errorlist" in answer.text
    assert count_entered(order) == (0, 0, 0)


# -- Who is told --------------------------------------------------------------------------------------------------


def test_without_an_address_staff_read_that_they_acknowledge_it_themselves(staff):
    order = came(email="")
    assert "acknowledge it in writing yourself" in take(staff, "enter_withdrawal", order).text
    assert "acknowledge it in writing yourself" not in take(staff, "enter_return", order).text


# -- What is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("enter_return", "you can send back 1 at most"),
        ("enter_fault", "you can send back 1 at most"),
        ("enter_withdrawal", "there are 1."),
    ],
)
def test_too_many_pieces_get_a_sentence_and_nothing_is_written(staff, action, words):
    order = came()
    page = enter(staff, action, order, count=2).text
    assert words in page
    assert 'value="2"' in page
    assert count_entered(order) == (0, 0, 0)


def test_once_its_time_is_over_a_return_is_refused_and_a_fault_is_not(staff):
    order = came(days_ago=60)
    [words] = said(enter(staff, "enter_return", order))
    assert "its time is over. If something is wrong with it, “Enter a fault”." in words
    assert count_entered(order) == (0, 0, 0)
    assert "In your words" in take(staff, "enter_fault", order).text


@pytest.mark.parametrize("action", STEPS)
def test_what_goes_back_already_is_not_entered_again(staff, action):
    order = came()
    returned(order)
    assert "already" in said(enter(staff, action, order))[0]
    assert count_entered(order) == (1, 0, 1)


def test_sent_twice_it_is_entered_once(staff):
    order = came(quantity=2)
    enter(staff, "enter_return", order)
    assert "That one stands." in said(enter(staff, "enter_return", order))[0]
    assert count_entered(order) == (1, 0, 1)


@pytest.mark.parametrize("action", STEPS)
def test_of_several_orders_none_is_entered(staff, action):
    orders = [came(), came()]
    assert "Choose one order" in said(take(staff, action, *orders, confirm="1"))[0]
    assert [count_entered(order) for order in orders] == [(0, 0, 0)] * 2


@pytest.mark.parametrize("action", STEPS)
def test_whoever_may_only_look_enters_nothing(action):
    order = came()
    looker = staff_member()
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client = signed_in(looker)
    assert not set(STEPS.values()) & set(buttons(client.get(page_of(order))))
    enter(client, action, order)
    assert count_entered(order) == (0, 0, 0)
