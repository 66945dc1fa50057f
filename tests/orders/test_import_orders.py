"""import_orders: both formats, twice, dry, with rows that cannot be used."""

import gzip
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.consent import consent, purposes
from accounts.models import Customer
from orders.models import Adjustment, Order, OrderEvent, OrderLine, Shipment
from shop.catalog.models import Product, StockRecord, Variant
from tests import builders

pytestmark = pytest.mark.django_db

OWN = """order_number,placed_at,customer,sku,title,quantity,unit_price,gift,\
shipped_at,delivered_at,country,postcode,carrier_service
A1,2026-03-01 10:00,Ada@Example.com,SOCK-13,Rag wool socks,2,14.00,0,2026-03-02T09:00+00:00,2026-03-04,GB,LS1 1AA,dpd
A1,2026-03-01 10:00,Ada@Example.com,MUG,Tin mug,1,9.50,yes,2026-03-02T09:00+00:00,2026-03-04,GB,LS1 1AA,dpd
A2,2026-03-02,till-77,MUG,Tin mug,1,10.00,0,2026-03-03,,France,,
A3,2026-03-02,,MUG,Tin mug,3,10.00,,,,,,
"""

RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26,2.55,17850,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26,18.00,17850,United Kingdom
536370,85123A,WHITE HEART HOLDER,2,2011-01-05 09:00,2.95,12583,France
536370,85123a,WHITE HEART HOLDER,1,2011-01-05 09:00,2.10,12583,EIRE
536371,85123A,?,1,2011-02-01 09:00,0,12583,France
536380,22222,LOOSE CUP,4,2011-02-01 09:00,1.00,,Unspecified
C536400,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-2,2011-02-01 10:00,2.55,17850,United Kingdom
536390,22222,LOOSE CUP,-10,2011-02-03 09:00,0,,United Kingdom
536391,22222,found,10,2011-02-03 09:00,0,,United Kingdom
A563186,B,Adjust bad debt,1,2011-08-12 14:51,-11062.06,,United Kingdom
"""


def write(folder: Path, text: str, name: str = "history.csv") -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def run(path: Path, **options) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command("import_orders", str(path), stdout=out, stderr=errors, **options)
    return out.getvalue(), errors.getvalue()


def everything() -> dict[str, list]:
    models = (Customer, Product, Variant, StockRecord, Order, OrderLine, Adjustment, Shipment, OrderEvent)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_orders_come_in_with_their_customers_goods_and_fate(tmp_path):
    out, _ = run(write(tmp_path, OWN), stock=7)
    assert "new: 3 orders with 4 lines" in out
    first, second, third = Order.objects.order_by("external_reference")
    assert (first.status, first.fulfilment_status, first.payment_status) == ("completed", "delivered", "paid")
    assert (first.customer.email, first.email, first.total) == ("ada@example.com", "ada@example.com", Decimal("37.50"))
    assert not first.customer.is_proved
    assert first.number.startswith("SW-")
    assert (second.status, second.fulfilment_status) == ("confirmed", "dispatched")
    assert (second.customer.external_reference, str(second.country)) == ("till-77", "FR")
    assert (third.status, third.fulfilment_status, third.customer) == ("confirmed", "unfulfilled", None)
    parcel = first.shipments.get()
    assert (parcel.stage, parcel.carrier, parcel.lines.count()) == ("delivered", "dpd", 2)
    assert first.lines.get(sku="MUG").is_gift
    mug = Variant.objects.get(sku="MUG")
    assert (mug.price, mug.product.category.name, mug.stock.get().on_hand) == (10, "Imported", 7)
    assert mug.product.search_text
    assert not OrderEvent.objects.filter(relayed_at=None).exists()


def test_goods_we_have_are_left_as_they_are(tmp_path):
    mug = builders.variant(builders.product("Our mug"), sku="MUG", price="8.00", on_hand=3)
    run(write(tmp_path, OWN), stock=7)
    mug.refresh_from_db()
    assert (mug.price, mug.product.title, mug.stock.get().on_hand) == (8, "Our mug", 3)
    assert OrderLine.objects.filter(variant=mug).count() == 3


@pytest.mark.parametrize(("text", "layout"), [(OWN, "own"), (RETAIL, "online-retail")])
def test_twice_changes_nothing(tmp_path, text, layout):
    path = write(tmp_path, text, "history.csv.gz")
    run(path, format=layout, stock=5)
    before = everything()
    out, _ = run(path, format=layout, stock=9)
    assert "new: 0 orders" in out
    assert everything() == before


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path):
    before = everything()
    out, _ = run(write(tmp_path, OWN), dry_run=True)
    assert "Nothing was changed. It would be: 4 rows read" in out
    assert "3 orders with 4 lines" in out
    assert everything() == before


def test_bad_rows_are_reported_with_number_and_reason_and_the_rest_goes_on(tmp_path):
    header = OWN.splitlines()[0]
    bad = [
        "B1,yesterday,x,S,T,1,1.00,0,,,,,",
        "B2,2026-03-01,x,S,T,some,1.00,0,,,,,",
        "B3,2026-03-01,x,S,T,1,-1.00,0,,,,,",
        "B4,2026-03-01,x,S,T,1,NaN,0,,,,,",
        ",2026-03-01,x,S,T,1,1.00,0,,,,,",
        "B6,2026-03-01,x,,T,1,1.00,0,,,,,",
        "B7,2026-03-01,x,S,T,0,1.00,0,,,,,",
        "B8,2026-03-01,x,S,T,1,1.00,perhaps,,,,,",
        "B9,2026-03-01",
        "B10,2026-02-30,x,S,T,1,1.00,0,,,,,",
        "B11,2026-03-01,x,S,T,99999999999,1.00,0,,,,,",
        "GOOD,2026-03-01,x,S,=cmd(),1,1.00,0,,,,,",
    ]
    out, errors = run(write(tmp_path, "\n".join([header, *bad])))
    assert Order.objects.get().external_reference == "GOOD"
    assert "12 rows read, 11 left out" in out
    for number in range(2, 13):
        assert f"Row {number}: " in errors


def test_a_file_with_other_columns_is_refused_with_a_hint(tmp_path):
    with pytest.raises(CommandError, match=r"no column order_number.*--format online-retail"):
        run(write(tmp_path, RETAIL))
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "missing.csv")
    (tmp_path / "broken.csv.gz").write_bytes(b"not gzip at all")
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "broken.csv.gz")
    assert not Order.objects.exists()


def test_uci_rows_become_orders_lines_and_adjustments(tmp_path):
    out, errors = run(write(tmp_path, RETAIL), format="online-retail", stock=4)
    assert "10 rows read, 3 left out" in out
    assert "Row 9: a correction of stock, not a sale" in errors
    order = Order.objects.get(external_reference="536365")
    assert (order.subtotal, order.total, str(order.country)) == (Decimal("15.30"), Decimal("33.30"), "GB")
    assert order.adjustments.get().label == "Postage"
    assert (order.status, order.customer.external_reference) == ("completed", "17850")
    assert str(order.placed_at) == "2010-12-01 08:26:00+00:00"
    holder = Product.objects.get(variants__sku="85123A")
    assert (holder.title, holder.variants.get().price) == ("White heart holder", Decimal("2.95"))
    assert Product.objects.filter(variants__sku="85123a").exclude(slug=holder.slug).exists()
    back = Order.objects.get(external_reference="C536400")
    assert (back.status, back.payment_status, back.total, back.lines.count()) == ("cancelled", "refunded", 0, 0)
    assert back.adjustments.get().amount == Decimal("-5.10")
    assert Order.objects.get(external_reference="536380").customer is None


def test_nobody_has_consented_to_anything_unless_the_file_says_so(tmp_path):
    path = write(tmp_path, RETAIL)
    run(path, format="online-retail")
    assert not OrderLine.objects.usable_for(purposes.COUNT_IN_ALSO_BOUGHT).exists()
    answers = write(
        tmp_path,
        "customer,purpose,granted,at\n"
        "17850,count_in_also_bought,1,2011-01-01T10:00:00+00:00\n"
        "12583,count_in_also_bought,0,2011-01-01 10:00\n"
        "99999,count_in_also_bought,1,2011-01-01 10:00\n"
        "17850,mind_reading,1,2011-01-01 10:00\n"
        "17850,newsletter,maybe,2011-01-01 10:00\n"
        "17850,newsletter,1,once\n",
        "consents.csv",
    )
    out, errors = run(path, format="online-retail", consents=answers)
    assert "6 answers read, 2 of them new, 4 left out" in out
    assert "Row 4: nobody here is known by that" in errors
    yes = Customer.objects.get(external_reference="17850")
    assert consent.get_granted_purposes(yes) == {purposes.COUNT_IN_ALSO_BOUGHT}
    usable = OrderLine.objects.usable_for(purposes.COUNT_IN_ALSO_BOUGHT)
    assert {line.order.external_reference for line in usable} == {"536365"}
    out, _ = run(path, format="online-retail", consents=answers)
    assert "0 of them new" in out


def test_an_imported_customer_finds_their_orders_once_the_address_is_theirs(client, tmp_path):
    run(write(tmp_path, OWN))
    builders.customer("somebody@example.com")
    assert client.get(f"/orders/{Order.objects.first().number}/").status_code == 404
