"""The cart over HTTP: for visitors and customers, capped by stock, merged at login, and never anyone else's."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from orders import carts
from orders.models import Allocation, Cart, CartLine, Order, ShopSettings
from shop.catalog.models import StockRecord, Store
from shop.storefront import page_cache
from tests import builders
from tests.paying import fill, form

pytestmark = pytest.mark.django_db


def add(client: Client, variant, **fields):
    return client.post("/cart/lines/", {"variant": variant.pk, **fields})


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def sum_of_queries(context) -> int:
    """What was asked of the database; opening and closing a transaction is no question."""
    control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not query["sql"].startswith(control) for query in context.captured_queries)


def test_a_visitor_puts_something_in_the_cart_and_finds_it_there(client):
    socks = builders.product("Rag wool socks", price="14.00").variants.get()
    response = add(client, socks, quantity=2)
    assert (response.status_code, response.url) == (303, "/cart/")
    page = client.get("/cart/")
    assert "Rag wool socks" in page.text
    assert "£28.00" in page.text
    assert client.session["cart_count"] == 2
    assert "no-store" in page.headers["Cache-Control"]


def test_adding_the_same_thing_again_adds_up(client):
    socks = builders.variant()
    add(client, socks)
    add(client, socks, quantity=2)
    add(client, socks, is_gift="on")
    assert sorted(CartLine.objects.values_list("quantity", "is_gift")) == [(1, True), (3, False)]


def test_what_is_not_there_is_not_added_and_the_shop_says_so(client):
    socks = builders.variant(on_hand=3)
    response = add(client, socks, quantity=5)
    assert CartLine.objects.get().quantity == 3
    assert "only 3" in said(response)
    gone = builders.variant(on_hand=0)
    response = add(client, gone)
    assert not CartLine.objects.filter(variant=gone).exists()
    assert "out of stock" in said(response)


def test_goods_promised_to_another_order_cannot_be_added(client):
    mug = builders.variant(on_hand=1)
    mug.stock.update(allocated=1)
    add(client, mug)
    assert not CartLine.objects.exists()


@pytest.mark.parametrize(
    "fields", [{}, {"variant": "x"}, {"variant": "9" * 40}, {"variant": "1", "quantity": "-1"}, {"variant": "0"}]
)
def test_a_malformed_addition_changes_nothing_and_says_so(client, fields):
    response = client.post("/cart/lines/", fields)
    assert response.status_code == 303
    assert "Nothing was added" in said(response)
    assert not Cart.objects.exists()


def test_what_is_off_sale_cannot_be_added(client):
    hidden = builders.product(is_published=False).variants.get()
    inactive = builders.variant(builders.product(), is_active=False)
    for variant in (hidden, inactive):
        assert "no longer for sale" in said(add(client, variant))
    assert not CartLine.objects.exists()


def test_quantity_gift_and_note_can_be_changed(client):
    add(client, builders.variant())
    line = CartLine.objects.get()
    client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": 4})
    client.post(f"/cart/lines/{line.pk}/gift/", {"is_gift": "on"})
    client.post("/cart/note/", {"gift_note": "For the hill"})
    line.refresh_from_db()
    assert (line.quantity, line.is_gift, line.cart.gift_note) == (4, True, "For the hill")
    client.post(f"/cart/lines/{line.pk}/gift/")
    line.refresh_from_db()
    assert line.is_gift is False


@pytest.mark.parametrize("quantity", ["", "many", "-1", "1.5", "99999999999"])
def test_a_quantity_that_is_none_changes_nothing(client, quantity):
    add(client, builders.variant(), quantity=2)
    line = CartLine.objects.get()
    response = client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": quantity})
    assert "Nothing was changed" in said(response)
    assert CartLine.objects.get().quantity == 2


def test_a_removed_line_can_be_put_back_as_it_was(client):
    add(client, builders.product("Tin mug").variants.get(), quantity=3, is_gift="on")
    response = client.post(f"/cart/lines/{CartLine.objects.get().pk}/removal/")
    assert not CartLine.objects.exists()
    assert client.session["cart_count"] == 0
    page = client.get(response.url)
    assert "Removed: Tin mug." in page.text
    removed = page.context["removed"]
    add(client, removed["variant"], quantity=removed["quantity"], is_gift="on")
    line = CartLine.objects.get()
    assert (line.quantity, line.is_gift) == (3, True)


def test_nobody_can_change_somebody_elses_line(client):
    theirs = builders.cart(builders.variant(), quantity=2).lines.get()
    add(client, builders.variant())
    client.post(f"/cart/lines/{theirs.pk}/quantity/", {"quantity": 1})
    client.post(f"/cart/lines/{theirs.pk}/gift/", {"is_gift": "on"})
    client.post(f"/cart/lines/{theirs.pk}/removal/")
    theirs.refresh_from_db()
    assert (theirs.quantity, theirs.is_gift) == (2, False)


def test_a_visitors_cart_becomes_the_customers_at_login(client):
    customer = builders.customer()
    add(client, builders.variant())
    client.force_login(customer.user)
    assert Cart.objects.get().customer == customer
    assert client.session["cart_count"] == 1


def test_carts_are_merged_at_login_as_far_as_stock_goes(client):
    customer = builders.customer()
    scarce, other = builders.variant(on_hand=3), builders.variant()
    builders.cart(scarce, customer=customer, quantity=2)
    add(client, scarce, quantity=2)
    add(client, other, is_gift="on")
    client.force_login(customer.user)
    cart = Cart.objects.get()
    assert {line.variant_id: (line.quantity, line.is_gift) for line in cart.lines.all()} == {
        scarce.pk: (3, False),
        other.pk: (1, True),
    }
    assert client.session["cart_count"] == 4


def test_an_unfinished_payment_follows_its_goods_into_the_customers_cart():
    customer = builders.customer()
    own = builders.cart(customer=customer)
    visitor = builders.cart(builders.variant())
    order = Order.objects.create(cart=visitor, full_name="Pat", line1="1", city="Leeds", country="GB")
    carts.merge_carts(own, visitor)
    order.refresh_from_db()
    assert order.cart == own


def test_the_last_unit_held_for_a_visitors_payment_stays_in_the_cart_at_login():
    mug = builders.variant(on_hand=1)
    visitor = builders.cart(mug)
    order = Order.objects.create(cart=visitor, full_name="Pat", line1="1", city="Leeds", country="GB")
    line = order.lines.create(variant=mug, sku=mug.sku, title="Mug", quantity=1, unit_price=1)
    Allocation.objects.create(order_line=line, record=mug.stock.get(), quantity=1)
    mug.stock.update(allocated=1)
    own, notices = carts.claim_visitor_cart(builders.customer(), visitor.token)
    assert (own.lines.get().variant, notices) == (mug, [])


def test_nothing_of_a_customers_cart_is_left_after_logout(client):
    customer = builders.customer()
    builders.cart(builders.product("Secret present").variants.get(), customer=customer)
    client.force_login(customer.user)
    assert "Secret present" in client.get("/cart/").text
    client.post("/accounts/logout/")
    page = client.get("/cart/")
    assert "Secret present" not in page.text
    assert client.session.get("cart_count", 0) == 0
    add(client, builders.variant())
    assert customer.cart.lines.count() == 1


def test_goods_held_for_the_carts_own_payment_count_as_its_own(client):
    mug = builders.variant(on_hand=1)
    add(client, mug)
    cart = Cart.objects.get()
    order = Order.objects.create(cart=cart, full_name="Pat", line1="1", city="Leeds", country="GB")
    line = order.lines.create(variant=mug, sku=mug.sku, title="Mug", quantity=1, unit_price=1)
    record = mug.stock.get()
    Allocation.objects.create(order_line=line, record=record, quantity=1)
    mug.stock.update(allocated=1)
    (found,) = carts.get_priced_lines(cart)
    assert found.available == 1
    (stranger,) = carts.get_priced_lines(builders.cart(mug))
    assert stranger.available == 0


def test_a_line_that_sold_out_meanwhile_is_named_and_keeps_the_cart_from_checkout(client):
    mug = builders.product("Tin mug", on_hand=2).variants.get()
    add(client, mug, quantity=2)
    mug.stock.update(allocated=1)
    page = client.get("/cart/")
    assert "Only 1 left. Make it 1 to check out." in page.text
    assert 'class="button wide" disabled>Check out' in page.text


def test_the_cart_page_says_when_it_ships_and_what_it_comes_to(client):
    builders.shipping_method(price="3.50")
    builders.tax_rate()
    add(client, builders.variant(price="12.00"))
    page = client.get("/cart/").text
    assert "Ships " in page
    assert ", arrives " in page
    assert "£15.50" in page
    assert "£2.58" in page  # the tax inside


def test_a_cart_page_of_three_lines_asks_the_database_at_most_six_times(client, django_assert_max_num_queries):
    builders.shipping_method()
    ShopSettings.current().save()
    for _ in range(3):
        add(client, builders.variant())
    client.get("/cart/")
    with django_assert_max_num_queries(6):
        client.get("/cart/")
    page_cache.clear()
    with django_assert_max_num_queries(7):  # and for the departments; the terms it read itself are the frame's too
        client.get("/cart/")


def test_adding_asks_the_database_at_most_eight_times(client, django_assert_max_num_queries):
    for variant in (builders.variant(), builders.variant()):
        with django_assert_max_num_queries(30) as captured:
            add(client, variant)
        assert sum_of_queries(captured) <= 8


def test_carts_change_only_by_post(client):
    for path in ("/cart/lines/", "/cart/note/", "/cart/lines/1/quantity/", "/cart/lines/1/removal/"):
        assert client.get(path).status_code == 405


def test_a_quantity_above_the_limit_says_what_the_limit_is(client):
    mug = builders.variant(on_hand=5000)
    for asked in ("1000", "4000", "99999999"):
        page = client.post("/cart/lines/", {"variant": mug.pk, "quantity": asked}, follow=True).text
        assert "at most 999 of one thing" in page
        assert "Choose one of the kinds" not in page
    line = CartLine.objects.get()
    assert line.quantity == 999
    page = client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": "1200"}, follow=True).text
    assert "at most 999 of one thing" in page
    assert client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": "999"}, follow=True).text.count("at most") == 0


def test_adding_up_to_the_limit_in_steps_says_it_too(client):
    mug = builders.variant(on_hand=5000)
    client.post("/cart/lines/", {"variant": mug.pk, "quantity": 998})
    assert "at most" not in client.post("/cart/lines/", {"variant": mug.pk, "quantity": 1}, follow=True).text
    assert "at most 999" in client.post("/cart/lines/", {"variant": mug.pk, "quantity": 1}, follow=True).text


def test_staff_set_the_limit_and_what_is_above_it_must_be_lowered(client, standin):
    mug = builders.variant(on_hand=50)
    fill(client, mug, quantity=20)
    settings = ShopSettings.current()
    settings.quantity_limit = 12
    settings.save()
    page_cache.clear()
    assert "Make it 12 to check out" in client.get("/cart/").text
    response = client.post("/checkout/", form())
    assert response.status_code == 409
    assert "at most 12 of one thing" in response.text
    assert not Order.objects.exists()
    line = CartLine.objects.get()
    client.post(f"/cart/lines/{line.pk}/quantity/", {"quantity": "12"})
    assert client.post("/checkout/", form()).status_code == 303


def test_where_less_is_in_stock_than_the_limit_the_stock_is_what_is_said(client):
    mug = builders.variant(on_hand=5)
    page = client.post("/cart/lines/", {"variant": mug.pk, "quantity": 5000}, follow=True).text
    assert "only 5 of" in page


def test_a_line_comes_from_the_store_that_ships_and_has_the_most_and_reads_no_more_of_its_goods():
    mug = builders.variant(on_hand=2)
    for name, on_hand, ships in (("Fuller", 5, True), ("Showroom", 50, False)):
        there = Store.objects.create(name=name, ships_orders=ships)
        StockRecord.objects.create(variant=mug, store=there, on_hand=on_hand)
    bare = builders.product(maker=None, on_hand=3).variants.get()
    bare.stock.all().delete()
    first, second = carts.get_priced_lines(builders.cart(mug, bare, quantity=4))
    assert (first.available, first.on_shelf, first.is_short) == (5, 5, False)
    assert (second.available, second.restock_on, second.is_short) == (0, None, True)
    assert (first.variant.product.maker.name, second.variant.product.maker) == ("Fell & Dale", None)
    assert "description" in first.variant.product.get_deferred_fields()
