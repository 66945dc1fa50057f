"""A switch stands only where the shop has what it is about: news of what is ready to collect, where one can collect."""

import pytest

from accounts.consent import consent, purposes
from accounts.models import ConsentRecord
from shop.catalog import listing
from shop.storefront import page_cache
from tests import builders, cast
from tests.paying import fill, form

pytestmark = pytest.mark.django_db

READY = purposes.MAIL_ORDER_READY
TITLE = purposes.get_purpose(READY).title
ALL = len(purposes.PURPOSES)


@pytest.fixture
def bob(client):
    builders.shipping_method()
    customer = cast.bob()
    client.force_login(customer.user)
    fill(client, builders.product("Tin mug").variants.get())
    listing.refresh_listings()
    return customer


def read_pages(client) -> dict[str, str]:
    paths = ("/account/preferences/", "/checkout/", "/privacy/")
    return {path: client.get(path).text for path in paths}


def test_without_a_store_to_collect_from_nobody_is_offered_news_of_collecting(client, bob):
    for path, page in read_pages(client).items():
        assert TITLE not in page, path
        assert purposes.get_purpose(purposes.MAIL_ORDER_PACKED).title in page, path


def test_with_one_it_stands_on_each_page(client, bob):
    builders.pickup_method()
    for path, page in read_pages(client).items():
        assert TITLE in page, path


@pytest.mark.parametrize("has_pickup", [False, True])
def test_the_account_counts_the_switches_that_there_are(client, bob, has_pickup):
    consent.set_consent(bob, purposes.NEWSLETTER, granted=True, source="test")
    if has_pickup:
        builders.pickup_method()
    page = " ".join(client.get("/account/").text.split())
    assert f"of {ALL if has_pickup else ALL - 1}" in page


def test_whoever_said_yes_still_sees_it_and_can_turn_it_off(client, bob):
    consent.set_consent(bob, READY, granted=True, source="test")
    assert TITLE in client.get("/account/preferences/").text
    client.post(f"/account/preferences/{READY}/", {})
    assert not consent.allows(bob, READY)


def test_a_yes_that_the_checkout_does_not_show_is_not_taken_for_a_no(client, bob):
    consent.set_consent(bob, READY, granted=True, source="test")
    shown = client.get("/checkout/").context["form"]
    sent = {"shown": shown["shown"].value(), purposes.NEWSLETTER: "on"}
    assert READY in sent["shown"]
    before = ConsentRecord.objects.count()
    client.post("/checkout/", {**form(), **sent})
    page_cache.clear()
    assert consent.allows(bob, READY)
    assert ConsentRecord.objects.count() == before + 1  # the newsletter's, which was on the page
