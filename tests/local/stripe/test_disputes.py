"""What happens to a charge without the shop: money back by hand, disputes, warnings, payments from elsewhere."""

from collections.abc import Callable

import pytest
import stripe

from shop.local.stripe.testing import StandIn
from tests.local.stripe.conftest import Endpoint

Open = Callable[..., stripe.checkout.Session]


@pytest.fixture
def charge(stripe_standin: StandIn, open_session: Open) -> str:
    stripe_standin.pay(open_session().id)
    return str(stripe_standin.charges()[0]["id"])


def kinds(client: stripe.StripeClient, pattern: str) -> list[str]:
    """The types of the events so far, the oldest first."""
    return [event.type for event in reversed(client.v1.events.list({"type": pattern, "limit": 100}).data)]


def test_a_dispute_takes_the_money_and_a_won_one_gives_it_back(
    stripe_standin: StandIn, client: stripe.StripeClient, charge: str
) -> None:
    dispute = stripe_standin.dispute(charge, reason="product_not_received")

    seen = client.v1.disputes.retrieve(dispute["id"])
    assert (seen.status, seen.reason, seen.amount) == ("needs_response", "product_not_received", 3195)
    assert not seen.is_charge_refundable
    assert client.v1.charges.retrieve(charge).disputed
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refused:
        client.v1.refunds.create({"charge": charge, "amount": 100})
    assert refused.value.code == "charge_disputed"

    stripe_standin.change_dispute(dispute["id"], "under_review")
    stripe_standin.change_dispute(dispute["id"], "won")
    entries = client.v1.disputes.retrieve(dispute["id"]).balance_transactions
    assert [entry.amount for entry in entries] == [-3195, 3195]
    assert kinds(client, "charge.dispute.*") == [
        f"charge.dispute.{verb}" for verb in ("created", "funds_withdrawn", "updated", "funds_reinstated", "closed")
    ]


def test_a_lost_dispute_keeps_the_money_and_nothing_follows(
    stripe_standin: StandIn, client: stripe.StripeClient, charge: str
) -> None:
    dispute = stripe_standin.dispute(charge)
    stripe_standin.change_dispute(dispute["id"], "lost")

    assert [entry.amount for entry in client.v1.disputes.retrieve(dispute["id"]).balance_transactions] == [-3195]
    with pytest.raises(ValueError, match="cannot become won"):
        stripe_standin.change_dispute(dispute["id"], "won")
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        client.v1.refunds.create({"charge": charge})


def test_an_inquiry_takes_nothing_lets_refunds_through_and_may_become_a_dispute(
    stripe_standin: StandIn, client: stripe.StripeClient, charge: str
) -> None:
    inquiry = stripe_standin.dispute(charge, status="warning_needs_response")
    assert inquiry["is_charge_refundable"]
    assert client.v1.refunds.create({"charge": charge, "amount": 100}).status == "succeeded"

    stripe_standin.change_dispute(inquiry["id"], "needs_response")

    seen = client.v1.disputes.retrieve(inquiry["id"])
    assert (seen.status, [entry.amount for entry in seen.balance_transactions]) == ("needs_response", [-3195])
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        client.v1.refunds.create({"charge": charge, "amount": 100})


def test_lists_are_cut_into_pages_and_filtered(stripe_standin: StandIn, client: stripe.StripeClient) -> None:
    charges = [stripe_standin.charge_elsewhere(1000 + number)["id"] for number in range(5)]
    disputes = [stripe_standin.dispute(each)["id"] for each in charges]
    warnings = [stripe_standin.warn(each)["id"] for each in charges]

    first = client.v1.disputes.list({"limit": 2})
    assert [each.id for each in first.data] == disputes[:-3:-1]
    assert first.has_more
    assert [each.id for each in first.auto_paging_iter()] == disputes[::-1]
    assert [each.id for each in client.v1.disputes.list({"charge": charges[1]}).data] == [disputes[1]]
    listed = client.v1.radar.early_fraud_warnings.list({"limit": 2})
    assert [each.id for each in listed.auto_paging_iter()] == warnings[::-1]
    assert client.v1.disputes.list({"created": {"lt": 1}}).data == []


def test_a_warning_is_no_longer_actionable_once_the_charge_is_refunded(
    stripe_standin: StandIn, client: stripe.StripeClient, charge: str
) -> None:
    assert stripe_standin.warn(charge)["actionable"]
    stripe_standin.refund_in_dashboard(charge)
    assert not stripe_standin.warn(charge, fraud_type="made_with_stolen_card")["actionable"]
    assert kinds(client, "radar.*") == ["radar.early_fraud_warning.created"] * 2


def test_a_refund_in_the_dashboard_names_no_request_of_ours(
    stripe_standin: StandIn, client: stripe.StripeClient, charge: str
) -> None:
    refund = stripe_standin.refund_in_dashboard(charge, amount=500, reason="requested_by_customer")

    assert client.v1.refunds.retrieve(refund["id"]).amount == 500
    event = client.v1.events.list({"type": "refund.created"}).data[0]
    assert (event.data.object["id"], event.request.id) == (refund["id"], None)
    stripe_standin.settle_refund(refund["id"], "failed")
    assert kinds(client, "*refund*")[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]


def test_a_payment_from_elsewhere_has_a_charge_and_no_session(
    stripe_standin: StandIn, client: stripe.StripeClient
) -> None:
    charge = stripe_standin.charge_elsewhere(1250, currency="eur", description="By card reader")

    seen = client.v1.charges.retrieve(charge["id"])
    assert (seen.amount, seen.currency, seen.description, seen.paid) == (1250, "eur", "By card reader", True)
    assert client.v1.checkout.sessions.list({"payment_intent": str(seen.payment_intent)}).data == []


def test_what_befalls_a_charge_is_posted_as_webhooks(stripe_standin: StandIn, endpoint: Endpoint, charge: str) -> None:
    stripe_standin.wait_for_webhooks()
    endpoint.posts.clear()
    stripe_standin.warn(charge)
    stripe_standin.dispute(charge)
    stripe_standin.wait_for_webhooks()

    posted = [event.type for event in endpoint.events(stripe_standin.webhook_secret)]
    assert posted == [
        "radar.early_fraud_warning.created", "charge.dispute.created", "charge.dispute.funds_withdrawn",
    ]  # fmt: skip
