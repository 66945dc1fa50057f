"""Money that came for a pending order and does not fit it: the goods are for sale again, and the order can be ended."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orders import cancellation
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, Refund
from orders.payments import checkout_sessions, reconciliation, refunds
from tests import builders, cast
from tests.paying import check_out, check_stock, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug():
    return builders.variant(on_hand=1)


@pytest.fixture
def flagged(client, standin, mug) -> Payment:
    fill(client, mug)
    payment = check_out(client)
    Order.objects.update(total="999.00")
    standin.pay(payment.provider_reference)
    checkout_sessions.settle_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.status == Payment.Status.FLAGGED
    return payment


def test_its_goods_are_for_sale_again_at_once(flagged, mug):
    assert mug.stock.get().allocated == 0
    check_stock()
    stranger = Client()
    fill(stranger, mug)
    assert check_out(stranger).order_id != flagged.order_id


def test_the_customer_may_cancel_it_and_gets_all_of_it_back(client, flagged, standin):
    number = flagged.order.number
    assert "Cancel this order" in client.get(f"/orders/{number}/").text
    client.post(f"/orders/{number}/cancellation/")
    order, refund = Order.objects.get(), Refund.objects.get()
    assert (order.status, refund.status, refund.amount) == ("cancelled", "succeeded", flagged.amount)
    assert standin.control("GET", "charges")["amount_refunded"] == int(flagged.amount * 100)
    page = client.get(f"/orders/{number}/").text
    assert "did not fit this order" in page
    assert "nothing was charged" not in page
    check_stock()


def test_staff_may_cancel_it_from_its_page(flagged):
    staff = Client()
    staff.force_login(cast.sam())
    assert 'value="cancel"' in staff.get(f"/admin/orders/order/{flagged.order_id}/change/").text
    cancellation.cancel_order(flagged.order_id, actor="Sam")
    assert Order.objects.get().status == "cancelled"
    with pytest.raises(TransitionRefused, match="cancelled already"):
        cancellation.cancel_order(flagged.order_id, actor="Sam")
    assert Refund.objects.count() == 1


def test_an_order_that_may_still_be_paid_cannot_be_cancelled_past_its_payment(flagged, mug):
    builders.payment(flagged.order, status="open")
    with pytest.raises(TransitionRefused):
        cancellation.cancel_order(flagged.order_id, actor="Sam")
    assert not Refund.objects.exists()


def test_an_order_with_a_page_open_and_no_money_keeps_its_goods(client, standin, mug):
    fill(client, mug)
    payment = check_out(client)
    assert not cancellation.may_cancel(payment.order)
    with pytest.raises(TransitionRefused):
        cancellation.cancel_order(payment.order_id, actor="Sam")
    assert mug.stock.get().allocated == 1


def test_giving_all_of_it_back_ends_the_order_too(flagged):
    refunds.refund_order(flagged.order_id, amount=None, actor="Sam")
    assert Order.objects.get().status == "pending"
    reconciliation.reconcile_with_stripe()
    assert Order.objects.get().status == "cancelled"
    check_stock()


def test_giving_part_of_it_back_does_not(flagged):
    refunds.refund_order(flagged.order_id, amount=flagged.amount - 1, actor="Sam")
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=2))
    reconciliation.reconcile_with_stripe()
    assert Order.objects.get().status == "pending"


def test_staff_end_a_payment_that_this_stripe_account_does_not_know(client, standin, mug):
    fill(client, mug)
    payment = check_out(client)
    Payment.objects.update(provider_reference="cs_test_of_another_account")
    staff = Client()
    staff.force_login(cast.sam())
    chosen = {"_selected_action": payment.pk}
    page = staff.post("/admin/orders/payment/", {"action": "settle", **chosen}, follow=True).text
    assert "does not know the payment" in page
    assert mug.stock.get().allocated == 1
    staff.post("/admin/orders/payment/", {"action": "end_unknown", **chosen})
    payment.refresh_from_db()
    assert (payment.status, Order.objects.get().status, mug.stock.get().allocated) == ("expired", "cancelled", 0)
    check_stock()


def test_a_payment_that_stripe_knows_is_not_ended_on_anybodys_word(client, standin, mug):
    fill(client, mug)
    payment = check_out(client)
    assert checkout_sessions.end_unknown_payment(payment.pk, actor="Sam").status == "open"
    standin.pay(payment.provider_reference)
    assert checkout_sessions.end_unknown_payment(payment.pk, actor="Sam").status == "captured"
    fill(client, builders.variant())
    other = check_out(client)
    standin.fault("drop", times=5)
    with pytest.raises(checkout_sessions.StripeUnreachable):
        checkout_sessions.end_unknown_payment(other.pk, actor="Sam")
    other.refresh_from_db()
    assert other.status == "open"
