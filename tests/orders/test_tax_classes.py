"""Goods of several rates: each line has the rate of its class where it goes, and the invoice adds them up."""

from decimal import Decimal

import pytest

from orders import staff_orders
from orders.models import TaxRate
from orders.papers import issuing
from orders.papers.invoices import render_invoice
from orders.shop_terms import load_terms
from orders.staff_orders import Channel, DraftLine, OrderDraft
from shop.catalog import listing
from shop.catalog.models import Variant
from tests import builders
from tests.papers.reading import read_pdf
from tests.papers.test_invoices import give_back
from tests.paying import BUYER, check_out, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db


def rates() -> None:
    for tax_class, rate in (("standard", "0.2000"), ("reduced", "0.0500"), ("zero", "0.0000")):
        builders.tax_rate("GB", rate, tax_class=tax_class)


def goods(*classes: str) -> list[Variant]:
    """At £24, £21 and £10: of those come £4 at 20 %, £1 at 5 %."""
    price = {"standard": "24.00", "reduced": "21.00", "zero": "10.00"}
    made = [builders.product(f"Of {each}", price=price[each], tax_class=each).variants.get() for each in classes]
    listing.refresh_listings()
    return made


def list_lines(order) -> list[tuple[str, Decimal, Decimal]]:
    return [(each.title, each.tax_rate, each.tax_amount) for each in order.lines.order_by("title")]


def test_each_line_has_its_own_rate_and_the_invoice_tells_them_apart(client, standin):
    rates()
    fill(client, *goods("standard", "reduced", "zero"))
    order = pay(client, standin, check_out(client))
    assert list_lines(order) == [
        ("Of reduced", Decimal("0.05"), Decimal(1)),
        ("Of standard", Decimal("0.2"), Decimal(4)),
        ("Of zero", Decimal(0), Decimal(0)),
    ]
    assert (order.subtotal, order.total, order.tax_total) == (55, Decimal("58.50"), Decimal("5.58"))
    give_back(order, "58.50")
    issuing.issue_due_invoices()
    for paper in order.invoices.all():
        told = [(Decimal(row["rate"]), Decimal(row["gross"]), Decimal(row["tax"])) for row in paper.taxes]
        assert told == [  # delivery, £3.50, is beside the dearest
            (Decimal("0.2"), Decimal("27.50"), Decimal("4.58")),
            (Decimal("0.05"), Decimal(21), Decimal(1)),
            (Decimal(0), Decimal(10), Decimal(0)),
        ]
    words = read_pdf(render_invoice(order.invoices.get(kind="invoice"))).words
    assert "VAT 20 %" in words
    assert "VAT 5 %" in words


def test_goods_of_one_class_take_their_delivery_with_them(client, standin):
    rates()
    fill(client, *goods("reduced"))
    assert check_out(client).order.tax_total == Decimal("1.17")  # of £24.50


@pytest.mark.parametrize("known", ["standard", "none"])
def test_a_class_that_a_country_does_not_know_has_its_standard_rate_or_none(client, standin, known):
    rates()
    TaxRate.objects.exclude(tax_class=known).delete()
    fill(client, *goods("reduced", "zero"))
    order = check_out(client).order
    assert {rate for _, rate, _ in list_lines(order)} == {Decimal("0.2") if known == "standard" else Decimal(0)}
    assert order.total == Decimal("34.50")


def test_a_class_changes_no_price_and_cart_and_checkout_tell_the_same_tax(client, standin):
    rates()
    builders.shipping_method()
    fill(client, *goods("standard", "zero"))
    for address in ("/cart/", "/checkout/"):
        page = client.get(address)
        assert (page.context["totals"].total, page.context["totals"].tax) == (Decimal("37.50"), Decimal("4.58"))


def test_what_staff_enter_is_taxed_the_same():
    rates()
    address = {name: value for name, value in BUYER.items() if name != "email"}
    draft = OrderDraft(
        lines=[DraftLine(each, 1) for each in goods("standard", "reduced")],
        address=address,
        method=builders.shipping_method(),
        channel=Channel.PHONE,
    )
    order = staff_orders.create_draft_order(draft, actor="Sam", terms=load_terms())
    assert [tax for _, _, tax in list_lines(order)] == [Decimal(1), Decimal(4)]
    assert order.tax_total == Decimal("5.58")
