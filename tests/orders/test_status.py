"""Where an order stands: the rule table, and the words customers read."""

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
        (["waiting", "dispatched"], Done.IN_PROGRESS),
        (["packed", "delivered"], Done.IN_PROGRESS),
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
