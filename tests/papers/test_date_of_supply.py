"""The date of supply on invoices and credit notes: the day on which the last of the goods was sent or collected."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.formats import date_format

from orders import status
from orders.models import Invoice, Order, Shipment
from orders.papers import issuing
from orders.personal_data import export_invoices
from tests import builders, cast
from tests.backoffice.steps import order_at, page_of
from tests.orders.test_collecting import collected_order
from tests.papers.test_invoices import give_back, read_invoice, taxed_order

pytestmark = pytest.mark.django_db

Stage = Shipment.Stage
MONDAY, LATE_ON_TUESDAY = datetime(2026, 7, 6, 9, tzinfo=UTC), datetime(2026, 7, 7, 23, 30, tzinfo=UTC)
WEDNESDAY = date(2026, 7, 8)  # in London it is then half past midnight
NOT_YET = "Date of supply: none yet when this was issued, as not all of the goods had been sent or collected"


def send(order: Order, *left: datetime | None) -> Order:
    """A parcel for each: one that left then, or waits."""
    for moment in left:
        at = Stage.DISPATCHED if moment else Stage.WAITING
        Shipment.objects.create(order=order, store=builders.store(), stage=at, dispatched_at=moment)
    order.refresh_from_db()
    status.recalculate(order)
    return order


def issue_credit_note(order: Order) -> Invoice:
    give_back(order, "5.00")
    issuing.issue_for_order(order.pk)
    return Invoice.objects.get(kind="credit_note")


def test_an_invoice_from_after_the_goods_left_names_the_day_of_the_last_parcel():
    invoice = issuing.issue_for_order(send(taxed_order(), MONDAY, LATE_ON_TUESDAY).pk)
    assert invoice.supplied_on == WEDNESDAY
    assert "Date of supply: 8 July 2026" in read_invoice(invoice)


@pytest.mark.parametrize("left", [(), (None,), (MONDAY, None)], ids=["not begun", "waits", "some left"])
def test_an_invoice_from_before_all_of_it_left_says_so_in_words_for_good(left):
    order = send(taxed_order(), *left)
    invoice = issuing.issue_for_order(order.pk)
    order.shipments.update(stage=Stage.DISPATCHED, dispatched_at=MONDAY)
    send(order, MONDAY)
    invoice.refresh_from_db()
    assert invoice.supplied_on is None
    assert NOT_YET in read_invoice(invoice)


def test_a_parcel_that_was_called_off_delays_no_date_of_supply():
    order = send(taxed_order(), MONDAY)
    Shipment.objects.create(order=order, store=builders.store(), stage=Stage.CANCELLED)
    assert issuing.issue_for_order(order.pk).supplied_on == timezone.localdate(MONDAY)


def test_what_is_collected_is_supplied_as_it_is_handed_over():
    ready, collected = (issuing.issue_for_order(collected_order(at).pk) for at in (Stage.READY, Stage.COLLECTED))
    assert (ready.supplied_on, collected.supplied_on) == (None, timezone.localdate())
    assert NOT_YET in read_invoice(ready)


def test_a_parcel_sent_by_the_button_has_its_day_on_the_invoice():
    order = order_at(Stage.DISPATCHED)
    assert issuing.issue_for_order(order.pk).supplied_on == timezone.localdate()


@pytest.mark.parametrize("is_unsure", [True, False], ids=["after a restore", "parcel without a moment"])
def test_where_nobody_can_tell_an_invoice_says_nothing_of_supply(is_unsure):
    order = taxed_order() if is_unsure else send(taxed_order(), MONDAY, LATE_ON_TUESDAY)
    if is_unsure:
        Order.objects.filter(pk=order.pk).update(unsure_at=timezone.now())
    order.shipments.filter(dispatched_at=LATE_ON_TUESDAY).update(dispatched_at=None)
    invoice = issuing.issue_for_order(order.pk)
    assert (invoice.supplied_on, invoice.is_supply_known) == (None, False)
    assert "supply" not in read_invoice(invoice)


def test_papers_from_before_it_was_named_claim_nothing_of_it():
    """What knows nothing of the column leaves it to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default FROM information_schema.columns"
            " WHERE table_name = 'orders_invoice' AND column_name = 'is_supply_known'"
        )
        assert cursor.fetchone() == ("false",)


def test_no_invoice_names_a_day_that_is_not_known():
    invoice = issuing.issue_for_order(send(taxed_order(), MONDAY).pk)
    other, copied = taxed_order(), {name: getattr(invoice, name) for name in ("seller", "buyer", "lines", "taxes")}
    sums = {"tax": 0, "total": 1, "currency": "GBP"}
    with pytest.raises(IntegrityError, match="invoice_supply_known"), transaction.atomic():
        Invoice.objects.create(
            kind="invoice", number="X", order=other, supplied_on=WEDNESDAY, is_supply_known=False, **copied, **sums
        )
    assert not other.invoices.exists()


def test_a_credit_note_has_the_date_of_supply_and_the_day_of_its_invoice():
    order = send(taxed_order(), MONDAY)
    invoice = issuing.issue_for_order(order.pk)
    order.shipments.update(dispatched_at=LATE_ON_TUESDAY)
    note = issue_credit_note(order)
    assert note.supplied_on == invoice.supplied_on == timezone.localdate(MONDAY)
    words = read_invoice(note)
    day = date_format(timezone.localdate(invoice.issued_at), "j F Y")
    assert f"Corrects: Invoice {invoice.number} of {day}" in words
    assert "Date of supply: 6 July 2026" in words


def test_a_credit_note_of_an_earlier_invoice_says_that_it_was_before_supply():
    order = taxed_order()
    issuing.issue_for_order(order.pk)
    note = issue_credit_note(send(order, MONDAY))
    assert note.supplied_on is None
    assert NOT_YET.replace("this", "the invoice") in read_invoice(note)


def test_buyer_and_staff_read_the_date_of_supply_on_the_orders_page(client):
    alice = cast.alice()
    sent, waiting = send(taxed_order(customer=alice), MONDAY), taxed_order(customer=alice)
    for order in (sent, waiting):
        issuing.issue_for_order(order.pk)
    client.force_login(alice.user)
    pages = [client.get(order.get_absolute_url()) for order in (sent, waiting)]
    client.force_login(cast.sam())
    pages += [client.get(page_of(order)) for order in (sent, waiting)]
    said = ["date of supply: 6 July 2026" in " ".join(page.text.split()) for page in pages]
    assert said == [True, False, True, False]
    assert "date of supply" not in pages[1].text


def test_a_copy_of_ones_data_has_the_date_of_supply():
    alice = cast.alice()
    issuing.issue_for_order(send(taxed_order(customer=alice), MONDAY).pk)
    [row] = export_invoices(alice)
    assert row["supplied_on"] == "2026-07-06"
