from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as shop_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from tests import cast
from tests.chromium import launched


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, beside which Django would not touch the database."""
    with pytest.MonkeyPatch.context() as patch, launched() as chromium:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield chromium


def staff_context(browser: Browser, address: str, user: User, **options) -> BrowserContext:
    """Somebody who works here, signed in."""
    client = Client()
    client.force_login(user)
    session = client.cookies[shop_settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=address, **options)
    context.add_cookies([{"name": shop_settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    return context


@pytest.fixture
def open_page(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """Opens a page for `user`, or Sam, who works here; by the test's end the browser may have complained of nothing."""
    complaints: list[str] = []
    contexts = []

    def opened(user: User | None = None, **options) -> Page:
        contexts.append(staff_context(browser, live_server.url, user or cast.sam(), **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
