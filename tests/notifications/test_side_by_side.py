"""Two who queue the same letters at the same moment: each is written down once, and whoever loses loses quietly."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.consent import purposes
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import audience, digest, queueing
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem
from notifications.queueing import Draft, queue_drafts
from notifications.topics import TOPICS
from recommendations import picks
from recommendations.picks import Pick
from shop.retrying.models import StuckItem
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)
THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture(params=["guard off", "guard on"])
def is_guarded(request, monkeypatch) -> bool:
    """Off: rows are written without a word about those that are there already."""
    if request.param == "guard off":
        create = QuerySet.bulk_create

        def insist(self, rows, **options):
            if self.model is OutgoingEmail:
                options.pop("ignore_conflicts", None)
            return create(self, rows, **options)

        monkeypatch.setattr(QuerySet, "bulk_create", insist)
    return request.param == "guard on"


@pytest.fixture
def both_have_looked(monkeypatch) -> None:
    """Both see that nothing is written yet, and only then write."""
    together, write = threading.Barrier(2), queueing._insert_emails

    def write_together(rows):
        together.wait(PATIENCE_SECONDS)
        return write(rows)

    monkeypatch.setattr(queueing, "_insert_emails", write_together)


def drafts(customers) -> list[Draft]:
    topic = TOPICS["order_approved"]
    return [Draft(f"test:{each.pk}", topic, each.email, each) for each in customers]


def test_the_same_drafts_queued_twice_at_once_are_queued_once(is_guarded, both_have_looked):
    customers = [builders.customer(ticks=(purposes.MAIL_ORDER_APPROVED,)) for _ in range(5)]
    there, back = drafts(customers), drafts(customers)[::-1]
    if not is_guarded:
        with pytest.raises(IntegrityError):
            at_once([lambda: queue_drafts(there), lambda: queue_drafts(back)])
        return
    found = at_once([lambda: queue_drafts(there), lambda: queue_drafts(back)])
    assert sorted(len(each) for each in found) == [0, 5]
    assert OutgoingEmail.objects.count() == OutgoingItem.objects.count() == 5


def test_the_weekly_letter_queued_by_two_workers_is_queued_once_and_nothing_is_stuck(
    is_guarded, both_have_looked, monkeypatch, caplog
):
    goods = [builders.product() for _ in range(3)]
    picked = [Pick(each.pk, "You bought socks.", purpose=purposes.RECOMMEND_FROM_PURCHASES) for each in goods]
    monkeypatch.setattr(picks, "pick_for_mail", lambda *_: picked)
    builders.customer(ticks=(purposes.MAIL_RECOMMENDATIONS, purposes.RECOMMEND_FROM_PURCHASES))
    at_once([lambda: audience.queue_weekly_recommendations(THURSDAY)] * 2)
    email = OutgoingEmail.objects.get()
    assert [item.block for item in email.items.all()] == ["body", "pick", "pick", "pick"]
    assert ("recommendation_mail" in caplog.text) is not is_guarded


def test_news_for_a_digest_told_by_two_at_once_is_told_once(is_guarded, both_have_looked):
    customer = builders.customer(ticks=(purposes.MAIL_ORDER_PACKED,))
    cadence.set_cadence(customer, purposes.MAIL_ORDER_PACKED, Cadence.DAILY)
    topic = TOPICS["order_packed"]
    order = builders.paid_order(customer=customer)
    draft = Draft("test:packed", topic, customer.email, customer, order)
    if not is_guarded:
        with pytest.raises(IntegrityError):
            at_once([lambda: queue_drafts([draft])] * 2)
        return
    at_once([lambda: queue_drafts([draft])] * 2)
    assert OutgoingItem.objects.filter(block=digest.NEWS).count() == 1


def test_a_newsletter_fanned_out_by_two_at_once_reaches_each_reader_once():
    for _ in range(20):
        builders.customer(ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="Mugs", body="Come.", released_at=timezone.now())
    at_once([audience.fan_out_released_issues] * 2, slowed_ms=20)
    assert OutgoingEmail.objects.count() == OutgoingItem.objects.count() == 20
    assert not StuckItem.objects.exists()
