"""Money back, once, through Stripe."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders import cancellation
from orders.fulfilment import transitions
from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments import checkout_sessions, reconciliation
from orders.payments.checkout_sessions import RefundRefused
from tests import builders
from tests.paying import check_out, check_stock, fill, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


def test_part_of_it_then_the_rest(order, standin):
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam", reason="A scratch")
    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert standin.charges()[0]["amount_refunded"] == 2350
    assert order.events.filter(kind=OrderEvent.Kind.REFUNDED).count() == 2


@pytest.mark.parametrize("amount", ["23.51", "0.00", "-1.00"])
def test_more_than_was_paid_or_nothing_is_refused(order, standin, amount):
    with pytest.raises(RefundRefused):
        checkout_sessions.refund_order(order.pk, amount=Decimal(amount), actor="Sam")
    assert not Refund.objects.exists()
    assert standin.charges()[0]["amount_refunded"] == 0


def test_nothing_left_is_refused(order, standin):
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    with pytest.raises(RefundRefused):
        checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    assert standin.charges()[0]["amount_refunded"] == 2350


@pytest.mark.parametrize("fault", ["refuse", "lose", "cut", "vanish", "drop"])
def test_a_refund_whose_answer_was_lost_is_sent_again_and_goes_back_once(order, standin, fault):
    standin.fault(fault, on="POST /v1/refunds")
    refund = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert refund.status == Refund.Status.REQUESTED
    Refund.objects.update(created_at=timezone.now() - timedelta(seconds=70))
    reconciliation.reconcile_with_stripe()
    refund.refresh_from_db()
    assert refund.status == Refund.Status.SUCCEEDED
    assert standin.charges()[0]["amount_refunded"] == 500


def test_a_bank_that_takes_its_time_and_then_declines(order, standin):
    standin.control("POST", "behaviour", refunds_start="pending")
    refund = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert refund.status == Refund.Status.REQUESTED
    standin.control("POST", f"refunds/{refund.provider_reference}", status="failed")
    checkout_sessions.try_send_refund(refund.pk)
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.status, order.payment_status) == ("failed", "paid")
    assert not order.events.filter(kind=OrderEvent.Kind.REFUNDED).exists()


def test_cancelling_before_dispatch_gives_everything_back(client, order, standin):
    page = client.get(f"/orders/{order.number}/")
    assert "Cancel this order" in page.text
    client.post(f"/orders/{order.number}/cancellation/")
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert standin.charges()[0]["amount_refunded"] == 2350
    assert "Cancel this order" not in client.get(f"/orders/{order.number}/").text
    check_stock()
    client.post(f"/orders/{order.number}/cancellation/")
    assert Refund.objects.count() == 1


def test_what_has_left_cannot_be_cancelled(client, order, standin):
    transitions.approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get()
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="1")
    client.post(f"/orders/{order.number}/cancellation/")
    order.refresh_from_db()
    assert order.status == "confirmed"
    assert not Refund.objects.exists()
    assert cancellation.may_cancel(order) is False


def test_money_that_fitted_no_order_can_be_given_back(client, standin):
    fill(client)
    payment = check_out(client)
    Order.objects.update(total="999.00")
    standin.pay(payment.provider_reference)
    assert checkout_sessions.settle_payment(payment.pk).status == Payment.Status.FLAGGED
    checkout_sessions.refund_order(payment.order_id, amount=None, actor="Sam")
    charge = standin.charges()[0]
    assert charge["amount_refunded"] == charge["amount"]
