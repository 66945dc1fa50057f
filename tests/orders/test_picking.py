"""What to fetch for many orders at once, in the order of a walk along the places where things stand."""

import pytest

from orders.fulfilment import transitions
from orders.fulfilment.picking import build_pick_list
from orders.models import Shipment
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import take

__all__ = ["staff"]

pytestmark = pytest.mark.django_db


def place(variant: Variant, where: str) -> Variant:
    StockRecord.objects.filter(variant=variant).update(bin_location=where)
    return variant


def approve(*variants: Variant, quantity: int = 1) -> Shipment:
    order = builders.placed_order(*variants, quantity=quantity)
    return transitions.approve_order(order.pk, actor="Sam").shipments.get()


def walk(groups) -> list[tuple[str, list[tuple[str, int]]]]:
    return [(group.place, [(item.sku, item.quantity) for item in group.items]) for group in groups]


def fetched() -> list[Shipment]:
    parcels = Shipment.objects.select_related("order", "store").prefetch_related("lines__order_line")
    return list(parcels.order_by("pk"))


def test_the_walk_goes_by_place_and_sku_and_says_for_whom(django_assert_num_queries):
    far = place(builders.variant(), "A-10")
    near = place(builders.variant(), "A-2")
    also_near = place(builders.variant(), " a-2")
    lost = builders.variant()
    first, second = approve(far, near, lost, quantity=2), approve(near, also_near)
    parcels = fetched()
    with django_assert_num_queries(1):
        groups = build_pick_list(parcels)
    assert walk(groups) == [
        ("A-2", [(near.sku, 3)]),
        ("a-2", [(also_near.sku, 1)]),
        ("A-10", [(far.sku, 2)]),
        ("", [(lost.sku, 2)]),
    ]
    assert groups[0].items[0].orders == [(first.order.number, 2), (second.order.number, 1)]


def test_each_store_is_walked_by_itself():
    item = place(builders.variant(), "B-1")
    mill = builders.store("Mill Lane")
    StockRecord.objects.create(variant=item, store=mill, bin_location="Z-9")
    approve(item)
    Shipment.objects.filter(pk=approve(item).pk).update(store=mill)
    assert [(each.store, each.place) for each in build_pick_list(fetched())] == [
        ("Harbour Row", "B-1"),
        ("Mill Lane", "Z-9"),
    ]


def test_nothing_is_left_out_and_nothing_comes_twice():
    goods = [place(builders.variant(on_hand=50), f"C-{number % 3}") for number in range(7)]
    for number in range(6):
        approve(*goods[number % 4 : number % 4 + 3], quantity=number % 2 + 1)
    groups = build_pick_list(fetched())
    on_the_list = sum(item.quantity for group in groups for item in group.items)
    assert on_the_list == sum(line.quantity for parcel in fetched() for line in parcel.lines.all())
    assert len({group.place for group in groups}) == len(groups)


def test_staff_read_it_on_the_page_they_print(staff):
    item = place(builders.variant(), "A-3")
    first, second = approve(item), approve(item)
    page = " ".join(take(staff, "pick_list", first.order, second.order).text.split())
    assert "A-3" in page
    assert f"{first.order.number}: 1" in page
    assert f"{second.order.number}: 1" in page


def test_a_place_is_noted_where_stock_is_kept(staff):
    record = builders.variant().stock.get()
    url = f"/admin/catalog/stockrecord/{record.pk}/change/"
    form = staff.get(url).context["adminform"].form
    assert "bin_location" in form.fields
