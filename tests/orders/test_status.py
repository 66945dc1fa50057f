"""Where an order stands: the rule table, and the words customers read."""

import inspect
import re
from decimal import Decimal

import pytest

from orders import status
from orders.models import Order, Payment, Refund, Shipment
from tests import builders

pytestmark = pytest.mark.django_db

Paid = Order.PaymentStatus
Done = Order.FulfilmentStatus


def recalculated(order: Order) -> Order:
    status.recalculate(order)
    order.refresh_from_db()
    return order


@pytest.mark.parametrize(
    ("payment_state", "refunds", "expected"),
    [
        (Payment.Status.OPEN, [], Paid.UNPAID),
        (Payment.Status.FLAGGED, [], Paid.UNPAID),
        (Payment.Status.EXPIRED, [], Paid.UNPAID),
        (Payment.Status.CAPTURED, [], Paid.PAID),
        (Payment.Status.CAPTURED, [("5", "requested")], Paid.PAID),
        (Payment.Status.CAPTURED, [("5", "failed")], Paid.PAID),
        (Payment.Status.CAPTURED, [("5", "succeeded")], Paid.PARTIALLY_REFUNDED),
        (Payment.Status.CAPTURED, [("5", "succeeded"), ("9", "requested")], Paid.PARTIALLY_REFUNDED),
        (Payment.Status.CAPTURED, [("5", "succeeded"), ("9", "succeeded")], Paid.REFUNDED),
    ],
)
def test_payment_status_follows_what_was_captured_and_given_back(payment_state, refunds, expected):
    order = builders.paid_order(builders.variant(price="14.00"))
    payment = builders.payment(order, status=payment_state)
    for amount, state in refunds:
        Refund.objects.create(payment=payment, amount=Decimal(amount), currency="GBP", status=state)
    assert recalculated(order).payment_status == expected


@pytest.mark.parametrize("kept", [Paid.PAID, Paid.REFUNDED])
def test_an_order_whose_money_the_shop_never_took_keeps_what_it_has(kept):
    order = builders.paid_order()
    Order.objects.update(payment_status=kept)
    order.refresh_from_db()
    assert recalculated(order).payment_status == kept


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([], Done.UNFULFILLED),
        (["waiting"], Done.UNFULFILLED),
        (["waiting", "waiting"], Done.UNFULFILLED),
        (["picking"], Done.IN_PROGRESS),
        (["picked"], Done.IN_PROGRESS),
        (["packed"], Done.IN_PROGRESS),
        (["waiting", "packed"], Done.IN_PROGRESS),
        (["waiting", "dispatched"], Done.PARTLY_SENT),
        (["packed", "delivered"], Done.PARTLY_HERE),
        (["dispatched"], Done.DISPATCHED),
        (["dispatched", "delivered"], Done.DISPATCHED),
        (["delivered"], Done.DELIVERED),
        (["delivered", "delivered"], Done.DELIVERED),
        (["cancelled"], Done.UNFULFILLED),
        (["cancelled", "dispatched"], Done.DISPATCHED),
        (["cancelled", "delivered"], Done.DELIVERED),
    ],
)
def test_fulfilment_status_follows_the_parcels(stages, expected):
    order = builders.paid_order()
    for stage in stages:
        Shipment.objects.create(order=order, store=builders.store(), stage=stage)
    assert recalculated(order).fulfilment_status == expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "pending"}, "Waiting for payment"),
        ({}, "Placed"),
        ({"approved": True}, "Approved"),
        ({"approved": True, "fulfilment_status": "in_progress"}, "Being made ready"),
        ({"approved": True, "fulfilment_status": "partly_sent"}, "Partly on its way"),
        ({"approved": True, "fulfilment_status": "partly_here"}, "Partly delivered"),
        ({"approved": True, "fulfilment_status": "dispatched"}, "On its way"),
        ({"approved": True, "fulfilment_status": "delivered", "status": "completed"}, "Delivered"),
        ({"status": "cancelled"}, "Cancelled"),
        ({"status": "cancelled", "payment_status": "refunded"}, "Cancelled and refunded"),
        ({"payment_status": "refunded"}, "Refunded"),
        ({"payment_status": "partially_refunded"}, "Placed"),
    ],
)
def test_the_customer_reads_one_set_of_words(fields, words):
    order = builders.paid_order()
    if fields.pop("approved", False):
        order.approved_at = order.placed_at
    for name, value in fields.items():
        setattr(order, name, value)
    assert status.get_customer_status_label(order) == words


# What each line of the table in `recalculate` stands for; a line without an example here, or the reverse, fails.
PARCELS_BY_RULE = {
    "none, or none left of those there were": [[], ["cancelled"], ["cancelled", "cancelled"]],
    "all waiting, for hands or for goods to come": [["waiting"], ["waiting", "waiting"], ["cancelled", "waiting"]],
    "all delivered": [["delivered"], ["delivered", "delivered"]],
    "all left, one held up": [["failed_attempt", "dispatched"], ["undeliverable", "delivered"]],
    "all left, one back or on its way back": [["returned", "delivered"], ["back", "in_transit"]],
    "all dispatched or further": [["dispatched"], ["in_transit", "delivered"], ["out_for_delivery", "dispatched"]],
    "some left, the rest waits for goods": [["dispatched", "waiting"], ["delivered", "in_transit", "waiting"]],
    "some left, the rest is here": [["dispatched", "packed"], ["failed_attempt", "packed"], ["back", "picking"]],
    "some delivered, the rest has not left": [["delivered", "waiting"], ["delivered", "cancelled", "picking"]],
    "one begun, none left": [["picking"], ["picked", "waiting"], ["packed", "waiting", "cancelled"]],
    "some left, the rest cancelled": [["dispatched", "cancelled"], ["in_transit", "cancelled"]],
    "some delivered, the rest cancelled": [["delivered", "cancelled"]],
}


def read_rule_table() -> dict[str, str]:
    """The table of fulfilment_status, as the docstring has it."""
    text = inspect.getdoc(status.recalculate) or ""
    rows = re.findall(r"^\| ([^|]+?) +\| (\w+) +\|$", text, re.MULTILINE)
    return {rule: result for rule, result in rows if result in Done.values}


def test_the_rule_table_is_walked_line_by_line():
    table = read_rule_table()
    assert set(table) == set(PARCELS_BY_RULE)
    for rule, examples in PARCELS_BY_RULE.items():
        for stages in examples:
            order = builders.paid_order()
            for stage in stages:
                Shipment.objects.create(order=order, store=builders.store(), stage=stage)
            assert recalculated(order).fulfilment_status == table[rule], (rule, stages)
