import csv
import io

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from shop.catalog import stock
from shop.catalog.models import Category, Maker, Product, ProductImage, StockMovement, StockRecord, Variant
from shop.catalog.search import search_products
from tests import builders

pytestmark = pytest.mark.django_db

HEADER = ["sku", "product", "title", "description", "category", "maker", "price", "stock", "size", "Wool content"]
SOCKS_9 = ["TT-9", "rag-socks", "Rag socks", "Thick.", "Clothing > Socks", "Tarn & Tup", "14.00", "5", "9", "85 %"]
SOCKS_10 = ["TT-10", "rag-socks", "Rag socks", "Thick.", "Clothing > Socks", "Tarn & Tup", "14.50", "0", "10", ""]
MUG = ["M-1", "Blue mug", "Blue mug", "", "Table", "", "9.95", "12", "", ""]


@pytest.fixture
def take_in(tmp_path, capsys):
    """Imports rows; gives what the command said (stdout, stderr)."""

    def _take_in(*rows, header=HEADER, options=(), encoding="utf-8"):
        path = tmp_path / "goods.csv"
        with path.open("w", newline="", encoding=encoding) as file:
            csv.writer(file).writerows([header, *rows])
        call_command("import_catalog", str(path), *options)
        return capsys.readouterr()

    return _take_in


def everything() -> list[list[tuple]]:
    models = (Category, Maker, Product, Variant, StockRecord, StockMovement, ProductImage)
    return [sorted(model.objects.values_list(), key=str) for model in models]


def test_rows_become_products_with_variants_stock_and_attributes(take_in):
    take_in(SOCKS_9, SOCKS_10, MUG)
    socks = Product.objects.get(slug="rag-socks")
    assert (socks.title, socks.maker.name, socks.attributes) == ("Rag socks", "Tarn & Tup", {"Wool content": "85 %"})
    assert (socks.category.name, socks.category.parent.name) == ("Socks", "Clothing")
    assert [(each.sku, each.size, str(each.price)) for each in socks.variants.all()] == [
        ("TT-9", "9", "14.00"),
        ("TT-10", "10", "14.50"),
    ]
    assert StockRecord.objects.get(variant__sku="TT-9").on_hand == 5
    assert StockMovement.objects.get(record__variant__sku="TT-9").kind == StockMovement.Kind.OPENING
    assert [product.title for product in search_products("blue mugs").products] == ["Blue mug"]


def test_taking_the_same_file_in_twice_changes_nothing(take_in):
    take_in(SOCKS_9, SOCKS_10, MUG)
    before = everything()
    said = take_in(SOCKS_9, SOCKS_10, MUG)
    assert everything() == before
    assert "products: 0 new, 0 changed; variants: 0 new, 0 changed; stock counted: 0" in said.out


def test_scattered_rows_that_contradict_the_first_change_nothing_either(take_in):
    later = [*SOCKS_10[:2], "Another title", "Thin.", "Elsewhere", "Nobody", *SOCKS_10[6:9], "10 %"]
    take_in(SOCKS_9, MUG, later)
    before = everything()
    take_in(SOCKS_9, MUG, later)
    assert everything() == before
    assert Product.objects.get(slug="rag-socks").title == "Rag socks"


def test_a_changed_file_changes_what_it_says_and_leaves_what_it_is_silent_about(take_in):
    take_in(SOCKS_9, MUG)
    take_in([*SOCKS_9[:2], "Rag wool socks", "", *SOCKS_9[4:6], "15.00", "99", "9", ""])
    socks = Product.objects.get(slug="rag-socks")
    assert (socks.title, socks.description, socks.attributes) == ("Rag wool socks", "Thick.", {"Wool content": "85 %"})
    assert str(socks.price_from) == "15.00"
    assert StockRecord.objects.get(variant__sku="TT-9").on_hand == 5, "stock is opening stock only"
    assert Product.objects.filter(slug="blue-mug").exists()


def test_set_stock_writes_counted_movements(take_in):
    take_in(SOCKS_9)
    take_in([*SOCKS_9[:7], "3", *SOCKS_9[8:]], options=["--set-stock"])
    record = StockRecord.objects.get(variant__sku="TT-9")
    assert record.on_hand == 3
    assert list(record.movements.values_list("kind", "quantity")) == [("counted", -2), ("opening", 5)]


def test_a_count_below_what_is_promised_to_orders_is_reported_and_left(take_in):
    take_in(SOCKS_9)
    stock.allocate_stock({Variant.objects.get(sku="TT-9").id: 4})
    said = take_in([*SOCKS_9[:7], "3", *SOCKS_9[8:]], options=["--set-stock"])
    assert "Row 2: stock not set" in said.err
    assert StockRecord.objects.get(variant__sku="TT-9").on_hand == 5


def test_a_dry_run_says_what_it_would_do_and_does_nothing(take_in):
    before = everything()
    said = take_in(SOCKS_9, SOCKS_10, MUG, options=["--dry-run"])
    assert "Nothing was changed. It would be: 3 rows read" in said.out
    assert "products: 2 new" in said.out
    assert everything() == before


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("sku", "", "has no sku"),
        ("product", "", "has no product"),
        ("product", "!!!", "makes no address"),
        ("title", "x" * 161, "longer than 160"),
        ("category", "", "has no category"),
        ("price", "free", "not a number"),
        ("price", "NaN", "not between"),
        ("price", "-1", "not between"),
        ("price", "1.999", "GBP has 2 decimals"),
        ("price", "9" * 20, "not between"),
        ("price", "1e999999", "not between"),
        ("stock", "-5", "not a whole number"),
        ("stock", "1.5", "not a whole number"),
        ("stock", "９", "not a whole number"),
        ("title", "a\x00b", "zero byte"),
        ("sku", "M-1", "SKU M-1 is already in row 2"),
    ],
)
def test_a_bad_row_is_reported_by_number_and_reason_and_the_rest_goes_on(take_in, column, value, reason):
    bad = list(SOCKS_9)
    bad[HEADER.index(column)] = value
    said = take_in(MUG, bad, SOCKS_10)
    assert "Row 3: " in said.err
    assert reason in said.err
    assert set(Variant.objects.values_list("sku", flat=True)) == {"M-1", "TT-10"}


def test_a_sku_stays_with_its_product(take_in):
    take_in(MUG)
    said = take_in(["M-1", *SOCKS_9[1:]])
    assert "Row 2: SKU M-1 belongs to another product, blue-mug" in said.err
    assert not Product.objects.filter(slug="rag-socks").exists()


def test_a_batch_the_database_refuses_is_halved_until_the_row_at_fault_is_alone(take_in, monkeypatch):
    from django.db import IntegrityError

    from shop.catalog.importing.writing import CatalogWriter

    write = CatalogWriter.write

    def refuses_one(self, rows):
        if any(row.sku == "TT-10" for row in rows):
            raise IntegrityError("no")
        return write(self, rows)

    monkeypatch.setattr(CatalogWriter, "write", refuses_one)
    said = take_in(SOCKS_9, SOCKS_10, MUG)
    assert "Row 3: refused by the database: no" in said.err
    assert set(Variant.objects.values_list("sku", flat=True)) == {"TT-9", "M-1"}


def test_bytes_that_are_not_utf_8_are_a_bad_row(take_in):
    said = take_in(MUG, ["L-1", "café", "Café", *SOCKS_9[3:]], encoding="latin-1")
    assert "Row 3: is not in UTF-8" in said.err
    assert list(Variant.objects.values_list("sku", flat=True)) == ["M-1"]


@pytest.mark.parametrize(
    ("header", "reason"), [(["sku", "title"], "lacks: product"), ([*HEADER, "sku"], "names twice: sku")]
)
def test_a_file_with_another_header_is_refused_whole(take_in, header, reason):
    with pytest.raises(CommandError, match=reason):
        take_in(MUG, header=header)
    assert Product.objects.count() == 0


def test_pictures_beside_the_file_are_re_encoded_and_shown_once(take_in, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    photo = Image.new("RGB", (3000, 1000), "tomato")
    exif = Image.Exif()
    exif[0x010F] = "a camera with a serial number"
    photo.save(tmp_path / "mug.jpg", exif=exif)
    for _ in range(2):
        take_in([*MUG, "mug.jpg"], header=[*HEADER, "image"])
    kept = ProductImage.objects.get()
    with kept.file.open() as file, Image.open(file) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("WEBP", (1200, 400), {})
    assert kept.product.card_image == kept.file.name


@pytest.mark.parametrize("name", ["missing.png", "../../etc/passwd", "goods.csv"])
def test_a_picture_that_is_not_there_or_not_one_is_left_out(take_in, name):
    said = take_in([*MUG, name], header=[*HEADER, "image"])
    assert "Row 2: picture" in said.err
    assert ProductImage.objects.count() == 0
    assert Variant.objects.count() == 1


def test_an_existing_category_further_down_is_found_by_its_name_alone(take_in):
    table = builders.category("Table", parent=builders.category("House"))
    take_in(MUG)
    assert Product.objects.get().category == table


def test_a_zipped_file_is_read_too(tmp_path):
    import gzip

    text = io.StringIO()
    csv.writer(text).writerows([HEADER, MUG])
    path = tmp_path / "goods.csv.gz"
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    call_command("import_catalog", str(path))
    assert Variant.objects.get().sku == "M-1"
