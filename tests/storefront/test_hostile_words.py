"""Whatever words the goods carry, a page shows them as words."""

import pytest

from orders.models import ShopSettings
from shop.catalog import listing
from shop.catalog.models import ProductImage
from shop.storefront import page_cache
from tests import builders

pytestmark = pytest.mark.django_db

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def hostile():
    ShopSettings.current().save()
    builders.shipping_method()
    shelf, maker = builders.category("Socks"), builders.maker("Maker")
    for row in (shelf, maker):
        row.name = HOSTILE + type(row).__name__
        row.save()
    made = builders.product(HOSTILE, slug="hostile", sizes=("9" + HOSTILE, "10"), category=shelf, maker=maker)
    ProductImage.objects.create(product=made, file="products/a.svg", alt=HOSTILE)
    listing.refresh_listings()
    page_cache.clear()
    return made


@pytest.mark.parametrize(
    "path", ["/", "/category/socks/", "/category/socks/?size=9", "/product/hostile/", "/search/?q=onerror", "/cart/"]
)
def test_hostile_words_stay_words(client, hostile, path):
    if path == "/cart/":
        client.post("/cart/lines/", {"variant": hostile.variants.first().pk})
    page = client.get(path).content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;" in page


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '"><script>', "' onfocus='x"])
def test_what_is_searched_for_stays_words(client, hostile, query):
    page = client.get("/search/", {"q": query, "size": query, "maker": query}).content.decode()
    assert query not in page
