"""Somebody changes their e-mail address: what they allowed goes with them, and to no address before it is proved."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.consent import consent, purposes, requests
from accounts.models import Customer
from notifications import audience, delivery, newsletter, relay
from notifications.models import NewsletterIssue, OutgoingEmail
from tests import builders

pytestmark = pytest.mark.django_db

OLD, NEW = "old@example.com", "new@example.com"


@pytest.fixture
def walker() -> Customer:
    walker = builders.customer(OLD, name="Wren Walker", ticks=(purposes.NEWSLETTER,))
    EmailAddress.objects.create(user=walker.user, email=OLD, verified=True, primary=True)
    return walker


@pytest.fixture
def browser(walker) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": OLD, "password": builders.PASSWORD})
    return client


@pytest.fixture
def post(browser, django_capture_on_commit_callbacks):
    def posted(path: str, data: dict[str, str] | None = None):
        with django_capture_on_commit_callbacks(execute=True):
            return browser.post(path, data or {})

    return posted


def readers() -> list[str]:
    """To whom an issue of the newsletter would be queued now."""
    issue = NewsletterIssue.objects.create(subject="News", body="Mugs")
    newsletter.release_issue(issue.pk, actor="Sam")
    audience.fan_out_released_issues()
    issued = OutgoingEmail.objects.filter(topic="newsletter", state="queued", key__startswith=f"newsletter:{issue.pk}:")
    return sorted(issued.values_list("to_address", flat=True))


def link_to(address: str) -> str:
    body = [message.body for message in mail.outbox if message.to == [address]][-1]
    return re.search(r"http://localhost:8000(/accounts/confirm-email/\S+)", body)[1]


def state_of(customer: Customer) -> tuple[str | None, bool]:
    customer.refresh_from_db()
    return customer.email, customer.is_proved


def test_what_was_allowed_waits_for_the_new_address_to_be_proved(walker, browser, post):
    assert readers() == [OLD]
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    assert [message.to for message in mail.outbox if "Confirm" in message.subject] == [[NEW]]
    assert state_of(walker) == (OLD, True)
    assert readers() == [OLD]  # asking is not having

    browser.get(link_to(NEW))  # a scanner that follows links proves nothing
    assert readers() == [OLD]

    waiting = OutgoingEmail.objects.filter(state="queued").count()
    post(link_to(NEW))
    assert state_of(walker) == (NEW, True)
    assert readers() == [NEW]

    mail.outbox.clear()
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert {message.to[0] for message in mail.outbox} == {NEW}
    unproved = OutgoingEmail.objects.filter(to_address=OLD, state="skipped", skip_reason="unproved")
    assert unproved.count() == waiting  # what was queued for the old address stays here


def test_an_address_nobody_proves_never_gets_anything(walker, post):
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    post("/accounts/email/", {"email": NEW, "action_remove": ""})
    assert state_of(walker) == (OLD, True)
    assert readers() == [OLD]
    assert not Customer.objects.filter(email=NEW).exists()


def test_a_newsletter_asked_for_at_the_old_address_counts_for_the_old_address_alone(walker, post):
    consent.set_consent(walker, purposes.NEWSLETTER, granted=False, source="preferences")
    asked = requests.request_consent(OLD, purposes.NEWSLETTER, source="checkout")
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    post(link_to(NEW))
    assert readers() == []
    requests.confirm_request(asked)  # whoever holds the old mailbox
    assert not consent.allows(walker, purposes.NEWSLETTER)
    assert readers() == [OLD]


def test_a_newsletter_asked_for_at_the_new_address_waits_for_its_own_link(walker, post):
    consent.set_consent(walker, purposes.NEWSLETTER, granted=False, source="preferences")
    asked = requests.request_consent(NEW, purposes.NEWSLETTER, source="checkout")
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    post(link_to(NEW))
    assert readers() == []  # the address is proved, the newsletter is not confirmed
    requests.confirm_request(asked)
    walker.refresh_from_db()
    assert consent.allows(walker, purposes.NEWSLETTER)
    assert readers() == [NEW]


def test_a_no_given_at_the_new_address_outlives_the_move(walker, post):
    guest = builders.customer(NEW, with_login=False, ticks=(purposes.NEWSLETTER,))
    consent.set_consent(guest, purposes.NEWSLETTER, granted=False, source="unsubscribe_link")
    order = builders.paid_order(customer=guest, email=NEW)
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    post(link_to(NEW))
    assert state_of(walker) == (NEW, True)
    assert readers() == []
    order.refresh_from_db()
    assert order.customer == walker


def test_an_address_with_an_account_of_its_own_is_not_taken_over(walker, post):
    other = builders.customer(NEW, ticks=(purposes.NEWSLETTER,))
    EmailAddress.objects.create(user=other.user, email=NEW, verified=True, primary=True)
    post("/accounts/email/", {"email": NEW, "action_add": ""})
    assert state_of(walker) == (OLD, True)
    assert state_of(other) == (NEW, True)
    assert readers() == [NEW, OLD]


def test_an_imported_yes_waits_until_the_address_is_proved():
    imported = builders.customer("moved@example.com", with_login=False)
    Customer.objects.update(email_proved_at=None)
    consent.set_consent(imported, purposes.NEWSLETTER, granted=True, source="import")
    assert readers() == []
