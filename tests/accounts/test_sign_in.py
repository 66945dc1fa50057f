import re

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError
from django.test import Client

from accounts.consent import consent, purposes
from accounts.models import Customer, User
from accounts.people import address_claims
from tests import builders, cast

pytestmark = pytest.mark.django_db

EMAIL = "newcomer@example.com"
PASSWORD = "a long enough phrase"


@pytest.fixture
def after_commit(django_capture_on_commit_callbacks):
    """Mail awaited at the screen goes out after the commit; tests roll back, so they run what waits for it."""
    return django_capture_on_commit_callbacks


def post(client, after_commit, path, data, **kwargs):
    with after_commit(execute=True):
        return client.post(path, data, **kwargs)


def sign_up(client, after_commit, email=EMAIL):
    return post(client, after_commit, "/accounts/signup/", {"email": email, "password1": PASSWORD})


def link_in(message) -> str:
    return re.search(r"http://localhost:8000(/\S+)", message.body.replace("http://localhost:8000/\n", ""))[1]


def test_signing_up_sends_a_link_and_makes_no_customer_yet(client, after_commit):
    answer = sign_up(client, after_commit)
    assert answer.status_code == 302
    [message] = mail.outbox
    assert message.to == [EMAIL]
    assert "Confirm" in message.subject
    assert not Customer.objects.exists()
    assert client.get("/account/").status_code == 302  # not logged in


def test_the_link_in_the_mail_proves_the_address_and_logs_in(client, after_commit):
    sign_up(client, after_commit)
    link = link_in(mail.outbox[0])
    assert not Customer.objects.exists()
    client.get(link)
    assert not Customer.objects.exists()  # a scanner that follows links confirms nothing
    client.post(link)
    customer = Customer.objects.get()
    assert customer.email == EMAIL
    assert customer.is_proved
    assert customer.user.email == EMAIL
    assert client.get("/account/").status_code == 200


def test_a_guest_who_signs_up_keeps_what_they_allowed(client, after_commit):
    guest = builders.customer(EMAIL, with_login=False, ticks=(purposes.NEWSLETTER,))
    sign_up(client, after_commit)
    client.post(link_in(mail.outbox[0]))
    guest.refresh_from_db()
    assert guest.user == User.objects.get(email=EMAIL)
    assert consent.get_granted_purposes(guest) == {purposes.NEWSLETTER}


def test_known_and_unknown_addresses_get_the_same_answer_at_sign_up(client, after_commit):
    cast.bob()
    known = sign_up(client, after_commit, "bob@example.com")
    client.session.flush()
    unknown = sign_up(client, after_commit, "nobody@example.com")
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert [message.to for message in mail.outbox] == [["bob@example.com"], ["nobody@example.com"]]
    assert User.objects.filter(email="bob@example.com").count() == 1


def test_known_and_unknown_addresses_get_the_same_answer_at_reset(client, after_commit):
    cast.bob()
    pages = [
        post(client, after_commit, "/accounts/password/reset/", {"email": email}, follow=True).content
        for email in ("bob@example.com", "nobody@example.com")
    ]
    assert _without_tokens(pages[0]) == _without_tokens(pages[1])
    assert len(mail.outbox) == 2


def _without_tokens(page: bytes) -> bytes:
    return re.sub(rb'(nonce|value)="[^"]*"', b"", page)


def test_a_forged_host_does_not_reach_the_mail(client, after_commit):
    cast.bob()
    with after_commit(execute=True):
        client.post("/accounts/password/reset/", {"email": "bob@example.com"}, headers={"Host": "127.0.0.1"})
    assert "127.0.0.1" not in mail.outbox[0].body
    assert "http://localhost:8000/accounts/password/reset/key/" in mail.outbox[0].body


def test_the_wrong_password_is_limited(client):
    cast.bob()
    wrong = {"login": "bob@example.com", "password": "wrong"}
    answers = [client.post("/accounts/login/", wrong, REMOTE_ADDR="203.0.113.9") for _ in range(7)]
    assert answers[0].status_code == 200
    right = {"login": "bob@example.com", "password": builders.PASSWORD}
    client.post("/accounts/login/", right, REMOTE_ADDR="203.0.113.9")
    assert "_auth_user_id" not in client.session


def test_a_forged_forwarding_header_does_not_move_the_limit(client):
    cast.bob()
    wrong = {"login": "bob@example.com", "password": "wrong"}
    for number in range(7):
        client.post("/accounts/login/", wrong, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    client.post("/accounts/login/", {"login": "bob@example.com", "password": builders.PASSWORD})
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_says_so_and_loses_nothing(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # port 1: nobody answers
    client.post("/accounts/signup/", {"email": EMAIL, "password1": PASSWORD})
    assert User.objects.filter(email=EMAIL).exists()
    assert "Our mail server is not answering" in client.get("/accounts/login/").content.decode()


def test_every_letter_renders_in_both_forms():
    from accounts.people.auth_emails import AUTH_EMAILS
    from shop.mail import render_message

    for letter in AUTH_EMAILS.values():
        subject, text, html = render_message(
            "account", {"letter": letter, "subject": letter.subject, "url": "http://x/y"}
        )
        assert subject == letter.subject
        for paragraph in letter.paragraphs:
            assert paragraph in text
            assert paragraph in html
        assert "<img" not in html


def test_a_claim_that_ended_while_it_was_being_confirmed_proves_nothing(rf, client, after_commit):
    sign_up(client, after_commit)
    stale = EmailAddress.objects.get()
    sign_up(Client(), after_commit)  # somebody signs up anew, and ends it
    assert EmailAddress.objects.get() != stale
    request = rf.post("/")
    assert not get_adapter(request).confirm_email(request, stale)
    assert not Customer.objects.exists()
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_whoever_signs_up_second_in_the_same_moment_is_answered_alike(client, after_commit, monkeypatch):
    """The other's row comes between this one's look and its try."""
    ended = address_claims.end_claims

    def end_and_be_overtaken(email: str, **kwargs: object) -> None:
        ended(email, **kwargs)
        monkeypatch.setattr(address_claims, "end_claims", ended)
        raise IntegrityError

    monkeypatch.setattr(address_claims, "end_claims", end_and_be_overtaken)
    answer = sign_up(client, after_commit)
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert User.objects.get().email == EMAIL
