"""Delivery, returns, terms, contact: pages staff keep, with facts from the settings of the moment."""

from decimal import Decimal

import pytest

from orders.customs import crosses_customs
from orders.models import InfoPage, ShippingMethod, ShopSettings
from shop.storefront import info_pages, page_cache
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def starters() -> None:
    """As the migration makes them: a test that empties tables may have come before."""
    for slug, title, facts in (
        ("delivery", "Delivery", "delivery"),
        ("returns", "Returns", ""),
        ("contact", "Contact", "contact"),
    ):
        InfoPage.objects.get_or_create(
            slug=slug, defaults={"title": title, "facts": facts, "is_published": bool(facts)}
        )


@pytest.fixture
def post() -> ShippingMethod:
    return builders.shipping_method("Tracked", price="3.95", free_from=Decimal("50.00"), countries=["GB"])


def page_of(client, address: str) -> str:
    page_cache.clear()
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_delivery_says_what_the_settings_say_and_follows_them(client, post):
    page = page_of(client, "/pages/delivery/")
    assert "£3.95, free from £50.00 of goods · 1–2 working days" in page
    assert "United Kingdom" in page
    assert "before 15:00 leaves 1 working day later" in page
    ShippingMethod.objects.update(price="5.00", free_from=None, countries="")
    ShopSettings(id=1, handling_days=0, cutoff_hour=11).save()
    page = page_of(client, "/pages/delivery/")
    assert "£5.00 · 1–2 working days" in page
    assert "Everywhere" in page
    assert "before 11:00 leaves that day" in page


def test_a_shop_that_sends_nothing_says_so(client):
    assert "We do not send parcels just now" in page_of(client, "/pages/delivery/")


def test_contact_says_where_the_shop_is(client):
    ShopSettings(id=1, postal_address="7 Pier Road", contact_email="us@shop.example").save()
    page = page_of(client, "/pages/contact/")
    assert "7 Pier Road" in page
    assert 'href="mailto:us@shop.example"' in page


def test_what_waits_for_the_shops_words_is_neither_shown_nor_linked(client):
    assert client.get("/pages/returns/").status_code == 404
    assert "/pages/returns/" not in page_of(client, "/")
    InfoPage.objects.filter(slug="returns").update(body="Thirty days.", is_published=True)
    assert '<a href="/pages/returns/">Returns</a>' in page_of(client, "/")
    assert "<p>Thirty days.</p>" in page_of(client, "/pages/returns/")


@pytest.mark.parametrize(
    "address", ["/", "/pages/delivery/", "/cart/", "/search/?q=x", "/privacy/", "/accounts/login/"]
)
def test_every_page_leads_to_delivery_and_contact(client, address):
    page = page_of(client, address)
    assert 'href="/pages/delivery/"' in page
    assert 'href="/pages/contact/"' in page


@pytest.mark.parametrize(
    "typed",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=alert(1)>", "![x](data:text/html,a)"],
)
def test_words_that_are_code_are_shown_and_never_run(typed):
    words = info_pages.render_markdown(typed)
    assert "<script" not in words
    assert "<img src=x" not in words
    assert 'href="javascript' not in words
    assert 'src="data:text/html' not in words


def test_words_become_headings_lists_and_links_below_the_title():
    words = info_pages.render_markdown("# How\n\n- one\n- two\n\n[here](https://example.com/)")
    assert "<h2>How</h2>" in words
    assert "<li>one</li>" in words
    assert '<a href="https://example.com/">here</a>' in words


def test_the_product_says_what_delivery_costs_and_from_when_it_is_free(client, post):
    page = page_of(client, builders.product("Mug").get_absolute_url())
    assert 'Delivery £3.95, free from £50.00. <a href="/pages/delivery/">' in page


def test_the_cart_says_how_much_more_makes_delivery_free(client, post):
    item = builders.variant(price="30.00")
    client.post("/cart/lines/", {"variant": item.pk})
    assert "£20.00 more and Tracked is free" in page_of(client, "/cart/")
    client.post("/cart/lines/", {"variant": item.pk})
    assert "more and Tracked is free" not in page_of(client, "/cart/")


def test_what_nobody_knows_the_return_of_says_so(client):
    page = page_of(client, builders.product("Mug", on_hand=0).get_absolute_url())
    assert "Out of stock, and we do not know yet when more come." in page


@pytest.mark.parametrize(
    ("origin", "destination", "crosses"),
    [
        ("GB", "GB", False),
        ("GB", "JE", False),
        ("GB", "IE", True),
        ("GB", "US", True),
        ("DE", "FR", False),
        ("DE", "MC", False),
        ("DE", "CH", True),
        ("CH", "LI", False),
        ("FR", "GB", True),
        ("US", "CA", True),
        ("GB", "", False),
    ],
)
def test_a_customs_border_is_where_the_unions_end(origin, destination, crosses):
    assert crosses_customs(origin, destination) is crosses


def test_the_checkout_speaks_of_duty_where_there_may_be_some(client):
    builders.shipping_method("Abroad", price="9.00")
    client.post("/cart/lines/", {"variant": builders.variant().pk})
    assert "passes customs" not in page_of(client, "/checkout/")
    page_cache.clear()
    page = client.post("/checkout/", {"country": "IE", "reprice": "1"}).content.decode()
    assert "Going to Ireland, the parcel passes customs. Tax and duty may be asked there of whoever" in page
    builders.tax_rate("IE")
    page = client.post("/checkout/", {"country": "IE", "reprice": "1"}).content.decode()
    assert "VAT is in the price; duty may be asked there of whoever receives it" in page
