"""Invoices issued by many at once: numbers without gaps, one invoice an order. Also run with the locks off."""

import time

import pytest
from django.db import DatabaseError, transaction

from orders.models import Invoice, InvoiceKind, InvoiceSeries, Order
from orders.papers import issuing
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


def issue_and_give_up(order_id: int) -> None:
    """A transaction that ends without a commit, its number taken."""
    with transaction.atomic():
        issuing.issue_for_order(order_id)
        transaction.set_rollback(True)


def issue_twelve_at_once() -> None:
    """Every third gives its number back."""
    orders = [builders.placed_order().pk for _ in range(12)]
    jobs = [
        (lambda pk=pk: issue_and_give_up(pk)) if place % 3 == 0 else (lambda pk=pk: issuing.issue_for_order(pk))
        for place, pk in enumerate(orders)
    ]
    at_once(jobs, slowed_ms=10)
    numbers = sorted(int(number[-5:]) for number in Invoice.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 9))
    assert InvoiceSeries.objects.get().last_number == 8


def test_issued_at_once_numbers_have_no_gap_and_none_twice():
    issue_twelve_at_once()


def test_without_the_series_lock_they_break(monkeypatch):
    def take_unlocked(kind: InvoiceKind, year: int) -> str:
        InvoiceSeries.objects.get_or_create(kind=kind, year=year)
        last = InvoiceSeries.objects.get(kind=kind, year=year).last_number
        time.sleep(stretched(0.05))
        InvoiceSeries.objects.filter(kind=kind, year=year).update(last_number=last + 1)
        return f"INV-{year}-{last + 1:05}"

    monkeypatch.setattr(issuing, "_take_next_number", take_unlocked)
    with pytest.raises((AssertionError, DatabaseError)):
        issue_twelve_at_once()


def issue_one_eight_times_at_once() -> None:
    order = builders.placed_order()
    issued = at_once([lambda: issuing.issue_for_order(order.pk) for _ in range(8)], slowed_ms=10)
    assert len({invoice.pk for invoice in issued}) == 1
    assert Invoice.objects.count() == InvoiceSeries.objects.get().last_number == 1


def test_one_order_issued_eight_times_at_once_has_one_invoice():
    issue_one_eight_times_at_once()


def test_without_the_orders_lock_it_is_tried_again(monkeypatch):
    monkeypatch.setattr(issuing, "lock_order", lambda pk: Order.objects.get(pk=pk))
    with pytest.raises((AssertionError, DatabaseError)):
        issue_one_eight_times_at_once()
