"""Invoices and credit notes: when they are issued, what stands on them, who may have them, and that they stay so."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import InternalError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AccessLogEntry, User
from orders.models import Invoice, InvoiceSeries, Order, ShopSettings
from orders.models.settings import ONLY_ROW
from orders.papers import issuing
from orders.papers.amounts import describe_refund
from orders.papers.invoices import render_invoice
from orders.retention import retire_orders
from shop.backoffice.roles import make_roles
from tests import builders, cast
from tests.backoffice.steps import page_of
from tests.papers.reading import read_pdf

pytestmark = pytest.mark.django_db
VAT = Decimal("0.2000")


def taxed_order(**fields) -> Order:
    """Socks at £12.00 twice, delivery at £3.50, 20 % inside both."""
    item = builders.variant(builders.product("Wool socks", sizes=("13",)), price="12.00")
    order = builders.placed_order(item, quantity=2, shipping_name="Express", **fields)
    order.lines.update(tax_rate=VAT, tax_amount=Decimal("4.00"))
    sums = {"shipping_total": Decimal("3.50"), "tax_total": Decimal("4.58"), "total": Decimal("27.50")}
    Order.objects.filter(pk=order.pk).update(**sums)
    order.payments.update(amount=Decimal("27.50"))
    order.refresh_from_db()
    return order


def give_back(order: Order, amount: str, **fields):
    payment = order.payments.get()
    fields = {"status": "succeeded", "settled_at": timezone.now()} | fields
    return payment.refunds.create(amount=Decimal(amount), currency=payment.currency, **fields)


def staff_of_the_catalogue() -> User:
    make_roles()
    made = User.objects.create_user("kit@example.com", is_staff=True)
    made.groups.add(Group.objects.get(name="Staff: catalogue"))
    return made


def read_invoice(invoice: Invoice):
    return read_pdf(render_invoice(invoice)).words


# -- Issuing -------------------------------------------------------------------------------------------------


def begin(order: Order, *, stage: str = "picked") -> Order:
    """Somebody makes it ready, so that what is in it stays as it is."""
    order.shipments.create(store=builders.store(), stage=stage)
    return order


def test_a_paid_order_gets_one_invoice_however_often_the_job_runs():
    order = begin(taxed_order())
    issuing.issue_due_invoices()
    issuing.issue_due_invoices()
    [invoice] = Invoice.objects.all()
    assert (invoice.kind, invoice.order, invoice.total, invoice.tax) == (
        "invoice",
        order,
        Decimal("27.50"),
        Decimal("4.58"),
    )
    assert invoice.number == f"INV-{timezone.localdate().year}-00001"


@pytest.mark.parametrize("stage", ["", "waiting", "cancelled"])
def test_while_what_is_in_it_may_change_it_waits_a_week_or_until_somebody_asks(stage):
    order = taxed_order()
    if stage:
        begin(order, stage=stage)
    issuing.issue_due_invoices()
    assert not Invoice.objects.exists()
    other = taxed_order(placed_at=timezone.now() - issuing.MAY_CHANGE_FOR)
    issuing.issue_due_invoices()
    assert [invoice.order for invoice in Invoice.objects.all()] == [other]
    assert issuing.issue_for_order(order.pk).order == order


def test_what_is_over_before_anybody_began_is_invoiced_as_it_stands():
    order = taxed_order()
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    issuing.issue_due_invoices()
    assert Invoice.objects.get().order == order


@pytest.mark.parametrize(
    "fields",
    [{"placed_at": None}, {"source": "import"}, {"total": 0, "subtotal": 0}, {"full_name": ""}],
    ids=["not paid", "sold elsewhere", "nothing to pay", "no buyer"],
)
def test_orders_that_are_not_ours_to_invoice_get_none(fields):
    order = builders.placed_order()
    Order.objects.filter(pk=order.pk).update(**fields)
    issuing.issue_due_invoices()
    with pytest.raises(issuing.NotInvoiced):
        issuing.issue_for_order(order.pk)
    assert not Invoice.objects.exists()
    assert not InvoiceSeries.objects.exists()


def test_an_old_order_waits_until_somebody_asks():
    order = builders.placed_order(placed_at=timezone.now() - timedelta(days=40))
    issuing.issue_due_invoices()
    assert not Invoice.objects.exists()
    assert issuing.issue_for_order(order.pk).number.endswith("-00001")


def test_an_order_whose_parts_are_not_its_total_is_left_to_staff_and_takes_no_number():
    order = begin(taxed_order())
    Order.objects.filter(pk=order.pk).update(total=Decimal("99.00"))
    issuing.issue_due_invoices()
    assert not Invoice.objects.exists()
    assert not InvoiceSeries.objects.filter(last_number__gt=0).exists()
    assert issuing.INVOICES.attempt_count(order.pk) == 1


def test_numbers_of_invoices_and_credit_notes_run_each_on_their_own():
    orders = [taxed_order() for _ in range(3)]
    give_back(orders[0], "5.00")
    for order in orders:
        issuing.issue_for_order(order.pk)
    assert sorted(
        number[-5:] for number in Invoice.objects.filter(kind="invoice").values_list("number", flat=True)
    ) == [
        "00001",
        "00002",
        "00003",
    ]
    assert Invoice.objects.get(kind="credit_note").number == f"CN-{timezone.localdate().year}-00001"


# -- Money back ------------------------------------------------------------------------------------------------


def test_each_refund_that_went_through_gets_one_credit_note():
    order = taxed_order()
    issuing.issue_due_invoices()
    refund = give_back(order, "5.00")
    give_back(order, "1.00", status="requested", settled_at=None)
    give_back(order, "2.00", status="failed")
    issuing.issue_due_invoices()
    issuing.issue_due_invoices()
    note = Invoice.objects.get(kind="credit_note")
    assert (note.refund, note.total, note.corrects) == (
        refund,
        Decimal("5.00"),
        Invoice.objects.get(kind="invoice").number,
    )
    assert note.tax == Decimal("0.83")


def test_money_of_a_payment_that_did_not_fit_the_order_is_no_credit():
    order = begin(taxed_order())
    payment = builders.payment(order, status="flagged", amount=Decimal("9.00"))
    payment.refunds.create(amount=9, currency="GBP", status="succeeded", settled_at=timezone.now())
    issuing.issue_due_invoices()
    assert list(Invoice.objects.values_list("kind", flat=True)) == ["invoice"]


@given(cents=st.lists(st.integers(min_value=1, max_value=900), min_size=1, max_size=4))
def test_however_it_goes_back_credit_notes_never_take_more_tax_than_there_was(cents):
    """All of it back in pieces is exactly the invoice's tax; each rate on its own."""
    whole = Invoice(
        number="INV-1",
        currency="GBP",
        total=Decimal("40.00"),
        taxes=[
            {"name": "VAT", "rate": "0.2000", "net": "20.00", "tax": "4.00", "gross": "24.00"},
            {"name": "VAT", "rate": "0.0500", "net": "15.24", "tax": "0.76", "gross": "16.00"},
        ],
    )
    pieces = [Decimal(each) / 100 for each in cents]
    pieces.append(whole.total - sum(pieces))
    notes: list[Invoice] = []
    for amount in pieces:
        content = describe_refund(whole, type("Given", (), {"amount": amount})(), notes)
        assert content.total == amount
        assert all(Decimal(row["tax"]) >= 0 for row in content.taxes)
        notes.append(Invoice(taxes=content.taxes, tax=content.tax))
    assert sum(note.tax for note in notes) == Decimal("4.76")


def test_more_back_than_was_invoiced_is_left_to_staff():
    order = taxed_order()
    give_back(order, "27.50")
    give_back(order, "1.00")
    issuing.issue_due_invoices()
    assert not Invoice.objects.exists()
    assert issuing.INVOICES.attempt_count(order.pk) == 1


# -- What stands on it --------------------------------------------------------------------------------------------


def test_an_invoice_names_seller_buyer_lines_and_tax_by_rate():
    ShopSettings.objects.create(
        pk=ONLY_ROW,
        legal_name="Say When Ltd",
        postal_address="1 Harbour Row, Whitby",
        vat_id="GB980780684",
        company_number="01234567",
        invoice_words="Registered in England\nDirector: A. Moss",
    )
    builders.tax_rate()
    order = taxed_order()
    invoice = issuing.issue_for_order(order.pk)
    words = read_invoice(invoice)
    for expected in (
        *(invoice.number, order.number, "Say When Ltd", "1 Harbour Row, Whitby", "VAT number: GB980780684"),
        *("Company number: 01234567", "Registered in England", "Director: A. Moss", "Pat Reader", "United Kingdom"),
        *(
            "Wool socks",
            order.lines.get().sku,
            "£12.00",
            "20 %",
            "£24.00",
            "Delivery: Express",
            "£3.50",
            "Total: £27.50",
        ),
        *("VAT 20 %", "£22.92", "£4.58", "Prices include tax."),
    ):
        assert expected in words, expected
    assert order.email not in words


def test_a_credit_note_names_the_invoice_it_corrects():
    order = taxed_order()
    invoice = issuing.issue_for_order(order.pk)
    give_back(order, "27.50")
    issuing.issue_for_order(order.pk)
    words = read_invoice(Invoice.objects.get(kind="credit_note"))
    for expected in ("Credit note CN-", f"Corrects: Invoice {invoice.number}", "Total given back: £27.50", "£4.58"):
        assert expected in words


def test_an_issued_invoice_stays_as_it_is():
    order = taxed_order()
    invoice = issuing.issue_for_order(order.pk)
    before = read_invoice(invoice)
    ShopSettings.objects.create(pk=ONLY_ROW, name="Another name", postal_address="Elsewhere")
    Order.objects.filter(pk=order.pk).update(full_name="Somebody Else")
    order.lines.update(title="Another thing", unit_price=1)
    assert read_invoice(Invoice.objects.select_related("order").get(pk=invoice.pk)) == before
    for change in (lambda: Invoice.objects.update(total=1), lambda: Invoice.objects.all().delete()):
        with pytest.raises(InternalError), transaction.atomic():
            change()
    assert Invoice.objects.get().total == Decimal("27.50")


def test_what_looks_like_markup_is_printed_on_an_invoice_as_it_is():
    order = taxed_order()
    order.lines.update(title='#panic("x") $y$ *z*')
    assert '#panic("x") $y$ *z*' in read_invoice(issuing.issue_for_order(order.pk))


# -- Who may have it -----------------------------------------------------------------------------------------------


def test_its_customer_downloads_it_from_the_orders_page(client):
    alice = cast.alice()
    order = taxed_order(customer=alice)
    invoice = issuing.issue_for_order(order.pk)
    client.force_login(alice.user)
    path = reverse("invoice_file", args=[order.number, invoice.number])
    assert path in client.get(order.get_absolute_url()).text
    answer = client.get(path)
    assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    assert invoice.number in read_pdf(answer.content).words


def test_nobody_else_does_and_no_paper_of_another_order_comes(client):
    bob = cast.bob()
    order, other = taxed_order(customer=cast.alice()), taxed_order(customer=bob)
    invoice, others = issuing.issue_for_order(order.pk), issuing.issue_for_order(other.pk)
    assert client.get(reverse("invoice_file", args=[order.number, invoice.number])).status_code == 404
    client.force_login(bob.user)
    assert client.get(reverse("invoice_file", args=[order.number, invoice.number])).status_code == 404
    assert client.get(reverse("invoice_file", args=[other.number, invoice.number])).status_code == 404
    assert client.get(reverse("invoice_file", args=[other.number, others.number])).status_code == 200


def test_a_buyer_of_an_older_order_asks_for_it(client):
    alice = cast.alice()
    order = taxed_order(customer=alice, placed_at=timezone.now() - timedelta(days=90))
    stranger = client.post(reverse("order_invoice", args=[order.number]))
    assert stranger.status_code == 404
    assert not Invoice.objects.exists()
    client.force_login(alice.user)
    assert "Get an invoice" in client.get(order.get_absolute_url()).text
    page = client.post(reverse("order_invoice", args=[order.number]), follow=True)
    assert Invoice.objects.get().number in page.text
    assert "Get an invoice" not in page.text


def test_staff_download_it_and_that_is_on_record(client):
    order = taxed_order(customer=cast.alice(), placed_at=timezone.now() - timedelta(days=90))
    client.force_login(cast.sam())
    assert "Issue the invoice" in client.get(page_of(order)).text
    client.post(reverse("admin:orders_order_issue_invoice", args=[order.pk]))
    invoice = Invoice.objects.get()
    path = reverse("admin:orders_order_invoice", args=[order.pk, invoice.number])
    assert path in client.get(page_of(order)).text
    assert client.get(path)["Content-Type"] == "application/pdf"
    assert AccessLogEntry.objects.filter(kind="export", detail=str(invoice)).count() == 1


def test_without_a_right_to_orders_staff_get_none(client):
    order = taxed_order()
    invoice = issuing.issue_for_order(order.pk)
    client.force_login(staff_of_the_catalogue())
    assert client.get(reverse("admin:orders_order_invoice", args=[order.pk, invoice.number])).status_code in (302, 403)
    assert client.post(reverse("admin:orders_order_issue_invoice", args=[order.pk])).status_code in (302, 403)
    assert not AccessLogEntry.objects.filter(kind="export").exists()


# -- How long -------------------------------------------------------------------------------------------------------


def test_an_old_order_stays_as_long_as_a_younger_invoice_needs_it():
    order = taxed_order()
    issuing.issue_for_order(order.pk)
    Order.objects.update(created_at=timezone.now() - timedelta(days=3000))
    retire_orders()
    assert Order.objects.filter(pk=order.pk).exists()
    assert Invoice.objects.exists()
