"""Journeys: whole visits over HTTP, with the payment page as a real process and mail over a real SMTP hop."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from shop.local.mailbox.smtp import make_smtp_server
from shop.local.mailbox.store import MailStore
from tests import builders, cast
from tests.journeys.walks import Mailbox
from tests.paying import standin, standin_process
from tests.person import Person

__all__ = ["standin", "standin_process"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marked here: later is too late for pytest-django, which then lets tests that empty every table go before."""
    item.add_marker(pytest.mark.django_db)


@pytest.fixture
def mailbox(tmp_path: Path, settings: Any) -> Iterator[Mailbox]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = MailStore(tmp_path / "mailbox")
    server = make_smtp_server(store, port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield Mailbox(store)
    server.stop(no_assert=True)


@pytest.fixture
def shop(standin: Any, mailbox: Mailbox) -> None:
    """A shop with a few things on its shelves, one way to send them, and somebody who works there."""
    builders.shipping_method()
    builders.tax_rate()
    builders.product("Harbour blanket", price="96.00", slug="harbour-blanket")
    builders.product("Tin mug", price="12.50", slug="tin-mug")
    sam = cast.sam()
    EmailAddress.objects.create(user=sam, email=sam.email, verified=True, primary=True)


@pytest.fixture
def guest(shop: None) -> Person:
    return Person()


@pytest.fixture
def staff(shop: None) -> Person:
    sam = Person().open("/admin/")
    return sam.write("E-mail", "sam@example.com").write("Password", builders.PASSWORD).press("Sign in")
