"""The number under a barcode: one form of it, a check digit that fits, and no two things with the same."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from shop.catalog.admin.forms import VariantForm
from shop.catalog.gtins import clean_gtin
from shop.catalog.models import Variant
from tests import builders

EAN = "4006381333931"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (EAN, EAN),
        (" 4006381-333931 ", EAN),
        ("0" + EAN, EAN),
        ("036000291452", "0036000291452"),  # a UPC
        ("96385074", "96385074"),
        ("00000096385074", "96385074"),
        ("14006381333938", "14006381333938"),  # a case of them is another thing
        ("", ""),
    ],
)
def test_a_gtin_is_kept_in_one_form(typed, kept):
    assert clean_gtin(typed) == kept


@pytest.mark.parametrize(
    "typed", ["4006381333932", "400638133393", "40063813339310", "SKU-1", "４００６３８１３３３９３１", "1"]
)
def test_what_is_no_gtin_is_refused_with_a_reason(typed):
    with pytest.raises(ValueError, match="is no GTIN"):
        clean_gtin(typed)


def test_every_mistyped_digit_is_noticed():
    for place, digit in enumerate(EAN):
        for other in set("0123456789") - {digit}:
            with pytest.raises(ValueError, match="mistyped"):
                clean_gtin(EAN[:place] + other + EAN[place + 1 :])


@pytest.mark.django_db
def test_two_things_never_have_one_gtin():
    builders.variant(builders.product(), gtin=EAN)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.variant(builders.product(), gtin=EAN)
    assert Variant.objects.filter(gtin=EAN).count() == 1


@pytest.mark.django_db
def test_the_form_says_what_is_wrong_with_it():
    variant = builders.variant()
    form = VariantForm({"sku": variant.sku, "price": "1", "position": "0", "gtin": "4006381333932"}, instance=variant)
    assert "mistyped" in str(form.errors["gtin"])


@pytest.mark.django_db
def test_a_row_with_the_gtin_of_another_sku_is_left_out_and_the_rest_goes_through(tmp_path, capsys):
    builders.variant(builders.product(sizes=()), sku="ONE", gtin=EAN)
    path = tmp_path / "goods.csv"
    lines = [f"{sku},{sku},{sku} mug,,Table,,9.50,1,{gtin}" for sku, gtin in FILE.items()]
    path.write_text("\n".join(["sku,product,title,description,category,maker,price,stock,gtin", *lines]))
    call_command("import_catalog", str(path))
    said = "".join(capsys.readouterr())
    assert f"Row 2: GTIN {EAN} belongs to SKU ONE" in said
    assert "Row 4: GTIN 96385074 belongs to SKU THREE" in said
    assert "Row 5: gtin “123” is no GTIN" in said
    assert set(Variant.objects.values_list("sku", "gtin")) == {("ONE", EAN), ("THREE", "96385074"), ("SIX", "")}


FILE = {"TWO": EAN, "THREE": "96385074", "FOUR": "0000096385074", "FIVE": "123", "SIX": ""}
