"""Who buys for a business may say so: company and VAT number go with the order to its pages and papers."""

import pytest
from django.urls import reverse

from orders.models import Order
from orders.papers import issuing
from orders.papers.invoices import render_invoice
from tests import builders, cast
from tests.orders.test_checkout import nothing_was_ordered
from tests.page import Page, read_words
from tests.papers.reading import read_pdf
from tests.papers.test_invoices import give_back
from tests.paying import check_out, fill, form, pay

pytestmark = pytest.mark.django_db

VAT_ID = "DE136695976"  # pragma: allowlist secret
BUSINESS = {"company_name": "Otter & Sons", "vat_id": "de 136 695 976"}


def words_of(html: str) -> str:
    return " ".join(read_words(html).split())


def test_what_was_typed_is_kept_with_the_order_and_stands_on_its_page_and_papers(client, standin):
    fill(client)
    order = pay(client, standin, check_out(client, **BUSINESS))
    assert (order.company_name, order.vat_id) == ("Otter & Sons", VAT_ID)
    assert f"Bought for Otter &amp; Sons VAT number {VAT_ID}" in words_of(client.get(order.get_absolute_url()).text)
    give_back(order, "2.00")
    issuing.issue_due_invoices()
    for paper in order.invoices.all():
        assert paper.buyer["lines"][:2] == ["Otter & Sons", "Pat Reader"]
        words = read_pdf(render_invoice(paper)).words
        assert "Otter & Sons" in words
        assert f"VAT number {VAT_ID}" in words
    assert order.invoices.count() == 2


def test_who_says_nothing_buys_as_ever(client, standin):
    fill(client)
    page = client.get("/checkout/").text
    assert "Buying for a business?" in page
    assert '<details class="fold" open>' not in page
    order = pay(client, standin, check_out(client))
    assert (order.company_name, order.vat_id) == ("", "")
    assert "Bought for" not in client.get(order.get_absolute_url()).text
    issuing.issue_for_order(order.pk)
    assert order.invoices.get().buyer["lines"] == order.address_lines


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"vat_id": "DE136695978"}, "That is not a VAT number as its country gives them."),  # pragma: allowlist secret
        ({"vat_id": "980780685"}, "For United Kingdom we expect: GB and 9 digits, or 12 for a branch."),
        ({"company_name": ""}, "Please give the company’s name too."),
        ({"company_name": "a <b>"}, "Please write it in plain words on one line."),
        ({"vat_id": "1" * 21}, "at most 20 characters"),
    ],
)
def test_what_cannot_be_so_is_said_where_it_stands_and_nothing_is_ordered(client, standin, typed, said):
    fill(client)
    page = client.post("/checkout/", form(**{**BUSINESS, **typed})).text
    assert '<details class="fold" open>' in page
    assert said in words_of(page)
    nothing_was_ordered(standin)


def test_the_page_says_what_form_the_chosen_country_has(client):
    fill(client)
    builders.shipping_method()
    assert "For United Kingdom we expect: GB and 9 digits" in words_of(client.get("/checkout/").text)
    page = client.post("/checkout/", form(country="IE", reprice="1", **BUSINESS)).text
    assert "For Ireland we expect: IE, 7 digits and 1 or 2 letters." in words_of(page)
    typed = {each.name: each.value for one in Page(page).forms for each in one.fields}
    assert (typed["company_name"], typed["vat_id"]) == (BUSINESS["company_name"], BUSINESS["vat_id"])


def test_who_turns_back_finds_it_again_and_another_number_is_another_order(client, standin):
    fill(client)
    first = check_out(client, **BUSINESS)
    assert f'value="{VAT_ID}"' in client.get("/checkout/").text
    assert check_out(client, **BUSINESS).order == first.order
    second = check_out(client, company_name="Otter & Sons").order
    assert (second.pk != first.order.pk, second.vat_id) == (True, "")
    first.order.refresh_from_db()
    assert (first.order.status, first.order.vat_id) == ("cancelled", VAT_ID)


def test_staff_read_it_while_there_is_work_to_do_and_later_for_a_reason(client):
    order = builders.placed_order(company_name="Otter & Sons", vat_id=VAT_ID)
    client.force_login(cast.sam())
    page = reverse("admin:orders_order_change", args=[order.pk])
    assert f"Bought for Otter &amp; Sons, VAT number {VAT_ID}" in words_of(client.get(page).text)
    Order.objects.update(status="completed")
    assert VAT_ID not in client.get(page).text
