"""The stand-in's objects have the fields of Stripe's published ones, and the library's types know them all."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from shop.local.stripe.testing import StandIn

Open = Callable[..., stripe.checkout.Session]
EXCERPT = Path(__file__).parents[2] / "fixtures" / "stripe-objects.json"
# Given only to those who ask, with `expand`; some kinds of payment only.
ON_REQUEST = {
    "charge": {"refunds"},
    "charge.outcome": {"network_advice_code"},
}
# What Stripe adds to the published example, as its reference says.
MORE = {
    "charge.outcome": {"risk_level"},
    "refund.destination_details.card": {"reference_status", "reference_type"},
    "checkout.session.payment_method_options": {"card"},
    "payment_intent.payment_method_options": {"card"},
}
UNPUBLISHED = {"radar.early_fraud_warning"}  # no example of it; the library's type is the measure
# Examples of something else: another kind of payment method, or an empty object.
DIFFERENT = {"event.data.object", "payment_intent.last_payment_error", "item.price.product"}


def published() -> list[tuple[str, Path]]:
    folder = os.environ.get("SHARED_DATA")
    files = [("excerpt", EXCERPT)]
    return [*files, ("shared", Path(folder) / "stripe-objects.json")] if folder else files


@pytest.fixture
def made(stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open) -> dict[str, dict[str, Any]]:
    """One of each, from a session that was declined, authenticated, paid and refunded."""
    session = open_session()
    stripe_standin.click(session.id, "decline")
    declined = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    stripe_standin.click(session.id, "require-authentication")
    stripe_standin.click(session.id, "authenticate")
    refund = client.v1.refunds.create({"payment_intent": declined.payment_intent.id, "amount": 100})
    paid = client.v1.checkout.sessions.retrieve(
        session.id,
        {"expand": ["payment_intent.latest_charge.balance_transaction", "payment_intent.payment_method", "line_items"]},
    )
    intent = paid.payment_intent.to_dict()
    charge = intent.pop("latest_charge")
    everything = {
        "checkout.session": open_session().to_dict(),
        "payment_intent": declined.payment_intent.to_dict(),
        "charge": charge,
        "refund": refund.to_dict(),
        "event": client.v1.events.list({"limit": 1}).data[0].to_dict(),
        "item": paid.line_items.data[0].to_dict(),
        "payment_method": intent["payment_method"],
        "balance_transaction": charge.pop("balance_transaction"),
    }
    charge["balance_transaction"] = everything["balance_transaction"]["id"]
    dispute = stripe_standin.dispute(charge["id"])
    everything["dispute"] = client.v1.disputes.retrieve(dispute["id"]).to_dict()
    warning = stripe_standin.warn(charge["id"])
    everything["radar.early_fraud_warning"] = client.v1.radar.early_fraud_warnings.retrieve(warning["id"]).to_dict()
    return everything


@pytest.mark.parametrize(("name", "path"), published(), ids=[name for name, _ in published()])
def test_objects_have_the_published_fields_and_no_others(
    made: dict[str, dict[str, Any]], name: str, path: Path
) -> None:
    examples = json.loads(path.read_text(encoding="utf-8"))

    for kind, ours in made.items():
        if kind in UNPUBLISHED:
            continue
        assert list(differences(kind, ours, examples[kind])) == []


def differences(path: str, ours: Any, published: Any) -> Iterator[str]:
    if not isinstance(ours, dict) or not isinstance(published, dict) or path in DIFFERENT:
        return
    if path.rsplit(".", 1)[-1] in ("metadata", "fraud_details"):
        return
    for name in published.keys() - ours.keys() - ON_REQUEST.get(path, set()):
        yield f"{path}.{name} is missing"
    for name in ours.keys() - published.keys() - MORE.get(path, set()):
        yield f"{path}.{name} is not Stripe's"
    for name in ours.keys() & published.keys():
        yield from differences(f"{path}.{name}", ours[name], published[name])


@pytest.mark.parametrize(
    ("kind", "library"),
    [
        ("checkout.session", stripe.checkout.Session),
        ("payment_intent", stripe.PaymentIntent),
        ("charge", stripe.Charge),
        ("refund", stripe.Refund),
        ("event", stripe.Event),
        ("payment_method", stripe.PaymentMethod),
        ("balance_transaction", stripe.BalanceTransaction),
        ("item", stripe.LineItem),
        ("dispute", stripe.Dispute),
        ("radar.early_fraud_warning", stripe.radar.EarlyFraudWarning),
    ],
)
def test_the_librarys_types_know_every_field(
    made: dict[str, dict[str, Any]], kind: str, library: type[stripe.StripeObject]
) -> None:
    known = {name for each in library.__mro__ for name in getattr(each, "__annotations__", {})}

    assert made[kind].keys() - known == set()
