"""How often a page asks the database: promised, and the same however much there is to show."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Interest
from accounts.preferences import interests
from orders.models import ShippingMethod, ShopSettings
from recommendations.models import ProductView
from shop.catalog import listing, stock
from shop.catalog.models import Product, ProductImage, StockRecord
from shop.storefront import page_cache
from tests import builders

pytestmark = pytest.mark.django_db

PROMISED = {
    "/": 4,
    "/category/clothing/": 4,
    "/category/clothing/?sort=price&maker=fell-dale&page=1": 4,
    "/search/?q=socks": 4,
    "/search/?q=socks&in_stock=1&size=9": 4,
    "/product/socks-0/": 5,
}


def stock_shop(first: int, last: int) -> None:
    clothing = builders.category("Clothing")
    for number in range(first, last):
        category = builders.category(f"Socks {number % 5}", parent=clothing)
        maker = builders.maker(f"Maker {number % 7}") if number % 2 else builders.maker()
        sizes = ("9", "10", "11")[: number % 3 + 1]
        made = builders.product(f"Socks {number}", slug=f"socks-{number}", category=category, maker=maker, sizes=sizes)
        for position in range(number % 3 + 1):
            ProductImage.objects.create(product=made, file=f"products/{number}-{position}.svg", position=position)
    listing.refresh_listings()


def asked(client, path: str, *, warm: bool) -> int:
    page_cache.clear()
    if warm:
        client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.fixture
def shop(monkeypatch) -> None:
    monkeypatch.setattr(
        page_cache, "CACHE_SECONDS", 3600
    )  # a slow machine must not find the frame gone between two pages
    ShopSettings.current().save()
    builders.shipping_method()
    stock_shop(0, 10)


@pytest.mark.parametrize("path", PROMISED)
def test_a_page_asks_as_often_as_promised_and_no_more_with_ten_times_the_goods(client, shop, path):
    few = asked(client, path, warm=True)
    stock_shop(10, 100)
    assert asked(client, path, warm=True) == few
    assert few <= PROMISED[path]


@pytest.mark.parametrize("path", PROMISED)
def test_even_the_first_page_of_a_process_stays_within_one_query_of_the_promise(client, shop, path):
    assert asked(client, path, warm=False) <= PROMISED[path] + 1


def test_the_front_page_of_somebody_who_ticked_everything_asks_eight_times(client, shop):
    """Who they are: session, customer, what they told, their answers. The shelf: their past, what it finds, what goes
    with it. And every card of the page.
    """
    for_you = (purposes.RECOMMEND_FROM_TOLD, purposes.RECOMMEND_FROM_PURCHASES, purposes.RECOMMEND_FROM_BROWSING)
    bob = builders.customer(ticks=for_you)
    seen, liked = Product.objects.exclude(maker=None).order_by("pk")[:2]
    teapot = builders.product("Teapot").variants.get()
    builders.paid_order(teapot, customer=bob, placed_at=timezone.now() - timedelta(days=2))
    ProductView.objects.create(customer=bob, product=seen, viewed_at=timezone.now())
    interests.save_interest(bob, Interest(kind=Interest.Kind.MAKER, maker=liked.maker))
    client.force_login(bob.user)
    assert asked(client, "/", warm=True) <= 8
    page = client.get("/").text
    assert "For you" in page
    assert "You told us you like" in page
    assert "Just in" in page or "Newest here" in page


def test_a_forgiven_search_stays_within_the_promise(client, shop):
    assert asked(client, "/search/?q=sosks", warm=True) <= 5


@pytest.mark.parametrize("path", ["/category/clothing/", "/product/socks-2/"])
def test_which_ways_reach_the_shops_own_country_is_asked_once_for_the_terms_and_not_for_each_stock(
    client, shop, monkeypatch, path
):
    for number, record in enumerate(StockRecord.objects.order_by("pk")):
        stock.receive_stock(record.pk, quantity=number)
    asked_of: list[str] = []
    reaches = ShippingMethod.reaches
    monkeypatch.setattr(
        ShippingMethod, "reaches", lambda way, country: asked_of.append(way.name) or reaches(way, country)
    )
    page_cache.clear()
    for _ in range(3):
        assert "with you by" in (page := client.get(path).text) or "arrives" in page
    assert asked_of == ["Royal Mail"]
