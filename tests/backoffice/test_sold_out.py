"""What ran out, on the staff's first page: always what the stock adds up to, found without adding up the catalog."""

import csv
from collections import defaultdict

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from shop.backoffice.dashboard import find_sold_out_variants
from shop.catalog import stock
from shop.catalog.models import Product, StockRecord, Store, Variant
from tests import builders, cast
from tests.plans import read_plan_steps

pytestmark = pytest.mark.django_db

NO_MOVEMENTS = {"movements-TOTAL_FORMS": "0", "movements-INITIAL_FORMS": "0"}
HEADER = ["sku", "product", "title", "description", "category", "maker", "price", "stock"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def named() -> list[str]:
    """The titles on the staff's first page."""
    found = find_sold_out_variants()
    assert not found.has_more
    return sorted(variant.product.title for variant in found.ran_out)


def added_up() -> list[str]:
    """Those on sale whose stock, over all stores that ship, comes to nothing that could be sold."""
    left: dict[str, int] = defaultdict(int)
    records = StockRecord.objects.filter(
        store__ships_orders=True, variant__is_active=True, variant__product__is_published=True
    )
    for record in records.select_related("variant__product"):
        left[record.variant.product.title] += record.on_hand + record.backorder_limit - record.allocated
    return sorted(title for title, count in left.items() if count <= 0)


def sell(title: str, *, on_hand: int) -> Variant:
    return builders.product(title, on_hand=on_hand).variants.get()


def record_of(variant: Variant) -> StockRecord:
    return StockRecord.objects.get(variant=variant, store=builders.store())


def test_what_ran_out_is_what_the_stock_adds_up_to_after_each_verb():
    mug, jar, _ = (sell(title, on_hand=count) for title, count in [("Mug", 2), ("Jar", 5), ("Tin", 0)])
    assert named() == added_up() == ["Tin"]
    taken = stock.allocate_stock({mug.pk: 2, jar.pk: 4})
    assert named() == added_up() == ["Mug", "Tin"]
    stock.release_allocation(taken[mug.pk], quantity=1)
    assert named() == added_up() == ["Tin"]
    stock.consume_allocation(taken[mug.pk], quantity=1, reference="a parcel")
    stock.consume_allocation(taken[jar.pk], quantity=4, reference="a parcel")
    assert named() == added_up() == ["Tin"]
    stock.record_stocktake({mug.pk: 0, jar.pk: 1}, store_id=builders.store().pk, reference="a count")
    assert named() == added_up() == ["Mug", "Tin"]
    stock.receive_stock(record_of(mug).pk, quantity=3)
    assert named() == added_up() == ["Tin"]


def test_what_one_store_has_left_is_not_sold_out_and_what_a_store_that_ships_nothing_has_does_not_count():
    mug = sell("Mug", on_hand=0)
    lane = builders.store("Mill Lane")
    far = StockRecord.objects.create(variant=mug, store=lane)
    assert named() == added_up() == ["Mug"]
    stock.receive_stock(far.pk, quantity=1)
    assert named() == added_up() == []
    Store.objects.filter(pk=lane.pk).update(ships_orders=False)
    assert named() == added_up() == ["Mug"]


def test_what_may_be_sold_before_it_arrives_is_not_sold_out_until_all_of_that_is_promised(staff):
    mug = sell("Mug", on_hand=0)
    page = reverse("admin:catalog_stockrecord_change", args=[record_of(mug).pk])
    assert staff.post(page, {"backorder_limit": "2", "restock_on": "", **NO_MOVEMENTS}).status_code == 302
    assert named() == added_up() == []
    stock.allocate_stock({mug.pk: 2})
    assert named() == added_up() == ["Mug"]


def test_what_is_taken_off_the_shelf_or_off_sale_did_not_run_out(staff):
    mug = sell("Mug", on_hand=0)
    page = reverse("admin:catalog_product_changelist")
    for action, expected in [("unpublish", []), ("publish", ["Mug"])]:
        staff.post(page, {"action": action, "_selected_action": [mug.product_id]})
        assert named() == added_up() == expected
    Variant.objects.update(is_active=False)
    assert named() == added_up() == []


def test_what_a_file_of_goods_brings_is_sold_out_where_it_says_nothing_is_there(tmp_path):
    path = tmp_path / "goods.csv"
    for count, expected in [("0", ["Mug"]), ("4", [])]:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, ["M-1", "mug", "Mug", "", "Table", "", "9.95", count]])
        call_command("import_catalog", str(path), "--set-stock")
        assert named() == added_up() == expected


def test_a_variant_without_stock_anywhere_never_ran_out():
    StockRecord.objects.filter(variant=builders.variant(on_hand=0)).delete()
    assert named() == added_up() == []


def test_no_record_can_be_below_nothing_which_the_list_rests_on():
    """Were one below nothing, it could outweigh what another store has left."""
    record = record_of(builders.variant(on_hand=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        StockRecord.objects.filter(pk=record.pk).update(allocated=2)
    record.refresh_from_db()
    assert (record.allocated, record.is_sold_out) == (0, False)


# -- What it costs ---------------------------------------------------------------------------------------------


def make_big_shop(*, products: int, every: int, restock_on=None) -> None:
    """So many products of three sizes; of every so many, nothing is left."""
    shelf, store = builders.category(), builders.store()
    Product.objects.bulk_create(
        Product(title=f"Thing {n:04}", slug=f"thing-{n}", category=shelf, price_from=1) for n in range(products)
    )
    Variant.objects.bulk_create(
        Variant(product=made, sku=f"{made.slug}-{size}", size=size, price=1)
        for made in Product.objects.all()
        for size in ("S", "M", "L")
    )
    StockRecord.objects.bulk_create(
        StockRecord(variant=variant, store=store, on_hand=0 if n % every == 0 else 5, restock_on=restock_on)
        for n, variant in enumerate(Variant.objects.order_by("pk"))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_product, catalog_variant, catalog_stockrecord, catalog_store")
        # As for a catalog that nobody would read whole.
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
        )


def count_rows_read() -> int:
    """Stock records and variants read, index or not, to name what ran out."""
    with CaptureQueriesContext(connection) as queries:
        find_sold_out_variants()
    (query,) = queries
    steps = read_plan_steps(query["sql"])
    read = [each for each in steps if each.get("Relation Name") in ("catalog_stockrecord", "catalog_variant")]
    return sum((each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"] for each in read)


@pytest.mark.parametrize("every", [4, 500])
def test_naming_what_ran_out_reads_a_few_of_many(every):
    make_big_shop(products=1_000, every=every)
    assert find_sold_out_variants().ran_out[0].product.title == "Thing 0000"
    assert count_rows_read() < 600, "of 6,000"


def test_where_more_of_everything_is_due_only_what_ran_out_is_read():
    make_big_shop(products=1_000, every=50, restock_on=timezone.localdate())
    assert count_rows_read() < 1_200
