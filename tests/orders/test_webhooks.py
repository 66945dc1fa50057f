"""Stripe's webhooks: signed or refused, stored once, processed from the row."""

import json
import time

import pytest
import stripe
from django.test import Client

from orders.models import Order, StripeEvent
from orders.payments import stripe_events
from shop.local.stripe.testing import StandIn
from tests.paying import check_books, check_out, fill, process_webhooks

pytestmark = pytest.mark.django_db


def event(session_id: str, *, kind: str = "checkout.session.completed", reference: str = "evt_1") -> str:
    return json.dumps(
        {
            "id": reference,
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "data": {"object": {"id": session_id, "object": "checkout.session"}},
        }
    )


def send(client: Client, body: str, *, secret: str, at: int | None = None):
    header = stripe.WebhookSignature.generate_signature_header(body, secret, at)
    return client.post("/webhooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": header})


@pytest.fixture
def paid(client, standin: StandIn):
    fill(client)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    return payment


def status_of(payment) -> str:
    return Order.objects.get(pk=payment.order_id).status


def test_a_signed_event_is_noted_and_then_pays_the_order(client, standin, paid):
    response = send(client, event(paid.provider_reference), secret=standin.webhook_secret)
    assert response.status_code == 200
    assert status_of(paid) == "pending"
    assert process_webhooks() == 1
    assert status_of(paid) == "confirmed"
    assert StripeEvent.objects.get().processed_at
    check_books(standin)


@pytest.mark.parametrize(
    ("secret", "at"), [("whsec_somebody_elses", None), (None, int(time.time()) - 600)], ids=["forged", "stale"]
)
def test_forged_and_stale_events_have_no_effect(client, standin, paid, secret, at):
    response = send(client, event(paid.provider_reference), secret=secret or standin.webhook_secret, at=at)
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()
    assert process_webhooks() == 0
    assert status_of(paid) == "pending"


@pytest.mark.parametrize("header", ["", "t=1", "t=x,v1=y", "v1=abc", "t=1,v1=" + "0" * 64])
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"[1]"])
def test_malformed_webhooks_are_refused(client, standin, header, body):
    response = client.post(
        "/webhooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("body", ["{}", "[]", '"x"', '{"id": 1}', '{"object": "event", "data": 3}', "null"])
def test_signed_nonsense_is_refused(client, standin, body):
    assert send(client, body, secret=standin.webhook_secret).status_code == 400
    assert not StripeEvent.objects.exists()


def test_a_secret_being_rotated_is_still_good(client, standin, paid, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", standin.webhook_secret]
    assert send(client, event(paid.provider_reference), secret=standin.webhook_secret).status_code == 200
    assert send(client, event(paid.provider_reference, reference="evt_2"), secret="whsec_new").status_code == 200


def test_an_event_delivered_five_times_counts_once(client, standin, paid):
    for _ in range(5):
        assert send(client, event(paid.provider_reference), secret=standin.webhook_secret).status_code == 200
    assert StripeEvent.objects.count() == 1
    process_webhooks()
    process_webhooks()
    assert Order.objects.get().events.count() == 1


def test_events_out_of_order_leave_the_true_state(client, standin, paid):
    for number, kind in enumerate(["checkout.session.expired", "checkout.session.completed"]):
        body = event(paid.provider_reference, kind=kind, reference=f"evt_{number}")
        send(client, body, secret=standin.webhook_secret)
    process_webhooks()
    assert status_of(paid) == "confirmed"


def test_an_event_tells_of_a_session_whose_answer_was_lost(client, standin, paid):
    reference = paid.provider_reference
    type(paid).objects.update(provider_reference=None, status="created", redirect_url="")
    send(client, event(reference), secret=standin.webhook_secret)
    process_webhooks()
    assert status_of(paid) == "confirmed"


def test_events_about_other_things_are_put_aside(client, standin):
    send(client, event("cs_test_unknown"), secret=standin.webhook_secret)
    send(client, event("cus_1", kind="customer.created", reference="evt_2"), secret=standin.webhook_secret)
    assert process_webhooks() == 2
    assert set(StripeEvent.objects.values_list("problem", flat=True)) == {
        "Not a session of ours",
        "Not about anything we keep",
    }


def test_events_wait_while_stripe_is_out_of_reach(client, standin, paid):
    send(client, event(paid.provider_reference), secret=standin.webhook_secret)
    standin.fault("drop", times=5)
    assert process_webhooks() == 0
    waiting = StripeEvent.objects.get()
    assert (waiting.processed_at, waiting.attempt_count) == (None, 1)
    standin.control("DELETE", "faults")
    assert process_webhooks() == 1
    assert status_of(paid) == "confirmed"


def test_only_a_post_is_a_webhook(client):
    assert client.get("/webhooks/stripe/").status_code == 405


def test_old_events_are_retired(client, standin, paid):
    send(client, event(paid.provider_reference), secret=standin.webhook_secret)
    process_webhooks()
    assert stripe_events.retire_stripe_events() == 0
    StripeEvent.objects.update(processed_at="2020-01-01T00:00Z")
    assert stripe_events.retire_stripe_events() == 1


@pytest.mark.django_db(transaction=True)
def test_real_webhooks_duplicated_and_out_of_order_pay_once(client, standin, live_server):
    fill(client)
    payment = check_out(client)
    standin.webhooks(paused=True, copies=3, order="reversed", url=f"{live_server.url}/webhooks/stripe/")
    standin.pay(payment.provider_reference)
    standin.webhooks(paused=False)
    standin.wait_for_webhooks()
    process_webhooks()
    assert status_of(payment) == "confirmed"
    assert Order.objects.get().events.count() == 1
    check_books(standin)
