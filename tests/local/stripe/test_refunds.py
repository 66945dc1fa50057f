"""Money back through the official library, whole and in parts, never more than was paid."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from shop.local.stripe.testing import StandIn

Open = Callable[..., stripe.checkout.Session]


@pytest.fixture
def intent(stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open) -> str:
    session = open_session()
    stripe_standin.pay(session.id)
    identifier = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(identifier, str)
    return identifier


def refunded(stripe_standin: StandIn) -> int:
    return stripe_standin.charges()[0]["amount_refunded"]


def test_parts_and_then_the_rest_come_back(stripe_standin: StandIn, client: stripe.StripeClient, intent: str) -> None:
    part = client.v1.refunds.create(
        {"payment_intent": intent, "amount": 1400, "reason": "requested_by_customer", "metadata": {"line": "1"}}
    )
    rest = client.v1.refunds.create({"charge": part.charge})

    assert (part.status, part.amount, part.metadata.to_dict()) == ("succeeded", 1400, {"line": "1"})
    assert rest.amount == 3195 - 1400
    charge = client.v1.charges.retrieve(part.charge, {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 3195)
    assert [refund.id for refund in charge.refunds.data] == [rest.id, part.id]
    assert len(client.v1.refunds.list({"payment_intent": intent}).data) == 2
    assert client.v1.refunds.retrieve(rest.id).amount == rest.amount


def test_more_than_is_left_is_refused(stripe_standin: StandIn, client: stripe.StripeClient, intent: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"\(£40\.00\) is greater than charge amount \(£31\.95\)"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 4000})
    client.v1.refunds.create({"payment_intent": intent, "amount": 1000})
    with pytest.raises(stripe.InvalidRequestError, match=r"is greater than unrefunded amount on charge \(£21\.95\)"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 2196})

    assert refunded(stripe_standin) == 1000


def test_what_is_refunded_already_is_refused(stripe_standin: StandIn, client: stripe.StripeClient, intent: str) -> None:
    client.v1.refunds.create({"payment_intent": intent})

    with pytest.raises(stripe.InvalidRequestError, match="has already been refunded") as refused:
        client.v1.refunds.create({"payment_intent": intent})

    assert refused.value.code == "charge_already_refunded"
    assert refunded(stripe_standin) == 3195


def test_parallel_refunds_never_give_back_more_than_was_paid(
    stripe_standin: StandIn, client: stripe.StripeClient, intent: str
) -> None:
    def give_back(_: int) -> int:
        try:
            return client.v1.refunds.create({"payment_intent": intent, "amount": 1000}).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(8) as staff:
        given = list(staff.map(give_back, range(8)))

    assert sum(given) == 3000 == refunded(stripe_standin)


def test_an_unpaid_intent_has_nothing_to_refund(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()
    stripe_standin.click(session.id, "decline")
    unpaid = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": unpaid})

    assert client.v1.refunds.list().data == []


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, None),
        ({"payment_intent": "pi_none"}, "payment_intent"),
        ({"charge": "ch_none"}, "charge"),
    ],
)
def test_a_refund_of_nothing_known_is_refused(
    client: stripe.StripeClient, params: dict[str, str], param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params)

    assert refused.value.param == param


def test_a_refund_that_the_bank_returns_counts_as_not_refunded(
    stripe_standin: StandIn, client: stripe.StripeClient, intent: str
) -> None:
    stripe_standin.control("POST", "behaviour", refunds_start="pending")
    refund = client.v1.refunds.create({"payment_intent": intent, "amount": 500})
    assert refund.status == "pending"

    stripe_standin.control("POST", f"refunds/{refund.id}", status="failed")

    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert refunded(stripe_standin) == 0
