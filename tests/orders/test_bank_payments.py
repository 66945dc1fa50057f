"""A payment that takes days: the buyer has done their part at once, the bank says yes or no much later."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from notifications import delivery, relay
from orders import cancellation
from orders.fulfilment import queue
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, ShopSettings, StripeEvent
from orders.payments import checkout_sessions, reconciliation
from tests import builders, cast
from tests.paying import check_books, check_out, check_stock, fill, form, pay, process_webhooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug():
    return builders.variant(on_hand=3)


@pytest.fixture
def processing(client, standin, mug) -> Payment:
    """Paid by bank debit, and back at the shop."""
    fill(client, mug)
    return by_debit(client, standin)


def by_debit(client: Client, standin) -> Payment:
    payment = check_out(client)
    back = standin.pay_by_debit(payment.provider_reference)
    client.get(back.removeprefix("http://localhost:8000"))
    payment.refresh_from_db()
    return payment


def page_of(client: Client, payment: Payment) -> str:
    return client.get(f"/orders/{payment.order.number}/").text


def sent() -> dict[str, str]:
    relay.relay_all_events()
    delivery.deliver_due_mail()
    return {message.subject: message.body for message in mail.outbox}


def test_while_the_bank_takes_its_days_the_order_says_so_and_the_goods_are_held(client, processing, mug):
    order = Order.objects.get()
    assert (processing.status, order.status, order.payment_status) == ("processing", "pending", "processing")
    assert mug.stock.get().allocated == 1
    page = page_of(client, processing)
    assert "on its way from your bank" in page
    assert "Payment on its way" in page
    assert "Go to payment" not in page
    assert page.index("on its way from your bank") < page.index("At your door")  # what is still to come
    assert client.get(f"/orders/{order.number}/payment/").url == f"/orders/{order.number}/"


def test_the_buyer_is_written_to_at_once_and_gets_a_receipt_only_when_it_is_paid(processing, standin):
    number = processing.order.number
    written = sent()
    assert list(written) == [f"Order {number}: your payment is on its way"]
    assert "takes a few days" in next(iter(written.values()))
    standin.settle_debit(processing.provider_reference)
    checkout_sessions.settle_payment(processing.pk)
    assert any("receipt" in subject.lower() or "thank" in subject.lower() or number in subject for subject in sent())
    assert len(mail.outbox) == 2


def test_the_cart_is_fresh_at_once_and_the_next_checkout_is_another_order(client, processing, standin, mug):
    assert client.get("/cart/").text.count('<li class="line') == 0
    fill(client, mug)
    order = pay(client, standin, check_out(client))
    assert (order.pk == processing.order_id, order.status) == (False, "confirmed")
    processing.refresh_from_db()
    assert processing.status == "processing"
    assert mug.stock.get().allocated == 2


def test_a_next_checkout_before_we_heard_of_the_debit_is_no_dead_end(client, standin, mug):
    fill(client, mug)
    first = check_out(client)
    standin.pay_by_debit(first.provider_reference)
    fill(client, mug)  # the tab with the shop was still open
    second = check_out(client)
    first.refresh_from_db()
    assert (first.status, second.order_id == first.order_id) == ("processing", False)
    assert second.order.lines.get().quantity == 1


def test_money_that_arrives_places_the_order_with_dates_from_that_day(client, processing, standin):
    ShopSettings.current().save()
    Order.objects.update(ships_on=timezone.localdate() - timedelta(days=3))
    standin.settle_debit(processing.provider_reference)
    checkout_sessions.settle_payment(processing.pk)
    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert order.ships_on >= timezone.localdate()
    assert order.promised_by_on > order.ships_on
    assert "Thank you" in page_of(client, processing)
    check_books(standin)
    check_stock()


def test_a_bank_that_does_not_pay_ends_the_order_frees_the_goods_and_says_so(client, processing, standin, mug):
    sent()
    standin.settle_debit(processing.provider_reference, succeeds=False)
    checkout_sessions.settle_payment(processing.pk)
    processing.refresh_from_db()
    order = Order.objects.get()
    assert (processing.status, order.status, mug.stock.get().allocated) == ("failed", "cancelled", 0)
    page = page_of(client, processing)
    assert "Your bank did not pay" in page
    assert "Nothing was charged" in page
    assert f"Order {order.number}: your bank did not pay" in sent()
    assert standin.charges() == []
    check_stock()


@pytest.mark.parametrize(("succeeds", "state"), [(True, "captured"), (False, "failed")])
def test_the_webhook_of_the_end_is_dealt_with(processing, standin, succeeds, state):
    standin.settle_debit(processing.provider_reference, succeeds=succeeds)
    kind = f"checkout.session.async_payment_{'succeeded' if succeeds else 'failed'}"
    StripeEvent.objects.create(
        event_id="evt_1", kind=kind, object_id=processing.provider_reference, created_at=timezone.now()
    )
    process_webhooks()
    processing.refresh_from_db()
    assert processing.status == state


@pytest.mark.parametrize(("succeeds", "state"), [(True, "captured"), (False, "failed")])
def test_the_reconciler_finds_the_end_when_its_webhook_is_lost(processing, standin, succeeds, state):
    reconciliation.reconcile_with_stripe()
    processing.refresh_from_db()
    assert processing.status == "processing"
    standin.settle_debit(processing.provider_reference, succeeds=succeeds)
    Payment.objects.update(created_at=timezone.now() - timedelta(days=3), asked_at=timezone.now() - timedelta(hours=2))
    reconciliation.reconcile_with_stripe()
    processing.refresh_from_db()
    assert processing.status == state


def test_the_reconciler_finds_the_beginning_too(client, standin, mug):
    fill(client, mug)
    payment = check_out(client)
    standin.pay_by_debit(payment.provider_reference)
    Payment.objects.update(created_at=timezone.now() - timedelta(seconds=70))
    reconciliation.reconcile_with_stripe()
    payment.refresh_from_db()
    assert payment.status == "processing"


def test_a_payment_under_way_is_not_ended_when_the_time_of_its_page_is_over(processing, mug):
    Payment.objects.update(created_at=timezone.now() - timedelta(days=2))
    reconciliation.reconcile_with_stripe()
    processing.refresh_from_db()
    assert (processing.status, mug.stock.get().allocated) == ("processing", 1)


def test_it_cannot_be_cancelled_while_the_bank_pays_and_nothing_happens(client, processing, mug):
    with pytest.raises(TransitionRefused, match="bank is paying"):
        cancellation.cancel_order(processing.order_id, actor="Sam")
    client.post(f"/orders/{processing.order.number}/cancellation/")
    order = Order.objects.get()
    assert (order.status, mug.stock.get().allocated) == ("pending", 1)
    assert "Cancel this order" not in page_of(client, processing)


def test_staff_see_it_waiting_in_a_queue_of_its_own(processing):
    staff = Client()
    staff.force_login(cast.sam())
    assert "Payment on its way" in staff.get("/admin/").text
    assert list(queue.filter_by_queue(Order.objects.all(), "under_way")) == [processing.order]
    assert processing.order.number in staff.get("/admin/orders/order/?queue=under_way").text


def test_money_that_comes_after_all_for_an_order_that_ended_is_looked_at(processing, standin):
    standin.settle_debit(processing.provider_reference, succeeds=False)
    checkout_sessions.settle_payment(processing.pk)
    Payment.objects.filter(pk=processing.pk).update(status="open")  # a session paid again by another way
    session = checkout_sessions.stripe.fetch_session(processing.provider_reference)
    paid = type(session)(**{**vars(session), "payment_status": "paid", "intent_status": "succeeded"})
    checkout_sessions.apply_session_state(processing.pk, paid)
    processing.refresh_from_db()
    assert (processing.status, Order.objects.get().status) == ("flagged", "cancelled")


def test_a_customer_finds_it_among_their_orders_before_and_after_it_failed(standin, mug):
    alice = cast.alice()
    client = Client()
    client.force_login(alice.user)
    fill(client, mug)
    payment = check_out_as(client, standin)
    assert "Payment on its way" in client.get("/account/orders/").text
    standin.settle_debit(payment.provider_reference, succeeds=False)
    checkout_sessions.settle_payment(payment.pk)
    listed = client.get("/account/orders/").text
    assert payment.order.number in listed
    assert "Cancelled" in listed


def check_out_as(client: Client, standin) -> Payment:
    response = client.post("/checkout/", form())
    payment = Payment.objects.select_related("order").get(redirect_url=response.url)
    standin.pay_by_debit(payment.provider_reference)
    return checkout_sessions.settle_payment(payment.pk)


def test_the_page_of_the_stand_in_offers_it(processing, standin, client, mug):
    fill(client, mug)
    status, _, body = standin.page(check_out(client).provider_reference)
    assert status == 200
    assert "Bank debit" in body
