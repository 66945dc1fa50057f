"""Money knows its currency: what is shown is what is charged, whatever the currency counts in."""

from decimal import Decimal

import pytest
from django.urls import reverse

from orders.gateways.amounts import from_stripe_amount, to_stripe_amount
from orders.models import Order, OrderEvent, Payment
from orders.payments import refunds
from orders.payments.refunds import RefundRefused
from tests import builders
from tests.backoffice.steps import take
from tests.paying import check_out, fill, form, pay

pytestmark = pytest.mark.django_db

# By hand from Stripe's page on currencies and ISO 4217, not from the library that formats.
# currency: price, shown, Stripe's number for it; a price too fine for the currency
TABLE = {
    "GBP": ("164.00", "£164.00", 16400, "164.005"),
    "EUR": ("19.99", "€19.99", 1999, "19.999"),
    "JPY": ("16400", "JP¥16,400", 16400, "164.50"),
    "KRW": ("180000", "₩180,000", 180000, "0.5"),
    "CLP": ("9990", "CLP\xa09,990", 9990, "9990.9"),
    "VND": ("500000", "₫500,000", 500000, "1.1"),
    "XOF": ("5000", "F\u202fCFA\xa05,000", 5000, "5000.25"),
    "KWD": ("5.120", "KWD\xa05.120", 5120, "5.124"),
    "BHD": ("12.500", "BHD\xa012.500", 12500, "12.505"),
    "TND": ("45.010", "TND\xa045.010", 45010, "45.011"),
    "ISK": ("2500", "ISK\xa02,500", 250000, "2500.10"),
    "UGX": ("50000", "UGX\xa050,000", 5000000, "50000.50"),
    "HUF": ("4990", "HUF\xa04,990", 499000, "4990.505"),
    "TWD": ("990.00", "NT$990.00", 99000, "990.005"),
}
CURRENCIES = pytest.mark.parametrize("currency", TABLE)


@CURRENCIES
def test_what_is_charged_is_the_total_the_buyer_saw_in_every_currency(client, standin, settings, currency):
    price, shown, number, _ = TABLE[currency]
    settings.CURRENCY = currency
    builders.tax_rate()
    builders.shipping_method(price="0")
    variant = builders.variant(price=price)
    assert shown in client.get(variant.product.get_absolute_url()).text
    fill(client, variant)
    assert f'<dd class="total">{shown}</dd>' in client.get("/checkout/").text
    order = pay(client, standin, check_out(client))
    assert (order.status, order.currency, order.total) == ("confirmed", currency, Decimal(price))
    [charge] = standin.charges()
    assert (charge["amount"], charge["currency"]) == (number, currency.lower())
    payment = order.payments.get()
    assert (payment.status, payment.amount, payment.currency) == ("captured", order.total, currency)


@CURRENCIES
def test_money_goes_back_in_the_orders_currency_whatever_the_shop_sells_in_now(client, standin, settings, currency):
    price, shown, number, _ = TABLE[currency]
    settings.CURRENCY = currency
    builders.shipping_method(price="0")
    fill(client, builders.variant(price=price), quantity=2)
    order = pay(client, standin, check_out(client))
    settings.CURRENCY = "USD"
    given = refunds.refund_order(order.pk, amount=Decimal(price), actor="Sam")
    assert (given.status, given.currency, given.amount) == ("succeeded", currency, Decimal(price))
    assert standin.charges()[0]["amount_refunded"] == number
    assert OrderEvent.objects.get(order=order, kind=OrderEvent.Kind.REFUNDED).data["currency"] == currency
    page = client.get(f"/orders/{order.number}/").text
    assert f"{shown} refunded" in page


@CURRENCIES
def test_stripes_number_becomes_the_same_amount_again(currency):
    price, _, number, finer = TABLE[currency]
    assert to_stripe_amount(Decimal(price), currency) == number
    assert from_stripe_amount(number, currency) == Decimal(price)
    with pytest.raises(ValueError, match=currency):
        to_stripe_amount(Decimal(finer), currency)


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "10.50"), ("KWD", "1.125"), ("ISK", "1.10"), ("GBP", "1.005")]
)
def test_a_refund_finer_than_the_currency_is_refused_and_nothing_goes_back(client, standin, settings, currency, amount):
    settings.CURRENCY = currency
    builders.shipping_method(price="0")
    fill(client, builders.variant(price="5000"))
    order = pay(client, standin, check_out(client))
    with pytest.raises(RefundRefused, match=currency):
        refunds.refund_order(order.pk, amount=Decimal(amount), actor="Sam")
    assert not order.payments.get().refunds.exists()
    assert standin.charges()[0]["amount_refunded"] == 0


@pytest.mark.parametrize(
    ("currency", "price", "tax"),
    [("GBP", "5", "0.83"), ("JPY", "500", "83"), ("BHD", "5", "0.833"), ("HUF", "400", "67"), ("TWD", "5", "0.83")],
)
def test_tax_is_rounded_as_the_currency_counts(client, standin, settings, currency, price, tax):
    settings.CURRENCY = currency
    builders.tax_rate()
    builders.shipping_method(price="0")
    fill(client, builders.variant(price=price))
    order = pay(client, standin, check_out(client))
    assert order.tax_total == order.lines.get().tax_amount == Decimal(tax)


@pytest.mark.parametrize(("currency", "total", "shown"), [("JPY", 0, "JP¥"), ("KWD", 1, "KWD")])
def test_a_session_of_another_sum_is_flagged_in_its_own_currency(client, standin, settings, currency, total, shown):
    settings.CURRENCY = currency
    builders.shipping_method(price="0")
    fill(client, builders.variant(price="500"))
    payment = check_out(client)
    Order.objects.filter(pk=payment.order_id).update(total="400")
    pay(client, standin, payment)
    payment.refresh_from_db()
    assert payment.status == Payment.Status.FLAGGED
    assert shown in payment.problem
    assert payment.amount == 500


# -- Goods priced in another currency ----------------------------------------------------------------------


@pytest.mark.parametrize("priced", [{"price": "14.00", "currency": "USD"}, {"price": "14.50"}])
def test_goods_priced_otherwise_cannot_be_bought_and_nothing_is_charged(client, standin, settings, priced):
    settings.CURRENCY = "JPY"
    builders.shipping_method(price="0")
    variant = builders.variant()
    fill(client, variant)
    type(variant).objects.filter(pk=variant.pk).update(**priced)
    response = client.post("/checkout/", form())
    assert response.status_code in (200, 409)
    assert "no longer for sale" in response.text
    assert not Order.objects.exists()
    assert standin.charges() == []


def test_a_method_priced_otherwise_is_not_offered(client, standin, settings):
    builders.shipping_method("In pounds")
    settings.CURRENCY = "JPY"
    builders.shipping_method("In yen", price="500")
    fill(client, builders.variant(price="1000"))
    page = client.get("/checkout/").text
    assert "In yen" in page
    assert "In pounds" not in page


# -- Staff -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["JPY", "KWD", "ISK", "GBP"])
def test_the_refund_form_takes_only_what_the_orders_currency_has(admin_client, client, standin, settings, currency):
    price, _, number, finer = TABLE[currency]
    settings.CURRENCY = currency
    settings.REQUIRE_STAFF_MFA = False
    builders.shipping_method(price="0")
    fill(client, builders.variant(price=price), quantity=2)
    order = pay(client, standin, check_out(client))
    settings.CURRENCY = "USD"
    page = take(admin_client, "refund", order).text
    total = f"{2 * Decimal(price):.{len(price.partition('.')[2])}f}"
    assert f'value="{total}"' in page
    refused = take(admin_client, "refund", order, confirm="1", amount=finer, seen_left=total, reason="")
    assert f"{finer} will not do" in refused.text
    assert not order.payments.get().refunds.exists()
    take(admin_client, "refund", order, confirm="1", amount=price, seen_left=total, reason="")
    assert order.payments.get().refunds.get().amount == Decimal(price)
    assert standin.charges()[0]["amount_refunded"] == number


@pytest.mark.parametrize(
    ("currency", "good", "bad"), [("JPY", "500", "5.50"), ("KWD", "1.250", "1.255"), ("GBP", "1.25", "1.255")]
)
def test_a_methods_price_takes_only_the_decimals_of_the_shops_currency(admin_client, settings, currency, good, bad):
    settings.CURRENCY = currency
    method = builders.shipping_method(price="3")
    address = reverse("admin:orders_shippingmethod_change", args=[method.pk])
    fields = {
        "name": "Post",
        "carrier": "royal_mail",
        "is_active": "on",
        "position": "0",
        "days_min": "1",
        "days_max": "2",
    }
    refused = admin_client.post(address, {**fields, "price": bad})
    assert "will not do" in refused.text
    method.refresh_from_db()
    assert method.price == 3
    assert admin_client.post(address, {**fields, "price": good}).status_code == 302
    method.refresh_from_db()
    assert (method.price, method.currency) == (Decimal(good), currency)
    assert f'value="{good}"' in admin_client.get(address).text
