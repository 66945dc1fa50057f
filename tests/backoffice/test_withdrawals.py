"""The staff's queue of withdrawals: what waits, by when, and each step they take."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Refund, Withdrawal, WithdrawalStatement
from orders.payments import checkout_sessions
from orders.returns import handling, statements
from orders.returns.declaring import Declaration, declare_withdrawal
from shop.backoffice.dashboard import get_today_summary
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words
from tests.paying import check_out, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_withdrawal_changelist")
STATED = reverse("admin:orders_withdrawalstatement_changelist")


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def withdrawn(*, days_ago: int = 0, left: bool = True, **fields) -> Withdrawal:
    when = timezone.now() - timedelta(days=days_ago)
    goods = builders.product("Tin mug").variants.get()
    order = builders.sent_order(goods, delivered_at=when, **fields) if left else builders.placed_order(goods, **fields)
    return declare(order, declared_at=when)


def declare(order: Order, **more) -> Withdrawal:
    declaration = Declaration("Pat Reader", order.email)
    return declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER, **more).withdrawal


def act(staff: Client, action: str, *chosen: Withdrawal, **sent: str) -> list[str]:
    pks = [str(each.pk) for each in chosen]
    page = staff.post(LIST, {"action": action, "_selected_action": pks, **sent}, follow=True)
    return [str(message) for message in page.context["messages"]]


def numbers(page: str, *rows: Withdrawal) -> list[str]:
    """The orders' numbers in the order in which they stand on the page."""
    here = [each.order.number for each in rows if each.order.number in page]
    return sorted(here, key=page.index)


def tiles() -> dict[str, int]:
    today = get_today_summary()
    return {tile.title: tile.count for tile in (*today.work, *today.alarms)}


def test_the_queue_shows_what_waits_with_its_days_the_oldest_first(staff):
    young, old = withdrawn(), withdrawn(days_ago=3)
    page = staff.get(f"{LIST}?matter=open").text
    assert numbers(page, young, old) == [old.order.number, young.order.number]
    assert old.due_on.strftime("%a %-d %b") in page
    assert "£14.00" in page


def test_money_is_overdue_once_nothing_allows_to_wait(staff):
    waits, back, posted, never_left = (withdrawn(days_ago=20, left=each < 3) for each in range(4))
    Withdrawal.objects.filter(pk=back.pk).update(goods_back_at=timezone.now())
    Withdrawal.objects.filter(pk=posted.pk).update(posting_seen_at=timezone.now())
    page = staff.get(f"{LIST}?matter=overdue").text
    assert waits.order.number not in page
    assert len(numbers(page, back, posted, never_left)) == 3
    assert read_words(page).count("(overdue)") == 3
    assert tiles()["Withdrawals overdue"] == 3
    assert tiles()["Withdrawals"] == 4


def test_what_came_too_late_is_seen_and_owed_nothing(staff):
    order = builders.sent_order(delivered_at=timezone.now() - timedelta(days=60))
    late = declare(order)
    page = staff.get(f"{LIST}?matter=late").text
    assert late.order.number in page
    assert "nothing: too late" in page
    assert "Withdrawals overdue" not in tiles()


def test_goods_are_noted_as_back_and_proof_as_seen_once_each(staff):
    made = withdrawn()
    assert act(staff, "goods_back", made) == [f"Goods noted as back: {made.order.number}."]
    assert act(staff, "goods_back", made) == [f"{made.order.number} has its goods back already."]
    act(staff, "posting_seen", made)
    made.refresh_from_db()
    assert made.goods_back_at
    assert made.posting_seen_at
    kinds = list(made.order.events.values_list("kind", flat=True))
    assert kinds.count(OrderEvent.Kind.GOODS_BACK) == kinds.count(OrderEvent.Kind.POSTING_SEEN) == 1


def test_the_money_goes_back_by_the_one_door_and_settles_it(client, staff, standin):
    fill(client)
    order = pay(client, standin, check_out(client))
    order.refresh_from_db()
    made = declare(order)
    page = staff.post(LIST, {"action": "refund_back", "_selected_action": str(made.pk)}).text
    assert f'value="{made.owed}"' in page
    left = order.total
    sent = {"confirm": "1", "amount": str(made.owed), "seen_left": str(left), "reason": "You withdrew."}
    assert act(staff, "refund_back", made, **sent) == [f"Refunded: {order.number}."]
    made.refresh_from_db()
    assert made.refund.amount == made.owed
    assert made.is_settled
    with pytest.raises(TransitionRefused):
        handling.refund_withdrawal(made.pk, amount=made.owed, actor="Sam")
    assert Refund.objects.count() == 1
    assert made.order.number not in staff.get(f"{LIST}?matter=open").text
    assert made.order.number in staff.get(f"{LIST}?matter=settled").text


def test_a_refund_that_fails_leaves_it_to_see_to(client, staff, standin):
    fill(client)
    order = pay(client, standin, check_out(client))
    made = declare(order)
    given = checkout_sessions.refund_order(order.pk, amount=Decimal(1), actor="Sam")
    Withdrawal.objects.filter(pk=made.pk).update(refund=given, settled_at=timezone.now())
    assert not Withdrawal.objects.unsettled().exists()
    Refund.objects.update(status=Refund.Status.FAILED)
    assert list(Withdrawal.objects.unsettled()) == [made]
    assert "Refund failed" in staff.get(f"{LIST}?matter=open").text


def test_set_aside_for_a_reason_the_order_goes_on_and_may_be_withdrawn_from_again(staff):
    made = withdrawn(left=False)
    assert Order.objects.get().hold == Order.Hold.WITHDRAWN
    assert act(staff, "set_aside", made, confirm="1") == []
    act(staff, "set_aside", made, confirm="1", reason="It was not you, you wrote.")
    made.refresh_from_db()
    assert made.set_aside_reason == "It was not you, you wrote."
    order = Order.objects.get()
    assert order.hold == ""
    assert order.events.filter(kind=OrderEvent.Kind.RELEASED).exists()
    assert declare(order) != made


def test_what_was_stated_for_an_order_set_aside_can_be_stated_again_that_day(staff):
    order = builders.sent_order(delivered_at=timezone.now(), email="pat@example.com")
    said = {"number": order.number, "email": order.email, "full_name": "Pat"}
    for _ in range(2):
        statements.write_down_statement(**said)
        statements.bring_statements_to_orders()
        act(staff, "set_aside", order.withdrawals.last(), confirm="1", reason="A mistake.")
    assert order.withdrawals.count() == 2


def test_settled_another_way_it_leaves_the_queue(staff):
    made = withdrawn()
    act(staff, "settle", made)
    assert "Withdrawals" not in tiles()


def test_what_fits_no_order_is_seen_brought_to_its_order_and_counts_from_when_it_came(staff):
    order = builders.sent_order(delivered_at=timezone.now(), email="pat@example.com")
    came_at = statements.write_down_statement(number="SW-TYPO", email="pat@example.com", full_name="Pat")
    statements.bring_statements_to_orders()
    assert tiles()["Withdrawals that fit no order"] == 1
    stated = WithdrawalStatement.objects.get()
    assert "SW-TYPO" in staff.get(f"{STATED}?matter=stray").text
    sent = {"action": "assign", "_selected_action": str(stated.pk), "confirm": "1"}
    assert "There is no order SW-NONE." in staff.post(STATED, {**sent, "number": "SW-NONE"}).text
    staff.post(STATED, {**sent, "number": order.number})
    assert order.withdrawals.get().declared_at == came_at
    assert "Withdrawals that fit no order" not in tiles()


def test_seen_to_it_leaves_the_first_page_and_its_address_is_shown_no_more(staff):
    statements.write_down_statement(number="SW-TYPO", email="pat@example.com", full_name="Pat")
    statements.bring_statements_to_orders()
    pk = WithdrawalStatement.objects.get().pk
    page = reverse("admin:orders_withdrawalstatement_change", args=[pk])
    assert "pat@example.com" in staff.get(page).text
    staff.post(STATED, {"action": "clear", "_selected_action": str(pk)})
    assert "Withdrawals that fit no order" not in tiles()
    assert "pat@example.com" not in staff.get(page).text


def test_where_a_withdrawal_was_acknowledged_is_shown_in_part(staff):
    made = withdrawn(email="pat@example.com")
    for page in (LIST, reverse("admin:orders_withdrawal_change", args=[made.pk])):
        assert "pat@example.com" not in staff.get(page).text


@pytest.mark.parametrize("role", ["Staff: privacy", "Staff: catalogue"])
def test_other_roles_see_no_withdrawals_and_take_no_steps(role):
    made = withdrawn()
    other = signed_in(staff_member("ray@example.com", role=role))
    assert other.get(LIST).status_code == other.get(STATED).status_code == 403
    other.post(LIST, {"action": "settle", "_selected_action": str(made.pk)})
    made.refresh_from_db()
    assert made.settled_at is None


def test_each_look_is_in_the_customers_log(staff):
    customer = builders.customer()
    made = withdrawn(customer=customer)
    staff.get(LIST)
    staff.get(reverse("admin:orders_withdrawal_change", args=[made.pk]))
    act(staff, "goods_back", made)
    assert set(AccessLogEntry.objects.filter(customer=customer).values_list("kind", flat=True)) == {
        "list",
        "look",
        "change",
    }
