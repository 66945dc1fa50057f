"""Several mails asked about in one question: none is begun that would not have been begun alone."""

import re
import uuid
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import purposes
from accounts.preferences import cadence
from notifications import audience, claims, delivery, permissions
from notifications.models import NewsletterIssue, OutgoingEmail
from notifications.render_batch import load_email_contexts
from tests import builders
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db
GUARD = pytest.mark.parametrize("is_guarded", [False, True], ids=["guard off", "guard on"])


def queue_newsletter(reader_count: int) -> None:
    for number in range(reader_count):
        builders.customer(f"reader{number}@example.com", ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="The mugs are back", body="Come and see.", released_at=timezone.now())
    audience.fan_out_released_issues()


def deliver_counting() -> Counter[str]:
    """How often each prepared statement ran."""
    with CaptureQueriesContext(connection) as asked:
        delivery.deliver_due_mail()
    return Counter(re.findall(r"^EXECUTE (\w+)", "\n".join(query["sql"] for query in asked), re.MULTILINE))


def test_the_gate_is_asked_once_for_many_mails(sink, monkeypatch):
    monkeypatch.setattr(permissions, "PERMISSION_SECONDS", 60)  # a busy machine is no fault of the shop
    queue_newsletter(permissions.ASKED_TOGETHER + 2)
    assert deliver_counting() == {"mail_ask": 2, "mail_begin_permitted": permissions.ASKED_TOGETHER + 2}
    assert len(sink.received) == permissions.ASKED_TOGETHER + 2


def test_what_was_refused_among_others_is_asked_about_alone_and_named(sink, monkeypatch):
    monkeypatch.setattr(permissions, "PERMISSION_SECONDS", 60)
    queue_newsletter(3)
    refused = OutgoingEmail.objects.get(to_address="reader1@example.com")
    acts.say_no(refused.customer, purposes.NEWSLETTER)
    assert deliver_counting() == {"mail_ask": 1, "mail_begin_permitted": 2, "mail_begin": 1}
    refused.refresh_from_db()
    assert (refused.state, refused.skip_reason) == ("skipped", "withdrawn")
    assert {mail.to for mail in sink.received} == {"reader0@example.com", "reader2@example.com"}


@GUARD
def test_a_mail_that_another_worker_has_taken_since_is_left_to_it(sink, monkeypatch, is_guarded):
    queue_newsletter(1)
    find_permitted, other = claims.find_permitted, uuid.uuid4()

    def lose_claim(email_ids, token) -> set[uuid.UUID]:
        found = find_permitted(email_ids, token)
        OutgoingEmail.objects.update(claim_token=other)
        return found

    monkeypatch.setattr(claims, "find_permitted", lose_claim)
    if not is_guarded:
        monkeypatch.setattr(claims, "begin_permitted", lambda *_, **__: True)
    delivery.deliver_due_mail()
    assert len(sink.received) == (0 if is_guarded else 1)
    if is_guarded:
        email = OutgoingEmail.objects.get()
        assert (email.state, email.claim_token) == ("claimed", other)


@GUARD
def test_of_two_mails_to_one_customer_the_second_is_asked_about_after_the_first(sink, monkeypatch, is_guarded):
    """A ceiling set just now, which nobody knew of when the batch was read."""
    customer = builders.customer("a@example.com", ticks=(purposes.MAIL_ORDER_APPROVED,))
    for _ in range(2):
        acts.queued(builders.paid_order(customer=customer), Kind.APPROVED)
    token = uuid.uuid4()
    letters = load_email_contexts(claims.claim_due_mail(token, limit=2))
    cadence.set_weekly_ceiling(customer, 1)
    if not is_guarded:
        monkeypatch.setattr(permissions, "_list_independent", lambda letters: [each.email.pk for each in letters])
    with delivery.MailConnection(seconds=20) as line:
        delivery.DeliveryBatch(line, token, letters).deliver()
    assert len(sink.received) == (1 if is_guarded else 2)
