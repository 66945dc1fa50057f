"""A shop whose goods are priced in another currency does not start; how it moves to one; what files may say."""

import io
from decimal import Decimal

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from orders import repricing
from orders.fulfilment import approval_rule
from orders.models import Order, ShippingMethod, ShopSettings
from shop.catalog.models import Product, Variant
from shop.env import parse_currency_code
from shop.money import format_amount
from tests import builders

pytestmark = pytest.mark.django_db

HEAD = "sku,product,title,description,category,maker,price,stock\n"


def test_a_database_check_refuses_goods_priced_in_another_currency(settings):
    builders.variant(price="14.00")
    builders.variant(price="15.00")
    builders.shipping_method()
    settings.CURRENCY = "JPY"
    [found] = run_checks(databases=["default"])
    assert found.id == "shop.E006"
    assert "2 variants in GBP" in found.msg
    assert "1 shipping method in GBP" in found.msg
    assert "change_currency JPY" in found.msg


def test_a_price_in_parts_of_a_currency_that_has_none_is_found(settings):
    settings.CURRENCY = "JPY"
    Variant.objects.filter(pk=builders.variant(price="500").pk).update(price="500.50")
    assert dict(repricing.find_foreign_prices()) == {"variant in parts of JPY": 1}


def test_settings_without_an_amount_are_in_no_currency(settings):
    ShopSettings.objects.create(id=1)
    settings.CURRENCY = "JPY"
    assert not repricing.find_foreign_prices()
    ShopSettings.objects.update(approve_up_to=50)
    assert dict(repricing.find_foreign_prices()) == {"shop settings in GBP": 1}


def test_a_limit_in_another_currency_approves_nothing(settings):

    ShopSettings.objects.create(id=1, approve_up_to=500, currency="GBP")
    order = builders.placed_order(builders.variant(price="400", currency="JPY"), currency="JPY")
    approval_rule.approve_by_rule(order)
    order.refresh_from_db()
    assert order.approved_at is None


def test_changing_the_currency_prices_everything_anew_and_leaves_orders_alone(settings):
    order = builders.placed_order(builders.variant(price="14.00"))
    builders.shipping_method(price="3.95", free_from=Decimal("50.00"))
    ShopSettings.objects.create(id=1, approve_up_to=100)
    settings.CURRENCY = "JPY"
    call_command("change_currency", "jpy", rate="190.5", stdout=io.StringIO())
    method = ShippingMethod.objects.get()
    assert (Variant.objects.get().price, Variant.objects.get().currency) == (2667, "JPY")
    assert (method.price, method.free_from, method.currency) == (752, 9525, "JPY")
    assert Product.objects.get().currency == "JPY"
    assert Product.objects.get().price_from == 2667
    assert not repricing.find_foreign_prices()
    order.refresh_from_db()
    assert (order.total, order.currency) == (14, "GBP")


@pytest.mark.parametrize(
    "asked", [("POUNDS", "1"), ("DEM", "2"), ("LYD", "6"), ("JPY", "0"), ("JPY", "many"), ("JPY", "NaN")]
)
def test_a_change_to_no_currency_or_at_no_rate_is_refused_and_changes_nothing(asked):
    builders.variant(price="14.00")
    with pytest.raises(CommandError):
        call_command("change_currency", asked[0], rate=asked[1])
    assert (Variant.objects.get().price, Variant.objects.get().currency) == (14, "GBP")


@pytest.mark.parametrize(("value", "code"), [("gbp", "GBP"), (" JPY ", "JPY"), ("ISK", "ISK")])
def test_a_currency_is_three_letters_in_any_case(value, code):
    assert parse_currency_code(value) == code


@pytest.mark.parametrize(
    ("currency", "price", "kept"),
    [("JPY", "1640", 1640), ("JPY", "16.40", None), ("JPY", "1640.00", None), ("KWD", "5.120", Decimal("5.12")),
     ("KWD", "5.125", None), ("KWD", "5.12", Decimal("5.12")), ("ISK", "10.5", None), ("GBP", "9.999", None)],
)  # fmt: skip
def test_a_file_of_goods_is_read_in_the_shops_currency(settings, tmp_path, currency, price, kept):
    settings.CURRENCY = currency
    file = tmp_path / "goods.csv"
    file.write_text(f"{HEAD}A-1,a,A cup,,Cups,,{price},3\n")
    said = io.StringIO()
    try:
        call_command("import_catalog", str(file), stdout=said, stderr=said)
    except (CommandError, SystemExit):
        assert kept is None
    if kept is None:
        assert currency in said.getvalue()
        assert not Variant.objects.exists()
    else:
        assert (Variant.objects.get().price, Variant.objects.get().currency) == (kept, currency)


def test_a_file_read_again_after_the_currency_changed_prices_the_goods_in_it(settings, tmp_path):
    file = tmp_path / "goods.csv"
    file.write_text(f"{HEAD}A-1,a,A cup,,Cups,,14.00,3\n")
    call_command("import_catalog", str(file), stdout=io.StringIO())
    settings.CURRENCY = "JPY"
    file.write_text(f"{HEAD}A-1,a,A cup,,Cups,,14,3\n")  # the same number, other money
    call_command("import_catalog", str(file), stdout=io.StringIO())
    assert Variant.objects.get().currency == "JPY"
    assert Product.objects.get().currency == "JPY"


@pytest.mark.parametrize(("currency", "price", "is_kept"), [("JPY", "1640", True), ("JPY", "16.40", False)])
def test_a_file_of_past_orders_is_read_in_the_shops_currency(settings, tmp_path, currency, price, is_kept):
    settings.CURRENCY = currency
    file = tmp_path / "orders.csv"
    head = "order_number,placed_at,customer,sku,title,quantity,unit_price,gift"
    file.write_text(f"{head}\nN-1,2026-01-05T10:00:00,pat@example.com,A-1,A cup,2,{price},no\n")
    said = io.StringIO()
    try:
        call_command("import_orders", str(file), stdout=said, stderr=said)
    except (CommandError, SystemExit):
        assert not is_kept
    assert [(order.total, order.currency) for order in Order.objects.all()] == ([(3280, "JPY")] if is_kept else [])
    assert is_kept or currency in said.getvalue()


@pytest.mark.parametrize(
    ("currency", "bands"),
    [("JPY", ["Under JP¥400", "JP¥5,000 to JP¥10,000"]), ("GBP", ["Under £2", "£25 to £50"])],
)
def test_bands_of_prices_fit_the_currency(client, settings, currency, bands):
    settings.CURRENCY = currency
    factor = 200 if currency == "JPY" else 1
    for pounds in (1, 30):
        builders.variant(price=str(pounds * factor))
    page = client.get("/category/socks/").text
    for band in bands:
        assert band in page


def test_the_sample_store_is_priced_in_the_shops_currency(settings):
    settings.CURRENCY = "JPY"
    call_command("load_sample_store", stdout=io.StringIO())
    assert not repricing.find_foreign_prices()
    assert set(Order.objects.values_list("currency", flat=True)) == {"JPY"}
    order = Order.objects.exclude(tax_total=0).first()
    assert order.tax_total == order.tax_total.to_integral_value()
    assert format_amount(order.total, order.currency).startswith("JP¥")
