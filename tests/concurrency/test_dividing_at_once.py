"""A parcel is divided by two of the staff at once, while its buyer cancels pieces of it, and while it is picked; and
that is taken back while a part is picked. And unlocked.
"""

import time
from functools import partial

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from orders import line_cancellation
from orders.fulfilment import dividing, transitions, undoing
from orders.models import Order, OrderEvent, Shipment
from shop.catalog.models import Product
from tests.concurrency.racing import at_once, attempt
from tests.delays.late import fresh
from tests.delays.two_parcels import get_kettle, get_scarf
from tests.orders.divided import list_live, three_of_each
from tests.patience import stretched
from tests.paying import check_stock

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)
Kind, Stage = OrderEvent.Kind, Shipment.Stage


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(line_cancellation, "try_send_refund", lambda refund_id: None)


def unlock(monkeypatch) -> None:
    def read_order(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    def read_shipment(shipment_id: int) -> Shipment:
        return Shipment.objects.select_related("order").get(pk=shipment_id)

    find_objection = dividing.find_objection

    def find_objection_slowly(parcel: Shipment, standing: str) -> str:
        """What is in it was read before."""
        time.sleep(stretched(0.5))
        return find_objection(parcel, standing)

    monkeypatch.setattr(dividing, "lock_shipment", read_shipment)
    monkeypatch.setattr(dividing, "find_objection", find_objection_slowly)
    monkeypatch.setattr(undoing, "lock_order", read_order)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows: rows)


def divide(parcel: Shipment, **wanted: int) -> str:
    """Whoever does it was shown six things."""
    lines = {"scarves": get_scarf(parcel.order).pk, "kettles": get_kettle(parcel.order).pk}
    pieces = {lines[name]: count for name, count in wanted.items()}
    return attempt(partial(dividing.divide_parcel, parcel.pk, pieces, actor="Sam", seen_count=6))


def check_parcels(order: Order) -> None:
    """Whatever is open is in its parcels, no piece twice; each parcel holds something."""
    inside: dict[int, int] = {}
    for parcel in list_live(order):
        rows = list(parcel.lines.values_list("order_line", "quantity"))
        assert rows
        assert all(count > 0 for _, count in rows)
        for line_id, count in rows:
            inside[line_id] = inside.get(line_id, 0) + count
    assert inside == {line.pk: line.open_quantity for line in order.lines.all() if line.open_quantity}
    check_stock()


def divide_at_once() -> None:
    order = three_of_each()
    parcel = order.shipments.get()
    jobs = [partial(divide, parcel, scarves=2), partial(divide, parcel, scarves=1, kettles=3)]
    assert sorted(at_once(jobs, slowed_ms=15)) == ["done", "refused"]
    assert order.events.filter(kind=Kind.DIVIDED).count() == 1
    assert len(list_live(order)) == 2
    check_parcels(order)


def divide_several_at_once() -> None:
    for _ in range(4):
        divide_at_once()
        Product.objects.all().update(title="Old")


def test_divided_by_two_at_once_it_is_divided_as_one_of_them_says():
    divide_several_at_once()


def test_without_the_orders_lock_it_is_divided_by_both(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        divide_several_at_once()


def divide_several_while_pieces_are_cancelled() -> None:
    """The buyer cancels first, and whoever divides looks again; or last, and pieces come out of the younger parcel."""
    for _ in range(4):
        order = three_of_each()
        parcel, scarf = order.shipments.get(), get_scarf(order)
        call_off = partial(line_cancellation.cancel_lines, order.pk, {scarf.pk: 2}, actor="Pat", seen_cancelled=0)
        divided, cancelled = at_once([partial(divide, parcel, scarves=2), partial(attempt, call_off)], slowed_ms=15)
        assert cancelled == "done"
        assert order.events.filter(kind=Kind.DIVIDED).count() == (divided == "done")
        check_parcels(order)
        Product.objects.all().update(title="Old")


def test_divided_while_pieces_are_cancelled_none_is_sent_that_was_cancelled():
    divide_several_while_pieces_are_cancelled()


def test_without_the_orders_lock_a_piece_that_was_cancelled_is_in_a_parcel(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        divide_several_while_pieces_are_cancelled()


def divide_several_while_they_are_picked() -> None:
    """Whoever picks fetches what the parcel holds from then on."""
    for _ in range(4):
        order = three_of_each()
        parcel, fetched = order.shipments.get(), []

        def pick(parcel=parcel, fetched=fetched) -> str:
            outcome = attempt(partial(transitions.start_picking_shipment, parcel.pk, actor="Kit"))
            fetched.extend(list_contents(parcel))
            return outcome

        divided, picked = at_once([partial(divide, parcel, scarves=2), pick], slowed_ms=15)
        assert picked == "done"
        assert fetched == list_contents(parcel)
        assert len(list_live(order)) == (2 if divided == "done" else 1)
        check_parcels(order)
        Product.objects.all().update(title="Old")


def list_contents(parcel: Shipment) -> list[tuple[int, int]]:
    return list(parcel.lines.order_by("pk").values_list("order_line", "quantity"))


def test_divided_while_it_is_picked_what_is_fetched_is_what_the_parcel_holds():
    divide_several_while_they_are_picked()


def test_without_the_orders_lock_something_fetched_is_taken_out_of_its_parcel(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        divide_several_while_they_are_picked()


def take_back_several_while_one_is_picked() -> None:
    """Either all is in one parcel, and that is picked or not, or each goes alone."""
    for _ in range(4):
        order = three_of_each()
        assert divide(order.shipments.get(), scarves=2) == "done"
        own = list_live(order)[1]
        seen = undoing.find_last_step(fresh(order)).event.pk
        back = partial(undoing.take_back_step, order.pk, actor="Kit", seen=seen)
        pick = partial(transitions.start_picking_shipment, own.pk, actor="Sam")
        undone, picked = at_once([partial(attempt, back), partial(attempt, pick)], slowed_ms=15)
        assert {undone, picked} == {"done", "refused"}
        assert len(list_live(order)) == (1 if undone == "done" else 2)
        check_parcels(order)
        Product.objects.all().update(title="Old")


def test_taken_back_while_one_of_the_two_is_picked_it_is_one_or_the_other():
    take_back_several_while_one_is_picked()


def test_without_the_orders_lock_an_emptied_parcel_is_picked(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        take_back_several_while_one_is_picked()
