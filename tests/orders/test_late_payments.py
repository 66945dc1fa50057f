"""Money that comes after its order was closed for not being paid: honoured, or given back where its goods are gone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from notifications import relay
from notifications.models import OutgoingEmail
from orders.events import RULE
from orders.fulfilment import queue
from orders.gateways import stripe
from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments import checkout_sessions, reconciliation
from shop.catalog.models import Variant
from tests import builders
from tests.paying import check_books, check_out, check_stock, fill, pay, process_webhooks

pytestmark = pytest.mark.django_db


def close(payment: Payment) -> Payment:
    """As the shop does that was told that its session had ended unpaid; and the buyer's money comes after all."""
    session = stripe.fetch_session(payment.provider_reference)
    unpaid = replace(session, status="expired", payment_status="unpaid")
    return checkout_sessions.apply_session_state(payment.pk, unpaid)


@pytest.fixture
def mug() -> Variant:
    return builders.variant(price="20.00", on_hand=1)


@pytest.fixture
def closed(client, standin, mug) -> Payment:
    fill(client, mug)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    payment = close(payment)
    assert (payment.status, payment.order.status) == ("expired", "cancelled")
    assert mug.stock.get().allocated == 0
    return payment


def sell_out(mug: Variant) -> None:
    builders.placed_order(mug, email="somebody@example.com")


def topics() -> list[str]:
    relay.relay_all_events()
    return sorted(OutgoingEmail.objects.values_list("topic", flat=True))


def test_while_its_goods_are_there_the_order_goes_on(client, closed, standin, mug):
    assert checkout_sessions.settle_payment(closed.pk).status == Payment.Status.CAPTURED
    order = Order.objects.get()
    assert (order.status, order.payment_status, order.cancelled_at) == ("confirmed", "paid", None)
    assert mug.stock.get().allocated == 1
    assert order.events.filter(kind=OrderEvent.Kind.PLACED).count() == 1
    assert topics() == ["receipt"]
    assert queue.filter_by_queue(Order.objects.all(), "approve").get() == order
    check_books(standin)
    check_stock()


def test_are_they_gone_all_of_it_goes_back_and_the_buyer_is_told(client, closed, standin, mug):
    sell_out(mug)
    assert checkout_sessions.settle_payment(closed.pk).status == Payment.Status.FLAGGED
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.actor) == ("succeeded", closed.amount, RULE)
    assert standin.charges()[0]["amount_refunded"] == standin.charges()[0]["amount"]
    order = closed.order
    order.refresh_from_db()
    assert (order.status, order.placed_at) == ("cancelled", None)
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()
    assert "order_refunded" in topics()
    assert "no longer there" in OutgoingEmail.objects.get(topic="order_refunded").context["reason"]
    check_stock()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_webhook_is_enough_and_so_is_one_look_of_the_reconciler(closed, standin, mug, is_there):
    """The one within a second, the other within a minute, which is how often it looks."""
    if not is_there:
        sell_out(mug)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=2))
    reconciliation.reconcile_with_stripe()
    closed.refresh_from_db()
    assert closed.status == ("captured" if is_there else "flagged")
    assert Refund.objects.filter(status="succeeded").exists() != is_there
    process_webhooks()
    reconciliation.reconcile_with_stripe()
    assert Refund.objects.count() == (0 if is_there else 1)


def test_while_stripe_is_away_it_is_noted_and_the_reconciler_sends_it(closed, standin, mug):
    sell_out(mug)
    standin.fault("vanish", on="POST /v1/refunds", times=5)
    checkout_sessions.settle_payment(closed.pk)
    assert Refund.objects.get().status == Refund.Status.REQUESTED
    standin.control("DELETE", "faults")
    Refund.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    reconciliation.reconcile_with_stripe()
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert standin.charges()[0]["amount_refunded"] == standin.charges()[0]["amount"]


def test_who_ordered_again_meanwhile_gets_one_of_it_and_the_late_money_back(client, closed, standin):
    Variant.objects.get().stock.update(on_hand=5)
    again = pay(client, standin, check_out(client))
    checkout_sessions.settle_payment(closed.pk)
    again.refresh_from_db()
    assert again.status == Order.Status.CONFIRMED
    assert Refund.objects.get().payment == closed
    assert "ordered again" in Refund.objects.get().reason
    assert Order.objects.filter(status=Order.Status.CONFIRMED).count() == 1


def test_what_staff_called_off_does_not_come_alive_again(closed):
    closed.order.events.create(kind=OrderEvent.Kind.DRAFT_ENDED, actor="Sam")
    assert checkout_sessions.settle_payment(closed.pk).status == Payment.Status.FLAGGED
    assert "called off" in Refund.objects.get().reason
    assert Order.objects.get().status == Order.Status.CANCELLED


def test_a_sum_that_does_not_fit_goes_back_too(closed):
    Order.objects.update(total="999.00")
    assert checkout_sessions.settle_payment(closed.pk).status == Payment.Status.FLAGGED
    assert Refund.objects.get().amount == closed.amount
    assert Order.objects.get().status == Order.Status.CANCELLED


def test_somebody_elses_order_from_another_cart_changes_nothing(closed, mug):
    mug.stock.update(on_hand=5)
    stranger = Client()
    fill(stranger, mug)
    check_out(stranger, email="else@example.com")
    assert checkout_sessions.settle_payment(closed.pk).status == Payment.Status.CAPTURED
    assert not Refund.objects.exists()
