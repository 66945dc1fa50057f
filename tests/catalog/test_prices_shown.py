"""Prices by measure where goods are sold so, and a price said to be lowered beside the lowest of thirty days."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders import repricing
from shop.catalog import listing, prices
from shop.catalog.models import CatalogEvent, Product, Variant
from shop.catalog.prices import Price
from shop.catalog.unit_prices import Content, format_unit_price
from tests import builders
from tests.page import read_words
from tests.paying import fill

pytestmark = pytest.mark.django_db

BEFORE = "The lowest price of the 30 days before was "


def change_price(variant: Variant, amount: str, *, days_ago: int) -> None:
    prices.set_prices({variant.pk: Price(Decimal(amount), "GBP")})
    CatalogEvent.objects.filter(pk=CatalogEvent.objects.latest("pk").pk).update(
        created_at=timezone.now() - timedelta(days=days_ago)
    )


def read_prior_price(client, variant: Variant) -> str:
    page = read_words(client.get(variant.product.get_absolute_url()).text)
    found = re.search(rf"{BEFORE}(£[0-9.]+)\.", page)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("changes", "prior"),
    [
        ([("12.00", 3)], "£14.00"),
        ([("9.00", 20), ("14.00", 10), ("12.00", 3)], ""),  # dearer for a week, so as to be lowered
        ([("13.00", 20), ("15.00", 10), ("12.00", 3)], "£13.00"),
        ([("9.00", 80), ("15.00", 40), ("12.00", 3)], "£15.00"),  # older than thirty days says nothing
        ([("15.00", 3)], ""),
        ([("12.00", 10), ("13.00", 3)], ""),
        ([("13.00", 10), ("12.00", 3)], "£13.00"),
        ([("12.00", 31)], ""),  # no longer news
    ],
)
def test_a_lowered_price_stands_beside_the_lowest_of_the_thirty_days_before(client, changes, prior):
    mug = builders.variant(price="14.00")
    for amount, days_ago in changes:
        change_price(mug, amount, days_ago=days_ago)
    assert read_prior_price(client, mug) == prior


def test_the_same_price_in_other_money_is_no_reduction(client, settings):
    mug = builders.variant(price="14.00")
    change_price(mug, "12.00", days_ago=3)
    settings.CURRENCY = "EUR"
    repricing.change_currency("EUR", rate=Decimal("1.1"))
    assert "lowest price" not in client.get(mug.product.get_absolute_url()).text


def test_another_options_reduction_waits_until_it_is_chosen(client):
    made = builders.product("Socks", slug="socks", sizes=("9", "10"), price="14.00")
    change_price(made.variants.get(size="10"), "12.00", days_ago=1)
    page = client.get("/product/socks/").text
    assert BEFORE not in read_words(page)
    assert f'data-before="Lowered. {BEFORE}£14.00."' in page
    assert BEFORE in read_words(client.get(f"/product/socks/?variant={made.variants.get(size='10').pk}").text)


@pytest.mark.parametrize(
    ("price", "amount", "unit", "words"),
    [
        ("8.00", "250", "g", "£32.00 per kg"),
        ("29.00", "1", "kg", "£29.00 per kg"),
        ("4.50", "330", "ml", "£13.64 per litre"),
        ("3.00", "0.75", "l", "£4.00 per litre"),
        ("5.00", "150", "cm", "£3.33 per metre"),
        ("40.00", "2.5", "m2", "£16.00 per m²"),
    ],
)
def test_the_price_of_a_measure_follows_from_price_and_content(price, amount, unit, words):
    assert format_unit_price(Decimal(price), "GBP", Content(Decimal(amount), unit)) == words


def test_the_price_of_a_measure_stands_on_page_card_and_cart(client):
    made = builders.product("Coffee", slug="coffee", price="8.00", sizes=("250 g",))
    made.variants.update(content_amount=250, content_unit="g")
    listing.refresh_listings()
    assert "£32.00 per kg" in client.get("/product/coffee/").text
    assert "£32.00 per kg" in client.get("/category/socks/").text
    builders.variant(made, size="1 kg", price="29.00", content_amount=1, content_unit="kg")
    listing.refresh_listings()
    assert "from £29.00 per kg" in client.get("/category/socks/").text
    fill(client, made.variants.get(size="1 kg"))
    builders.shipping_method()
    assert "£29.00 per kg" in client.get("/cart/").text


def test_a_thing_sold_by_the_piece_has_no_price_by_measure(client):
    made = builders.product("Mug", slug="mug")
    builders.variant(made, size="by the metre", content_amount=1, content_unit="m")
    listing.refresh_listings()
    assert Product.objects.get().price_unit == ""
    assert " per " not in read_words(unescape(client.get("/category/socks/").text))


@pytest.mark.parametrize("content", [{"content_amount": 250}, {"content_unit": "g"}, {"content_amount": 0}])
def test_half_a_content_is_refused(content):
    made = builders.product()
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.variant(made, size="13", **content)
    assert Variant.objects.count() == 1


def test_a_file_of_goods_says_how_much_is_in_it(tmp_path, capsys):
    file = tmp_path / "goods.csv"
    head = "product,sku,title,category,maker,price,stock,description,size,content\n"
    rows = ("coffee,C1,Coffee,Pantry,,8.00,1,,250 g,250 g", "coffee,C2,Coffee,Pantry,,29.00,1,,1 kg,1 KG")
    file.write_text(head + "\n".join((*rows, "coffee,C3,Coffee,Pantry,,9.00,1,,a bag,a bag")))
    call_command("import_catalog", str(file))
    found = Variant.objects.order_by("sku").values_list("sku", "content_amount", "content_unit")
    assert list(found) == [("C1", 250, "g"), ("C2", 1, "kg")]
    assert "content “a bag” is not like 250 g" in " ".join(capsys.readouterr())
    product = Product.objects.get()
    assert (product.unit_price_from, product.unit_price_to, product.price_unit) == (29, 32, "kg")
