"""Checkout Sessions through the official library: made, found, expired."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from shop.local.stripe.testing import StandIn

Open = Callable[..., stripe.checkout.Session]


def test_a_session_is_open_unpaid_and_carries_what_it_was_given(open_session: Open) -> None:
    session = open_session(expires_at=int(time.time()) + 1900)

    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_subtotal, session.amount_total, session.currency) == (3195, 3195, "gbp")
    assert session.customer_email == "susie@example.com"
    assert session.client_reference_id == "SW-7Q4K-2M"
    assert session.metadata.to_dict() == {"order": "SW-7Q4K-2M"}
    assert session.payment_intent is None, "Stripe makes it at the first attempt to pay"
    assert session.url.startswith("http://localhost:")


def test_a_session_is_found_again_with_its_lines_and_products(client: stripe.StripeClient, open_session: Open) -> None:
    session = client.v1.checkout.sessions.retrieve(open_session().id, {"expand": ["line_items.data.price.product"]})

    lines = session.line_items.data
    assert [(line.description, line.quantity, line.amount_total) for line in lines] == [
        ("Rag wool socks", 2, 2800),
        ("Delivery", 1, 395),
    ]
    assert lines[0].price.product.description == "Size 13"
    assert [line.id for line in client.v1.checkout.sessions.line_items.list(session.id).data] == [
        line.id for line in lines
    ]


def test_a_shipping_option_is_added_to_the_total(open_session: Open) -> None:
    rate = {
        "type": "fixed_amount",
        "display_name": "Tracked",
        "fixed_amount": {"amount": 495, "currency": "gbp"},
    }

    session = open_session(shipping_options=[{"shipping_rate_data": rate}])

    assert (session.amount_subtotal, session.amount_total) == (3195, 3690)
    assert session.shipping_cost.amount_total == 495


def test_sessions_are_listed_newest_first_by_status_and_in_pages(
    client: stripe.StripeClient, open_session: Open
) -> None:
    made = [open_session().id for _ in range(5)]
    client.v1.checkout.sessions.expire(made[0])

    first = client.v1.checkout.sessions.list({"status": "open", "limit": 3})
    rest = client.v1.checkout.sessions.list({"status": "open", "starting_after": first.data[-1].id})

    assert [session.id for session in first.data] == made[:1:-1]
    assert first.has_more
    assert [session.id for session in rest.data] == [made[1]]
    assert not rest.has_more
    every = [session.id for session in client.v1.checkout.sessions.list({"limit": 2}).auto_paging_iter()]
    assert every == made[::-1]


def test_an_open_session_can_be_expired_once(client: stripe.StripeClient, open_session: Open) -> None:
    session = open_session()

    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="This Checkout Session has a status of `expired`"):
        client.v1.checkout.sessions.expire(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).url is None


def test_a_paid_session_cannot_be_expired(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()
    stripe_standin.pay(session.id)

    with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)

    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")


def test_a_session_past_its_time_is_expired_when_next_seen(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session(expires_at=int(time.time()) + 1900)

    stripe_standin.control("POST", "age", seconds=1800)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    stripe_standin.control("POST", "age", seconds=200)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert stripe_standin.click(session.id, "pay")[0] == 200
    assert stripe_standin.charges() == []


def test_metadata_can_be_changed_key_by_key(client: stripe.StripeClient, open_session: Open) -> None:
    session = open_session()

    changed = client.v1.checkout.sessions.update(session.id, {"metadata": {"order": "", "note": "gift"}})

    assert changed.metadata.to_dict() == {"note": "gift"}


@pytest.mark.parametrize(
    ("seconds", "message"), [(1700, "at least 30 minutes"), (24 * 3600 + 60, "less than 24 hours")]
)
def test_a_session_lives_between_thirty_minutes_and_a_day(
    client: stripe.StripeClient, open_session: Open, seconds: int, message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        open_session(expires_at=int(time.time()) + seconds)

    assert refused.value.param == "expires_at"
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"success_url": "nowhere"}, "success_url", "url_invalid"),
        ({"customer_email": "susie"}, "customer_email", "email_invalid"),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"line_items": []}, "line_items", "parameter_missing"),
        ({"mode": "gift"}, "mode", None),
    ],
)
def test_what_stripe_would_refuse_is_refused_and_nothing_is_made(
    client: stripe.StripeClient, open_session: Open, changes: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(**changes)

    assert (refused.value.param, refused.value.code) == (param, code)
    assert client.v1.checkout.sessions.list().data == []


def test_a_total_below_the_least_charge_is_refused(open_session: Open, params: dict[str, Any]) -> None:
    line = params["line_items"][0]
    cheap = {**line, "quantity": 1, "price_data": {**line["price_data"], "unit_amount": 29}}

    with pytest.raises(stripe.InvalidRequestError, match=r"at least £0\.30 gbp") as refused:
        open_session(line_items=[cheap])

    assert refused.value.code == "amount_too_small"


def test_lines_in_two_currencies_are_refused(open_session: Open, params: dict[str, Any]) -> None:
    line = params["line_items"][0]
    euros = {**line, "price_data": {**line["price_data"], "currency": "eur"}}

    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        open_session(line_items=[line, euros])


def test_what_is_known_to_stripe_but_not_simulated_is_refused_by_name(open_session: Open) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate `automatic_tax`"):
        open_session(automatic_tax={"enabled": True})


def test_an_unknown_session_is_missing(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"No such checkout\.session: 'cs_test_none'") as lost:
        client.v1.checkout.sessions.retrieve("cs_test_none")

    assert (lost.value.http_status, lost.value.code) == (404, "resource_missing")
