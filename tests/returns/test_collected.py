"""What was collected in a store, and comes back: brought there or sent, and collected there again."""

import pytest
from django.utils import timezone

from orders.models import Allocation, Order, Shipment
from orders.models.order import draw_pickup_code
from orders.returns import exchanging, return_wording, steps
from shop.catalog.models import StockRecord
from tests import builders
from tests.returns.selling import Kind, Wanted, came, exchanged, returned, take_back

pytestmark = pytest.mark.django_db


def collected(**fields) -> Order:
    take_back()
    method = builders.pickup_method()
    return came(pickup_store=method.store, pickup_code=draw_pickup_code(), shipping_method=method, **fields)


def check_collected_again(sent: Order, order: Order) -> None:
    assert sent.pickup_store == order.pickup_store
    assert len(sent.pickup_code) == len(order.pickup_code)
    assert sent.pickup_code != order.pickup_code
    assert sent.pickup_ready_at > timezone.now()
    assert sent.shipping_name == "Collected in exchange"
    assert sent.shipments.get().stage == Shipment.Stage.WAITING
    assert Allocation.objects.get(order_line__order=sent).record.store == order.pickup_store


def test_for_what_was_faulty_the_replacement_is_collected_in_the_same_store():
    order = collected()
    made = returned(order, kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT)
    steps.receive_return(made.pk, actor="Sam")
    check_collected_again(steps.send_exchange(made.pk, actor="Sam"), order)
    made.refresh_from_db()
    last = return_wording.build_return_timeline(made).steps[-1]
    assert last.title == "The replacement is being made ready"  # it is on no way


def test_another_size_is_collected_there_too():
    order = collected()
    made = exchanged(order)
    steps.receive_return(made.pk, actor="Sam")
    check_collected_again(steps.send_exchange(made.pk, actor="Sam"), order)


def test_only_what_that_store_has_is_offered_instead():
    order = collected()
    line = order.lines.get()
    offered = exchanging.list_exchange_variants([line], store_id=order.pickup_store_id)
    assert [each.size for each in offered[line.pk]] == ["M"]
    elsewhere = builders.store("Warehouse")
    StockRecord.objects.filter(variant__size="M").update(store=elsewhere)
    assert exchanging.list_exchange_variants([line], store_id=order.pickup_store_id)[line.pk] == []
    assert [each.size for each in exchanging.list_exchange_variants([line])[line.pk]] == ["M"]


def test_it_may_be_brought_there_or_sent():
    order = collected()
    said = return_wording.describe_instructions(returned(order), pays_postage=False)
    assert said[0].startswith(f"Bring it to {order.pickup_store.name}, with the number ")
    assert "Send it to the address below, and keep the proof that you did." in said
    assert said[-1] == "The postage back is yours to pay, if you send it."
