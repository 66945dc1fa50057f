"""A cart changed in place shows what a fresh look at it shows: every part of the page, after every action."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import CartLine, ShopSettings
from recommendations import training
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers
from tests.storefront.swapping import cut_out, swap

pytestmark = pytest.mark.django_db

GPC = {"Sec-GPC": "1"}  # nothing is asked
BOOTS, BOOK, LATER = "Boots", "A book to come", 20


@pytest.fixture
def goods():
    """Boots with laces bought beside them by five, a mug with a plate, and a book that keeps the parcel waiting."""
    builders.shipping_method(free_from=60)
    builders.tax_rate()
    ShopSettings.current().save()
    later = timezone.localdate() + timedelta(days=LATER)
    titles = (BOOTS, "Laces", "Mug", "Plate")
    made = {title: builders.product(title, price="20.00", category=builders.category(title)) for title in titles}
    made[BOOK] = builders.product(BOOK, released_on=later)
    listing.refresh_listings()
    found = {title: product.variants.get() for title, product in made.items()}
    buyers(5, found[BOOTS], found["Laces"])
    buyers(5, found["Mug"], found["Plate"])
    training.train_epoch()
    return found


@pytest.fixture
def cart(client, goods):
    for title in (BOOTS, "Mug", BOOK):
        client.post("/cart/lines/", {"variant": goods[title].pk})
    return client


def line(title: str) -> CartLine:
    return CartLine.objects.get(variant__product__title=title)


def remove(goods, title: str = BOOTS):
    return f"/cart/lines/{line(title).pk}/removal/", {}


def set_quantity(goods, quantity: int):
    return f"/cart/lines/{line(BOOTS).pk}/quantity/", {"quantity": quantity}


def mark_gift(goods, title: str = BOOTS):
    return f"/cart/lines/{line(title).pk}/gift/", {"is_gift": "on"}


def unmark_gift(goods):
    CartLine.objects.filter(pk=line(BOOTS).pk).update(is_gift=True)
    return f"/cart/lines/{line(BOOTS).pk}/gift/", {}


def put_back(goods):
    line(BOOTS).delete()
    return "/cart/lines/", {"variant": goods[BOOTS].pk, "quantity": 1}


def add_what_stands_beside(goods):
    return "/cart/lines/", {"variant": goods["Laces"].pk}


def add_too_many(goods):
    return "/cart/lines/", {"variant": goods[BOOTS].pk, "quantity": 500}


def find_it_sold_out(goods):
    goods["Mug"].stock.update(allocated=10)
    return f"/cart/lines/{line(BOOTS).pk}/quantity/", {"quantity": 2}


def take_out_the_last(goods):
    CartLine.objects.exclude(pk=line(BOOTS).pk).delete()
    return remove(goods)


def save_note(goods):
    CartLine.objects.filter(pk=line(BOOTS).pk).update(is_gift=True)
    return "/cart/note/", {"gift_note": "For the hill"}


ACTIONS: dict[str, Callable] = {
    "a line is removed": remove,
    "what keeps the parcel waiting is removed": lambda goods: remove(goods, BOOK),
    "the quantity becomes none": lambda goods: set_quantity(goods, 0),
    "the quantity makes delivery free": lambda goods: set_quantity(goods, 3),
    "more than there is": lambda goods: set_quantity(goods, 400),
    "nonsense as a quantity": lambda goods: set_quantity(goods, -4),
    "a line becomes a gift": mark_gift,
    "another line becomes a gift": lambda goods: mark_gift(goods, "Mug"),
    "a gift is none after all": unmark_gift,
    "a removed line is put back": put_back,
    "something from the shelf is added": add_what_stands_beside,
    "too much is added": add_too_many,
    "something has sold out meanwhile": find_it_sold_out,
    "the last line is removed": take_out_the_last,
    "a note is saved": save_note,
}


def unsigned(html: str) -> str:
    """Without what differs from answer to answer."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", html)


@pytest.mark.parametrize("act", ACTIONS.values(), ids=ACTIONS.keys())
def test_what_htmx_leaves_on_the_screen_is_what_a_fresh_look_shows(cart, goods, act):
    url, fields = act(goods)
    before = cart.get("/cart/", headers=GPC).text
    gone_to = cart.post(url, fields, headers=GPC | {"HX-Request": "true"})
    answer = cart.get(gone_to.url, headers=GPC | {"HX-Request": "true"}).text
    fresh = cart.get(gone_to.url, headers=GPC).text
    on_screen = unsigned(swap(before, answer, root="cart"))
    assert on_screen == unsigned(answer)
    said, unsaid = cut_out(on_screen, "messages"), cut_out(unsigned(fresh), "messages")
    assert said.before + said.after == unsaid.before + unsaid.after


def shelf(html: str) -> set[str]:
    found = re.search(r'<section aria-label="Goes with what is in it".*?</section>', html, re.DOTALL)
    return set(re.findall(r'<h3 class="title"><a[^>]*>(.*?)</a>', found[0])) if found else set()


def acted(cart, url: str, fields: dict) -> str:
    """The page on the screen after an action."""
    before = cart.get("/cart/", headers=GPC).text
    return swap(before, cart.post(url, fields, headers=GPC | {"HX-Request": "true"}, follow=True).text, root="cart")


def test_the_shelf_follows_the_lines_and_no_gift(cart, goods):
    assert shelf(cart.get("/cart/").text) == {"Laces", "Plate"}
    assert shelf(acted(cart, *remove(goods))) == {"Plate"}
    assert shelf(acted(cart, "/cart/lines/", {"variant": goods[BOOTS].pk})) == {"Laces", "Plate"}
    assert shelf(acted(cart, *mark_gift(goods, "Mug"))) == {"Laces"}
    assert shelf(acted(cart, f"/cart/lines/{line('Mug').pk}/gift/", {})) == {"Laces", "Plate"}
    assert shelf(acted(cart, "/cart/lines/", {"variant": goods["Laces"].pk})) == {"Plate"}
    assert shelf(acted(cart, *set_quantity(goods, 0))) == {"Boots", "Plate"}
    assert shelf(acted(cart, *remove(goods, "Laces"))) == {"Plate"}
    assert shelf(acted(cart, *mark_gift(goods, "Mug"))) == set()


def test_totals_dates_count_and_the_way_on_follow_too(cart, goods):
    screen = acted(cart, *remove(goods, BOOK))
    assert "together" not in screen
    assert '<span class="count">2<' in screen
    screen = acted(cart, *set_quantity(goods, 2))
    assert "£60.00" in screen
    assert "more and Royal Mail is free" not in screen
    goods["Mug"].stock.update(allocated=10)
    screen = acted(cart, *set_quantity(goods, 1))
    assert 'class="button wide" disabled>Check out' in screen
    screen = acted(cart, *remove(goods, "Mug"))
    assert 'class="button wide">Check out' in screen
    assert "Nothing in your cart yet" in acted(cart, *remove(goods))


def test_a_change_in_place_asks_the_database_no_more_than_a_look(cart, goods):
    looks = {}
    for headers in (GPC, GPC | {"HX-Request": "true"}):
        cart.get("/cart/", headers=headers)
        with CaptureQueriesContext(connection) as queries:
            cart.get("/cart/", headers=headers)
        looks[len(headers)] = len(queries)
    assert looks[1] == looks[2] <= 6
