"""Orders that wait for goods: a queue of their own, and nobody is sent to fetch what is not there."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from orders.fulfilment import queue, transitions
from orders.models import Order, ShopSettings
from shop.catalog import stock
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.backoffice.steps import LIST, buttons, page_of, said, stages, take

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
BACKORDERED = f"{LIST}?queue=backordered"


def to_come(**fields) -> Variant:
    made = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=made).update(backorder_limit=9, **fields)
    return made


def approved(*items: Variant, in_days: int = 5, **fields) -> Order:
    order = builders.placed_order(*items, promised_by_on=timezone.localdate() + in_days * DAY, **fields)
    return transitions.approve_order(order.pk, actor="Sam")


def receive(item: Variant, quantity: int = 1) -> None:
    with transaction.atomic():
        stock.receive_stock(StockRecord.objects.get(variant=item).pk, quantity=quantity)


def queues(order: Order) -> list[str]:
    """Those that show it; each counts it too."""
    shown = [key for key in queue.QUEUES if queue.filter_by_queue(Order.objects.filter(pk=order.pk), key).exists()]
    assert [each.queue.key for each in queue.summarize_queues() if each.count] == shown
    return shown


def test_what_waits_for_goods_stands_in_backordered_alone_and_in_to_pick_once_they_are_here():
    item = to_come()
    order = approved(item)
    assert queues(order) == ["backordered"]
    assert queue.find_queue_for_order(order, queue.list_standings(order.shipments.all())) == queue.BACKORDERED
    receive(item)
    assert queues(order) == ["pick"]
    assert stages(order) == ["waiting"]


def test_of_an_order_in_two_parcels_the_one_that_is_here_is_to_be_picked():
    order = approved(builders.variant(), to_come(), ships_as_ready=True)
    assert queues(order) == ["backordered", "pick"]
    standings = queue.list_standings(order.shipments.all())
    assert queue.find_queue_for_order(order, standings).key == "pick"


def test_one_on_hold_or_not_yet_approved_waits_for_no_goods():
    item = to_come()
    Order.objects.filter(pk=approved(item).pk).update(hold=Order.Hold.INQUIRY)
    builders.placed_order(item)
    counted = {each.queue.key: each.count for each in queue.summarize_queues()}
    assert (counted["backordered"], counted["held"], counted["approve"]) == (0, 1, 1)


def test_the_rule_approves_what_waits_for_goods_and_it_stands_in_backordered():
    ShopSettings.objects.update_or_create(pk=1, defaults={"approve_up_to": "99"})
    from orders.fulfilment.approval_rule import approve_waiting_orders

    order = builders.placed_order(to_come())
    assert approve_waiting_orders() == 1
    assert queues(order) == ["backordered"]


def test_the_first_page_counts_them_and_leads_there(staff: Client):
    approved(to_come())
    page = staff.get(reverse("admin:index"))
    [tile] = [each for each in page.context["today"].work if each.title == "Backordered"]
    assert (tile.count, tile.url) == (1, BACKORDERED)


def test_the_list_says_who_waits_for_what_since_when_promised_and_when_it_is_expected(staff: Client):
    today = timezone.localdate()
    later = approved(to_come(restock_on=today + 3 * DAY), in_days=9)
    sooner = approved(to_come(restock_on=today - DAY), in_days=4)
    unknown = approved(to_come(), in_days=6, quantity=2)
    page = staff.get(BACKORDERED)
    assert [order.pk for order in page.context["cl"].result_list] == [sooner.pk, unknown.pk, later.pk]
    words = " ".join(page.text.split())
    assert f"1 × {later.lines.get().title}, due {date_format(today + 3 * DAY, 'D j M')}" in words
    assert f'<span class="badge out">was due {date_format(today - DAY, "D j M")}</span>' in words
    assert f"2 × {unknown.lines.get().title}, nobody knows when" in words
    assert date_format(today + 4 * DAY, "D j M") in words


def test_of_two_parcels_the_list_names_the_day_of_the_one_that_waits(staff: Client):
    today = timezone.localdate()
    order = approved(builders.variant(), to_come(), in_days=30, ships_as_ready=True)
    order.lines.filter(allocations__awaits_goods=True).update(promised_by_on=today + 20 * DAY)
    words = staff.get(BACKORDERED).text
    assert date_format(today + 20 * DAY, "D j M") in words
    assert date_format(today + 30 * DAY, "D j M") not in words


def test_an_order_in_two_parcels_stands_by_the_day_of_the_one_that_waits(staff: Client):
    today = timezone.localdate()
    whole = approved(to_come(), in_days=10)
    in_two = approved(builders.variant(), to_come(), in_days=4, ships_as_ready=True)
    in_two.lines.filter(allocations__awaits_goods=True).update(promised_by_on=today + 20 * DAY)
    unknown = approved(to_come())
    Order.objects.filter(pk=unknown.pk).update(promised_by_on=None)
    found = staff.get(BACKORDERED).context["cl"].result_list
    assert [order.pk for order in found] == [whole.pk, in_two.pk, unknown.pk]


def test_nobody_is_sent_to_fetch_what_is_not_there(staff: Client):
    order = approved(to_come())
    assert said(take(staff, "pick_list", order)) == ["There is nothing to pick here."]
    assert said(take(staff, "packing_slips", order)) == ["There is no parcel to pack here."]
    for step in ("start_picking", "mark_picked"):
        assert "Start picking" not in buttons(staff.get(page_of(order)))
        assert said(take(staff, step, order)) == [
            f"{order.number} waits for goods that are not here yet: receive them first."
        ]
    assert stages(order) == ["waiting"]


def test_a_bulk_step_takes_the_parcel_that_is_here_and_leaves_the_one_that_waits(staff: Client):
    here, later = builders.variant(), to_come()
    order = approved(here, later, ships_as_ready=True)
    page = take(staff, "pick_list", order)
    assert here.product.title in page.text
    assert later.product.title not in page.text
    assert said(take(staff, "start_picking", order)) == [f"Being picked: {order.number}."]
    assert stages(order) == ["picking", "waiting"]


def test_its_page_says_that_it_waits(staff: Client):
    order = approved(to_come())
    assert "Backordered" in staff.get(page_of(order)).text
