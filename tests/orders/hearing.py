"""An order paid at the stand-in, and the two ways the shop hears what happens there afterwards."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.fulfilment import transitions
from orders.models import Order, StripeEvent
from orders.payments import reconciliation
from orders.payments.refunds import find_refundable_payment
from tests import builders
from tests.paying import check_out, fill, pay, process_webhooks


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


@pytest.fixture
def charge(order, standin) -> str:
    return standin.charges()[0]["id"]


def by_webhook(standin) -> None:
    """Posts what was subscribed to, twice and backwards, as Stripe may."""
    listed = standin.client().v1.events.list({"limit": 100}).data
    rows = [
        StripeEvent(event_id=each.id, kind=each.type, object_id=each.data.object["id"], created_at=timezone.now())
        for each in listed
    ]
    StripeEvent.objects.bulk_create(rows, ignore_conflicts=True)
    process_webhooks()


def by_reconciler(standin) -> None:
    reconciliation.reconcile_with_stripe()


@pytest.fixture(params=[by_webhook, by_reconciler], ids=["webhook", "reconciler"])
def hear(request, standin) -> Callable[[], None]:
    return lambda: request.param(standin)


def told(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


def pack(order: Order) -> int:
    transitions.approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get()
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    return parcel.pk


def payments_left(order: Order) -> Decimal:
    return find_refundable_payment(order)[1]
