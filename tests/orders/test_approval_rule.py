"""Orders that approve themselves: a rule in sentences, tried on the past before it is switched on, and done once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.fulfilment import approval_rule, transitions
from orders.fulfilment.approval_rule import ApprovalRule, approve_waiting_orders, find_objections, try_rule_on_past
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment, ShopSettings
from tests import builders

pytestmark = pytest.mark.django_db

RULE = ApprovalRule(Decimal(100), "GBP")
STRICT = ApprovalRule(Decimal(100), "GBP", takes_first_orders=False)


def switch_on(up_to: str = "100", **fields: object) -> None:
    ShopSettings(pk=1, approve_up_to=Decimal(up_to), **fields).save()


def approvals() -> list[str]:
    return list(OrderEvent.objects.filter(kind=OrderEvent.Kind.APPROVED).values_list("actor", flat=True))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, []),
        ({"total": Decimal("100.01")}, ["it comes to £100.01"]),
        ({"total": Decimal(100)}, []),
        ({"currency": "EUR"}, ["it is in EUR"]),
        ({"gift_note": "For Mum"}, ["its buyer wrote a note"]),
        ({"gift_note": "  "}, []),
        ({"postcode": ""}, ["its address is not whole"]),
        ({"line1": " "}, ["its address is not whole"]),
        ({"country": "IE", "postcode": ""}, []),  # where a parcel arrives without one
        ({"hold": Order.Hold.WARNING}, ["it is on hold"]),
        ({"payment_status": Order.PaymentStatus.DISPUTED}, ["its payment is disputed"]),
        ({"payment_status": Order.PaymentStatus.PARTIALLY_REFUNDED}, ["some of its money went back"]),
        ({"total": Decimal(200), "gift_note": "x"}, ["it comes to £200.00", "its buyer wrote a note"]),
    ],
)
def test_each_condition_is_named_where_it_is_not_met(fields, words):
    order = builders.placed_order()
    for name, value in fields.items():
        setattr(order, name, value)
    order.save()
    order.refresh_from_db()
    assert find_objections(order, RULE, is_first=True) == words


def test_each_reason_of_money_has_words():
    assert set(approval_rule.OPEN_PAYMENTS) == set(Order.PaymentStatus) - {Order.PaymentStatus.PAID}


def test_the_rule_is_off_until_a_total_is_set():
    order = builders.placed_order()
    assert find_objections(order, ApprovalRule.from_settings(), is_first=False) == ["the rule is off"]
    assert ApprovalRule.from_settings().list_conditions() == []
    assert not approval_rule.approve_by_rule(order)
    assert approve_waiting_orders() == 0
    assert approvals() == []


def test_a_first_order_may_be_left_to_staff():
    switch_on(approve_first_orders=False)
    first = builders.placed_order(email="new@example.com", placed_at=timezone.now() - timedelta(days=1))
    second = builders.placed_order(email="new@example.com")
    assert [approval_rule.approve_by_rule(each) for each in (first, second)] == [False, True]
    assert find_objections(first, STRICT, is_first=True) == ["it is its buyer’s first"]
    assert STRICT.list_conditions()[-1] == "is not the first that its buyer has paid"
    assert approvals() == ["rule"]


def test_an_order_called_off_makes_nobody_a_regular():
    switch_on(approve_first_orders=False)
    gone = builders.placed_order(email="new@example.com", placed_at=timezone.now() - timedelta(days=1))
    Order.objects.filter(pk=gone.pk).update(status=Order.Status.CANCELLED)
    assert not approval_rule.approve_by_rule(builders.placed_order(email="new@example.com"))


def test_what_waits_is_approved_when_the_rule_is_switched_on_and_once():
    small, dear, noted = builders.placed_order(), builders.placed_order(), builders.placed_order(gift_note="Hello")
    Order.objects.filter(pk=dear.pk).update(total=500)
    approved = builders.placed_order()
    transitions.approve_order(approved.pk, actor="Sam")
    assert approve_waiting_orders() == 0
    switch_on()
    assert [approve_waiting_orders(), approve_waiting_orders()] == [1, 0]
    assert sorted(approvals()) == ["Sam", "rule"]
    waiting = Order.objects.filter(approved_at=None).values_list("pk", flat=True)
    assert set(waiting) == {dear.pk, noted.pk}
    assert small.shipments.count() == 1


def test_what_cannot_be_approved_waits_and_keeps_nothing_else_waiting():
    switch_on()
    builders.paid_order()  # nothing is set aside for it
    good = builders.placed_order()
    assert approve_waiting_orders() == 1
    good.refresh_from_db()
    assert good.approved_at


def test_the_dry_run_says_of_the_last_hundred_what_it_would_have_done_and_changes_nothing(django_assert_num_queries):
    orders = [builders.paid_order(email=f"{n}@example.com") for n in range(3)]
    Order.objects.filter(pk=orders[0].pk).update(total=500)
    Order.objects.filter(pk=orders[1].pk).update(payment_status="refunded", hold="refunded")  # since it was paid
    builders.paid_order(source=Order.Source.IMPORT)
    before = list(Order.objects.order_by("pk").values())
    with django_assert_num_queries(1):
        verdicts = {each.order.pk: each.objections for each in try_rule_on_past(RULE)}
    assert verdicts == {orders[0].pk: ["it comes to £500.00"], orders[1].pk: [], orders[2].pk: []}
    assert all("first" in " ".join(each.objections) for each in try_rule_on_past(STRICT))
    assert list(Order.objects.order_by("pk").values()) == before
    assert not Shipment.objects.exists()


def test_no_more_than_a_hundred_are_looked_at():
    item = builders.variant()
    for _ in range(102):
        builders.paid_order(item)
    assert len(try_rule_on_past(RULE)) == 100


def test_a_refusal_of_the_verb_is_no_failure(monkeypatch):
    switch_on()

    def refuse(order_id: int, *, actor: str) -> None:
        raise TransitionRefused("no")

    monkeypatch.setattr(transitions, "approve_order", refuse)
    assert not approval_rule.approve_by_rule(builders.placed_order())
