"""Disputes and warnings at Stripe, each heard by webhook and by a reconciler that no webhook ever reached."""

from decimal import Decimal

import pytest

from orders import cancellation, retention
from orders.fulfilment import queue, transitions
from orders.models import Order, Refund
from orders.payments import checkout_sessions
from orders.payments.checkout_sessions import RefundRefused
from tests import builders, cast
from tests.orders.hearing import charge, hear, order, pack, payments_left, told
from tests.paying import check_out, check_stock, fill, pay

__all__ = ["charge", "hear", "order"]

pytestmark = pytest.mark.django_db


def test_a_dispute_holds_the_order_and_shuts_refunding_until_it_is_won(order, standin, charge, hear):
    dispute = standin.dispute(charge, reason="product_not_received")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("disputed", "disputed")
    with pytest.raises(transitions.TransitionRefused, match="disputes the payment"):
        transitions.approve_order(order.pk, actor="Sam")
    with pytest.raises(RefundRefused, match="disputes the payment"):
        checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    assert not Refund.objects.exists()
    assert not standin.requests(method="POST", path="/v1/refunds")
    standin.change_dispute(dispute["id"], "under_review")
    hear()
    order.refresh_from_db()
    assert order.hold == "disputed"
    standin.change_dispute(dispute["id"], "won")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("paid", "")
    assert told(order) == ["order_placed", "payment_disputed", "order_held", "dispute_closed", "order_released"]
    assert payments_left(order) == Decimal("23.50")


def test_a_lost_dispute_is_money_gone(order, standin, charge, hear):
    dispute = standin.dispute(charge)
    standin.change_dispute(dispute["id"], "lost")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("charged_back", "charged_back")
    with pytest.raises(RefundRefused, match="nothing left"):
        checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    cancellation.cancel_order(order.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.hold, Refund.objects.count()) == ("cancelled", "", 0)
    check_stock()


def test_a_dispute_over_a_part_that_is_lost_shuts_refunding_as_stripe_does(order, standin, charge, hear):
    dispute = standin.dispute(charge, amount=1000)
    standin.change_dispute(dispute["id"], "lost")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, payments_left(order)) == ("partially_refunded", Decimal(0))
    with pytest.raises(RefundRefused, match="Give the rest back another way"):
        checkout_sessions.refund_order(order.pk, amount=Decimal("1.00"), actor="Sam")
    assert not Refund.objects.exists()


def test_cancelling_a_disputed_order_lets_the_goods_go_and_asks_for_no_refund(order, standin, charge, hear):
    dispute = standin.dispute(charge)
    hear()
    cancellation.cancel_order(order.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.payment_status, Refund.objects.count()) == ("cancelled", "disputed", 0)
    check_stock()
    standin.change_dispute(dispute["id"], "won")
    hear()
    assert (
        queue.filter_by_queue(Order.objects.all(), "look").get() == order
    )  # paid, and called off: somebody owes the buyer


def test_an_inquiry_takes_no_money_holds_the_order_and_can_be_ended_by_a_refund(order, standin, charge, hear):
    inquiry = standin.dispute(charge, status="warning_needs_response")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("paid", "inquiry")
    assert checkout_sessions.refund_order(order.pk, amount=Decimal("3.50"), actor="Sam").status == "succeeded"
    standin.change_dispute(inquiry["id"], "warning_closed")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("partially_refunded", "")


def test_an_inquiry_that_staff_cleared_holds_the_order_again_once_it_is_a_dispute(order, standin, charge, hear):
    inquiry = standin.dispute(charge, status="warning_needs_response")
    hear()
    transitions.release_order_from_hold(order.pk, actor="Sam")
    hear()
    order.refresh_from_db()
    assert (order.hold, told(order)[-1]) == ("", "order_released")
    standin.change_dispute(inquiry["id"], "needs_response")
    hear()
    order.refresh_from_db()
    assert (order.hold, order.payment_status) == ("disputed", "disputed")


def test_a_warning_holds_the_order_until_staff_release_it(order, standin, charge, hear):
    standin.warn(charge)
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("paid", "warning")
    with pytest.raises(transitions.TransitionRefused, match="may be fraud"):
        transitions.approve_order(order.pk, actor="Sam")
    transitions.release_order_from_hold(order.pk, actor="Sam")
    hear()
    assert transitions.approve_order(order.pk, actor="Sam").approved_at
    with pytest.raises(transitions.TransitionRefused, match="not on hold"):
        transitions.release_order_from_hold(order.pk, actor="Sam")
    standin.warn(charge, fraud_type="made_with_stolen_card")
    hear()
    order.refresh_from_db()
    assert order.hold == "warning"


def test_a_packed_parcel_of_a_disputed_order_does_not_leave(order, standin, charge, hear):
    parcel = pack(order)
    standin.dispute(charge)
    hear()
    with pytest.raises(transitions.TransitionRefused, match="on hold"):
        transitions.dispatch_shipment(parcel, actor="Sam", carrier="dpd", tracking_number="1")
    order.refresh_from_db()
    assert order.fulfilment_status == "in_progress"
    assert not queue.filter_by_queue(Order.objects.all(), "ship").exists()
    assert queue.filter_by_queue(Order.objects.all(), "held").get() == order


def test_what_has_left_is_not_held_and_can_still_arrive(order, standin, charge, hear):
    parcel = pack(order)
    transitions.dispatch_shipment(parcel, actor="Sam", carrier="dpd", tracking_number="1")
    standin.dispute(charge)
    standin.warn(charge)
    hear()
    order.refresh_from_db()
    assert (order.hold, order.payment_status) == ("", "disputed")
    assert transitions.mark_shipment_delivered(parcel, actor="Sam").order.status == "completed"
    assert told(order)[-1] == "shipment_delivered"


def test_a_dispute_keeps_an_erasure_waiting(client, standin, hear):
    alice = cast.alice()
    client.force_login(alice.user)
    fill(client, builders.variant(price="20.00"))
    order = pay(client, standin, check_out(client))
    transitions.dispatch_shipment(pack(order), actor="Sam", carrier="dpd", tracking_number="1")
    transitions.mark_shipment_delivered(order.shipments.get().pk, actor="Sam")
    assert not retention.get_unfinished_orders(alice).exists()
    standin.dispute(standin.charges()[0]["id"])
    hear()
    assert retention.get_unfinished_orders(alice).get() == order
