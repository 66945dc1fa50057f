"""The notice of the legal guarantee stands unfolded before an order and in its confirmation, where it is due."""

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import ShopSettings
from shop.storefront import page_cache
from tests import builders, cast
from tests.catalog.test_admin import photo
from tests.paying import fill

pytestmark = pytest.mark.django_db

NOTICE = "EU legal guarantee"
SETTINGS = reverse("admin:orders_shopsettings_change", args=[1])


def open_checkout(client, country: str) -> str:
    builders.shipping_method()
    fill(client)
    return client.post("/checkout/", {"country": country, "reprice": "1"}).text


def test_who_orders_to_the_union_reads_it_above_the_button(client):
    page = open_checkout(client, "FR")
    assert NOTICE in page
    assert "<details" not in page[: page.index(NOTICE)].rsplit("<aside", 1)[-1]
    assert page.index(NOTICE) < page.index("Total</dt>") < page.index(">Continue to payment")
    assert "2</strong> years at least" in page
    assert "europa.eu/youreurope" in page


@pytest.mark.parametrize("country", ["GB", "US", "CH", "MC"])
def test_elsewhere_no_such_notice_is_shown(client, country):
    assert NOTICE not in open_checkout(client, country)


@pytest.mark.parametrize(("country", "is_due"), [("DE", True), ("GB", False)])
def test_the_page_of_an_order_says_so_again(client, country, is_due):
    alice = cast.alice()
    order = builders.placed_order(customer=alice, country=country)
    client.force_login(alice.user)
    assert (NOTICE in client.get(order.get_absolute_url()).text) is is_due


def test_staff_put_the_official_picture_in_its_place_and_take_it_away(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client.force_login(cast.sam())
    shown = client.get(SETTINGS).context["adminform"].form
    typed = {
        name: str(value) for name in shown.fields if (value := shown[name].value()) is not None and value is not False
    }
    typed |= {"name": "Say When", "postal_address": "1 Harbour Row"}
    answer = client.post(SETTINGS, typed | {"official_notice": photo()})
    assert "for whoever cannot see it" in answer.text
    assert not ShopSettings.current().guarantee_picture

    words = {"guarantee_words": "Two years, the seller is liable."}
    assert client.post(SETTINGS, typed | words | {"official_notice": photo()}).status_code == 302
    name = ShopSettings.current().guarantee_picture
    assert default_storage.exists(name)
    page_cache.clear()
    page = client.get("/legal-guarantee/").text
    assert f'src="{default_storage.url(name)}" alt="Two years, the seller is liable."' in page
    assert "years at least" not in page

    assert client.post(SETTINGS, typed | words | {"drops_official_notice": "on"}).status_code == 302
    page_cache.clear()
    assert "years at least" in client.get("/legal-guarantee/").text


def test_the_notice_asks_the_database_nothing_more(client):
    open_checkout(client, "GB")
    counts = []
    for country in ("GB", "FR"):
        client.post("/checkout/", {"country": country, "reprice": "1"})  # from then on the session knows it
        with CaptureQueriesContext(connection) as queries:
            client.post("/checkout/", {"country": country, "reprice": "1"})
        counts.append(len(queries))
    assert counts[0] == counts[1]
