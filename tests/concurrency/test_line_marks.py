"""One purchase marked and unmarked in many tabs at once: each word in the journal says something new. And unlocked."""

import time

import pytest

from accounts.privacy import journal
from orders import line_marks
from orders.line_marks import LineMark
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def path(settings, tmp_path):
    settings.JOURNAL_PATH = tmp_path / "journal"
    return settings.JOURNAL_PATH


def mark_and_unmark_at_once(path) -> None:
    order = builders.paid_order()
    pk = order.lines.get().pk
    jobs = [
        lambda is_set=bool(n % 2): line_marks.set_mark(order, pk, LineMark.EXCLUSION, is_set=is_set) for n in range(12)
    ]
    at_once(jobs, slowed_ms=5)
    said = [entry.what for entry in journal.read_journal(path)]
    assert said == [journal.LINE_UNMARKED if n % 2 else journal.LINE_MARKED for n in range(len(said))]
    assert (said[-1] == journal.LINE_MARKED) is order.lines.get().is_excluded


def test_marked_and_unmarked_at_once_the_journal_says_each_change_once_and_the_last_one_stands(path):
    mark_and_unmark_at_once(path)


def test_without_the_orders_lock_it_does_not(path, monkeypatch):
    monkeypatch.setattr(line_marks, "lock_order", lambda pk: time.sleep(stretched(0.02)))
    with pytest.raises(AssertionError):
        mark_and_unmark_at_once(path)
