"""Three here, and more to come: of how many somebody wants, the words of stock and the days are both spoken."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import CartLine
from orders.promise import format_date_range, format_day
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.paying import check_out, fill, pay, standin, standin_process

__all__ = ["sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db

HERE, COMES_IN = 3, 20


def read(response) -> str:
    return " ".join(read_words(response.text).split())


def get_day():
    return timezone.localdate() + timedelta(days=COMES_IN)


@pytest.fixture
def mug() -> Variant:
    builders.tax_rate()
    builders.shipping_method(price="3.50", days_min=2, days_max=4)
    made = builders.product("Tin mug", on_hand=HERE).variants.get()
    StockRecord.objects.filter(variant=made).update(backorder_limit=9, restock_on=get_day())
    return made


def describe_partly_here(quantity: int) -> str:
    return f"{HERE} of {quantity} here, more come {format_day(get_day(), timezone.localdate())}"


@pytest.mark.parametrize("quantity", [1, 3, 4, 6])
def test_cart_checkout_order_and_receipt_speak_of_as_many_as_are_wanted(client, standin, sink, mug, quantity):
    fill(client, mug, quantity=quantity)
    said = {"cart": read(client.get("/cart/")), "checkout": read(client.get("/checkout/"))}
    order = pay(client, standin, check_out(client))
    said["order"] = read(client.get(f"/orders/{order.number}/"))
    relay_and_deliver()
    [receipt] = [mail for mail in sink.received if mail.topic == "receipt"]
    said["receipt"] = " ".join(receipt.text.split())
    is_all_here = quantity <= HERE
    assert (order.ships_on < get_day()) is is_all_here
    days = format_date_range(order.promised_from_on, order.promised_by_on, timezone.localdate())
    assert [where for where, words in said.items() if days not in words] == []
    ships = f"ships {format_day(order.ships_on, timezone.localdate())}, arrives {days}."
    line = f"In stock, {ships}" if is_all_here else f"{describe_partly_here(quantity)}, and all of it {ships}"
    assert line in said["cart"]
    assert [where for where, words in said.items() if "In stock" in words] == (["cart"] if is_all_here else [])


def test_the_product_page_speaks_of_one(client, mug):
    fill(client, mug, quantity=6)
    page = read(client.get(mug.product.get_absolute_url()))
    assert "In stock, ships" in page
    assert "of 6 here" not in page


def test_a_quantity_changed_in_the_cart_changes_the_words(client, mug):
    fill(client, mug, quantity=3)
    line = CartLine.objects.get()
    client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": 4})
    assert describe_partly_here(4) in read(client.get("/cart/"))
    client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": 3})
    assert "In stock, ships" in read(client.get("/cart/"))


def test_where_nobody_knows_when_more_come_the_cart_says_so_and_how_many_are_here(client, mug):
    StockRecord.objects.filter(variant=mug).update(restock_on=None)
    fill(client, mug, quantity=4)
    assert "3 of 4 here, more are on their way. We will write when we know the day." in read(client.get("/cart/"))


def test_pieces_that_are_here_and_wait_for_others_are_not_said_to_go_with_what_is_here(client, mug):
    fill(client, builders.product("Wool scarf").variants.get())
    fill(client, mug, quantity=6)
    cart, checkout = read(client.get("/cart/")), read(client.get("/checkout/"))
    assert f"{describe_partly_here(6)}, and the rest waits for it." in cart
    for page in (cart, checkout):
        assert "What is here in full: ships " in page
        assert "What is here: " not in page


def test_two_parcels_of_whole_lines_are_what_is_here_and_the_rest(client, mug):
    fill(client, builders.product("Wool scarf").variants.get())
    StockRecord.objects.filter(variant=mug).update(on_hand=0)
    fill(client, mug, quantity=6)
    assert "What is here: ships " in read(client.get("/cart/"))


def test_once_the_day_on_which_more_were_due_has_passed_no_page_promises_a_day_by_it(client, mug):
    yesterday = timezone.localdate() - timedelta(days=1)
    StockRecord.objects.filter(variant=mug).update(on_hand=0, restock_on=yesterday)
    said = {"product": read(client.get(mug.product.get_absolute_url()))}
    fill(client, mug)
    said["cart"] = read(client.get("/cart/"))
    unknown = "More are on their way. We will write when we know the day."
    assert [where for where, words in said.items() if unknown not in words] == []
    assert "arrives" not in read(client.get("/checkout/"))
