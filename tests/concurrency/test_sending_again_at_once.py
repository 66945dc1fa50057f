"""A refund that failed, sent again by several at once. And unlocked."""

import time
from functools import partial

import pytest
from django.db import IntegrityError
from django.utils import timezone

from orders.models import Order, Refund
from orders.payments import failed_refunds, refunds
from tests import builders
from tests.concurrency.racing import at_once, attempt
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, failed_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def send_again_at_once() -> None:
    """Four send it again, and four note it as given back by hand."""
    order = builders.placed_order()
    refunds.refund_order(order.pk, amount=None, actor="Sam")
    Refund.objects.update(status=Refund.Status.FAILED, settled_at=timezone.now())
    ways = [failed_refunds.send_refunds_again, failed_refunds.give_back_by_hand] * 4
    done = at_once([partial(attempt, partial(step, order.pk, actor="Kit")) for step in ways], slowed_ms=5)
    assert sorted(done) == ["done", *["refused"] * 7]
    assert Refund.objects.exclude(status=Refund.Status.FAILED).get().amount == order.total


def test_sent_again_eight_times_at_once_it_goes_back_once():
    send_again_at_once()


def test_without_the_orders_lock_only_the_database_stands_between(monkeypatch):
    """Its own key for what a refund repeats breaks all but one of them."""

    def read(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    monkeypatch.setattr(failed_refunds, "lock_order", read)
    with pytest.raises(IntegrityError):
        send_again_at_once()
