"""Payments when things go wrong: Stripe refusing, hanging, failing after it did it, cutting the answer; nobody coming
back; sessions that do not fit their order.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.gateways import stripe
from orders.models import Order, Payment
from orders.payments import checkout_sessions, reconciliation
from shop.retrying import loops
from shop.retrying.models import StuckItem
from tests import builders
from tests.paying import check_books, check_out, check_stock, fill, form, pay

pytestmark = pytest.mark.django_db

CREATE = "POST /v1/checkout/sessions"


def aged(payment: Payment, *, seconds: int) -> Payment:
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(seconds=seconds))
    payment.refresh_from_db()
    return payment


def sessions(standin) -> int:
    return standin.control("GET", "state")["objects"].get("checkout.session", 0)


# -- Nobody comes back -------------------------------------------------------------------------------------


def test_the_reconciler_finds_a_payment_whose_browser_was_closed(client, standin):
    fill(client)
    payment = aged(check_out(client), seconds=70)
    standin.pay(payment.provider_reference)
    assert reconciliation.reconcile_with_stripe() == 1
    payment.order.refresh_from_db()
    assert payment.order.status == Order.Status.CONFIRMED
    assert reconciliation.reconcile_with_stripe() == 0
    check_books(standin)


def test_a_payment_that_nobody_makes_is_ended_and_its_goods_let_go(client, standin, settings):
    settings.PAYMENT_HOLD_SECONDS = 100
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    payment = check_out(client)
    aged(payment, seconds=90)
    reconciliation.reconcile_with_stripe()
    assert mug.stock.get().allocated == 1
    aged(payment, seconds=110)
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    payment.order.refresh_from_db()
    assert (payment.status, payment.order.status) == ("expired", "cancelled")
    assert mug.stock.get().allocated == 0
    assert not payment.order.events.exists()
    assert standin.click(payment.provider_reference, "pay")[0] != 303
    check_stock()


def test_a_session_that_expired_by_itself_lets_its_goods_go(client, standin):
    fill(client)
    payment = check_out(client)
    standin.lapse(payment.provider_reference)
    assert checkout_sessions.settle_payment(payment.pk).status == Payment.Status.EXPIRED
    check_stock()


def test_goods_are_kept_while_stripe_is_out_of_reach(client, standin, settings):
    settings.PAYMENT_HOLD_SECONDS = 100
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    payment = aged(check_out(client), seconds=3600)
    standin.fault("drop", times=50)
    assert reconciliation.reconcile_with_stripe() == 0
    payment.refresh_from_db()
    assert payment.status == Payment.Status.OPEN
    assert mug.stock.get().allocated == 1


def test_paid_a_moment_before_we_end_it_is_paid(client, standin, settings):
    settings.PAYMENT_HOLD_SECONDS = 100
    fill(client)
    payment = aged(check_out(client), seconds=110)
    standin.pay(payment.provider_reference)
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.CAPTURED
    check_books(standin)


# -- Stripe in trouble -------------------------------------------------------------------------------------


def test_stripe_refusing_charges_nothing_keeps_the_cart_and_frees_the_goods(client, standin, monkeypatch):
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    monkeypatch.setattr(
        checkout_sessions, "compute_session_end", lambda payment: payment.created_at
    )  # Stripe refuses so short a session
    response = client.post("/checkout/", form())
    assert response.status_code == 503
    assert "Nothing was charged" in response.text
    assert 'value="Pat Reader"' in response.text
    assert Order.objects.get().status == Order.Status.CANCELLED
    assert mug.stock.get().allocated == 0
    assert sessions(standin) == 0
    monkeypatch.undo()
    pay(client, standin, check_out(client))
    check_books(standin)


@pytest.mark.parametrize("fault", ["refuse", "lose", "drop", "cut", "vanish", "limit", "fail_after"])
def test_whatever_stripe_does_to_the_answer_the_buyer_can_try_again_and_is_charged_once(client, standin, fault):
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    standin.fault(fault, on=CREATE, times=2)
    response = client.post("/checkout/", form())
    if response.status_code != 303:
        assert response.status_code == 503
        assert "Nothing was charged" in response.text
        assert mug.stock.get().allocated == 1
        assert client.get("/cart/").text.count('<li class="line') == 1
    standin.control("DELETE", "faults")
    order = pay(client, standin, check_out(client))
    assert order.status == Order.Status.CONFIRMED
    assert Order.objects.count() == 1
    assert len(standin.charges()) == 1
    check_books(standin)
    check_stock()


def test_stripe_hanging_gives_up_in_time_and_loses_nothing(client, standin, settings):
    settings.STRIPE_TIMEOUT_SECONDS = 1
    fill(client)
    standin.fault("hang_after", on=CREATE, seconds=3)
    assert client.post("/checkout/", form()).status_code == 503
    assert client.get("/cart/").status_code == 200
    settings.STRIPE_TIMEOUT_SECONDS = 5
    pay(client, standin, check_out(client))
    assert sessions(standin) == 1
    check_books(standin)


def test_an_answer_that_never_came_is_asked_for_again_with_the_same_key(client, standin, settings):
    settings.RECONCILE_SECONDS = 0
    fill(client)
    standin.fault("vanish", on=CREATE)
    client.post("/checkout/", form())
    payment = Payment.objects.get()
    assert payment.status == Payment.Status.CREATED
    assert sessions(standin) == 1
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.OPEN
    assert sessions(standin) == 1
    pay(client, standin, payment)
    check_books(standin)


def test_a_failure_that_repeats_itself_is_let_go_once_any_session_is_surely_over(client, standin, settings):
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    standin.fault("fail_after", on=CREATE, times=2)
    client.post("/checkout/", form())
    payment = aged(Payment.objects.get(), seconds=settings.PAYMENT_HOLD_SECONDS + 60)
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.CREATED
    assert mug.stock.get().allocated == 1
    aged(payment, seconds=24 * 3600)
    loops.retry_now(StuckItem.objects.all())
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.EXPIRED
    assert mug.stock.get().allocated == 0


def test_the_return_page_waits_politely_when_stripe_gives_no_answer(client, standin):
    fill(client)
    payment = check_out(client)
    location = standin.pay(payment.provider_reference).removeprefix("http://localhost:8000")
    standin.fault("drop", times=5)
    response = client.get(location, follow=True)
    assert response.status_code == 200
    assert "waiting" in response.text.lower()
    standin.control("DELETE", "faults")
    client.get(location)
    payment.order.refresh_from_db()
    assert payment.order.status == Order.Status.CONFIRMED


# -- Money that does not fit -------------------------------------------------------------------------------


def test_a_cheap_sessions_id_on_a_dear_order_changes_nothing(client, standin):
    cheap, dear = builders.variant(price="1.00"), builders.variant(price="900.00")
    fill(client, cheap)
    little = check_out(client)
    standin.pay(little.provider_reference)
    stranger = type(client)()
    fill(stranger, dear)
    much = check_out(stranger)
    stranger.get(f"/orders/{much.order.number}/paid/?session={little.provider_reference}")
    much.refresh_from_db()
    assert much.status == Payment.Status.OPEN
    Payment.objects.filter(pk=little.pk).update(provider_reference=None)
    Payment.objects.filter(pk=much.pk).update(provider_reference=little.provider_reference)  # worse: in our own books
    checkout_sessions.settle_payment(much.pk)
    much.refresh_from_db()
    assert much.status == Payment.Status.FLAGGED
    assert much.order.placed_at is None


def test_a_price_changed_after_the_session_began_leaves_the_contract_as_it_was(client, standin):
    mug = builders.variant(price="10.00")
    fill(client, mug)
    payment = check_out(client)
    type(mug).objects.update(price="99.00")
    order = pay(client, standin, payment)
    assert (order.status, order.total) == ("confirmed", Decimal("13.50"))
    check_books(standin)


def test_a_cart_changed_after_the_session_began_begins_another(client, standin):
    mug = builders.variant(price="10.00")
    fill(client, mug)
    first = check_out(client)
    fill(client, mug)
    second = check_out(client)
    assert second.amount == Decimal("23.50")
    assert standin.click(first.provider_reference, "pay")[0] != 303
    pay(client, standin, second)
    check_books(standin)
    check_stock()


def test_a_total_that_no_longer_fits_is_flagged_and_not_placed(client, standin):
    fill(client)
    payment = check_out(client)
    Order.objects.update(total="999.00")
    standin.pay(payment.provider_reference)
    checkout_sessions.settle_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.status == Payment.Status.FLAGGED
    assert "owed £999.00" in payment.problem
    assert payment.order.status == Order.Status.PENDING
    assert not payment.order.events.exists()
    assert check_out(client).order_id != payment.order_id  # the cart is free for another try


def test_money_for_an_order_called_off_is_flagged(client, standin):
    fill(client)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    Order.objects.update(status=Order.Status.CANCELLED)
    assert checkout_sessions.settle_payment(payment.pk).status == Payment.Status.FLAGGED


def test_settling_again_and_again_does_it_once(client, standin):
    fill(client)
    payment = check_out(client)
    order = pay(client, standin, payment)
    for _ in range(3):
        checkout_sessions.settle_payment(payment.pk)
        checkout_sessions.apply_session_state(payment.pk, stripe.fetch_session(payment.provider_reference))
    assert order.events.count() == 1


def test_state_never_runs_back(client, standin):
    fill(client)
    payment = check_out(client)
    before = stripe.fetch_session(payment.provider_reference)
    order = pay(client, standin, payment)
    for stale in (before, type(before)(**{**vars(before), "status": "expired"})):
        checkout_sessions.apply_session_state(payment.pk, stale)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("confirmed", "captured")
    check_stock()


def test_a_session_that_somebody_else_is_opening_is_waited_for_and_not_called_failed(client, standin):
    """Stripe answers 409 while the same key is in use."""
    fill(client)
    standin.fault("hang", on=CREATE, seconds=4)
    assert client.post("/checkout/", form()).url.endswith("/payment/")  # the first request goes on at Stripe
    payment = Payment.objects.get()
    checkout_sessions.open_checkout_session(payment)
    payment.refresh_from_db()
    assert (payment.status, payment.problem, sessions(standin)) == ("open", "", 1)
