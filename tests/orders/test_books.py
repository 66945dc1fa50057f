"""The check that every run of faults ends with sees money that went back on one side alone."""

from decimal import Decimal

import pytest

from orders.models import Order, Refund
from orders.payments import refunds
from tests import builders
from tests.paying import check_books, check_out, fill, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


def test_money_that_went_back_on_both_sides_is_right(order, standin):
    refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    check_books(standin)
    refunds.refund_order(order.pk, amount=None, actor="Sam")
    check_books(standin)


@pytest.mark.parametrize("fault", ["drop", "lose"])
def test_what_is_under_way_may_have_gone_back_or_not(order, standin, fault):
    standin.fault(fault, on="POST /v1/refunds")
    assert refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam").status == Refund.Status.REQUESTED
    check_books(standin)


def test_money_that_went_back_at_stripe_and_that_we_did_not_note_is_seen(order, standin):
    standin.refund_in_dashboard(standin.charges()[0]["id"], amount=500)
    with pytest.raises(AssertionError):
        check_books(standin)


def test_money_that_we_say_went_back_and_that_stripe_never_heard_of_is_seen(order, standin, monkeypatch):
    monkeypatch.setattr(refunds, "try_send_refund", lambda refund_id: None)
    noted = refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    Refund.objects.filter(pk=noted.pk).update(status=Refund.Status.SUCCEEDED)
    with pytest.raises(AssertionError):
        check_books(standin)


def test_money_that_we_say_failed_and_that_stripe_gave_back_is_seen(order, standin):
    noted = refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    Refund.objects.filter(pk=noted.pk).update(status=Refund.Status.FAILED)
    with pytest.raises(AssertionError):
        check_books(standin)


def test_an_order_said_to_be_given_back_whole_of_which_something_is_kept_is_seen(order, standin):
    refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    Order.objects.filter(pk=order.pk).update(payment_status=Order.PaymentStatus.REFUNDED)
    with pytest.raises(AssertionError):
        check_books(standin)
