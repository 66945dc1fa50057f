"""Beside an offer stands who made it, who answers for it in the EU, and what to be careful of."""

import json
import re

import pytest
from django.core.management import call_command

from shop.catalog.models import Maker, Product
from tests import builders
from tests.page import read_words

pytestmark = pytest.mark.django_db

HEAD = (
    "product,sku,title,category,maker,price,stock,description,maker_address,maker_contact,eu_representative,warnings\n"
)


def test_the_page_and_machines_are_told_who_made_it_and_who_answers_for_it(client):
    maker = builders.maker("Hobthrush")
    Maker.objects.filter(pk=maker.pk).update(
        postal_address="Old Mill\nRossendale",
        electronic_address="workshop@hobthrush.example",
        eu_representative="Kade, Rotterdam",
    )
    builders.product("Boot", slug="boot", maker=maker, warnings="Not for ladders.")
    page = client.get("/product/boot/").text
    words = read_words(page)
    for said in (
        "Old Mill",
        "workshop@hobthrush.example",
        "Responsible in the EU",
        "Kade, Rotterdam",
        "Not for ladders.",
    ):
        assert said in words
    assert "<details" not in page[page.index("Before you use it") :]
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    told = json.loads(data)
    assert told["manufacturer"] == {
        "@type": "Organization",
        "name": "Hobthrush",
        "address": "Old Mill\nRossendale",
        "email": "workshop@hobthrush.example",
        "contactPoint": {
            "@type": "ContactPoint",
            "contactType": "Responsible person in the EU",
            "areaServed": "EU",
            "description": "Kade, Rotterdam",
        },
    }
    assert told["additionalProperty"] == {
        "@type": "PropertyValue",
        "name": "Safety warnings",
        "value": "Not for ladders.",
    }


def test_what_nobody_filled_in_is_not_spoken_of(client):
    builders.product("Boot", slug="boot")
    page = client.get("/product/boot/").text
    words = read_words(page)
    for said in ("Made by", "Responsible in the EU", "Before you use it"):
        assert said not in words
    for told in ("manufacturer", "contactPoint", "additionalProperty"):
        assert told not in page


def test_a_file_of_goods_tells_of_makers_and_leaves_what_it_does_not_say(tmp_path):
    Maker.objects.create(name="Hobthrush", slug="hobthrush", electronic_address="old@hobthrush.example")
    file = tmp_path / "goods.csv"
    file.write_text(
        HEAD
        + 'boot,B1,Boot,Shoes,Hobthrush,90.00,1,,"Old Mill, Rossendale",,"Kade, Rotterdam",Not for ladders.\n'
        + "mug,M1,Mug,Table,,9.00,1,,Nowhere,,,\n"
    )
    for _ in range(2):
        call_command("import_catalog", str(file))
    maker = Maker.objects.get()
    assert (maker.postal_address, maker.electronic_address) == ("Old Mill, Rossendale", "old@hobthrush.example")
    assert maker.eu_representative == "Kade, Rotterdam"
    assert list(Product.objects.order_by("slug").values_list("warnings", flat=True)) == ["Not for ladders.", ""]
