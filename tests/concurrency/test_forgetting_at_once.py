"""“Forget” in one tab, “Undo” in another, at once: each press does what is said of it. Also without the lock."""

import threading

import pytest

from accounts.consent import purposes
from accounts.models import Customer, ForgottenPast
from accounts.privacy import stored_data
from orders import forgotten_purchases
from orders.models import OrderLine
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)
KEY = purposes.RECOMMEND_FROM_PURCHASES


def forget_and_undo_at_once(monkeypatch) -> None:
    """The undo of the first comes while the second counts. One purchase each: so many as the rows say are hidden."""
    customer = builders.customer(ticks=(KEY,))
    builders.paid_order(customer=customer)
    stored_data.delete_for_purpose(customer, KEY)
    first = ForgottenPast.objects.get()
    builders.paid_order(customer=customer)
    has_counted, is_undone = threading.Event(), threading.Event()
    count = forgotten_purchases.count_readable_purchases

    def count_and_wait(of: Customer) -> dict[str, int]:
        found = count(of)
        has_counted.set()
        is_undone.wait(stretched(1))
        return found

    def undo() -> None:
        has_counted.wait(stretched(10))
        stored_data.take_back(customer, KEY, first.pk)
        is_undone.set()

    monkeypatch.setattr(forgotten_purchases, "count_readable_purchases", count_and_wait)
    at_once([lambda: stored_data.delete_for_purpose(customer, KEY), undo])
    [standing] = ForgottenPast.objects.filter(taken_back_at=None)
    assert standing.line_count == 1
    assert OrderLine.objects.usable_for(KEY).count() == 1


def test_forgetting_and_undoing_at_once_each_does_what_it_says(monkeypatch):
    forget_and_undo_at_once(monkeypatch)


def test_without_the_customers_lock_a_forgetting_says_less_than_it_did(monkeypatch):
    monkeypatch.setattr(stored_data, "lock_customer", lambda customer: None)
    monkeypatch.setattr(forgotten_purchases, "lock_customer", lambda customer: None)
    with pytest.raises(AssertionError):
        forget_and_undo_at_once(monkeypatch)
