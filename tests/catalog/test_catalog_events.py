"""What happens to goods is written down with the change, whoever makes it, and once."""

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from orders import repricing
from shop.catalog import events, prices, stock
from shop.catalog.models import CatalogEvent, Product, StockMovement, Variant
from shop.catalog.prices import Price
from tests import builders, cast

Kind = CatalogEvent.Kind
HEADER = "product,sku,title,category,maker,price,stock,description"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def kinds(product: Product) -> list[str]:
    return list(CatalogEvent.objects.filter(product=product).order_by("id").values_list("kind", flat=True))


def record_of(variant: Variant):
    return variant.stock.get()


def sell(variant: Variant, quantity: int) -> None:
    with transaction.atomic():
        stock.allocate_stock({variant.pk: quantity})


@pytest.mark.django_db
def test_a_price_that_changes_is_written_with_what_it_was():
    mug = builders.variant(price="14.00")
    assert prices.set_prices({mug.pk: Price(Decimal("12.50"), "GBP")}) == {mug.pk}
    mug.refresh_from_db()
    assert mug.price == Decimal("12.50")
    event = CatalogEvent.objects.get(variant=mug)
    assert event.kind == Kind.PRICE_CHANGED
    assert event.data == {"old_price": "14.00", "old_currency": "GBP", "new_price": "12.50", "new_currency": "GBP"}
    assert event.relayed_at is None


@pytest.mark.django_db
def test_the_same_price_again_is_no_change():
    mug = builders.variant(price="14.00")
    assert prices.set_prices({mug.pk: Price(Decimal(14), "GBP")}) == set()
    assert kinds(mug.product) == []


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_taken_back_leaves_no_event():
    mug = builders.variant(price="14.00", on_hand=0)
    with transaction.atomic():
        prices.set_prices({mug.pk: Price(Decimal(9), "GBP")})
        stock.receive_stock(record_of(mug).pk, quantity=3)
        transaction.set_rollback(True)
    assert kinds(mug.product) == []


@pytest.mark.django_db
def test_a_price_in_other_money_is_no_news(settings):
    mug = builders.variant(price="10.00")
    settings.CURRENCY = "EUR"
    repricing.change_currency("EUR", rate=Decimal("1.2"))
    mug.refresh_from_db()
    assert (mug.price, mug.currency) == (Decimal("12.00"), "EUR")
    assert kinds(mug.product) == []


@pytest.mark.django_db
def test_staff_who_change_a_price_in_the_admin_write_it(staff):
    mug = builders.variant(price="14.00")
    page = staff.get(f"/admin/catalog/product/{mug.product_id}/change/")
    data = form_data(page) | {"variants-0-price": "11.00"}
    response = staff.post(f"/admin/catalog/product/{mug.product_id}/change/", data)
    assert response.status_code == 302
    mug.refresh_from_db()
    assert mug.price == Decimal("11.00")
    assert kinds(mug.product).count(Kind.PRICE_CHANGED) == 1


def form_data(page) -> dict[str, str]:
    """What the change page would post if nothing were typed."""
    forms = [
        page.context["adminform"].form,
        *(each.formset.management_form for each in page.context["inline_admin_formsets"]),
    ]
    forms += [form for each in page.context["inline_admin_formsets"] for form in each.formset.forms]
    posted = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                posted[field.html_name] = value
    return posted


@pytest.mark.django_db
def test_a_file_that_changes_a_price_writes_it(tmp_path):
    goods = tmp_path / "goods.csv"
    for price in ("14.00", "9.00", "9.00"):
        goods.write_text(f"{HEADER}\nMug,MUG-1,Mug,Table,Northmill,{price},5,\n")
        call_command("import_catalog", str(goods))
    mug = Variant.objects.get(sku="MUG-1")
    assert mug.price == Decimal("9.00")
    assert kinds(mug.product) == [Kind.RELEASED, Kind.PRICE_CHANGED]


@pytest.mark.django_db
def test_a_product_is_released_once_however_it_comes_and_goes(staff):
    mug = builders.product(is_published=False)
    for action in ("publish", "unpublish", "publish"):
        staff.post("/admin/catalog/product/", {"action": action, "_selected_action": [mug.pk]})
    mug.refresh_from_db()
    assert mug.is_published
    assert kinds(mug) == [Kind.RELEASED]


@pytest.mark.django_db
def test_goods_of_a_file_are_released_and_an_unpublished_thing_is_not(tmp_path):
    goods = tmp_path / "goods.csv"
    goods.write_text(f"{HEADER}\nJug,JUG-1,Jug,Kitchen,Northmill,9.00,5,\n")
    call_command("import_catalog", str(goods))
    assert kinds(Product.objects.get(title="Jug")) == [Kind.RELEASED]
    hidden = builders.product(is_published=False)
    events.record_releases([hidden.pk])
    assert kinds(hidden) == []


@pytest.mark.django_db
def test_goods_that_come_in_when_none_were_left_are_back():
    mug = builders.variant(on_hand=2)
    sell(mug, 2)
    with transaction.atomic():
        stock.receive_stock(record_of(mug).pk, quantity=1)
    with transaction.atomic():
        stock.receive_stock(record_of(mug).pk, quantity=5)  # there was one already
    assert kinds(mug.product) == [Kind.RESTOCKED]


@pytest.mark.django_db
def test_goods_for_orders_that_wait_are_not_back():
    mug = builders.variant(on_hand=0)
    record = record_of(mug)
    record.backorder_limit = 3
    record.save(update_fields=["backorder_limit"])
    sell(mug, 3)
    with transaction.atomic():
        stock.receive_stock(record.pk, quantity=3)
    assert kinds(mug.product) == []


@pytest.mark.django_db
def test_goods_given_back_by_an_order_and_goods_that_were_counted_are_back():
    mug = builders.variant(on_hand=1)
    sell(mug, 1)
    with transaction.atomic():
        stock.release_allocation(record_of(mug).pk, quantity=1)
    assert kinds(mug.product) == [Kind.RESTOCKED]
    sell(mug, 1)
    with transaction.atomic():
        stock.record_stocktake({mug.pk: 4}, store_id=record_of(mug).store_id, reference="")
    assert kinds(mug.product) == [Kind.RESTOCKED, Kind.RESTOCKED]


@pytest.mark.django_db
def test_opening_stock_and_what_another_store_had_all_along_are_not_back():
    mug = builders.variant(on_hand=0)
    with transaction.atomic():
        stock.receive_stock(record_of(mug).pk, quantity=4, kind=StockMovement.Kind.OPENING)
    other = builders.store("Attic")
    attic = mug.stock.create(store=other)
    with transaction.atomic():
        stock.receive_stock(attic.pk, quantity=4)
    assert kinds(mug.product) == []


def test_nobody_else_writes_a_price():
    """By UPDATE: `update(price=…)`, or `bulk_update` naming the column."""
    allowed = {"shop/catalog/prices.py"}
    writers = set()
    for room in ("shop", "accounts", "orders", "notifications", "recommendations"):
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" in path.parts or "Variant" not in path.read_text():
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes_price(node):
                    writers.add(str(path.relative_to(ROOT)))
    assert writers == allowed


def _writes_price(call: ast.Call) -> bool:
    if call.func.attr == "update":
        return any(keyword.arg == "price" for keyword in call.keywords)
    if call.func.attr == "bulk_update":
        return "price" in ast.dump(call)
    return False
