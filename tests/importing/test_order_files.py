"""import_orders on files that went wrong, and on orders that contradict themselves."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import Customer
from orders.models import Order, OrderLine
from shop.catalog.models import Product, Variant
from tests import builders
from tests.importing.desks import ORDERS_HEADER, say

pytestmark = pytest.mark.django_db

RETAIL_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
PLACES = f"{ORDERS_HEADER},country,postcode,promised_on,shipped_at,delivered_at"
GOOD = "GOOD,2026-03-01,ann@example.com,MUG,Mug,1,9.50,0"


@pytest.fixture
def take_in(tmp_path):
    def _take_in(*rows, options=(), header=ORDERS_HEADER):
        path = tmp_path / "orders.csv"
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        return say("import_orders", str(path), *options)

    return _take_in


def taken() -> set[str]:
    return set(Order.objects.values_list("external_reference", flat=True))


def test_an_open_quotation_mark_publishes_nobodys_address(take_in):
    _, errors = take_in(
        'A1,2026-03-01,ann@example.com,HAT,"Hat of 7 in,1,9.50,0',
        'A2,2026-03-02,ben@example.com,CUP,Cup of 3",1,2.00,0',
    )
    assert "Row 2: opens a quotation mark" in errors
    assert taken() == {"A2"}
    assert not Product.objects.filter(title__contains="@").exists()


@pytest.mark.parametrize(
    "row",
    [
        "A1,2026-03-01,,ann@example.com,MUG,1,9.50,0",
        "A1,2026-03-01,MUG,X,ann@example.com,1,9.50,0",
        "A1,2026-03-01,x,X,Mug for ann@example.com,1,9.50,0",
    ],
)
def test_a_row_shifted_by_a_column_makes_no_goods(take_in, row):
    _, errors = take_in(row, GOOD)
    assert "Row 2: " in errors
    assert "e-mail address" in errors
    assert taken() == {"GOOD"}
    assert not Product.objects.filter(title__contains="@").exists()
    assert not Variant.objects.filter(sku__contains="@").exists()


@pytest.mark.parametrize("other", ["ben@example.com", "till-7", ""])
def test_an_order_of_two_customers_is_nobodys(take_in, other):
    _, errors = take_in(
        "A1,2026-03-01,ann@example.com,MUG,Mug,1,9.50,0", GOOD, f"A1,2026-03-01,{other},RING,Ring,1,99.00,0"
    )
    assert "Row 2: order A1 has rows of two customers" in errors
    assert "Row 4: order A1 has rows of two customers" in errors
    assert taken() == {"GOOD"}
    assert not Customer.objects.exclude(email="ann@example.com").exists()


def test_one_customer_in_two_spellings_is_one(take_in):
    take_in("A1,2026-03-01,Ann@Example.com,MUG,Mug,1,9.50,0", "A1,2026-03-01, ann@example.com\u200b,HAT,Hat,1,9.50,0")
    assert Order.objects.get().lines.count() == 2
    assert Customer.objects.get().email == "ann@example.com"


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("GB,LS1 1AA,,,", "FR,LS1 1AA,,,", "two countries"),
        ("GB,LS1 1AA,,,", "GB,YO1 2BB,,,", "two postcodes"),
        ("GB,,2026-03-05,,", "GB,,2026-03-06,,", "promised for different days"),
    ],
)
def test_an_order_that_contradicts_itself_is_reported(take_in, one, other, words):
    row = "A1,2026-03-01,ann@example.com,{},Thing,1,9.50,0,{}"
    _, errors = take_in(row.format("MUG", one), row.format("HAT", other), f"{GOOD},,,,,", header=PLACES)
    assert errors.count(words) == 2
    assert taken() == {"GOOD"}


def test_an_order_number_used_again_next_year_is_reported(take_in):
    _, errors = take_in(
        "A1,2025-03-01,ann@example.com,MUG,Mug,1,9.50,0", "A1,2026-03-01,ann@example.com,HAT,Hat,1,9.50,0", GOOD
    )
    assert errors.count("was placed on different days") == 2
    assert taken() == {"GOOD"}


@pytest.mark.parametrize(
    "customer",
    [
        "@",
        "a@x;b@x",
        "a@x",
        "@x.example",
        "a@@x.example",
        "a b@x.example",
        "a@[127.0.0.1]",
        "mıke@x.example",
        "a@x.example,",
        "ann＠example.com",
        "a@x.example b@x.example",
        '"a,b"@x.example',
        "x" * 81,
    ],
)
def test_what_no_mail_can_reach_is_no_customer(take_in, customer):
    quoted = customer.replace('"', '""')
    _, errors = take_in(f'A1,2026-03-01,"{quoted}",MUG,Mug,1,9.50,0', GOOD)
    assert "Row 2: customer" in errors
    assert taken() == {"GOOD"}
    assert list(Customer.objects.values_list("email", flat=True)) == ["ann@example.com"]


@pytest.mark.parametrize(
    "quantity", ["99999999999", "2000000000", "1000001", "0", "-1", "1_0", "1.0", "1e3", "１", "NaN", ""]
)
def test_one_absurd_quantity_is_one_bad_row(take_in, quantity):
    _, errors = take_in(f"A1,2026-03-01,x,MUG,Mug,{quantity},9.50,0", GOOD)
    assert "Row 2: quantity" in errors
    assert taken() == {"GOOD"}


def test_an_order_beyond_all_measure_is_left_out_whole(take_in):
    row = "A1,2026-03-01,x,{},Thing,1000000,99999999.99,0"
    _, errors = take_in(row.format("MUG"), row.format("HAT"), GOOD)
    assert errors.count("order A1 comes to more than") == 2
    assert taken() == {"GOOD"}


@pytest.mark.parametrize(
    "price", ["9.999", "1_0", "-0.00", "1e9", "NaN", "Infinity", "1,000.00", "+9", "９", "9,50", "999999999"]
)
def test_no_price_is_rounded_or_guessed(take_in, price):
    _, errors = take_in(f'A1,2026-03-01,x,MUG,Mug,1,"{price}",0', GOOD)
    assert "Row 2: unit_price" in errors
    assert taken() == {"GOOD"}
    assert OrderLine.objects.get().unit_price == Decimal("9.50")


def test_times_that_cannot_be_are_reported(take_in):
    tomorrow = date.today() + timedelta(days=2)  # noqa: DTZ011  (far enough from midnight anywhere)
    rows = [
        f"A1,{tomorrow},x,MUG,Mug,1,9.50,0,,,,,",
        "A2,2099-01-01,x,MUG,Mug,1,9.50,0,,,,,",
        "A3,0001-01-01,x,MUG,Mug,1,9.50,0,,,,,",
        "A4,0001-01-01T00:00:00+14:00,x,MUG,Mug,1,9.50,0,,,,,",
        f"A5,2026-03-01,x,MUG,Mug,1,9.50,0,,,,{tomorrow},",
        "A6,2026-03-01,x,MUG,Mug,1,9.50,0,,,,2026-02-27,",
        "A7,2026-03-01,x,MUG,Mug,1,9.50,0,,,,2026-03-03,2026-03-02",
        "A8,2026-03-01,x,MUG,Mug,1,9.50,0,,,2026-02-01,,",
        "A9,2026-03-01,x,MUG,Mug,1,9.50,0,,,2199-01-01,,",
        "OK,2026-03-01 18:00,x,MUG,Mug,1,9.50,0,,,2026-03-01,2026-03-01,2026-03-01",
    ]
    _, errors = take_in(*rows, header=PLACES)
    assert errors.count("Row ") == 9
    assert taken() == {"OK"}


def test_a_place_is_kept_whole_or_reported(take_in):
    row = "{},2026-03-01,x,MUG,Mug,1,9.50,0,{},,,"
    given = {"UK": "UK,LS1", "ENG": "england,LS1", "MO": "Macau,", "ODD": "Atlantis,", "LONG": f"GB,{'1' * 17}"}
    _, errors = take_in(*(row.format(name, place) for name, place in given.items()), header=PLACES)
    assert "Row 5: country “Atlantis” is not known" in errors
    assert "Row 6: postcode is longer than 16" in errors
    assert {order.external_reference: str(order.country) for order in Order.objects.all()} == {
        "UK": "GB",
        "ENG": "GB",
        "MO": "MO",
    }


@pytest.mark.parametrize("other", ["mug", "MUG\u200b", " MUG ", "ＭＵＧ"])
def test_a_sku_in_another_spelling_is_the_one_the_shop_has(take_in, other):
    mug = builders.variant(builders.product("Our mug"), sku="MUG", price="8.00")
    take_in(f"A1,2026-03-01,x,{other},Mug,1,9.50,0", f"A2,2026-03-01,x,{other.lower()},Mug,1,9.50,0")
    assert Product.objects.get() == mug.product
    assert OrderLine.objects.filter(variant=mug, sku="MUG").count() == 2


def test_a_new_sku_in_two_spellings_is_made_once(take_in):
    take_in("A1,2026-03-01,x,Mug,Mug,1,9.50,0", "A2,2026-03-01,x,MUG,Mug,1,9.50,0")
    assert Variant.objects.get().sku == "Mug"
    assert Product.objects.count() == 1


def test_the_other_format_tells_capitals_apart(take_in):
    rows = [
        f"{number},{code},CUP,1,2011-01-01 10:00,2.00,17850,France" for number, code in enumerate(["85123A", "85123a"])
    ]
    take_in(*rows, header=RETAIL_HEADER, options=["--format", "online-retail"])
    assert set(Variant.objects.values_list("sku", flat=True)) == {"85123A", "85123a"}


def test_one_invoice_of_two_customers_is_nobodys_in_the_other_format_too(take_in):
    rows = ["1,85123A,CUP,1,2011-01-01 10:00,2.00,17850,France", "1,85123B,CUP,1,2011-01-01 10:00,2.00,12583,France"]
    _, errors = take_in(*rows, header=RETAIL_HEADER, options=["--format", "online-retail"])
    assert errors.count("has rows of two customers") == 2
    assert not Order.objects.exists()


def test_goods_of_any_script_have_addresses(take_in):
    take_in(
        "A1,2026-03-01,x,К-1,Кружка 300,1,9.50,0",
        "A2,2026-03-01,x,Н-1,Носки 300,1,9.50,0",
        "A3,2026-03-01,x,§,!!,1,9.50,0",
    )
    assert set(Product.objects.values_list("slug", flat=True)) >= {"kruzhka-300-k-1", "noski-300-n-1"}
    assert Product.objects.count() == 3
    assert not Product.objects.filter(slug="").exists()


def test_a_column_nothing_reads_is_named(take_in):
    _, errors = take_in(f"{GOOD},2026-03-02", header=f"{ORDERS_HEADER},shiped_at")
    assert "Columns that nothing reads: shiped_at" in errors
    assert taken() == {"GOOD"}


def test_what_the_database_refuses_ends_in_words_and_changes_nothing(take_in, monkeypatch):
    from django.core.management import CommandError
    from django.db import DataError

    from orders.importing import staging

    def refuse():
        raise DataError("numeric field overflow")

    monkeypatch.setattr(staging, "make_lines", refuse)
    with pytest.raises(CommandError, match="nothing was changed"):
        take_in(GOOD)
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


@pytest.mark.parametrize("other", ["ben@example.com", "till-7", ""])
def test_a_number_the_shop_knows_of_another_customer_is_named(take_in, other):
    take_in(GOOD)
    before = list(Order.objects.values())
    out, errors = take_in(GOOD.replace("ann@example.com", other), GOOD)
    assert "Row 2: order GOOD is known already, of another customer" in errors
    assert "1 left out, 1 known already" in out
    assert list(Order.objects.values()) == before
    assert not Customer.objects.exclude(email="ann@example.com").exists()
