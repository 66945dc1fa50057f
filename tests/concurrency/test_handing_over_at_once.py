"""One order, two at the counter: it is handed over once. And unlocked."""

import time

import pytest
from django.db import IntegrityError

from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import OrderEvent, Shipment
from tests.concurrency.racing import at_once
from tests.orders.test_collecting import collected_order
from tests.patience import stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)  # the database's constraints stand behind the lock


def hand_over_at_once() -> None:
    order = collected_order(Shipment.Stage.READY)
    pk = order.shipments.get().pk

    def step() -> str:
        try:
            transitions.hand_over_shipment(pk, actor="Sam", code=order.pickup_code)
        except TransitionRefused:
            return "refused"
        return "done"

    assert sorted(at_once([step] * 6, slowed_ms=5)) == ["done", *["refused"] * 5]
    assert order.events.filter(kind=OrderEvent.Kind.COLLECTED).count() == 1
    check_stock()


def test_handed_over_six_times_at_once_it_leaves_once():
    hand_over_at_once()


def test_without_the_parcels_lock_it_leaves_again_and_again(monkeypatch):
    def read(shipment_id: int) -> Shipment:
        found = Shipment.objects.select_related("order").get(pk=shipment_id)
        time.sleep(stretched(0.02))
        return found

    monkeypatch.setattr(transitions, "lock_shipment", read)
    with pytest.raises(WRONG):
        hand_over_at_once()
