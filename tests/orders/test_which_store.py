"""Of several stores that send, cart, order and shelf mean the same one, so that the day in the cart is the order's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Allocation, CartLine
from shop.catalog import listing, stock
from shop.catalog.models import StockMovement, StockRecord, Store, Variant
from shop.storefront import page_cache
from tests import builders
from tests.paying import check_out, check_stock, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db

NEAR, FAR = "Harbour Row", "Mill Lane"
STORES = {
    "all of it lies in the near one": ((6, 0), (9, 9), 6, NEAR, True),
    "the near one has too few, the far one all": ((3, 9), (6, 0), 6, FAR, True),
    "the near one has a piece, the far one may sell more": ((3, 0), (0, 9), 1, NEAR, True),
    "the far one lies ready, the near one would wait": ((0, 9), (2, 0), 2, FAR, True),
    "no shelf has all, the near one waits for it": ((3, 9), (3, 9), 4, NEAR, False),
    "no shelf has all, only the far one may sell so many": ((3, 0), (0, 9), 4, FAR, False),
}


def stocked(near: tuple[int, int], far: tuple[int, int]) -> Variant:
    """So many on each shelf, and so many that may be sold before they come."""
    page_cache.clear()
    item = builders.variant(on_hand=near[0])
    other = Store.objects.create(name=FAR, position=1)
    record = StockRecord.objects.create(variant=item, store=other)
    if far[0]:
        stock.receive_stock(record.pk, quantity=far[0], kind=StockMovement.Kind.OPENING)
    for (_, backorder), store in ((near, NEAR), (far, FAR)):
        records = StockRecord.objects.filter(variant=item, store__name=store)
        records.update(backorder_limit=backorder, restock_on=timezone.localdate() + timedelta(days=20))
    listing.refresh_listings()
    return item


@pytest.mark.parametrize("case", STORES)
def test_the_day_in_the_cart_is_that_of_the_store_it_is_taken_from(client, standin, case):
    near, far, quantity, store, is_here = STORES[case]
    builders.shipping_method()
    fill(client, stocked(near, far), quantity=quantity)
    [row] = client.get("/cart/").context["rows"]
    order = pay(client, standin, check_out(client))
    [taken] = Allocation.objects.filter(order_line__order=order)
    assert taken.record.store.name == store
    assert taken.awaits_goods != is_here
    assert (row.promised.ships_on, row.promised.by_on) == (order.ships_on, order.promised_by_on)
    check_stock()


def test_a_gift_and_another_of_it_are_counted_together_as_they_are_taken(client, standin):
    builders.shipping_method()
    item = stocked((3, 0), (4, 0))
    fill(client, item, quantity=2)
    client.post("/cart/lines/", {"variant": item.pk, "quantity": 2, "is_gift": "on"})
    assert [line.quantity for line in CartLine.objects.all()] == [2, 2]
    days = {row.promised.by_on for row in client.get("/cart/").context["rows"]}
    order = pay(client, standin, check_out(client))
    assert {each.record.store.name for each in Allocation.objects.all()} == {FAR}
    assert days == {order.promised_by_on}


def test_the_cart_takes_as_many_as_any_one_store_may_sell(client):
    builders.shipping_method()
    fill(client, stocked((3, 0), (0, 9)), quantity=1)
    [row] = client.get("/cart/").context["rows"]
    assert row.line.available == 9
