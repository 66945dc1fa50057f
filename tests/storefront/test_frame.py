"""What every page shows is written once and kept for some seconds: changed by staff, it shows when they are over."""

from datetime import datetime
from types import SimpleNamespace

import pytest
from django.utils import timezone

from orders.models import ShopSettings
from shop.catalog import listing, product_cards
from shop.catalog.models import Category
from shop.storefront import page_cache, shelves
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """Stands still until it is set forward."""
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(page_cache, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_a_new_address_of_the_shop_stands_in_the_foot_of_every_page_ten_seconds_later(client, clock):
    shop = ShopSettings.current()
    shop.postal_address = "1 Old Road"
    shop.save()
    assert "1 Old Road" in client.get("/").text
    shop.postal_address = "2 New Road"
    shop.save()
    assert "1 Old Road" in client.get("/").text
    clock.now += page_cache.CACHE_SECONDS + 1
    page = client.get("/").text
    assert "2 New Road" in page
    assert "1 Old Road" not in page


def test_a_department_renamed_has_its_new_name_in_head_and_tiles_ten_seconds_later(client, clock):
    Category.objects.create(name="Boots & laces", slug="boots")
    boots = '<a href="/category/boots/">Boots &amp; laces</a>'
    assert client.get("/").text.count(boots) == 1
    Category.objects.update(name="Shoes")
    assert boots in client.get("/").text
    clock.now += page_cache.CACHE_SECONDS + 1
    page = client.get("/").text
    assert '<a href="/category/boots/">Shoes</a>' in page
    assert '<a class="tile tint-1" href="/category/boots/">Shoes</a>' in page
    assert "Boots &amp; laces<" not in page


def test_the_head_marks_the_department_that_a_page_belongs_to_and_no_other(client):
    for name in ("Boots", "Socks"):
        builders.category(name)
    assert '<a href="/category/boots/" aria-current="page">Boots</a>' in client.get("/category/boots/").text
    page = client.get("/category/socks/").text
    assert '<a href="/category/boots/">Boots</a>' in page
    assert '<a href="/category/socks/" aria-current="page">Socks</a>' in page


def test_what_somebody_searched_for_stands_in_the_field_of_that_page_alone(client):
    head, _ = client.get("/search/", {"q": "<wool>"}).text.split("</header>")
    assert 'value="&lt;wool&gt;"' in head
    head, _ = client.get("/search/").text.split("</header>")
    assert 'value=""' in head


def test_a_page_says_where_it_hangs_with_its_names_escaped(client):
    above = Category.objects.create(name="Boots & laces", slug="boots")
    Category.objects.create(name="Laces <long>", slug="long", parent=above)
    page = client.get("/category/long/").text
    assert '<li><a href="/category/boots/">Boots &amp; laces</a></li>' in page
    assert '<span aria-current="page">Laces &lt;long&gt;</span>' in page


@pytest.fixture
def socks() -> int:
    builders.shipping_method()
    found = builders.product("Socks")
    listing.refresh_listings([found.pk])
    return found.pk


def read_day(product_id: int, *, hour: int, minute: int = 0) -> str:
    """What its card says of the date, on a Tuesday at that time."""
    now = datetime(2026, 3, 10, hour, minute, tzinfo=timezone.get_default_timezone())
    return shelves.make_cards(product_cards.read_cards([product_id]), now=now)[0].when


def test_a_cards_day_moves_on_with_the_hour_of_the_cut_off_however_lately_it_was_asked_for(clock, socks):
    cutoff = ShopSettings.current().cutoff_hour
    before = read_day(socks, hour=cutoff - 1, minute=59)
    assert read_day(socks, hour=cutoff - 2) == before
    assert read_day(socks, hour=cutoff) != before
    assert read_day(socks, hour=cutoff - 1, minute=59) == before


def test_a_cards_day_goes_by_new_terms_as_soon_as_they_are_in_the_process(clock, socks):
    before = read_day(socks, hour=8)
    shop = ShopSettings.current()
    shop.handling_days += 2
    shop.save()
    assert read_day(socks, hour=8) == before
    clock.now += page_cache.CACHE_SECONDS + 1
    assert read_day(socks, hour=8) != before
