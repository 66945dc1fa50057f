"""What is on the shelf leaves first where the buyer wants each part as it is ready; else all of it waits together."""

import pytest

from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order
from shop.catalog import stock
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.paying import check_stock

pytestmark = pytest.mark.django_db


def to_come(count: int = 5) -> Variant:
    made = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=made).update(backorder_limit=count)
    return made


def approve(order: Order) -> list[list[str]]:
    approved = transitions.approve_order(order.pk, actor="Sam")
    return [[line.order_line.sku for line in parcel.lines.all()] for parcel in approved.shipments.all()]


def test_each_part_as_it_is_ready_is_a_parcel_for_what_is_here_and_one_for_what_is_to_come():
    here, later = builders.variant(), to_come()
    order = builders.placed_order(later, here, ships_as_ready=True)
    assert approve(order) == [[here.sku], [later.sku]]


@pytest.mark.parametrize("ships_as_ready", [True, False])
def test_else_it_is_one_parcel(ships_as_ready):
    goods = [builders.variant(), builders.variant() if ships_as_ready else to_come()]
    order = builders.placed_order(*goods, ships_as_ready=ships_as_ready)
    assert len(approve(order)) == 1


def test_whoever_was_promised_first_is_served_first():
    wanted = to_come()
    first = builders.placed_order(wanted)
    with_more = builders.placed_order(wanted, builders.variant(), ships_as_ready=True)
    record = StockRecord.objects.get(variant=wanted)
    stock.receive_stock(record.pk, quantity=1)  # enough for the first alone
    assert len(approve(with_more)) == 2
    assert len(approve(first)) == 1
    check_stock()


def test_what_is_to_come_does_not_leave_before_it_has_come():
    here, later = builders.variant(), to_come()
    order = builders.placed_order(here, later, ships_as_ready=True)
    approve(order)
    for parcel in order.shipments.all():
        transitions.mark_shipment_picked(parcel.pk, actor="Sam")
        transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    ready, waiting = order.shipments.all()
    transitions.dispatch_shipment(ready.pk, actor="Sam", carrier="dpd", tracking_number="")
    with pytest.raises(TransitionRefused, match="not in stock yet"):
        transitions.dispatch_shipment(waiting.pk, actor="Sam", carrier="dpd", tracking_number="")
    waiting.refresh_from_db()
    assert waiting.stage == "packed"
    stock.receive_stock(StockRecord.objects.get(variant=later).pk, quantity=1)
    transitions.dispatch_shipment(waiting.pk, actor="Sam", carrier="dpd", tracking_number="")
    check_stock()
