"""A cart travels together: one day for all of it, and why."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.consent import purposes
from tests import builders, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(client):
    builders.shipping_method()
    builders.tax_rate()
    return client


def put_in(client, *variants):
    for variant in variants:
        client.post(reverse("cart_add"), {"variant": variant.pk})
    return " ".join(client.get("/cart/").text.split())


def test_a_cart_of_mixed_days_names_one_day_and_what_sets_it(shop):
    mug = builders.product("Tin mug").variants.get()
    later = timezone.localdate() + timedelta(days=20)
    book = builders.product("A book to come", released_on=later).variants.get()
    page = put_in(shop, mug, book)
    assert "It all travels together, with A book to come. Ships " in page
    assert "travels with the rest." in page
    assert "and the rest waits for it." in page
    one_parcel, _, two = page.partition("Or in two parcels")
    assert (one_parcel.count("arrives "), two.count("arrives ")) == (1, 2)


def test_the_checkout_says_the_same_of_mixed_days(shop):
    book = builders.product("A book to come", released_on=timezone.localdate() + timedelta(days=20)).variants.get()
    put_in(shop, builders.product("Tin mug").variants.get(), book)
    assert "It all travels together, with A book to come. Ships " in " ".join(shop.get("/checkout/").text.split())


def test_a_cart_of_one_day_says_nothing_of_travelling(shop):
    page = put_in(shop, builders.product("Tin mug").variants.get(), builders.product("Jug").variants.get())
    assert "together" not in page
    assert page.count("arrives ") == 3


def test_what_explains_a_switch_is_one_tap_away_and_read_out_closed_or_open(client):
    builders.pickup_method()
    client.force_login(cast.bob().user)
    page = client.get("/account/preferences/").text
    assert page.count("<details>") == page.count("hat it reads and gives") == len(purposes.PURPOSES)
    for purpose in purposes.PURPOSES:
        assert f'aria-describedby="{purpose.key}-about"' in page
        assert page.count(f'id="{purpose.key}-about"') == 1
    assert page.count('class="switch row"') == len(purposes.NEWS_OF_ORDERS)


def test_a_row_stays_a_row_when_it_is_toggled(client):
    client.force_login(cast.bob().user)
    key = purposes.NEWS_OF_ORDERS[0]
    answer = client.post(reverse("preference", args=[key]), {key: "on"}, headers={"HX-Request": "true"}).text
    assert 'class="switch row"' in answer
    assert "Saved. It is on." in answer
