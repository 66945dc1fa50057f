"""Events as Stripe posts them: signed, retried, doubled and shuffled on request."""

import time
from collections.abc import Callable

import pytest
import stripe

from shop.local.stripe.testing import StandIn
from tests.local.stripe.conftest import Endpoint

Open = Callable[..., stripe.checkout.Session]
PAID = ["payment_intent.succeeded", "checkout.session.completed"]


def kinds(stripe_standin: StandIn, endpoint: Endpoint) -> list[str]:
    return [event.type for event in endpoint.events(stripe_standin.webhook_secret)]


def test_a_payment_is_told_in_signed_events_in_order(
    stripe_standin: StandIn, client: stripe.StripeClient, endpoint: Endpoint, open_session: Open
) -> None:
    session = open_session()
    stripe_standin.pay(session.id)
    stripe_standin.wait_for_webhooks()

    assert kinds(stripe_standin, endpoint) == PAID
    completed = endpoint.events(stripe_standin.webhook_secret)[1]
    assert completed.data.object.id == session.id
    assert completed.data.object.payment_status == "paid"
    assert completed.api_version == stripe.api_version
    assert client.v1.events.retrieve(completed.id).pending_webhooks == 0


def test_a_decline_an_expiry_and_a_refund_are_told(
    stripe_standin: StandIn, client: stripe.StripeClient, endpoint: Endpoint, open_session: Open
) -> None:
    declined, paid = open_session(), open_session()
    stripe_standin.click(declined.id, "decline")
    client.v1.checkout.sessions.expire(declined.id)
    stripe_standin.wait_for_webhooks()
    assert kinds(stripe_standin, endpoint) == ["payment_intent.payment_failed", "checkout.session.expired"]

    endpoint.posts.clear()
    stripe_standin.pay(paid.id)
    intent = client.v1.checkout.sessions.retrieve(paid.id).payment_intent
    refund = client.v1.refunds.create({"payment_intent": intent}, options={"idempotency_key": "refund-1"})
    stripe_standin.wait_for_webhooks()

    assert kinds(stripe_standin, endpoint) == [*PAID, "refund.created", "charge.refunded"]
    created = endpoint.events(stripe_standin.webhook_secret)[2]
    assert created.data.object.id == refund.id
    assert created.request.idempotency_key == "refund-1"


def test_a_session_expires_by_itself_and_says_so(
    stripe_standin: StandIn, endpoint: Endpoint, open_session: Open
) -> None:
    session = open_session(expires_at=int(time.time()) + 1801)

    stripe_standin.control("POST", "age", seconds=1800)
    endpoint.wait_for(1)

    event = endpoint.events(stripe_standin.webhook_secret)[0]
    assert (event.type, event.data.object.id) == ("checkout.session.expired", session.id)


def test_a_refused_webhook_is_sent_again_with_a_fresh_signature(
    stripe_standin: StandIn, endpoint: Endpoint, open_session: Open
) -> None:
    stripe_standin.webhooks(retry_seconds=0.05)
    endpoint.answers.extend([500, 404, 302])
    session = open_session()
    stripe_standin.lapse(session.id)
    stripe_standin.wait_for_webhooks()

    assert len({event.id for event in endpoint.events(stripe_standin.webhook_secret)}) == 1
    assert len(endpoint.posts) == 4
    delivery = stripe_standin.control("GET", "deliveries")["deliveries"][0]
    assert (delivery["state"], delivery["attempt_count"], delivery["last_status"]) == ("delivered", 4, 200)


def test_webhooks_are_doubled_on_request(stripe_standin: StandIn, endpoint: Endpoint, open_session: Open) -> None:
    stripe_standin.webhooks(copies=3)
    stripe_standin.lapse(open_session().id)
    stripe_standin.wait_for_webhooks()

    events = endpoint.events(stripe_standin.webhook_secret)
    assert [event.type for event in events] == ["checkout.session.expired"] * 3
    assert len({event.id for event in events}) == 1


def test_webhooks_wait_while_paused_and_come_backwards_on_request(
    stripe_standin: StandIn, client: stripe.StripeClient, endpoint: Endpoint, open_session: Open
) -> None:
    stripe_standin.webhooks(paused=True)
    stripe_standin.pay(open_session().id)
    time.sleep(0.1)  # long enough for a webhook to come, were it sent
    assert endpoint.posts == []
    assert client.v1.events.list({"type": PAID[1]}).data[0].pending_webhooks == 1

    stripe_standin.webhooks(paused=False, order="reversed")
    stripe_standin.wait_for_webhooks()

    assert kinds(stripe_standin, endpoint) == PAID[::-1]


def test_forged_and_stale_webhooks_do_not_verify(
    stripe_standin: StandIn, endpoint: Endpoint, open_session: Open
) -> None:
    stripe_standin.webhooks(secret="whsec_forged")
    stripe_standin.lapse(open_session().id)
    stripe_standin.wait_for_webhooks()
    stripe_standin.webhooks(secret=stripe_standin.webhook_secret, age_seconds=600)
    stripe_standin.lapse(open_session().id)
    stripe_standin.wait_for_webhooks()

    for (body, header), message in zip(
        endpoint.posts, ("No signatures found matching", "outside the tolerance"), strict=True
    ):
        with pytest.raises(stripe.SignatureVerificationError, match=message):
            stripe.Webhook.construct_event(body, header, stripe_standin.webhook_secret)


def test_an_event_can_be_sent_again(
    stripe_standin: StandIn, client: stripe.StripeClient, endpoint: Endpoint, open_session: Open
) -> None:
    stripe_standin.lapse(open_session().id)
    event = client.v1.events.list().data[0]

    stripe_standin.control("POST", f"events/{event.id}/send", times=2)
    stripe_standin.wait_for_webhooks()

    assert [sent.id for sent in endpoint.events(stripe_standin.webhook_secret)] == [event.id] * 3


def test_events_are_listed_by_type_and_time(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    stripe_standin.pay(open_session().id)
    stripe_standin.lapse(open_session().id)
    now = int(time.time())

    def listed(**params: object) -> list[str]:
        return [event.type for event in client.v1.events.list(params).data]

    assert listed(type="checkout.session.completed") == ["checkout.session.completed"]
    assert set(listed(type="checkout.session.*")) == {"checkout.session.completed", "checkout.session.expired"}
    assert listed(types=["charge.succeeded", "checkout.session.expired"]) == [
        "checkout.session.expired",
        "charge.succeeded",
    ]
    assert listed(created={"gt": now + 5}) == []
    assert len(listed(created={"gte": now - 60})) == 5
    stripe_standin.wait_for_webhooks()
    assert listed(delivery_success=False) == []
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        listed(type="a", types=["b"])
