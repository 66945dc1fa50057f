"""Goods of different days: all together, or in two parcels, each as it is ready. What it costs and when it comes is the
same wherever it is said.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import line_cancellation
from orders.arrivals import list_arrivals
from orders.confirmation import renew_promise
from orders.delays.announcing import set_later_day
from orders.fulfilment import transitions
from orders.models import Order, OrderLine, Refund
from orders.shop_terms import load_terms
from orders.timeline import build_timelines
from shop.catalog import listing
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.paying import check_books, check_out, fill, form, pay, standin, standin_process

__all__ = ["sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db

EXTRA = Decimal("2.95")
IN_TWO = {"parcels": "two"}


def read(response) -> str:
    return " ".join(read_words(response.text).split())


def variant(title: str, *, comes_in: int | None = 0, **fields) -> Variant:
    """On the shelf, or to come in so many days; None: nobody knows when."""
    made = builders.product(title, **fields).variants.get()
    if comes_in != 0:
        on = None if comes_in is None else timezone.localdate() + timedelta(days=comes_in)
        StockRecord.objects.filter(variant=made).update(on_hand=0, backorder_limit=9, restock_on=on)
    listing.refresh_listings()
    return made


@pytest.fixture
def mixed(client) -> tuple[Variant, Variant]:
    """In the cart: a scarf that is here, and a kettle that comes in forty days."""
    builders.tax_rate()
    builders.shipping_method(price="3.50", extra_parcel_price=EXTRA, days_min=2, days_max=4)
    goods = variant("Wool scarf"), variant("Copper kettle", comes_in=40)
    fill(client, *goods)
    return goods


def get_lines(order: Order) -> dict[str, OrderLine]:
    return {line.title: line for line in order.lines.all()}


def test_the_cart_says_that_there_is_a_choice_and_what_it_costs(client, mixed):
    words = read(client.get("/cart/"))
    assert "It all travels together, with Copper kettle." in words
    assert "Or in two parcels, for £2.95 more. What is here: ships" in words
    assert words.index("The rest: ships") < words.index("You choose at checkout.")


@pytest.mark.parametrize("comes_in", [0, 40], ids=["all of it here", "all of it to come"])
def test_where_all_of_it_goes_at_once_nobody_is_asked(client, comes_in):
    builders.shipping_method(extra_parcel_price=EXTRA)
    fill(client, variant("Wool scarf", comes_in=comes_in), variant("Copper kettle", comes_in=comes_in))
    assert "two parcels" not in read(client.get("/cart/"))
    assert "two parcels" not in read(client.get("/checkout/"))


def test_the_checkout_has_the_days_and_the_price_of_both(client, mixed):
    page = read(client.get("/checkout/"))
    assert "One parcel or two?" in page
    assert "+ £2.95" in page
    assert (
        page.index("All together")
        < page.index("In two parcels, each as it is ready")
        < page.index("What is here: ships")
    )
    together = builders_total(mixed) + Decimal("3.50")
    assert f"Total £{together}" in page
    in_two = read(client.post("/checkout/", {**form(**IN_TWO), "reprice": "1"}))
    assert f"Royal Mail, two parcels £{Decimal('3.50') + EXTRA}" in in_two
    assert f"Total £{together + EXTRA}" in in_two


def builders_total(goods: tuple[Variant, ...]) -> Decimal:
    return sum((each.price for each in goods), Decimal(0))


def test_in_two_parcels_each_line_has_its_own_days_wherever_they_are_said(client, admin_client, standin, sink, mixed):
    checkout = read(client.post("/checkout/", {**form(**IN_TWO), "reprice": "1"}))
    order = pay(client, standin, check_out(client, **IN_TWO))
    assert order.ships_as_ready
    assert order.shipping_total == Decimal("3.50") + EXTRA
    assert order.total == builders_total(mixed) + order.shipping_total
    lines = get_lines(order)
    scarf, kettle = lines["Wool scarf"], lines["Copper kettle"]
    assert scarf.promised_by_on < kettle.promised_by_on == order.promised_by_on
    assert (scarf.goes_first, kettle.goes_first) == (True, False)
    assert [titles for _, titles in list_arrivals(order)] == [["Wool scarf"], ["Copper kettle"]]
    relay_and_deliver()
    [receipt] = [mail for mail in sink.received if mail.topic == "receipt"]
    page = read(client.get(f"/orders/{order.number}/"))
    desk = read(admin_client.get(reverse("admin:orders_order_change", args=[order.pk])))
    last = f"{kettle.promised_by_on.day} {kettle.promised_by_on:%B}"
    for said in (checkout, page, " ".join(receipt.text.split())):
        assert last in said
        assert f"{scarf.promised_by_on.day} {scarf.promised_by_on:%B}" in said
    assert "(Wool scarf)" in page
    assert "In two parcels, with you" in " ".join(receipt.text.split())
    assert "Goes in two parcels, each as it is ready." in desk
    check_books(standin)


def test_approved_it_is_two_parcels_each_with_its_own_day_in_the_story(client, standin, mixed):
    order = pay(client, standin, check_out(client, **IN_TWO))
    transitions.approve_order(order.pk, actor="Sam")
    parcels = [[line.order_line.title for line in parcel.lines.all()] for parcel in order.shipments.all()]
    assert parcels == [["Wool scarf"], ["Copper kettle"]]
    page = read(client.get(f"/orders/{order.number}/"))
    first, second = page.index("Parcel 1 of 2"), page.index("Parcel 2 of 2")
    soon = get_lines(order)["Copper kettle"].promised_by_on
    assert f"{soon.day} {soon:%b}" not in page[first:second]
    assert f"{soon.day} {soon:%b}" in page[second:]


def test_the_story_of_two_parcels_asks_for_their_goods_once(client, standin, mixed, django_assert_max_num_queries):
    order = pay(client, standin, check_out(client, **IN_TWO))
    transitions.approve_order(order.pk, actor="Sam")
    found = Order.objects.get(pk=order.pk)
    with django_assert_max_num_queries(5):
        assert len(build_timelines(found)) == 2


def test_all_together_nothing_is_paid_on_top_and_no_line_has_days_of_its_own(client, standin, mixed):
    order = pay(client, standin, check_out(client))
    assert not order.ships_as_ready
    assert order.shipping_total == Decimal("3.50")
    assert {line.promised_by_on for line in order.lines.all()} == {None}


def test_who_asks_for_two_where_all_of_it_is_here_gets_one_and_pays_for_one(client, standin):
    builders.shipping_method(price="3.50", extra_parcel_price=EXTRA)
    fill(client, variant("Wool scarf"))
    order = pay(client, standin, check_out(client, **IN_TWO))
    assert not order.ships_as_ready
    assert order.shipping_total == Decimal("3.50")


def test_a_rest_without_a_known_day_need_not_hold_up_what_is_here(client, standin):
    builders.shipping_method(price="0.00")
    fill(client, variant("Wool scarf"), variant("Copper kettle", comes_in=None))
    page = read(client.get("/checkout/"))
    assert "at no extra cost" in page
    assert "The rest: we will write when we know the day." in page
    lines = get_lines(pay(client, standin, check_out(client, **IN_TWO)))
    assert lines["Wool scarf"].promised_by_on is not None
    assert lines["Copper kettle"].promised_by_on is None


def test_what_is_not_out_yet_is_still_to_come_although_it_is_here(client, standin):
    builders.shipping_method()
    coming = variant("Copper kettle", released_on=timezone.localdate() + timedelta(days=40))
    fill(client, variant("Wool scarf"), coming)
    order = pay(client, standin, check_out(client, **IN_TWO))
    transitions.approve_order(order.pk, actor="Sam")
    assert order.shipments.count() == 2


def test_another_way_of_travelling_has_its_own_price_for_a_second_parcel(client, mixed):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    page = read(client.post("/checkout/", {**form(**IN_TWO, method=str(courier.pk)), "reprice": "1"}))
    assert "Courier, two parcels £9.00" in page


def test_nonsense_for_the_parcels_is_refused_and_nothing_is_ordered(client, mixed):
    response = client.post("/checkout/", form(parcels="seven"))
    assert response.status_code == 200
    assert "Please choose one parcel or two." in response.text
    assert Order.objects.count() == 0


def test_back_from_the_payment_page_the_choice_is_still_made(client, standin, mixed):
    check_out(client, **IN_TWO)
    assert "Royal Mail, two parcels" in read(client.get("/checkout/"))


def test_a_delay_moves_the_day_of_the_parcel_that_comes_last_alone(client, standin, mixed):
    order = pay(client, standin, check_out(client, **IN_TWO))
    before = get_lines(order)
    leaves = order.ships_on + timedelta(days=20)
    set_later_day(order.pk, leaves_on=leaves, actor="Sam", words="")
    after = get_lines(order)
    order.refresh_from_db()
    assert after["Copper kettle"].promised_by_on == order.promised_by_on > before["Copper kettle"].promised_by_on
    assert after["Wool scarf"].promised_by_on == before["Wool scarf"].promised_by_on


def test_money_that_comes_weeks_later_moves_all_of_it(client, standin):
    builders.shipping_method()
    fill(client, variant("Wool scarf"), variant("Copper kettle", comes_in=3))
    order = check_out(client, **IN_TWO).order
    Order.objects.filter(pk=order.pk).update(ships_on=timezone.localdate() - timedelta(days=30))
    order.refresh_from_db()
    renew_promise(order)
    assert {line.promised_by_on for line in order.lines.all()} == {None}
    assert order.promised_by_on > timezone.localdate()


def test_the_second_parcel_is_not_part_of_what_ordinary_delivery_costs(client, standin, mixed):
    order = pay(client, standin, check_out(client, **IN_TWO))
    assert order.ordinary_shipping_total == Decimal("3.50")


def test_terms_read_the_price_to_the_penny():
    builders.shipping_method(extra_parcel_price=EXTRA)
    [method] = load_terms().methods
    assert method.extra_parcel_price == EXTRA


def test_cancelled_in_part_the_goods_go_back_and_with_all_of_it_both_postages(client, standin, mixed):
    order = pay(client, standin, check_out(client, **IN_TWO))
    scarf, kettle = (get_lines(order)[title] for title in ("Wool scarf", "Copper kettle"))
    part = line_cancellation.cancel_lines(order.pk, {kettle.pk: 1}, actor="Sam", seen_cancelled=0)
    assert part.refund.amount == kettle.line_total
    rest = line_cancellation.cancel_lines(order.pk, {scarf.pk: 1}, actor="Sam", seen_cancelled=1)
    assert rest.is_whole
    last = Refund.objects.exclude(pk=part.refund.pk).get()
    assert last.amount == scarf.line_total + Decimal("3.50") + EXTRA
    check_books(standin)
