"""Before anything that moves money is repeated, Stripe is asked what happened; and keys have an age."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders import cancellation
from orders.models import Order, Payment, Refund
from orders.payments import checkout_sessions, reconciliation, refunds
from tests import builders
from tests.paying import check_books, check_out, check_stock, fill, form, pay

pytestmark = pytest.mark.django_db

LOST = ["lose", "cut", "vanish", "fail_after"]  # done at Stripe, and we never learn of it


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


def pass_time(standin, **span: int) -> None:
    """For us and for Stripe, whose keys and sessions grow old with it."""
    gone = timedelta(**span)
    for refund in Refund.objects.all():
        sent_at = refund.sent_at - gone if refund.sent_at else None
        Refund.objects.filter(pk=refund.pk).update(created_at=refund.created_at - gone, sent_at=sent_at)
    for payment in Payment.objects.all():
        Payment.objects.filter(pk=payment.pk).update(created_at=payment.created_at - gone)
    standin.age(int(gone.total_seconds()))


def given_back(standin) -> int:
    return sum(charge["amount_refunded"] for charge in standin.charges())


def sent_keys(standin) -> list[str]:
    return [each["idempotency_key"] for each in standin.requests(method="POST", path="/v1/refunds")]


@pytest.mark.parametrize("hours", [0, 22, 25, 24 * 40])
@pytest.mark.parametrize("fault", LOST)
def test_a_part_refund_whose_answer_was_lost_goes_back_once_however_late_it_is_asked_for(order, standin, fault, hours):
    standin.fault(fault, on="POST /v1/refunds")
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert (asked.status, given_back(standin)) == ("requested", 500)
    pass_time(standin, hours=hours, seconds=70)
    for _ in range(3):
        refunds.try_send_refund(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, given_back(standin)) == ("succeeded", 500)
    assert len(sent_keys(standin)) == 1


@pytest.mark.parametrize("fault", ["refuse", "drop", "limit"])
def test_one_that_never_got_there_is_sent_under_a_new_key_once_the_old_one_is_a_day_old(order, standin, fault):
    standin.fault(fault, on="POST /v1/refunds", times=3)
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    pass_time(standin, hours=22)
    refunds.try_send_refund(asked.pk)
    pass_time(standin, hours=2)
    refunds.try_send_refund(asked.pk)
    refunds.try_send_refund(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, given_back(standin)) == ("succeeded", 500)
    first, second, third, fourth = sent_keys(standin)
    assert first == second != third == fourth


def test_two_who_find_the_key_too_old_send_one_refund(order, standin):
    standin.fault("drop", on="POST /v1/refunds")
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    pass_time(standin, hours=25)
    one, other = (Refund.objects.select_related("payment__order").get(pk=asked.pk) for _ in range(2))
    assert refunds._renew_refund_key(one) == refunds._renew_refund_key(other) != str(asked.idempotency_key)


def test_nothing_is_sent_again_while_stripe_does_not_say_what_happened(order, standin):
    standin.fault("vanish", on="POST /v1/refunds")
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    pass_time(standin, hours=25)
    standin.fault("drop", on="GET /v1/refunds*")
    refunds.try_send_refund(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, given_back(standin), len(sent_keys(standin))) == ("requested", 500, 1)


def test_a_refund_noted_before_a_backup_and_sent_after_it_is_found_not_sent(order, standin):
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    restored = {"status": "requested", "provider_reference": None, "sent_at": None, "settled_at": None}
    Refund.objects.update(**restored, created_at=timezone.now() - timedelta(days=2))
    standin.age(2 * 24 * 3600)
    refunds.try_send_refund(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, given_back(standin)) == ("succeeded", 500)


def test_among_many_refunds_ours_is_found_on_a_later_page(order, standin):
    charge = standin.charges()[0]["id"]
    standin.fault("vanish", on="POST /v1/refunds")
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    for _ in range(105):
        standin.refund_in_dashboard(charge, amount=1)
    pass_time(standin, hours=25)
    refunds.try_send_refund(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, given_back(standin)) == ("succeeded", 605)


@pytest.mark.parametrize("fault", LOST)
def test_a_cancellation_gives_the_money_back_once(order, standin, fault):
    standin.fault(fault, on="POST /v1/refunds")
    cancellation.cancel_order(order.pk, actor="Sam")
    pass_time(standin, hours=25)
    reconciliation.reconcile_with_stripe()
    with pytest.raises(cancellation.TransitionRefused):
        cancellation.cancel_order(order.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.payment_status, given_back(standin)) == ("cancelled", "refunded", 2350)
    check_stock()


def test_a_part_refund_that_waits_and_a_cancellation_after_it_are_two_refunds_and_no_more(order, standin):
    standin.fault("vanish", on="POST /v1/refunds")
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    cancellation.cancel_order(order.pk, actor="Sam")
    pass_time(standin, hours=25)
    reconciliation.reconcile_with_stripe()
    assert sorted(Refund.objects.values_list("amount", "status")) == [
        (Decimal("5.00"), "succeeded"), (Decimal("18.50"), "succeeded"),
    ]  # fmt: skip
    assert given_back(standin) == 2350


# Sessions


def begin_and_lose_the_answer(client, standin) -> Payment:
    fill(client, builders.variant(price="20.00"))
    standin.fault("vanish", on="POST /v1/checkout/sessions")
    client.post("/checkout/", form())
    payment = Payment.objects.get()
    assert payment.status == "created"
    return payment


def session_at(standin) -> str:
    return standin.client().v1.checkout.sessions.list().data[0].id


@pytest.mark.parametrize("hours", [3, 25, 24 * 20])
def test_a_session_whose_answer_was_lost_and_that_was_paid_is_paid_however_late_we_look(client, standin, hours):
    payment = begin_and_lose_the_answer(client, standin)
    standin.pay(session_at(standin))
    pass_time(standin, hours=hours)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=min(hours, 23), minutes=5))
    standin.control("DELETE", "requests")
    checkout_sessions.settle_payment(payment.pk)
    order = Order.objects.get()
    assert (order.status, order.payments.get().status) == ("confirmed", "captured")
    assert len(standin.charges()) == 1
    check_books(standin)
    check_stock()


def test_no_second_session_is_begun_under_a_key_that_stripe_may_have_forgotten(client, standin):
    payment = begin_and_lose_the_answer(client, standin)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=5))
    standin.age(24 * 3600)
    checkout_sessions.settle_payment(payment.pk)
    assert len(standin.requests(method="POST", path="/v1/checkout/sessions")) == 1
    assert len(standin.client().v1.checkout.sessions.list().data) == 1


def test_goods_are_let_go_only_once_stripe_has_said_that_there_is_no_session(client, standin):
    fill(client, builders.variant(price="20.00"))
    standin.fault("drop", on="POST /v1/checkout/sessions", times=9)
    client.post("/checkout/", form())
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=25))
    standin.fault("drop", on="GET /v1/checkout/sessions", times=2)
    with pytest.raises(checkout_sessions.StripeUnreachable):
        checkout_sessions.settle_payment(Payment.objects.get().pk)
    assert Order.objects.get().status == "pending"
    checkout_sessions.settle_payment(Payment.objects.get().pk)
    assert Order.objects.get().status == "cancelled"
    check_stock()
