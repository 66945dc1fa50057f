"""Whoever is known to live abroad, or says so in the cart, reads the days to their own country on every page."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Address
from accounts.people.address_book import save_address
from orders.models import ShippingMethod
from orders.promise import format_date_range
from shop.catalog.models import Product
from shop.storefront import page_cache
from tests import builders, cast
from tests.page import read_words
from tests.paying import BUYER, check_out, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db

VIENNA = {"line1": "Ringstraße 1", "city": "Wien", "postcode": "1010", "country": "AT"}
LEWIS = {"line1": "1 Quay", "city": "Stornoway", "postcode": "HS1 2AA", "country": "GB"}


def read(response) -> str:
    return " ".join(read_words(response.text).replace("\xa0", " ").split())


@pytest.fixture
def mug() -> Product:
    """To come in forty days, so that no cut-off passes and no other day of this page is near; Austria takes longer."""
    page_cache.clear()
    builders.tax_rate()
    builders.shipping_method(days_min=2, days_max=4)
    builders.delivery_zone("", country="AT", name="Austria", extra_days=3, surcharge="0.00")
    builders.delivery_zone()
    return builders.product("Tin mug", released_on=timezone.localdate() + timedelta(days=40))


def live_at(client, **address: str) -> None:
    bob = cast.bob()
    save_address(bob, Address(full_name="Bob", **address))
    client.force_login(bob.user)


def walk(client, mug: Product, *, quantity: int = 1) -> dict[str, str]:
    """What each page before the button says."""
    page = client.get(mug.get_absolute_url())
    said = {"product": read(page), "card": read(client.get(mug.category.get_absolute_url()))}
    said["data"] = json.dumps(json.loads(re.search(r'ld\+json">(.*?)</script>', page.text, re.S)[1]))
    fill(client, mug.variants.get(), quantity=quantity)
    said["cart"] = read(client.get("/cart/"))
    said["checkout"] = read(client.get("/checkout/"))
    return said


def check_said(said: dict[str, str], order) -> None:
    days = format_date_range(order.promised_from_on, order.promised_by_on, timezone.localdate())
    assert [where for where in ("product", "cart", "checkout") if days not in said[where]] == []
    last = order.promised_by_on
    assert f"by {last:%a} {last.day} {last:%b}" in said["card"]
    assert f'"maxValue": {(last - order.ships_on).days}' in said["data"]


@pytest.mark.parametrize("quantity", [1, 3])
def test_a_saved_address_abroad_sets_the_days_of_every_page_and_each_says_the_country(client, standin, mug, quantity):
    live_at(client, **VIENNA)
    said = walk(client, mug, quantity=quantity)
    order = pay(client, standin, check_out(client, **VIENNA))
    assert (str(order.country), order.zone_days) == ("AT", 3)
    check_said(said, order)
    assert "to Austria, arrives" in said["product"]
    assert re.search(r"to Austria by \w", said["card"])
    assert "to Austria" in said["cart"]


def test_an_address_of_ones_own_in_a_zone_sets_the_days_and_the_cart_says_why_and_what_it_costs(client, standin, mug):
    live_at(client, **LEWIS)
    said = walk(client, mug)
    order = pay(client, standin, check_out(client, **LEWIS))
    assert order.zone_days == 2
    check_said(said, order)
    assert "to United Kingdom, arrives" not in said["product"]
    assert "Scottish islands: 2 working days more and £4.00 more." in said["cart"]
    assert f"Total £{order.total}" in said["cart"]


def test_a_guest_chooses_the_country_in_the_cart_and_every_page_goes_by_it(client, standin, mug):
    fill(client, mug.variants.get())
    at_home = read(client.get("/cart/"))
    answer = client.post("/cart/country/", {"country": "AT"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/cart/"
    assert '<option value="AT" selected>' in answer.text
    assert 'value="AT" selected' in client.get("/checkout/").text
    client.post(f"/cart/lines/{answer.context['rows'][0].line.pk}/removal/")
    said = walk(client, mug, quantity=3)
    order = pay(client, standin, check_out(client, **VIENNA))
    check_said(said, order)
    assert format_date_range(order.promised_from_on, order.promised_by_on, timezone.localdate()) not in at_home
    assert "to Austria, arrives" in said["product"]


def test_the_country_typed_in_the_checkout_is_that_of_the_pages_after_it(client, mug):
    fill(client, mug.variants.get())
    client.post("/checkout/", {**BUYER, **VIENNA, "reprice": "1"})
    assert client.session["ships_to"] == "AT"
    assert "to Austria, arrives" in read(client.get(mug.get_absolute_url()))
    assert "that it goes to Austria" in read(client.get("/account/preferences/"))
    assert not {"1010", "Wien"} & set(map(str, client.session.values()))


def test_what_was_chosen_in_the_cart_counts_before_the_saved_address_and_the_checkout_begins_there(client, mug):
    live_at(client, **VIENNA)
    fill(client, mug.variants.get())
    client.post("/cart/country/", {"country": "GB"})
    assert "to Austria" not in read(client.get(mug.get_absolute_url()))
    page = client.get("/checkout/")
    assert page.context["form"].chosen_country == "GB"
    assert page.context["form"].chosen_postcode == ""


def test_whoever_turns_back_and_chooses_another_country_begins_there_with_what_stays_true(client, standin, mug):
    fill(client, mug.variants.get())
    check_out(client)
    kept = client.get("/checkout/").context["form"]
    assert (kept.chosen_country, kept.chosen_postcode) == ("GB", BUYER["postcode"])
    client.post("/cart/country/", {"country": "AT"})
    form = client.get("/checkout/").context["form"]
    assert (form.chosen_country, form.chosen_postcode) == ("AT", "")
    assert form["full_name"].value() == BUYER["full_name"]
    assert form["email"].value() == BUYER["email"]
    assert not form["line1"].value()


@pytest.mark.parametrize("country", ["XX", "", "at", "A" * 300])
def test_a_country_where_nothing_goes_is_refused_and_nothing_is_remembered(client, mug, country):
    fill(client, mug.variants.get())
    answer = client.post("/cart/country/", {"country": country}, follow=True)
    assert "We do not deliver there. Nothing was changed." in read(answer)
    assert "ships_to" not in client.session


def test_an_address_where_nothing_goes_leaves_pages_with_the_shops_own_days(client, mug):
    ShippingMethod.objects.update(countries="GB")
    page_cache.clear()
    at_home = read(client.get(mug.get_absolute_url()))
    live_at(client, **VIENNA)
    days = re.findall(r"arrives (.*?)\.", at_home)
    assert days
    assert days == re.findall(r"arrives (.*?)\.", read(client.get(mug.get_absolute_url())))


UNSERVED = "We do not deliver to Austria yet. These are the days in our own country, United Kingdom."


def test_where_nothing_goes_to_a_saved_address_product_and_cart_say_whose_days_they_name(client, mug):
    ShippingMethod.objects.update(countries="GB")
    page_cache.clear()
    fill(client, mug.variants.get())
    paths = (mug.get_absolute_url(), "/cart/")
    assert [path for path in paths if "We do not deliver" in read(client.get(path))] == []
    live_at(client, **VIENNA)
    fill(client, mug.variants.get())
    assert [read(client.get(path)).count(UNSERVED) for path in paths] == [1, 1]
    client.logout()
    assert [path for path in paths if "We do not deliver" in read(client.get(path))] == []


def test_where_no_day_is_known_none_is_said_to_be_of_another_country(client, mug):
    ShippingMethod.objects.all().delete()
    page_cache.clear()
    live_at(client, **VIENNA)
    fill(client, mug.variants.get())
    for path in (mug.get_absolute_url(), "/cart/"):
        assert "These are the days" not in read(client.get(path))


def test_a_country_that_something_goes_to_is_not_said_to_be_without(client, mug):
    live_at(client, **VIENNA)
    fill(client, mug.variants.get())
    for path in (mug.get_absolute_url(), "/cart/"):
        assert "We do not deliver" not in read(client.get(path))


def test_nobody_else_reads_the_days_of_somebodys_country(client, mug):
    live_at(client, **VIENNA)
    for path in (mug.get_absolute_url(), mug.category.get_absolute_url()):
        assert "to Austria" in read(answer := client.get(path))
        assert "Cookie" in answer["Vary"]
    client.logout()
    for path in (mug.get_absolute_url(), mug.category.get_absolute_url()):
        assert "to Austria" not in read(client.get(path))


@pytest.mark.parametrize("countries", ["", "GB"])
def test_where_somebody_lives_costs_no_statement(client, mug, countries):
    ShippingMethod.objects.update(countries=countries)
    page_cache.clear()
    bob = cast.bob()
    client.force_login(bob.user)
    fill(client, mug.variants.get())
    paths = (mug.get_absolute_url(), mug.category.get_absolute_url(), "/cart/", "/")
    counts = []
    for address in (None, VIENNA):
        if address:
            save_address(bob, Address(full_name="Bob", **address))
        for path in paths:
            client.get(path)
            with CaptureQueriesContext(connection) as asked:
                client.get(path)
            counts.append(len(asked))
    assert counts[:4] == counts[4:]
