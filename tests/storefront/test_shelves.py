from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from orders.models import CartLine
from recommendations import training
from recommendations.models import ProductView
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    """Boots and socks, bought together by five."""
    builders.shipping_method()
    boots, socks = builders.product("Boots", category=builders.category("Footwear")), builders.product("Socks")
    listing.refresh_listings([boots.pk, socks.pk])
    buyers(5, boots.variants.get(), socks.variants.get())
    training.train_epoch()
    return boots, socks


def test_a_product_shows_what_goes_with_it_and_why(client, pair):
    page = client.get(pair[0].get_absolute_url()).content.decode()
    assert "Often bought with Boots" in page
    assert pair[1].get_absolute_url() in page


def test_the_cart_shows_what_goes_with_what_is_in_it(client, pair):
    client.post("/cart/lines/", {"variant": pair[0].variants.get().pk})
    assert "Often bought with Boots" in client.get("/cart/").content.decode()


def test_a_gift_in_the_cart_brings_nothing_along(client, pair):
    client.post("/cart/lines/", {"variant": pair[0].variants.get().pk})
    client.post("/cart/lines/", {"variant": pair[1].variants.get().pk})
    CartLine.objects.update(is_gift=True)
    assert "Goes with what is in it" not in client.get("/cart/").text
    CartLine.objects.filter(variant__product=pair[1]).update(is_gift=False)
    assert "Often bought with" not in client.get("/cart/").text  # its own pair is the gift beside it


def test_for_you_appears_only_for_those_who_ticked_it(client, pair):
    bob = builders.customer()
    builders.paid_order(pair[0].variants.get(), customer=bob, placed_at=timezone.now() - timedelta(days=3))
    client.force_login(bob.user)
    for path in ("/", "/account/", "/account/recommendations/"):
        assert "which you bought in" not in client.get(path).content.decode(), path
    consent.set_consent(bob, purposes.RECOMMEND_FROM_PURCHASES, granted=True, source="preferences")
    for path in ("/", "/account/", "/account/recommendations/"):
        assert "Goes with Boots, which you bought in" in client.get(path).content.decode(), path


def test_a_visitor_sees_nothing_personal_and_leaves_nothing(client, pair):
    page = client.get("/").content.decode()
    assert "For you" not in page
    client.get(pair[0].get_absolute_url())
    assert not ProductView.objects.exists()
    assert "session" not in client.cookies


def test_looking_is_noted_only_for_those_who_ticked_it(client, pair):
    bob = builders.customer()
    client.force_login(bob.user)
    client.get(pair[0].get_absolute_url())
    assert not ProductView.objects.exists()
    consent.set_consent(bob, purposes.RECOMMEND_FROM_BROWSING, granted=True, source="preferences")
    client.get(pair[0].get_absolute_url())
    assert ProductView.objects.get().customer == bob
    assert "You looked at Boots" in client.get("/").content.decode()


def test_the_shelf_of_a_product_costs_two_queries(client, pair, django_assert_max_num_queries):
    url = pair[0].get_absolute_url()
    client.get(url)
    with django_assert_max_num_queries(6):  # the product's own, and the shelf
        client.get(url)


def test_a_page_with_something_personal_is_never_kept(client, pair):
    client.force_login(builders.customer(name="Pat").user)
    page = client.get("/")
    assert "Good to see you, Pat." in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_asking_for_the_headers_of_a_page_is_not_looking(client, pair):
    bob = builders.customer(ticks=(purposes.RECOMMEND_FROM_BROWSING,))
    client.force_login(bob.user)
    client.head(pair[0].get_absolute_url())
    assert not ProductView.objects.exists()


def test_what_sells_well_stands_on_the_front_page(client, pair):
    for number in range(9):
        builders.product(f"Newer {number}")
    assert "Sells well just now" in client.get("/").content.decode()
