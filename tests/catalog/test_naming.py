"""What staff type for names, SKUs and choices: one spelling, no twins, an address in any script."""

import pytest
from django.urls import reverse

from shop.catalog.models import Category, Maker, Product, Variant
from tests import builders
from tests.catalog.test_admin import product_form, staff

__all__ = ["staff"]
pytestmark = pytest.mark.django_db

MAKER = reverse("admin:catalog_maker_add")
CATEGORY = reverse("admin:catalog_category_add")
PRODUCT = reverse("admin:catalog_product_add")
SPELLINGS = ["TARN", "Ta\u200brn", " Tarn ", "Ｔａｒｎ"]


def rows(*variants: dict) -> dict[str, object]:
    """The inline forms of so many new variants."""
    fields = {"variants-TOTAL_FORMS": len(variants)}
    for number, given in enumerate(variants):
        row = {"sku": "", "price": "1.00", "position": number, "is_active": "on", **given}
        fields |= {f"variants-{number}-{name}": value for name, value in row.items()}
    return fields


@pytest.mark.parametrize(("name", "slug"), [("Кружка 300", "kruzhka-300"), ("茶碗", "chawan"), ("עברית", "vryt")])
def test_an_address_left_empty_is_made_from_the_name(staff, name, slug):
    for _ in range(2):
        staff.post(PRODUCT, product_form(title=name, slug="", **rows({"sku": f"S-{Product.objects.count()}"})))
    slugs = list(Product.objects.order_by("pk").values_list("slug", flat=True))
    assert len(slugs) == 2
    assert slugs[1] == f"{slugs[0]}-2"
    assert slug in slugs[0]


@pytest.mark.parametrize("other", SPELLINGS)
def test_a_name_stands_once_in_whatever_spelling(staff, other):
    builders.maker("Tarn")
    builders.category("Tarn")
    before = Maker.objects.count(), Category.objects.count()
    page = staff.post(MAKER, {"name": other, "slug": "other", "story": ""}).text
    assert "There is one of that name already" in page
    page = staff.post(CATEGORY, {"name": other, "slug": "other", "parent": "", "position": 1, "tint": 1}).text
    assert "There is one of that name already" in page
    assert (Maker.objects.count(), Category.objects.count()) == before


@pytest.mark.parametrize("other", ["mug-1", "MUG-1\u200b", " MUG-1 "])
def test_a_sku_stands_once_in_whatever_spelling(staff, other):
    mug = builders.variant(builders.product("Mug", sizes=()), sku="MUG-1")
    page = staff.post(PRODUCT, product_form(**rows({"sku": other}))).text
    assert "The shop has it already, as MUG-1" in page
    assert list(Variant.objects.all()) == [mug]


def test_two_choices_nobody_could_tell_apart_are_refused(staff):
    page = staff.post(PRODUCT, product_form(**rows({"sku": "A", "size": "L"}, {"sku": "B", "size": "l\u200b"}))).text
    assert "nobody could choose between them" in page
    assert not Product.objects.exists()


def test_two_choices_of_which_one_is_off_sale_are_kept(staff):
    staff.post(PRODUCT, product_form(**rows({"sku": "A"}, {"sku": "B", "is_active": ""})))
    assert Variant.objects.count() == 2
