"""Staff keep the catalog: what they save is what shoppers find, and stock moves only with a name on it."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from shop.catalog import listing, stock
from shop.catalog.models import Product, ProductImage, StockMovement, StockRecord, Variant
from shop.catalog.search import search_products
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db

STOCK = reverse("admin:catalog_stockrecord_changelist")


@pytest.fixture
def staff(settings, tmp_path) -> Client:
    settings.MEDIA_ROOT = tmp_path
    client = Client()
    client.force_login(cast.sam())
    return client


def photo(kind: str = "PNG", size: tuple[int, int] = (1600, 800)) -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", size, "tomato").save(made, kind)
    return SimpleUploadedFile("mug.png", made.getvalue())


def product_form(**changed):
    return {
        "title": "Blue mug",
        "slug": "blue-mug",
        "category": builders.category("Table").pk,
        "maker": "",
        "summary": "",
        "description": "",
        "attributes": "Holds: 300 ml\nGlaze: Blue",
        "tags": "tea, breakfast",
        "tax_class": "reduced",
        "is_published": "on",
        "variants-TOTAL_FORMS": "1",
        "variants-INITIAL_FORMS": "0",
        "variants-0-sku": "MUG-1",
        "variants-0-price": "9.95",
        "variants-0-is_active": "on",
        "variants-0-position": "0",
        "images-TOTAL_FORMS": "1",
        "images-INITIAL_FORMS": "0",
        "images-0-position": "0",
        "images-0-alt": "",
        **changed,
    }


def save(staff: Client, **changed):
    return staff.post(reverse("admin:catalog_product_add"), product_form(**changed))


def act(staff: Client, action: str, *records: StockRecord, **numbers):
    chosen = {"action": action, "_selected_action": [record.pk for record in records]}
    return staff.post(STOCK, chosen | numbers, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_new_product_is_found_at_once_with_its_price_and_attributes(staff):
    builders.store()
    assert save(staff).status_code == 302
    made = Product.objects.get()
    assert made.attributes == {"Holds": "300 ml", "Glaze": "Blue"}
    assert (str(made.price_from), made.tax_class) == ("9.95", "reduced")
    assert [product.title for product in search_products("blue mug").products] == ["Blue mug"]
    assert StockRecord.objects.get(variant__sku="MUG-1").on_hand == 0


def test_a_picture_is_re_encoded_smaller_and_becomes_the_cards(staff):
    save(staff, **{"images-0-upload": photo(), "images-0-alt": "A blue mug"})
    kept = ProductImage.objects.get()
    assert kept.file.name.startswith("products/")
    with kept.file.open() as file, Image.open(file) as picture:
        assert (picture.format, picture.size) == ("WEBP", (1200, 600))
    assert Product.objects.get().card_image == kept.file.name


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        SimpleUploadedFile("x.png", b"not a picture"),
        SimpleUploadedFile("x.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_saved(staff, upload):
    response = save(staff, **{"images-0-upload": upload})
    assert "This is not a picture we can read" in response.content.decode()
    assert not Product.objects.exists()
    assert not ProductImage.objects.exists()


def test_attributes_that_make_no_sense_are_explained(staff):
    response = save(staff, attributes="just words")
    assert "is not like “Wool content: 80 %”" in response.content.decode()
    assert not Product.objects.exists()


def test_renaming_a_maker_or_category_changes_what_their_things_are_found_by(staff):
    made = builders.product("Boot", maker=builders.maker("Hob"), category=builders.category("Boots"))
    listing.refresh_listings()
    staff.post(reverse("admin:catalog_maker_change", args=[made.maker_id]), {"name": "Nail", "slug": "nail"})
    assert [product.title for product in search_products("nail").products] == ["Boot"]
    staff.post(
        reverse("admin:catalog_category_change", args=[made.category_id]),
        {"name": "Footwear", "slug": "footwear", "position": "0", "tint": "1"},
    )
    assert [product.title for product in search_products("footwear").products] == ["Boot"]


@pytest.mark.parametrize("name", ["category", "maker", "product"])
@pytest.mark.parametrize("slug", ["", "a/b"])
def test_a_form_refused_with_an_address_that_leads_nowhere_is_shown_again(staff, name, slug):
    product = builders.product("Boot", maker=builders.maker("Hob"))
    row = product if name == "product" else getattr(product, name)
    page = staff.post(reverse(f"admin:catalog_{name}_change", args=[row.pk]), {"name": "", "title": "", "slug": slug})
    assert page.status_code == 200
    assert "Please correct the error" in page.text
    assert type(row).objects.get(pk=row.pk).slug == row.slug


def test_a_category_cannot_stand_under_itself(staff):
    parent = builders.category("Clothing")
    child = builders.category("Socks", parent=parent)
    response = staff.post(
        reverse("admin:catalog_category_change", args=[parent.pk]),
        {"name": "Clothing", "slug": "clothing", "parent": child.pk, "position": "0", "tint": "1"},
    )
    assert "cannot stand under itself" in response.content.decode()
    parent.refresh_from_db()
    assert parent.parent is None


def test_received_goods_are_added_with_who_and_why(staff):
    record = StockRecord.objects.get(variant=builders.variant(on_hand=2))
    page = act(staff, "receive", record)
    assert f'name="{record.pk}-quantity"' in page.content.decode()
    fields = {"confirm": "1", f"{record.pk}-quantity": "5", f"{record.pk}-reference": "DN 77"}
    act(staff, "receive", record, **fields)
    record.refresh_from_db()
    assert record.on_hand == 7
    movement = record.movements.first()
    assert (movement.kind, movement.quantity, movement.reference, movement.actor) == ("received", 5, "DN 77", "Sam")


def test_a_count_writes_the_difference(staff):
    first, second = (StockRecord.objects.get(variant=builders.variant(on_hand=9)) for _ in range(2))
    act(staff, "count", first, second, **{"confirm": "1", f"{first.pk}-quantity": "6", f"{second.pk}-quantity": ""})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.on_hand, second.on_hand) == (6, 9)
    assert (first.movements.first().kind, first.movements.first().quantity) == ("counted", -3)
    assert second.movements.count() == 1


def test_a_count_below_what_is_promised_is_refused_and_nothing_changes(staff):
    variant = builders.variant(on_hand=5)
    stock.allocate_stock({variant.pk: 4})
    record = StockRecord.objects.get(variant=variant)
    answer = act(staff, "count", record, **{"confirm": "1", f"{record.pk}-quantity": "3"})
    assert "4 are promised to orders" in said(answer)[0]
    record.refresh_from_db()
    assert (record.on_hand, record.movements.count()) == (5, 1)


@pytest.mark.parametrize("number", ["-3", "0", "many", "99999999999", "1.5"])
def test_nonsense_numbers_are_explained_and_move_nothing(staff, number):
    record = StockRecord.objects.get(variant=builders.variant(on_hand=2))
    answer = act(staff, "receive", record, **{"confirm": "1", f"{record.pk}-quantity": number})
    assert "errorlist" in answer.content.decode()
    record.refresh_from_db()
    assert (record.on_hand, StockMovement.objects.count()) == (2, 1)


def product_page(product: Product) -> str:
    return reverse("admin:catalog_product_change", args=[product.pk])


def test_a_products_page_says_what_each_store_has_of_each_variant(staff):
    boot = builders.product("Scree boot", sizes=("12", "13"), on_hand=7)
    small, large = boot.variants.all()
    StockRecord.objects.create(variant=large, store=builders.store("Mill Lane"), restock_on="2027-03-05")
    builders.placed_order(small, quantity=2)
    page = staff.get(product_page(boot))
    shown = [
        (variant.sku, record.store.name, record.on_hand, record.allocated, record.available)
        for variant in page.context["stocked"]
        for record in variant.stock.all()
    ]
    assert shown == [
        (small.sku, "Harbour Row", 7, 2, 5),
        (large.sku, "Harbour Row", 7, 0, 7),
        (large.sku, "Mill Lane", 0, 0, 0),
    ]
    for words in ("Mill Lane", "size 13", "5 Mar 2027", "Receive goods"):
        assert words in page.text


def test_goods_are_received_from_the_products_page_by_a_movement(staff):
    boot = builders.product("Scree boot", sizes=("12", "13"), on_hand=0)
    page = staff.get(product_page(boot))
    first, second = StockRecord.objects.order_by("variant__position")
    chosen = {"action": "receive", "_selected_action": [first.pk, second.pk]}
    asked = staff.post(page.context["stock_url"], chosen)
    assert asked.text.count("How many of Scree boot") == 2
    done = staff.post(page.context["stock_url"], chosen | {"confirm": "1", f"{second.pk}-quantity": "4"}, follow=True)
    assert [record.on_hand for record in done.context["cl"].result_list] == [0, 4]
    assert StockMovement.objects.get().record_id == second.pk


def test_a_product_no_store_keeps_says_so_and_a_new_one_has_no_stock_to_show(staff):
    boot = builders.product("Scree boot", sizes=())
    Variant.objects.create(product=boot, sku="BOOT", price=1)
    page = staff.get(product_page(boot)).text
    assert "No store keeps it yet" in page
    assert "Receive goods" not in page
    assert "Receive goods" not in staff.get(reverse("admin:catalog_product_add")).text


def test_stock_on_the_products_page_is_moved_by_those_who_may(staff):
    boot = builders.product("Scree boot", on_hand=7)
    packer = signed_in(staff_member("pack@example.com", role="Staff: orders"))
    page = packer.get(product_page(boot))
    assert ("stocked" in page.context) == (packer.get(STOCK).status_code == 200)
    assert "Receive goods" not in page.text


@pytest.mark.parametrize("count", [1, 20])
def test_a_products_page_costs_the_same_however_many_variants_it_has(staff, count, django_assert_max_num_queries):
    boot = builders.product("Scree boot", sizes=tuple(str(size) for size in range(count)))
    lane = builders.store("Mill Lane")
    StockRecord.objects.bulk_create(StockRecord(variant=variant, store=lane) for variant in boot.variants.all())
    staff.get(product_page(boot))
    with django_assert_max_num_queries(14):
        staff.get(product_page(boot))


def test_stock_cannot_be_typed_over(staff):
    record = StockRecord.objects.get(variant=builders.variant(on_hand=2))
    url = reverse("admin:catalog_stockrecord_change", args=[record.pk])
    assert 'name="on_hand"' not in staff.get(url).content.decode()
    typed = {"on_hand": "99", "allocated": "0", "backorder_limit": "3", "restock_on": "2030-01-01"}
    staff.post(url, typed | {"movements-TOTAL_FORMS": "0", "movements-INITIAL_FORMS": "0"})
    record.refresh_from_db()
    assert (record.on_hand, record.backorder_limit, str(record.restock_on)) == (2, 3, "2030-01-01")


def test_a_backorder_limit_below_what_is_sold_ahead_is_refused(staff):
    variant = builders.variant(on_hand=1)
    StockRecord.objects.filter(variant=variant).update(backorder_limit=5)
    stock.allocate_stock({variant.pk: 4})
    record = StockRecord.objects.get(variant=variant)
    answer = staff.post(
        reverse("admin:catalog_stockrecord_change", args=[record.pk]), {"backorder_limit": "2", "restock_on": ""}
    )
    assert "3 are promised already" in answer.content.decode()


@pytest.mark.parametrize("model", ["category", "maker", "product", "variant", "store", "stockrecord", "stockmovement"])
def test_every_list_opens_and_searches_without_a_query_per_row(staff, model, django_assert_max_num_queries):
    for number in range(12):
        builders.product(f"Thing {number}", maker=builders.maker(f"Maker {number}"), sizes=("S", "M"))
    with django_assert_max_num_queries(12):
        assert staff.get(reverse(f"admin:catalog_{model}_changelist")).status_code == 200


def test_goods_and_movements_are_not_deleted(staff):
    variant = builders.variant()
    for model, pk in (("product", variant.product_id), ("variant", variant.pk)):
        assert staff.post(reverse(f"admin:catalog_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert Variant.objects.filter(pk=variant.pk).exists()


def test_staff_say_how_much_is_in_a_thing_as_it_is_written_on_it(staff):
    add = reverse("admin:catalog_product_add")
    refused = staff.post(add, product_form(**{"variants-0-content": "a bag"}))
    assert "is not like 250 g" in refused.text
    assert not Product.objects.exists()
    assert staff.post(add, product_form(**{"variants-0-content": "250g"})).status_code == 302
    made = Variant.objects.get()
    assert (str(made.content), made.unit_price_text) == ("250 g", "£39.80 per kg")
    change = reverse("admin:catalog_product_change", args=[made.product_id])
    assert 'value="250 g"' in staff.get(change).text
    kept = {"variants-INITIAL_FORMS": "1", "variants-0-id": made.pk, "variants-0-product": made.product_id}
    assert staff.post(change, product_form(**kept, **{"variants-0-content": ""})).status_code == 302
    assert Variant.objects.get().content is None
