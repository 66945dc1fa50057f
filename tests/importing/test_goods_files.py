"""import_catalog on files that went wrong, or that call one thing by two spellings."""

import unicodedata

import pytest

from shop.catalog.models import Category, Maker, Product, StockRecord, Variant
from tests import builders
from tests.importing.desks import GOODS, say

pytestmark = pytest.mark.django_db

HEADER = "sku,product,title,description,category,maker,price,stock,size,colour"


@pytest.fixture
def take_in(tmp_path):
    """Imports rows; gives what the command said (stdout, stderr)."""

    def _take_in(*rows, options=(), header=HEADER):
        path = tmp_path / "goods.csv"
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        return say("import_catalog", str(path), *options)

    return _take_in


def good(sku="S-1", product="mug", title="Mug", category="Table", maker="", price="9.50", size="", colour=""):
    return f"{sku},{product},{title},,{category},{maker},{price},1,{size},{colour}"


def test_an_open_quotation_mark_sells_no_coat_for_the_price_of_a_hat(take_in):
    """The seen case: the row after it, with an inch mark at a cell's end, closed the text, and the count was right."""
    _, errors = take_in(
        'COAT,coat,"Fits up to 40 in chest,,Coats,,240.00,1,,',
        'RULE,rule,Rule of 20",,Tools,,2.50,5,,',
        good("MUG"),
    )
    assert "Row 2: opens a quotation mark" in errors
    assert set(Variant.objects.values_list("sku", "price")) == {("RULE", 2.5), ("MUG", 9.5)}
    assert Product.objects.get(variants__sku="RULE").title == 'Rule of 20"'


def test_a_description_of_several_lines_and_many_commas_is_one_text(take_in):
    oats = "Oats, sugar, butter, honey, salt, nuts, raisins, flour, water, malt"
    text = f'"{oats}\nBake, cool, eat.\n\n""Lovely"", says Ann"'
    _, errors = take_in(f"BAR,bar,Bar,{text},Pantry,,1.50,5,,", good("MUG"))
    assert not errors
    assert Product.objects.get(slug="bar").description.count("\n") == 3
    assert Variant.objects.count() == 2


def test_a_row_swallowed_by_a_description_is_given_back(take_in):
    """In a description line breaks are welcome, so only the row inside it shows that a mark was left open."""
    _, errors = take_in(
        'COAT,coat,Coat,"Fits 40 in chest,Coats,,240.00,1,,',
        good("HAT", product="hat", title="Hat"),
        'RULE,rule,Rule,Of 20",Tools,,2.50,5,,',
    )
    assert "Row 2: opens a quotation mark" in errors
    assert set(Variant.objects.values_list("sku", flat=True)) == {"HAT", "RULE"}


def test_a_shifted_row_shows_nobodys_address(take_in):
    _, errors = take_in(
        good("A", title="ann@example.com"),
        good("B", product="b", title="Ask Ann <ann@example.com> for it"),
        good("ann@example.com", product="c"),
        good("D", product="d", title="Mug @ home"),
    )
    assert errors.count("e-mail address") == 3
    assert list(Product.objects.values_list("title", flat=True)) == ["Mug @ home"]


def test_a_value_in_a_column_without_a_name_is_reported(take_in):
    header = HEADER + ",,"
    _, errors = take_in(f"{good('A')},,", f"{good('B', product='b')},,lost", header=header)
    assert "Row 3: has a value in a column without a name" in errors
    assert Variant.objects.get().sku == "A"


@pytest.mark.parametrize("quantity", ["99999999999", "1e9", "-0", "１", "10000001"])
def test_one_absurd_stock_is_one_bad_row(take_in, quantity):
    _, errors = take_in(f"A,a,A,,Table,,1.00,{quantity},,", good("B"))
    assert "Row 2: stock" in errors
    assert StockRecord.objects.get().variant.sku == "B"


@pytest.mark.parametrize("price", ["9.999", "1_0", "1e1", "１０", "-0", "1,000", "+5", "Infinity", "14 50"])
def test_no_price_is_guessed(take_in, price):
    take_in(f'A,a,A,,Table,,"{price}",1,,', good("B"))
    assert Variant.objects.get().sku == "B"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2199-01-01", "soon", "２０２６-01-01"])
def test_no_release_day_is_beyond_belief(take_in, day):
    _, errors = take_in(f"{good('A')},{day}", f"{good('B', product='b')},1843-12-19", header=f"{HEADER},released_on")
    assert "Row 2: released_on" in errors
    assert Product.objects.get().released_on.year == 1843


def test_decimal_commas_are_recognised_and_taken_when_said(take_in):
    row = 'A,a,A,,Table,,"14,50",1,,'
    _, errors = take_in(row)
    assert "add --decimal ," in errors
    assert not Variant.objects.exists()
    take_in(row, options=["--decimal", ","])
    assert Variant.objects.get().price == 14.5


def test_a_semicolon_file_with_decimal_commas_is_told_both_at_once(tmp_path):
    path = tmp_path / "goods.csv"
    path.write_text(f"{GOODS.header};size\nA;a;A;;Table;;14,50;1;\n".replace(",price", ";price").replace(",", ";", 6))
    text = f"{GOODS.header.replace(',', ';')}\nA;a;A;;Table;;14,50;1\n"
    path.write_text(text)
    with pytest.raises(Exception, match=r"--delimiter ';' and --decimal ,"):
        say("import_catalog", str(path))
    say("import_catalog", str(path), "--delimiter", ";", "--decimal", ",")
    assert Variant.objects.get().price == 14.5


# -- Different goods never share a row --


def test_goods_of_any_script_have_rows_and_addresses_of_their_own(take_in):
    names = [
        "Кружка 300",
        "Носки 300",
        "茶碗",
        "茶杯",
        "C book",
        "C++ book",
        "C# book",
        "Größe",
        "🎁",
        "!🎁",
        "Ж" * 160,
    ]
    names += ["щ" * 100 + "1", "щ" * 100 + "2"]
    _, errors = take_in(*(good(f"S-{number}", product=name, title=name) for number, name in enumerate(names)))
    assert not errors
    assert Product.objects.count() == len(names)
    assert set(Product.objects.values_list("title", flat=True)) == set(names)
    assert Product.objects.get(title="Кружка 300").slug == "kruzhka-300"
    slugs = set(Product.objects.filter(title__endswith="book").values_list("slug", flat=True))
    assert slugs == {"c-book", "c-book-2", "c-book-3"}


def test_they_stay_apart_in_later_files(take_in):
    take_in(good("S-1", product="C++ book", title="C++ book"))
    take_in(good("S-2", product="C book", title="C book"))
    take_in(good("S-3", product="c++  BOOK", title="C++ book", size="L"))
    assert {product.title: product.variants.count() for product in Product.objects.all()} == {
        "C++ book": 2,
        "C book": 1,
    }


def test_a_product_of_the_shops_own_is_known_by_its_address_or_its_title(take_in):
    ours = builders.product("Rag socks", slug="rag-socks")
    take_in(good("S-1", product="rag-socks", title="Rag socks", size="9"))
    take_in(good("S-2", product="Rag Socks", title="Rag socks", size="10"))
    assert Product.objects.get() == ours
    assert ours.variants.filter(sku__in=["S-1", "S-2"]).count() == 2


def test_another_product_at_the_same_address_is_not_taken_over(take_in):
    builders.product("C book", slug="c-book")
    take_in(good("S-1", product="C++ book", title="C++ book"))
    assert set(Product.objects.values_list("title", "slug")) == {("C book", "c-book"), ("C++ book", "c-book-2")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"size": "L"}, {"size": "l"}),
        ({"size": "9"}, {"size": "９"}),
        ({"colour": "Café"}, {"colour": unicodedata.normalize("NFD", "café")}),
        ({"size": "L", "colour": "red"}, {"size": "L", "colour": "re\u200bd "}),
    ],
)
def test_two_choices_nobody_could_tell_apart_are_reported(take_in, one, other):
    _, errors = take_in(good("A", **one), good("B", **other), good("C", size="XL"))
    assert "Row 3: " in errors
    assert "like SKU A of the same product" in errors
    assert set(Variant.objects.values_list("sku", flat=True)) == {"A", "C"}
    _, errors = take_in(good("D", **other), good("A", **one))
    assert "Row 2: " in errors
    assert set(Variant.objects.values_list("sku", flat=True)) == {"A", "C"}


def test_a_choice_that_is_no_longer_sold_may_be_replaced(take_in):
    take_in(good("A", size="9"))
    Variant.objects.update(is_active=False)
    _, errors = take_in(good("B", size="9"))
    assert not errors
    assert Variant.objects.count() == 2


def test_the_same_file_twice_changes_nothing_with_all_of_that(take_in):
    rows = [
        good("A", size="L"),
        good("B", size="l"),
        good("c", product="C++", title="C++"),
        good("D", product="C", title="C"),
    ]
    take_in(*rows)
    before = list(Product.objects.order_by("pk").values()), list(Variant.objects.order_by("pk").values())
    out, _ = take_in(*rows)
    assert "products: 0 new, 0 changed; variants: 0 new, 0 changed" in out
    assert before == (list(Product.objects.order_by("pk").values()), list(Variant.objects.order_by("pk").values()))


# -- No twins --

SPELLINGS = [
    ("Café", unicodedata.normalize("NFD", "Café")),
    ("Tarn", "TARN"),
    ("Tarn", "Ta\u200brn"),
    ("Tarn", "\ufeffTarn"),
    ("Tarn", "Ｔａｒｎ"),
    ("Tarn Tup", "Tarn\u00a0Tup"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_one_sku_category_maker_and_product_in_two_spellings_is_one(take_in, one, other):
    take_in(good(one, product=one, title="Mug", category=f"{one} > {one}", maker=one))
    _, errors = take_in(
        good(other, product=other, title="Mug", category=f"{other} > {other}", maker=other, price="7.00")
    )
    assert not errors
    assert (Variant.objects.get().sku, str(Variant.objects.get().price)) == (one, "7.00")
    assert (Maker.objects.get().name, Category.objects.count(), Product.objects.count()) == (one, 2, 1)


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_one_sku_in_two_spellings_is_twice_in_a_file(take_in, one, other):
    _, errors = take_in(good(one), good(other, product="other"))
    assert f"Row 3: SKU {unicodedata.normalize('NFC', other)}".replace("\u200b", "").replace("\ufeff", "")[:9] in errors
    assert "is already in row 2" in errors
    assert Variant.objects.count() == 1


def test_skus_that_the_shop_has_in_two_spellings_stay_two(take_in):
    builders.variant(builders.product("Upper"), sku="85123A", price="1.00")
    builders.variant(builders.product("Lower", slug="lower"), sku="85123a", price="1.00")
    take_in(good("85123a", product="Lower", title="Lower", price="2.00"))
    assert dict(Variant.objects.filter(sku__startswith="85").values_list("sku", "price")) == {"85123A": 1, "85123a": 2}


@pytest.mark.parametrize(
    ("column", "value"),
    [("maker", "!!!"), ("category", "Coats > ???"), ("category", ">"), ("category", " > ".join("abcdefghijkl"))],
)
def test_a_shelf_or_maker_that_can_have_no_page_is_a_bad_row(take_in, column, value):
    _, errors = take_in(good("A", **{column: value}), good("B"))
    assert "Row 2: " in errors
    assert Variant.objects.get().sku == "B"


def test_a_makers_guarantee_is_read_and_one_no_longer_than_the_law_gives_is_refused(take_in):
    rows = (f"{good('A')},10", f"{good('B', product='b')},2", f"{good('C', product='c')},")
    _, errors = take_in(*rows, header=f"{HEADER},guarantee_years")
    assert "Row 3: guarantee_years" in errors
    assert sorted(Product.objects.values_list("guarantee_years", flat=True), key=str) == [10, None]


def test_a_tax_class_is_read_in_any_case_and_one_that_nobody_knows_is_refused(take_in):
    rows = (f"{good('A')},Zero", f"{good('B', product='b')},luxury", f"{good('C', product='c')},")
    _, errors = take_in(*rows, header=f"{HEADER},tax_class")
    assert "Row 3: tax_class" in errors
    assert sorted(Product.objects.values_list("tax_class", flat=True)) == ["standard", "zero"]
