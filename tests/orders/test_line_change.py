"""Another size or colour of what was ordered, until picking starts: same price, same shelf, same day."""

import pytest

from orders import line_change
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, OrderLine
from orders.papers import issuing
from orders.timeline import build_timelines
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, order_at, page_of, said, take
from tests.page import Page
from tests.paying import check_stock

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind
LINK, ASKED = "Change a size or colour", "What would you like instead?"


@pytest.fixture
def sizes() -> list[Variant]:
    shoe = builders.product("Felt slippers", price="10.00", sizes=("12", "13", "14"), on_hand=5)
    return list(shoe.variants.order_by("position"))


def page(order: Order) -> str:
    return f"/orders/{order.number}/changed-lines/"


def line_of(order: Order) -> OrderLine:
    return OrderLine.objects.get(order=order)


def promised(order: Order) -> dict[int, int]:
    standing = Allocation.objects.filter(order_line__order=order, released_at=None, consumed_at=None)
    return dict(standing.values_list("record__variant", "quantity"))


def allocated(*variants: Variant) -> list[int]:
    return [StockRecord.objects.get(variant=variant).allocated for variant in variants]


def changes(order: Order) -> list[tuple[str, str]]:
    return [(event.actor, event.data["what"]) for event in order.events.filter(kind=Kind.LINES_CHANGED)]


def sums(order: Order) -> tuple[object, ...]:
    fresh = Order.objects.get(pk=order.pk)
    line = line_of(order)
    return fresh.total, fresh.tax_total, fresh.ships_on, fresh.promised_by_on, line.unit_price, line.tax_amount


@pytest.mark.parametrize("stage", ["placed", "waiting"])
def test_the_buyer_has_another_size_until_picking_starts(buyer, sizes, stage):
    small, wide, _ = sizes
    order = builders.placed_order(small, quantity=2) if stage == "placed" else order_at(stage, small, quantity=2)
    before, client = sums(order), buyer(order)
    assert page(order) in client.get(f"/orders/{order.number}/").text
    asked = client.get(page(order)).text
    assert "2 × Felt slippers" in asked
    assert "size 12 (as ordered)" in asked
    response = client.post(page(order), {f"line-{line_of(order).pk}": wide.pk}, follow=True)
    assert "Changed. Felt slippers: size 13 instead of size 12." in response.text
    [story] = build_timelines(Order.objects.get(pk=order.pk))
    titles = [step.title for step in story.steps]
    assert titles.index("Placed and paid") < titles.index("Changed as you wished") < titles.index("Picked")
    line = line_of(order)
    assert (line.variant, line.sku, line.options) == (wide, wide.sku, "size 13")
    assert promised(order) == {wide.pk: 2}
    assert allocated(small, wide) == [0, 2]
    assert sums(order) == before
    assert changes(order) == [("the customer", "Felt slippers: size 13 instead of size 12")]
    check_stock()


def test_what_was_changed_is_what_leaves(sizes):
    small, wide, _ = sizes
    order = order_at("waiting", small)
    line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam")
    parcel = order.shipments.get()
    for step in (
        transitions.start_picking_shipment,
        transitions.mark_shipment_picked,
        transitions.mark_shipment_packed,
    ):
        step(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="")
    assert [StockRecord.objects.get(variant=each).on_hand for each in (small, wide)] == [5, 4]
    check_stock()


@pytest.mark.parametrize("stage", ["picking", "picked", "packed", "dispatched", "delivered"])
def test_once_somebody_picks_it_it_stays(buyer, sizes, stage):
    small, wide, _ = sizes
    order = order_at(stage, small)
    client = buyer(order)
    assert LINK not in client.get(f"/orders/{order.number}/").text
    response = client.post(page(order), {f"line-{line_of(order).pk}": wide.pk}, follow=True)
    assert "can no longer be changed here" in response.text
    with pytest.raises(TransitionRefused, match="stays as it is"):
        line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam")
    assert (line_of(order).variant, changes(order)) == (small, [])


@pytest.mark.parametrize("fields", [{"hold": "warning"}, {"status": "cancelled"}, {"status": "pending"}])
def test_what_is_on_hold_or_not_open_stays(sizes, fields):
    small, wide, _ = sizes
    order = builders.placed_order(small)
    Order.objects.filter(pk=order.pk).update(**fields)
    with pytest.raises(TransitionRefused, match="stays as it is"):
        line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam")
    assert (line_of(order).variant, promised(order), changes(order)) == (small, {small.pk: 1}, [])


def test_an_order_with_an_invoice_stays_as_the_invoice_says(buyer, sizes):
    small, wide, _ = sizes
    order = builders.placed_order(small)
    issuing.issue_for_order(order.pk)
    client = buyer(order)
    assert LINK not in client.get(f"/orders/{order.number}/").text
    shown = client.get(page(order)).text
    assert "What is in it stays as it is." in shown
    assert ASKED not in shown
    response = client.post(page(order), {f"line-{line_of(order).pk}": wide.pk}, follow=True)
    assert "can no longer be changed here" in response.text
    with pytest.raises(TransitionRefused, match="has an invoice already"):
        line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam")
    assert (line_of(order).variant, changes(order)) == (small, [])


def test_what_costs_another_sum_or_is_not_here_is_not_offered(buyer, sizes):
    small, wide, tall = sizes
    Variant.objects.filter(pk=wide.pk).update(price="12.00")
    StockRecord.objects.filter(variant=tall).update(on_hand=0, backorder_limit=9)
    builders.variant(builders.product(), price="10.00", size="13", on_hand=5)
    order = builders.placed_order(small)
    client = buyer(order)
    shown = " ".join(client.get(page(order)).text.split())
    assert "Nothing else of the same price is here just now" in shown
    assert "For anything else, or more of the same, place a new order" in shown
    assert f'href="{small.product.get_absolute_url()}">Felt slippers</a>' in shown
    for other in (wide, tall):
        with pytest.raises(TransitionRefused, match="gone meanwhile"):
            line_change.change_lines(order.pk, {line_of(order).pk: other.pk}, actor="Sam")
    assert (line_of(order).variant, promised(order), changes(order)) == (small, {small.pk: 1}, [])


def test_after_the_price_of_all_sizes_went_up_another_is_had_for_what_was_paid(sizes):
    small, wide, _ = sizes
    order = builders.placed_order(small)
    Variant.objects.update(price="15.00")
    before = sums(order)
    assert line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam")
    assert sums(order) == before


def test_more_than_the_shelf_holds_is_not_offered(sizes):
    small, wide, tall = sizes
    StockRecord.objects.filter(variant=wide).update(on_hand=1)
    order = builders.placed_order(small, quantity=2)
    [choice] = line_change.list_choices(order).values()
    assert choice.others == [tall]


def test_a_line_of_which_some_was_cancelled_stays(sizes):
    order = builders.placed_order(sizes[0], quantity=2)
    OrderLine.objects.filter(order=order).update(cancelled_quantity=1)
    order = Order.objects.get(pk=order.pk)
    assert not line_change.may_change_lines(order, order.lines.all(), has_invoice=False)
    assert not line_change.list_choices(order)


def test_what_waited_for_the_size_that_comes_free_gets_it(sizes):
    small, wide, _ = sizes
    StockRecord.objects.filter(variant=small).update(on_hand=1, backorder_limit=5)
    first, waiting = builders.placed_order(small), builders.placed_order(small)
    assert Allocation.objects.get(order_line__order=waiting).awaits_goods
    line_change.change_lines(first.pk, {line_of(first).pk: wide.pk}, actor="Sam")
    assert not Allocation.objects.get(order_line__order=waiting).awaits_goods


def test_asked_for_twice_it_is_changed_once(buyer, sizes):
    small, wide, _ = sizes
    order = builders.placed_order(small)
    client, key = buyer(order), f"line-{line_of(order).pk}"
    for _ in range(2):
        client.post(page(order), {key: wide.pk})
    assert line_change.change_lines(order.pk, {line_of(order).pk: wide.pk}, actor="Sam") == ""
    assert len(changes(order)) == 1
    assert promised(order) == {wide.pk: 1}


def test_an_old_tab_changes_only_what_was_chosen_in_it(buyer, sizes):
    """One tab changed the slippers; another, opened before, has other socks: the slippers stay as changed."""
    small, wide, _ = sizes
    short, long = builders.product("Socks", price="10.00", sizes=("S", "M"), on_hand=5).variants.order_by("position")
    order = builders.placed_order(small, short)
    slippers, socks = order.lines.get(variant=small).pk, order.lines.get(variant=short).pk
    client = buyer(order)
    old = {each.name: each.value for each in Page(client.get(page(order)).text).fields if each.kind == "hidden"}
    old |= {f"line-{slippers}": small.pk, f"line-{socks}": short.pk}
    client.post(page(order), old | {f"line-{slippers}": wide.pk})
    response = client.post(page(order), old | {f"line-{socks}": long.pk}, follow=True)
    assert "Changed. Socks: size M instead of size S." in response.text
    assert promised(order) == {wide.pk: 1, long.pk: 1}
    assert "Everything is as it was" in client.post(page(order), old).text
    assert len(changes(order)) == 2
    check_stock()


@pytest.mark.parametrize("typed", ["", "999999999", "x", "-1"])
def test_what_makes_no_sense_changes_nothing_and_says_so(buyer, sizes, typed):
    order = builders.placed_order(sizes[0])
    key = f"line-{line_of(order).pk}"
    response = buyer(order).post(page(order), {key: typed})
    assert response.status_code == 200
    assert "Please choose again" in response.text
    assert (line_of(order).variant, changes(order)) == (sizes[0], [])


def test_as_ordered_is_no_change(buyer, sizes):
    order = builders.placed_order(sizes[0])
    response = buyer(order).post(page(order), {f"line-{line_of(order).pk}": sizes[0].pk})
    assert "Everything is as it was" in response.text
    assert (line_of(order).variant, changes(order)) == (sizes[0], [])


def test_a_stranger_learns_and_changes_nothing(client, sizes):
    order = builders.placed_order(sizes[0])
    given = {f"line-{line_of(order).pk}": sizes[1].pk}
    real, made_up = client.post(page(order), given), client.post("/orders/SW-AAAA-AAAA-AA/changed-lines/", given)
    assert real.status_code == made_up.status_code == 404
    assert real.text == made_up.text
    assert (line_of(order).variant, changes(order)) == (sizes[0], [])


def test_staff_change_it_from_the_orders_page(staff, sizes):
    small, wide, _ = sizes
    order = builders.placed_order(small)
    assert "Change a size or colour" in buttons(staff.get(page_of(order)))
    asked = take(staff, "change_lines", order)
    assert "size 12 (as ordered)" in asked.text
    assert "For anything else, or more of the same, enter a new order" in " ".join(asked.text.split())
    response = take(staff, "change_lines", order, confirm="yes", **{f"line-{line_of(order).pk}": str(wide.pk)})
    assert any("Changed" in message for message in said(response))
    assert line_of(order).variant == wide
    assert [actor for actor, _ in changes(order)] != ["the customer"]


def test_staff_are_told_where_there_is_nothing_else(staff):
    order = builders.placed_order()
    assert any("nothing else of the same price" in message for message in said(take(staff, "change_lines", order)))
    assert changes(order) == []


def test_staff_are_offered_no_change_of_what_an_invoice_names(staff, sizes):
    order = builders.placed_order(sizes[0])
    assert "Change a size or colour" in buttons(staff.get(page_of(order)))
    issuing.issue_for_order(order.pk)
    assert "Change a size or colour" not in buttons(staff.get(page_of(order)))
    assert any("or its invoice is issued" in message for message in said(take(staff, "change_lines", order)))
    assert changes(order) == []
