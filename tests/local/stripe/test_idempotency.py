"""The same key gets the first answer again; and what each kind of trouble leaves behind."""

import threading
import time
from typing import Any

import pytest
import stripe

from shop.local.stripe.testing import StandIn
from tests.patience import stretched, wait_until

CREATE = "POST /v1/checkout/sessions"


def sessions(client: stripe.StripeClient) -> int:
    return len(client.v1.checkout.sessions.list().data)


def create(client: stripe.StripeClient, params: dict[str, Any], key: str = "key-1") -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(params, options={"idempotency_key": key})


def test_the_first_answer_is_given_again(client: stripe.StripeClient, params: dict[str, Any]) -> None:
    first = create(client, params)
    again = create(client, params)

    assert again.id == first.id
    assert again.to_dict() == first.to_dict()
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.request_id
    assert sessions(client) == 1


def test_the_first_answer_stays_even_when_the_thing_moved_on(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    first = create(client, params)
    stripe_standin.pay(first.id)

    assert create(client, params).status == "open"
    assert client.v1.checkout.sessions.retrieve(first.id).status == "complete"


def test_a_key_used_for_something_else_is_refused(client: stripe.StripeClient, params: dict[str, Any]) -> None:
    create(client, params)

    with pytest.raises(stripe.IdempotencyError, match="with the same parameters they were first used with"):
        create(client, {**params, "customer_email": "other@example.com"})
    with pytest.raises(stripe.IdempotencyError, match="for the same endpoint they were first used for"):
        client.v1.refunds.create({"payment_intent": "pi_x"}, options={"idempotency_key": "key-1"})

    assert sessions(client) == 1


def test_refused_parameters_are_not_remembered(client: stripe.StripeClient, params: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        create(client, {**params, "colour": "red"})

    assert create(client, params).status == "open"


def test_a_refusal_by_the_endpoint_itself_is_remembered(client: stripe.StripeClient, params: dict[str, Any]) -> None:
    session = create(client, params)
    client.v1.checkout.sessions.expire(session.id)

    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError, match="status of `expired`") as refused:
            client.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "key-2"})
        assert refused.value.headers.get("Idempotent-Replayed") == replayed


def test_a_key_still_at_work_is_a_conflict(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    stripe_standin.fault("hang", on=CREATE, seconds=stretched(0.5))
    slow = threading.Thread(target=create, args=(client, params))
    slow.start()
    wait_until(lambda: stripe_standin.requests(method="POST", path="/v1/checkout/sessions"), "the slow request")

    with pytest.raises(stripe.APIError, match="another in-progress request") as conflict:
        create(client, params)

    slow.join()
    assert conflict.value.http_status == 409
    assert sessions(client) == 1


def test_the_librarys_own_retries_get_over_refused_and_lost_answers(
    stripe_standin: StandIn, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = stripe_standin.client(max_network_retries=3)
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    for trouble in ("refuse", "lose", "vanish"):
        stripe_standin.fault(trouble, on=CREATE)

    assert client.v1.checkout.sessions.create(params).status == "open"

    tried = stripe_standin.requests(method="POST", path="/v1/checkout/sessions")
    assert [request["fault"] for request in tried] == ["refuse", "lose", "vanish", None]
    assert [request["replayed"] for request in tried] == [False, False, True, True]
    assert len({request["idempotency_key"] for request in tried}) == 1
    assert sessions(client) == 1


@pytest.mark.parametrize(
    ("trouble", "error", "made"),
    [
        ("refuse", stripe.APIError, 0),
        ("limit", stripe.RateLimitError, 0),
        ("drop", stripe.APIConnectionError, 0),
        ("lose", stripe.APIError, 1),
        ("fail_after", stripe.APIError, 1),
        ("vanish", stripe.APIConnectionError, 1),
        ("cut", stripe.APIConnectionError, 1),
    ],
)
def test_each_trouble_does_or_does_not_do_the_work(
    stripe_standin: StandIn,
    client: stripe.StripeClient,
    params: dict[str, Any],
    trouble: str,
    error: type[Exception],
    made: int,
) -> None:
    stripe_standin.fault(trouble, on=CREATE)

    with pytest.raises(error):
        create(client, params)

    assert sessions(client) == made


def test_an_answer_cut_in_the_middle_is_found_by_its_key(stripe_standin: StandIn, params: dict[str, Any]) -> None:
    """The library retries a connection that never answered, but not one that breaks off half-way."""
    client = stripe_standin.client(max_network_retries=3)
    stripe_standin.fault("cut", on=CREATE)

    with pytest.raises(stripe.APIConnectionError):
        create(client, params)

    assert create(client, params).last_response.headers["Idempotent-Replayed"] == "true"
    assert sessions(client) == 1


def test_a_saved_failure_is_given_again_and_a_lost_answer_is_found(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    stripe_standin.fault("lose", on=CREATE)
    stripe_standin.fault("fail_after", on=CREATE)

    with pytest.raises(stripe.APIError):
        create(client, params, "lost")
    with pytest.raises(stripe.APIError):
        create(client, params, "failed")

    assert create(client, params, "lost").status == "open"
    with pytest.raises(stripe.APIError) as failed:
        create(client, params, "failed")
    assert failed.value.headers["Idempotent-Replayed"] == "true"


def test_trouble_hits_only_the_endpoint_it_was_made_for(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    stripe_standin.fault("refuse", on="POST /v1/refunds", times=2)

    assert create(client, params).status == "open"
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.refunds.create({"payment_intent": "pi_none"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": "pi_none"})


def test_a_hanging_answer_comes_late(stripe_standin: StandIn, client: stripe.StripeClient) -> None:
    stripe_standin.fault("hang_after", on="GET /v1/events", seconds=0.2)

    started = time.monotonic()
    client.v1.events.list()

    assert time.monotonic() - started >= 0.2


def test_a_key_older_than_a_day_is_forgotten_and_the_work_is_done_again(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    stripe_standin.pay(create(client, params).id)
    charge = stripe_standin.charges()[0]["id"]

    def give_back() -> str:
        return client.v1.refunds.create({"charge": charge, "amount": 100}, {"idempotency_key": "once"}).id

    first = give_back()
    stripe_standin.age(23 * 3600)
    assert give_back() == first
    stripe_standin.age(3600 + 10)
    assert give_back() != first
