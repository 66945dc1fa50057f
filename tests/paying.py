"""For tests that pay: the Stripe stand-in as a real process, and a buyer at the shop's own pages."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Allocation, Order, Payment, Refund
from orders.payments import stripe_events
from shop.catalog.models import StockMovement, StockRecord
from shop.local.stripe.testing import StandIn
from tests import builders

BUYER = {
    "email": "pat@example.com",
    "full_name": "Pat Reader",
    "line1": "1 High Street",
    "city": "Leeds",
    "postcode": "LS1 1AA",
    "country": "GB",
}


@pytest.fixture(scope="session")
def standin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stripe"), webhook_url="http://127.0.0.1:1/") as running:
        yield running


@pytest.fixture
def standin(standin_process: StandIn, settings: Any) -> StandIn:
    """Empty and well behaved, with the shop pointed at it; webhooks wait until a test wants them."""
    standin_process.reset()
    standin_process.webhooks(paused=True)
    settings.STRIPE_API_BASE = standin_process.url
    settings.STRIPE_SECRET_KEY = standin_process.api_key
    settings.STRIPE_WEBHOOK_SECRETS = [standin_process.webhook_secret]
    settings.STRIPE_TIMEOUT_SECONDS = 5
    return standin_process


@pytest.fixture
def standin_for_commands(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Known to management commands in processes of their own too."""
    monkeypatch.setenv("STRIPE_API_BASE", standin.url)
    monkeypatch.setenv("STRIPE_SECRET_KEY", standin.api_key)
    return standin


def fill(client: Client, *variants: Any, quantity: int = 1) -> None:
    for variant in variants or (builders.variant(),):
        assert client.post("/cart/lines/", {"variant": variant.pk, "quantity": quantity}).status_code == 303


def form(**fields: str) -> dict[str, str]:
    """What a guest types. Makes the shipping method it chooses, unless there is one."""
    return {**BUYER, "method": str(builders.shipping_method().pk), **fields}


def check_out(client: Client, **fields: str) -> Payment:
    """Continues to payment and returns the payment that was begun."""
    response = client.post("/checkout/", form(**fields))
    assert response.status_code == 303, response.text
    payment = Payment.objects.select_related("order").get(redirect_url=response.url)
    assert payment.status == Payment.Status.OPEN
    return payment


def pay(client: Client, standin: StandIn, payment: Payment) -> Order:
    """Pays on Stripe's page and comes back to the shop."""
    location = standin.pay(payment.provider_reference)
    client.get(location.removeprefix("http://localhost:8000"))
    return Order.objects.get(pk=payment.order_id)


def process_webhooks() -> int:
    return stripe_events.process_waiting_events()


def check_stock() -> None:
    """G1: on_hand is the sum of its movements; allocated is what stands, and no more than there is."""
    for record in StockRecord.objects.all():
        moved = sum(StockMovement.objects.filter(record=record).values_list("quantity", flat=True))
        standing = Allocation.objects.filter(record=record, released_at=None, consumed_at=None)
        assert record.on_hand == moved
        assert record.allocated == sum(standing.values_list("quantity", flat=True))
        assert 0 <= record.allocated <= record.on_hand + record.backorder_limit


def check_books(standin: StandIn) -> None:
    """G2, G7: every charge belongs to one confirmed order of that total, and no order has two; what went back of it is
    what our books say; no half orders.
    """
    captured = {payment.payment_intent: payment for payment in Payment.objects.filter(status="captured")}
    charges = standin.charges()
    assert {charge["payment_intent"] for charge in charges} == set(captured)
    for charge in charges:
        payment = captured[charge["payment_intent"]]
        assert Decimal(charge["amount"]) / 100 == payment.order.total
        assert payment.order.placed_at
        check_money_back(payment, at_stripe=Decimal(charge["amount_refunded"]) / 100)
    for order in Order.objects.all():
        assert order.lines.exists()
        assert order.payments.exists()
        is_paid = order.payments.filter(status="captured").exists()
        assert (order.placed_at is not None) == is_paid


def check_money_back(payment: Payment, *, at_stripe: Decimal) -> None:
    """G2: what went back at Stripe succeeded in our books, and the reverse; what is under way may have gone or not."""
    sums = Counter[str]()
    for refund in payment.refunds.all():
        sums["by hand" if refund.is_by_hand else refund.status] += refund.amount
    succeeded = sums[Refund.Status.SUCCEEDED]
    assert succeeded <= at_stripe <= succeeded + sums[Refund.Status.REQUESTED]
    if payment.order.payment_status == Order.PaymentStatus.REFUNDED:
        assert at_stripe + sums["by hand"] == payment.amount
