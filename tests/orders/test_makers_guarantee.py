"""A maker's own guarantee of durability is shown where one is given, from the product's page to the receipt."""

import json
import re

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from orders.models import OrderLine
from shop.catalog.models import Product
from tests import builders
from tests.paying import check_out, fill

pytestmark = pytest.mark.django_db

WORDS = "10 years’ guarantee from"


def read_data(page: str) -> dict:
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    return json.loads(data)


def test_it_stands_on_the_page_in_the_cart_at_checkout_and_on_the_order(client, standin):
    grinder = builders.product("Crank grinder", slug="grinder", guarantee_years=10)
    page = client.get("/product/grinder/").text
    assert "<strong>10</strong> years’ guarantee from Fell &amp; Dale" in page
    assert read_data(page)["offers"]["warranty"]["durationOfWarranty"]["value"] == 10

    builders.shipping_method()
    fill(client, grinder.variants.get())
    assert WORDS in client.get("/cart/").text
    assert WORDS in client.get("/checkout/").text
    payment = check_out(client)
    Product.objects.update(guarantee_years=3)
    assert OrderLine.objects.get().guarantee_years == 10  # as it was when it was bought
    assert WORDS in client.get(payment.order.get_absolute_url()).text


def test_a_thing_without_one_says_nothing_of_it(client):
    builders.product("Mug", slug="mug")
    page = client.get("/product/mug/").text
    assert "guarantee" not in page
    assert "warranty" not in read_data(page)["offers"]


@pytest.mark.parametrize("years", [0, 2])
def test_what_the_law_gives_anyway_is_no_guarantee_of_the_maker(years):
    made = builders.product()
    made.guarantee_years = years
    with pytest.raises(ValidationError):
        made.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save()
    assert Product.objects.get().guarantee_years is None


def test_what_machines_read_ends_no_element_and_says_the_price(client):
    nasty = "</script><b>Mug</b> & “more”"
    made = builders.product(nasty, slug="mug", sizes=("S", "M"), price="9.50")
    page = client.get("/product/mug/").text
    assert "</script><b>" not in page
    data = read_data(page)
    assert data["name"] == nasty
    assert (data["offers"]["price"], data["offers"]["availability"]) == ("9.50", "https://schema.org/InStock")
    made.variants.filter(size="M").update(price="12.00")
    offers = read_data(client.get("/product/mug/").text)["offers"]
    assert (offers["lowPrice"], offers["highPrice"]) == ("9.50", "12.00")
