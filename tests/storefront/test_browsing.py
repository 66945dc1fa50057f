import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from shop.catalog import listing
from shop.catalog.models import Product, ProductImage, StockRecord, Variant
from shop.catalog.search import PAGE_SIZE
from tests import builders
from tests.page import read_words

pytestmark = pytest.mark.django_db


@pytest.fixture
def socks() -> Product:
    builders.shipping_method()
    clothing = builders.category("Clothing")
    made = builders.product(
        "Rag wool socks",
        category=builders.category("Socks", parent=clothing),
        sizes=("9", "10", "13"),
        summary="Knitted in your actual size.",
        attributes={"Wool content": "85 %"},
        lifespan_months=9,
    )
    listing.refresh_listings()
    return made


def test_the_front_door_shows_what_is_new_and_what_comes_and_nothing_personal(client, socks):
    Product.objects.filter(pk=socks.pk).update(released_on=timezone.localdate())
    builders.product("Frost boot", released_on=timezone.localdate() + timedelta(days=3))
    builders.product("Next year's almanac", released_on=timezone.localdate() + timedelta(days=300))
    listing.refresh_listings()
    page = client.get("/").content.decode()
    assert page.index("Just in") < page.index("Rag wool socks") < page.index("Out soon") < page.index("Frost boot")
    assert "almanac" not in page
    assert "For you" not in page
    assert "sessionid" not in client.cookies
    assert not client.cookies, "looking leaves no cookie"


def test_a_category_shows_what_is_in_it_and_below_it(client, socks):
    builders.product("Pie tin", category=builders.category("Baking"))
    listing.refresh_listings()
    page = client.get("/category/clothing/").content.decode()
    assert "Rag wool socks" in page
    assert "Pie tin" not in page
    assert '<a href="/category/socks/">Socks<span class="number">1</span></a>' in page
    assert '<link rel="canonical" href="http' in page


def test_facets_sorting_and_pages_work_by_address_alone(client):
    table = builders.category("Table")
    for number in range(PAGE_SIZE + 1):
        builders.product(f"Mug {number:02d}", category=table, maker=builders.maker("Mudlark"), price=f"{number + 1}.00")
    builders.product("Plate", category=table, maker=builders.maker("Kiln"))
    listing.refresh_listings()
    page = client.get("/category/table/?maker=mudlark&sort=price-down").content.decode()
    assert "Plate" not in read_words(page)
    assert page.index("Mug 24") < page.index("Mug 23")
    assert "maker=mudlark&amp;sort=price-down&amp;page=2" in page
    assert "Mug 00" in client.get("/category/table/?maker=mudlark&sort=price-down&page=2").content.decode()
    assert client.get("/category/table/?maker=mudlark&page=3").status_code == 404


def test_a_search_that_finds_nothing_says_what_to_do(client, socks):
    page = client.get("/search/?q=zzzqqq").content.decode()
    assert "We have nothing by that name" in page
    page = client.get("/search/?q=socks&maker=nobody").content.decode()
    assert "Nothing here is all of that" in page


def test_a_forgiven_search_says_so(client, socks):
    page = client.get("/search/?q=woll+sosks").content.decode()
    assert "Rag wool socks" in page
    assert "Nothing is called quite that" in page


def test_a_product_page_preselects_what_can_be_had(client, socks):
    first = socks.variants.first()
    StockRecord.objects.filter(variant=first).update(allocated=10)
    page = client.get(socks.get_absolute_url()).content.decode()
    second = socks.variants.all()[1]
    assert f'value="{second.pk}" data-price="£14.00" data-promise="promise-1" checked' in page
    assert "In stock" in page
    assert page.index("In stock") < page.index("Add to cart"), "the date stands before the button"
    assert "85 %" in page
    assert "Lasts about nine months in ordinary use." in page


def test_the_wanted_option_is_chosen_if_it_can_be_had(client, socks):
    third = socks.variants.all()[2]
    page = client.get(f"{socks.get_absolute_url()}?variant={third.pk}").content.decode()
    assert f'value="{third.pk}" data-price="£14.00" data-promise="promise-0" checked' in page


def test_what_is_sold_out_cannot_be_added_and_says_when_it_is_back(client):
    variant = builders.variant(on_hand=0)
    StockRecord.objects.update(restock_on=timezone.localdate() + timedelta(days=30))
    page = client.get(variant.product.get_absolute_url()).content.decode()
    assert "more expected" in page
    assert '<button class="button" disabled>Out of stock</button>' in page
    assert "Add to cart" not in page


def test_adding_from_the_page_lands_in_the_cart(client, socks):
    page = client.get(socks.get_absolute_url())
    chosen = page.context["chosen"].variant
    client.post("/cart/lines/", {"variant": chosen.pk})
    assert "Rag wool socks" in client.get("/cart/").content.decode()
    assert '<span class="count">1' in client.get("/").content.decode()


def test_an_unpublished_product_is_not_there(client, socks):
    Product.objects.update(is_published=False)
    assert client.get(socks.get_absolute_url()).status_code == 404


def test_a_product_without_pictures_options_or_maker_still_has_a_page(client):
    bare = builders.product("Thing", maker=None)
    assert "Add to cart" in client.get(bare.get_absolute_url()).content.decode()
    bare.variants.update(is_active=False)
    assert "Not for sale just now" in client.get(bare.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "x" * 5000,
        "q=%ff%fe",
        "q=%F0%9F%A7%A6",
        "page=-1",
        "page=1e9",
        "page=٣",
        "price=9999999999999999999-1",
        "price=--",
        "price=nan-inf",
        "sort=drop",
        "maker=%27",
        "category=nowhere",
        "in_stock=maybe",
        "&".join(f"maker=m{number}" for number in range(900)),
    ],
)
def test_a_nonsense_address_still_gets_a_list(client, socks, query):
    for path in ("/search/", "/category/clothing/"):
        assert client.get(f"{path}?{query}").status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        "/category/nowhere/",
        "/product/nothing/",
        "/product/" + "x" * 3000 + "/",
        "/search/?page=99999999999999999999&q=socks&page=9999",
        "/media/products/none.webp",
        "/media/products/..%2f..%2fmanage.py",
        "/media/exports/secret.svg",
        "/media/products/" + "x" * 3000 + ".svg",
        "/media/products/",
        "/media/.svg",
    ],
)
def test_what_is_not_there_is_a_plain_404(client, socks, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/category/clothing/", "/search/", "/product/x/", "/media/products/x.svg"])
def test_looking_is_all_these_pages_are_for(client, path):
    assert client.post(path).status_code in {403, 405}


def test_pictures_are_served_with_a_type_and_a_long_life(client, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "sock.svg").write_text("<svg/>")
    answer = client.get("/media/products/sock.svg")
    assert b"".join(answer) == b"<svg/>"
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Cache-Control"] == "public, max-age=604800"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    known = client.get("/media/products/sock.svg", headers={"if-modified-since": answer["Last-Modified"]})
    assert known.status_code == 304


def test_a_gallery_has_every_picture_in_order(client, socks):
    for position in (2, 1):
        ProductImage.objects.create(product=socks, file=f"products/{position}.svg", position=position)
    page = client.get(socks.get_absolute_url()).content.decode()
    assert page.index("/media/products/1.svg") < page.index("/media/products/2.svg")


def test_shelf_product_and_cart_promise_the_same_day(client, socks):
    builders.shipping_method("Next working day", price="9.00", days_min=1, days_max=1, position=9)
    promise = re.compile(r"with you by \w+ (\d+)|arrives\D*(?:\d+–)?(\d+)")
    client.post("/cart/lines/", {"variant": socks.variants.first().pk})
    days = {
        next(day for day in promise.search(strip_tags(client.get(url).text)).groups() if day)
        for url in ("/category/socks/", socks.get_absolute_url(), "/cart/")
    }
    assert len(days) == 1


def test_a_bare_size_is_called_a_size(client, socks):
    client.post("/cart/lines/", {"variant": socks.variants.get(size="13").pk})
    assert "Added: Rag wool socks, size 13." in client.get("/cart/").text
    assert Variant(size="1 kg", colour="Rust").label == "Rust, 1 kg"


def test_machines_are_told_which_pages_are_nobodys_business(client):
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert "Disallow: /orders/" in answer.text
    assert client.get("/favicon.ico").status_code == 301


@pytest.mark.parametrize(
    "path", ["/search/?q=%00", "/category/clothing/?maker=%00", "/search/?size=%00", "/media/products/%00.svg"]
)
def test_a_null_byte_is_refused(client, socks, path):
    assert client.get(path).status_code == 400
