"""A thing for oneself and the same thing as a gift: two lines of a cart, and of the order."""

import pytest
from django.urls import reverse

from orders import carts
from orders.models import Cart, CartLine, Order, ShopSettings
from tests import builders
from tests.paying import check_out, check_stock, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug():
    return builders.product("Tin mug", on_hand=5).variants.get()


@pytest.fixture
def cart():
    return Cart.objects.create()


def kinds(cart):
    return sorted(cart.lines.values_list("is_gift", "quantity"))


def test_one_for_oneself_and_one_as_a_gift_stand_side_by_side(client, mug):
    for fields in ({}, {"is_gift": "on"}, {"is_gift": "on"}):
        client.post(reverse("cart_add"), {"variant": mug.pk, **fields})
    assert kinds(Cart.objects.get()) == [(False, 1), (True, 2)]
    page = client.get("/cart/").text
    assert page.count("This is a gift") == 2
    assert page.count(" checked>This is a gift") == 1


def test_both_together_never_ask_for_more_than_there_is(cart, mug):
    carts.add_to_cart(cart, mug, quantity=3)
    change = carts.add_to_cart(cart, mug, quantity=4, is_gift=True)
    assert kinds(cart) == [(False, 3), (True, 2)]
    assert (change.count, change.notice) == (5, "There are only 5 of Tin mug; they are all in your cart.")
    change = carts.add_to_cart(cart, mug, quantity=1)
    assert kinds(cart) == [(False, 3), (True, 2)]
    assert (change.count, change.notice) == (5, "There are only 5 of Tin mug; they are all in your cart already.")
    carts.set_quantity(cart, cart.lines.get(is_gift=False).pk, 9)
    assert kinds(cart) == [(False, 3), (True, 2)]


def test_a_first_gift_of_what_is_all_in_the_cart_is_not_added(cart, mug):
    carts.add_to_cart(cart, mug, quantity=5)
    change = carts.add_to_cart(cart, mug, is_gift=True)
    assert kinds(cart) == [(False, 5)]
    assert (change.count, change.notice) == (5, "There are only 5 of Tin mug; they are all in your cart already.")


def test_the_shops_limit_counts_both(cart):
    plenty = builders.variant(on_hand=500)
    ShopSettings.objects.update_or_create(id=1, defaults={"quantity_limit": 10})
    carts.add_to_cart(cart, plenty, quantity=8)
    change = carts.add_to_cart(cart, plenty, quantity=8, is_gift=True)
    assert kinds(cart) == [(False, 8), (True, 2)]
    assert change.count == 10
    assert "at most 10 of one thing" in change.notice


def test_marking_a_line_joins_the_line_of_that_kind(cart, mug):
    carts.add_to_cart(cart, mug, quantity=2)
    carts.add_to_cart(cart, mug, is_gift=True)
    carts.set_gift(cart, cart.lines.get(is_gift=False).pk, is_gift=True)
    assert kinds(cart) == [(True, 3)]
    carts.set_gift(cart, cart.lines.get().pk, is_gift=False)
    carts.set_gift(cart, cart.lines.get().pk, is_gift=False)
    assert kinds(cart) == [(False, 3)]


def test_a_visitors_gift_stays_a_gift_beside_the_customers_own(mug):
    own, visitors = Cart.objects.create(customer=builders.customer()), Cart.objects.create()
    carts.add_to_cart(own, mug)
    carts.add_to_cart(visitors, mug, is_gift=True)
    carts.merge_carts(own, visitors)
    assert kinds(own) == [(False, 1), (True, 1)]


def test_both_are_bought_and_the_cart_is_empty(client, standin, mug):
    fill(client, mug)
    client.post(reverse("cart_add"), {"variant": mug.pk, "is_gift": "on", "quantity": 2})
    location = standin.pay(check_out(client).provider_reference)
    client.get(location.removeprefix("http://localhost:8000"))
    order = Order.objects.get(status=Order.Status.CONFIRMED)
    assert sorted(order.lines.values_list("is_gift", "quantity")) == [(False, 1), (True, 2)]
    assert not CartLine.objects.exists()
    assert mug.stock.get().allocated == 3
    check_stock()


def test_what_was_bought_leaves_the_cart_though_it_was_marked_a_gift_meanwhile(cart, mug):
    carts.add_to_cart(cart, mug, quantity=3, is_gift=True)
    carts.remove_bought_items(cart.pk, [(mug.pk, False, 2)])
    assert kinds(cart) == [(True, 1)]


def test_a_gift_added_while_paying_stays(cart, mug):
    carts.add_to_cart(cart, mug, quantity=2)
    carts.add_to_cart(cart, mug, is_gift=True)
    carts.remove_bought_items(cart.pk, [(mug.pk, False, 2)])
    assert kinds(cart) == [(True, 1)]
