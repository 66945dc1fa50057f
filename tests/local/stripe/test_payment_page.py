"""What the buyer's clicks do, and that twenty of them are one."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

from shop.local.stripe import checkout, payments
from shop.local.stripe.account import StandInOptions, StripeAccount
from shop.local.stripe.store import StoredObject
from shop.local.stripe.testing import StandIn
from tests.patience import PATIENCE_SECONDS

Open = Callable[..., stripe.checkout.Session]


def test_paying_completes_the_session_and_sends_the_buyer_back(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()

    status, location, _ = stripe_standin.click(session.id, "pay")

    assert (status, location) == (303, f"http://localhost:8000/orders/done/?session={session.id}")
    paid = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "susie@example.com"
    intent = paid.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 3195)
    assert intent.metadata.to_dict() == {"order": "SW-7Q4K-2M"}
    assert intent.latest_charge.balance_transaction.net == 3195
    assert client.v1.checkout.sessions.list({"payment_intent": intent.id}).data[0].id == session.id


def test_a_declined_card_leaves_the_session_open_to_try_again(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()

    status, _, page = stripe_standin.click(session.id, "decline")

    assert status == 200
    assert "Your card was declined." in page
    tried = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (tried.status, tried.payment_status) == ("open", "unpaid")
    assert tried.payment_intent.last_payment_error.code == "card_declined"
    assert stripe_standin.charges() == []
    stripe_standin.pay(session.id)
    assert [charge["payment_intent"] for charge in stripe_standin.charges()] == [tried.payment_intent.id]


@pytest.mark.parametrize(
    ("answer", "status", "charge_count"), [("authenticate", "complete", 1), ("fail-authentication", "open", 0)]
)
def test_a_payment_that_needs_authentication_waits_for_the_answer(
    stripe_standin: StandIn,
    client: stripe.StripeClient,
    open_session: Open,
    answer: str,
    status: str,
    charge_count: int,
) -> None:
    session = open_session()

    _, location, _ = stripe_standin.click(session.id, "require-authentication")

    assert location == f"/c/pay/{session.id}/authenticate"
    waiting = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert stripe_standin.charges() == []
    stripe_standin.click(session.id, answer)
    assert client.v1.checkout.sessions.retrieve(session.id).status == status
    assert len(stripe_standin.charges()) == charge_count


def test_authentication_nobody_asked_for_charges_nothing(stripe_standin: StandIn, open_session: Open) -> None:
    session = open_session()

    stripe_standin.click(session.id, "authenticate")

    assert stripe_standin.charges() == []


def test_going_back_returns_to_the_shop_and_charges_nothing(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()

    assert stripe_standin.click(session.id, "back")[:2] == (303, "http://localhost:8000/checkout/")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert stripe_standin.charges() == []


def test_twenty_clicks_on_pay_at_once_make_one_charge(stripe_standin: StandIn, open_session: Open) -> None:
    session = open_session()

    with ThreadPoolExecutor(20) as buyers:
        clicks = list(buyers.map(lambda _: stripe_standin.click(session.id, "pay")[:2], range(20)))

    assert set(clicks) == {(303, session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id))}
    assert len(stripe_standin.charges()) == 1


def test_paying_and_expiring_at_once_end_in_one_of_the_two(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    sessions = [open_session().id for _ in range(10)]

    def expire(identifier: str) -> str:
        try:
            return client.v1.checkout.sessions.expire(identifier).status
        except stripe.InvalidRequestError:
            return "paid first"

    with ThreadPoolExecutor(8) as both:
        clicks = [both.submit(stripe_standin.click, each, "pay") for each in sessions]
        ends = [both.submit(expire, each) for each in sessions]

    for session, click, end in zip(sessions, clicks, ends, strict=True):
        charged = any(charge["checkout_session"] == session for charge in stripe_standin.charges())
        assert (click.result()[0] == 303) == charged == (end.result() == "paid first")


@pytest.mark.parametrize(("guarded", "charge_count"), [(True, 1), (False, 2)])
def test_one_transaction_around_look_and_charge_is_what_keeps_two_clicks_from_charging_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: bool, charge_count: int
) -> None:
    """Both clicks are held where each has seen the session open: unguarded, both charge."""
    account = StripeAccount(StandInOptions(data=tmp_path, api_key="k"))
    session = _session(account)
    both_have_looked = threading.Barrier(2)
    look = checkout.get_current_session

    def look_and_wait(account: StripeAccount, identifier: str) -> StoredObject:
        seen = look(account, identifier)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_looked.wait(timeout=0.2 if guarded else PATIENCE_SECONDS)
        return seen

    monkeypatch.setattr(checkout, "get_current_session", look_and_wait)
    if not guarded:
        monkeypatch.setattr(account.store, "transaction", contextlib.nullcontext)
    with ThreadPoolExecutor(2) as buyers:
        list(buyers.map(lambda _: payments.pay_session(account, session), range(2)))

    assert len(account.store.page("charge", where={}, limit=5)) == charge_count
    account.store.close()


def _session(account: StripeAccount) -> str:
    params = {
        "mode": "payment",
        "success_url": "http://localhost/",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {"currency": "gbp", "unit_amount": 500, "product_data": {"name": "Mug"}},
            }
        ],
    }
    identifier: str = checkout.create_session(account, params)["id"]
    return identifier


def test_paid_and_expired_pages_say_so_and_offer_no_button(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    paid, expired = open_session(), open_session()
    stripe_standin.pay(paid.id)
    client.v1.checkout.sessions.expire(expired.id)

    for session, words in ((paid, "This is paid already"), (expired, "This payment has expired")):
        status, _, page = stripe_standin.page(session.id)
        assert status == 200
        assert words in page
        assert "<button" not in page


def test_an_unknown_session_has_no_page(stripe_standin: StandIn) -> None:
    assert stripe_standin.page("cs_test_none")[0] == 404
    assert stripe_standin.click("cs_test_none", "pay")[0] == 404


def test_names_from_the_shop_are_shown_as_text(stripe_standin: StandIn, open_session: Open) -> None:
    product = {"name": "<script>alert(1)</script> $total"}
    line = {"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 100, "product_data": product}}

    _, _, page = stripe_standin.page(open_session(line_items=[line]).id)

    assert "&lt;script&gt;alert(1)&lt;/script&gt; $total" in page


def test_the_page_asks_for_the_e_mail_it_was_not_given(
    stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, object]
) -> None:
    del params["customer_email"]
    session = client.v1.checkout.sessions.create(params)
    assert 'name="email"' in stripe_standin.page(session.id)[2]

    stripe_standin.click(session.id, "pay", email="ines@example.com")

    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer_details.email == "ines@example.com"


def test_a_session_of_nothing_is_completed_without_a_charge(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    free = {"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 0, "product_data": {"name": "Gift"}}}
    session = open_session(line_items=[free])

    stripe_standin.pay(session.id)

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)
    assert stripe_standin.charges() == []
