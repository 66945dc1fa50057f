"""Two work at the same bench at once: packing, the rule, a new address. Each race also runs with its guard off."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from accounts.models import User
from orders.addresses import address_change
from orders.fulfilment import approval_rule, packing, transitions
from orders.models import Order, OrderEvent, PackingScan, Shipment, ShopSettings
from tests import builders, cast
from tests.delays.late import DAY, TODAY, goods_come
from tests.delays.two_parcels import approve, get_kettle, get_parcel, get_scarf, order_in_two, send
from tests.orders.packing_table import pick
from tests.orders.test_staff_races import PAUSE_SECONDS, slowly, together, without_locks
from tests.patience import stretched

__all__ = ["slowly", "without_locks"]

pytestmark = pytest.mark.django_db(transaction=True)

Kind = OrderEvent.Kind


# -- The packing table -----------------------------------------------------------------------------------------


@pytest.fixture
def without_parcel_lock(monkeypatch):
    """The mutant: whoever packs reads the parcel without keeping others from it."""
    monkeypatch.setattr(packing, "lock_shipment", lambda pk: Shipment.objects.select_related("order").get(pk=pk))


def begin_by_two(slowly) -> list[str]:
    parcel = pick(builders.variant())
    slowly(packing.timezone, "now")  # after it has looked who has the parcel, and before it writes
    people = [User.objects.create_user(f"{name}@example.com", builders.PASSWORD) for name in ("sam", "kit")]
    return together(*(partial(packing.begin_packing, parcel.pk, packer=each) for each in people))


def test_two_begin_the_same_parcel(slowly):
    assert begin_by_two(slowly) == ["done", "refused"]
    assert Shipment.objects.get().packer is not None


def test_two_begin_the_same_parcel_without_its_lock_and_both_think_it_theirs(slowly, without_parcel_lock):
    assert begin_by_two(slowly) == ["done", "done"]


def scan_by_two(slowly) -> list[str]:
    """One scanner, and the same packer's other window."""
    item = builders.variant()
    parcel = pick(item)
    sam = cast.sam()
    packing.begin_packing(parcel.pk, packer=sam)
    slowly(packing, "_is_of_line")
    scan = partial(packing.scan_item, parcel.pk, item.sku, packer=sam)
    return together(scan, scan)


def test_one_thing_scanned_twice_at_once_is_in_the_parcel_once(slowly):
    assert scan_by_two(slowly) == ["done", "refused"]
    assert PackingScan.objects.count() == 1


def test_without_the_parcels_lock_more_is_in_it_than_it_holds(slowly, without_parcel_lock):
    assert scan_by_two(slowly) == ["done", "done"]
    assert PackingScan.objects.count() == 2


def close_twice(slowly) -> None:
    item = builders.variant()
    parcel = pick(item)
    sam = cast.sam()
    packing.begin_packing(parcel.pk, packer=sam)
    packing.scan_item(parcel.pk, item.sku, packer=sam)
    slowly(transitions.stages, "get_stage")
    close = partial(packing.close_parcel, parcel.pk, packer=sam)
    together(close, close)


def test_a_parcel_closed_twice_at_once_is_packed_once(slowly):
    close_twice(slowly)
    assert OrderEvent.objects.filter(kind=Kind.PACKED).count() == 1


def test_closed_twice_at_once_without_its_lock_it_is_packed_again(slowly, without_parcel_lock, without_locks):
    close_twice(slowly)
    assert OrderEvent.objects.filter(kind=Kind.PACKED).count() == 2


# -- The rule ------------------------------------------------------------------------------------------------------


def approve_by_rule_and_by_hand(slowly) -> None:
    ShopSettings(pk=1, approve_up_to=1000).save()
    order = builders.placed_order()
    slowly(transitions, "_create_shipments")
    together(
        approval_rule.approve_waiting_orders,
        approval_rule.approve_waiting_orders,
        lambda: transitions.approve_order(order.pk, actor="Kit"),
    )


def test_the_rule_and_staff_approve_the_same_order_once(slowly):
    approve_by_rule_and_by_hand(slowly)
    assert Shipment.objects.count() == 1
    assert OrderEvent.objects.filter(kind=Kind.APPROVED).count() == 1


def test_the_rule_and_staff_without_the_lock_make_parcels_of_their_own(slowly, without_locks, monkeypatch):
    monkeypatch.setattr(approval_rule, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    approve_by_rule_and_by_hand(slowly)
    assert Shipment.objects.count() > 1


# -- Where it goes ---------------------------------------------------------------------------------------------


def order_to_pick() -> tuple[Order, int]:
    """With its one parcel."""
    order = builders.placed_order()
    return order, transitions.approve_order(order.pk, actor="Sam").shipments.get().pk


def rest_to_pick() -> tuple[Order, int]:
    """With the parcel that is still here; the other has left."""
    order = order_in_two(TODAY() + 4 * DAY, TODAY() + 30 * DAY)
    approve(order)
    send(get_scarf(order))
    goods_come()
    return order, get_parcel(get_kettle(order)).pk


PICKABLE = pytest.mark.parametrize("make", [order_to_pick, rest_to_pick])


def change_address_while_it_is_picked(slowly, make: Callable[[], tuple[Order, int]]) -> list[str]:
    """What is written down, in its order: picking begins while the new address is looked at and not yet kept."""
    order, parcel = make()
    address = {name: str(getattr(order, name)) for name in address_change.CHANGEABLE} | {"line1": "7 Mill Lane"}
    slowly(address_change, "_save_address")

    def pick_a_moment_later() -> None:
        time.sleep(stretched(PAUSE_SECONDS / 4))
        transitions.start_picking_shipment(parcel, actor="Sam")

    together(lambda: address_change.change_address(order.pk, address, actor="the customer"), pick_a_moment_later)
    kinds = OrderEvent.objects.order_by("created_at").values_list("kind", flat=True)
    return [kind for kind in kinds if kind in (Kind.ADDRESS_CHANGED, Kind.PICKING)]


@PICKABLE
def test_an_address_is_not_changed_once_picking_has_begun(slowly, make):
    assert change_address_while_it_is_picked(slowly, make) == [Kind.ADDRESS_CHANGED, Kind.PICKING]


@PICKABLE
def test_without_the_orders_lock_an_address_is_changed_while_it_is_picked(slowly, without_locks, monkeypatch, make):
    monkeypatch.setattr(address_change, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    assert change_address_while_it_is_picked(slowly, make) == [Kind.PICKING, Kind.ADDRESS_CHANGED]
