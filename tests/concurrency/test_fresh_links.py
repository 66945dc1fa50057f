"""A link that works once, pressed twice at the same moment. Also run with its guard off, where it must fail."""

import time

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from accounts.models import FreshLink
from accounts.people import fresh_links, guest_session
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


def race() -> None:
    """Four browsers opened the link, and press its button at once: one of them is let in."""
    link = FreshLink.objects.create(token_hash="0" * 64, email="pat@example.com", leads_to="/account/preferences/")
    clients = [reader(link) for _ in range(4)]
    answers = at_once([lambda each=each: each.post("/account/link/use/") for each in clients], slowed_ms=20)
    assert sorted(answer.status_code for answer in answers) == [302, 404, 404, 404]
    assert sum(guest_session.GUEST_KEY in each.session for each in clients) == 1


def reader(link: FreshLink) -> Client:
    session = SessionStore()
    session["fresh_link"] = link.pk
    session.create()
    client = Client(raise_request_exception=False)
    client.cookies["session"] = session.session_key
    return client


def unlocked(link_id: int) -> FreshLink | None:
    """The mutant: looks, and writes later, as if nobody else were there."""
    link = FreshLink.objects.live().filter(pk=link_id).first()
    time.sleep(stretched(0.3))
    return link


def test_a_link_pressed_four_times_at_once_lets_one_in():
    race()


def test_without_the_lock_it_lets_several_in(monkeypatch):
    monkeypatch.setattr(fresh_links, "_lock_link", unlocked)
    with pytest.raises(AssertionError):
        race()
