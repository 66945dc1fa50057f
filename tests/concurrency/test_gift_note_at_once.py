"""The note that goes in with an order changed while somebody begins to pack it. And unlocked."""

import time

import pytest

from orders import gift_note
from orders.fulfilment import packing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order
from tests import cast
from tests.backoffice.steps import order_at
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


def change_while_it_is_packed() -> None:
    """Whoever comes first wins: the note that the packer reads is the one that stays."""
    order, sam = order_at("picked", gift_note="For Ann"), cast.sam()
    read: list[str] = []

    def pack() -> str:
        time.sleep(stretched(0.01))
        packing.begin_packing(order.shipments.get().pk, packer=sam)
        read.append(Order.objects.get(pk=order.pk).gift_note)
        return "packed"

    def change() -> str:
        try:
            gift_note.change_gift_note(order.pk, "For Ben", actor="Kit")
        except TransitionRefused:
            return "refused"
        return "changed"

    at_once([pack, change], slowed_ms=15)
    order.refresh_from_db()
    assert read == [order.gift_note]


def test_changed_while_packing_begins_the_packer_reads_the_note_that_stays():
    change_while_it_is_packed()


def test_without_the_orders_lock_the_packer_reads_a_note_that_does_not_stay(monkeypatch):
    def read_unlocked(order_id: int) -> Order:
        return Order.objects.prefetch_related("shipments").get(pk=order_id)

    def find_objection(order: Order) -> str:
        objection = found(order)
        time.sleep(stretched(0.2))
        return objection

    found = gift_note._find_objection
    monkeypatch.setattr(gift_note, "lock_order", read_unlocked)
    monkeypatch.setattr(gift_note, "_find_objection", find_objection)
    with pytest.raises(AssertionError):
        change_while_it_is_packed()
