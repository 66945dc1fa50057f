"""What is here is sent ahead by several at once, while a line is cancelled, and while it is picked; and that is taken
back by several at once, and while a part is picked. And unlocked.
"""

import time
from functools import partial

import pytest
from django.db import IntegrityError

from orders import line_cancellation
from orders.fulfilment import rejoining, splitting, transitions
from orders.models import Order, OrderEvent, Shipment, ShipmentLine
from shop.catalog.models import Product
from tests.concurrency.racing import at_once, attempt
from tests.delays.late import DAY, TODAY, fresh
from tests.delays.two_parcels import approve, get_scarf
from tests.orders.test_splitting import together
from tests.patience import stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)
Stage = Shipment.Stage


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(line_cancellation, "try_send_refund", lambda refund_id: None)


def unlock(monkeypatch) -> None:
    def read(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    for module in (splitting, rejoining):
        monkeypatch.setattr(module, "lock_order", read)


def split(order: Order) -> str:
    return attempt(partial(splitting.split_order, order.pk, actor="Sam"))


def approved(**fields) -> Order:
    order = together(**fields)
    approve(order)
    return order


def check_parcels(order: Order) -> None:
    """Whatever is open is in one parcel, each parcel holds something, and nothing that was cancelled is in any."""
    live = Shipment.objects.filter(order=order).exclude(stage=Stage.CANCELLED)
    inside = [line for parcel in live for line in parcel.lines.values_list("order_line", "quantity")]
    assert sorted(inside) == [(line.pk, line.open_quantity) for line in order.lines.all() if line.open_quantity]
    assert all(parcel.lines.exists() for parcel in live)
    check_stock()


def split_at_once() -> None:
    order = approved()
    assert sorted(at_once([partial(split, order)] * 6, slowed_ms=5)) == ["done", *["refused"] * 5]
    assert order.events.filter(kind=OrderEvent.Kind.SPLIT).count() == 1
    assert order.shipments.count() == 2
    check_parcels(order)


def test_sent_ahead_six_times_at_once_it_is_divided_once():
    split_at_once()


def test_without_the_orders_lock_it_is_divided_again_and_again(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        split_at_once()


def split_several_while_a_line_is_cancelled() -> None:
    for _ in range(4):
        order = approved()
        scarf = get_scarf(order)
        call_off = partial(line_cancellation.cancel_lines, order.pk, {scarf.pk: 1}, actor="Kit", seen_cancelled=0)
        divided, cancelled = at_once([partial(split, order), partial(attempt, call_off)], slowed_ms=15)
        assert cancelled == "done"
        assert fresh(order).ships_as_ready == (divided == "done")
        check_parcels(order)
        Product.objects.all().update(title="Old")


def test_divided_while_what_is_here_is_cancelled_no_parcel_is_empty():
    split_several_while_a_line_is_cancelled()


def test_without_the_orders_lock_an_empty_parcel_waits_to_be_picked(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        split_several_while_a_line_is_cancelled()


def split_several_while_they_are_picked() -> None:
    """The kettle lies on the shelf, and is not out yet: whoever picks fetches both, or only the scarf."""
    for _ in range(4):
        order = together(kettles_here=5)
        Product.objects.filter(title="Kettle").update(released_on=TODAY() + 9 * DAY)
        approve(order)
        parcel, fetched = order.shipments.get(), []

        def pick(parcel=parcel, fetched=fetched) -> str:
            outcome = attempt(partial(transitions.start_picking_shipment, parcel.pk, actor="Kit"))
            fetched.extend(list_contents(parcel))
            return outcome

        divided, picked = at_once([partial(split, order), pick], slowed_ms=15)
        assert picked == "done"
        assert fetched == list_contents(parcel)
        assert len(fetched) == (1 if divided == "done" else 2)
        check_parcels(order)
        Product.objects.all().update(title="Old")


def list_contents(parcel: Shipment) -> list[int]:
    return list(ShipmentLine.objects.filter(shipment=parcel).order_by("pk").values_list("order_line", flat=True))


def test_divided_while_it_is_picked_what_is_fetched_is_what_the_parcel_holds():
    split_several_while_they_are_picked()


def test_without_the_orders_lock_something_fetched_is_taken_out_of_its_parcel(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        split_several_while_they_are_picked()


def rejoin(order: Order) -> str:
    return attempt(partial(rejoining.rejoin_order, order.pk, actor="Kit"))


def divided() -> Order:
    order = approved()
    assert split(order) == "done"
    return order


def rejoin_at_once() -> None:
    order = divided()
    assert sorted(at_once([partial(rejoin, order)] * 6, slowed_ms=5)) == ["done", *["refused"] * 5]
    assert order.events.filter(kind=OrderEvent.Kind.TAKEN_BACK).count() == 1
    check_parcels(order)


def test_taken_back_six_times_at_once_it_is_taken_back_once():
    rejoin_at_once()


def test_without_the_orders_lock_it_is_taken_back_again_and_again(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        rejoin_at_once()


def rejoin_several_while_the_first_is_picked() -> None:
    """Either they are one parcel, which waits for its kettle, or the scarf is fetched and goes alone."""
    for _ in range(4):
        order = divided()
        first = Shipment.objects.get(order=order, lines__order_line=get_scarf(order))
        pick = partial(transitions.start_picking_shipment, first.pk, actor="Kit")
        joined, picked = at_once([partial(rejoin, order), partial(attempt, pick)], slowed_ms=15)
        assert {joined, picked} == {"done", "refused"}
        assert len(list_contents(first)) == (2 if joined == "done" else 1)
        check_parcels(order)
        Product.objects.all().update(title="Old")


def test_taken_back_while_a_part_is_picked_it_is_one_or_the_other():
    rejoin_several_while_the_first_is_picked()


def test_without_the_orders_lock_a_kettle_that_is_not_here_is_in_a_parcel_being_picked(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        rejoin_several_while_the_first_is_picked()
