"""Journeys in Chromium, through a shop started as `make run` starts it, with nothing but what the screen offers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.shop_process import Shop, open_shop
from tests.browser.visitor import Visitor
from tests.chromium import launched


def pytest_itemcollected(item: pytest.Item) -> None:
    """One worker drives them all, in one shop. Marked here: later is too late for xdist, which then opens a second."""
    item.add_marker(pytest.mark.browser)
    item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one module at a time: while Playwright's loop runs in this thread, Django refuses to talk to its database."""
    with launched() as browser:
        yield browser


@pytest.fixture
def visitor(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    with Visitor.coming_to(shop, chromium) as arrived:
        yield arrived


@pytest.fixture
def reader(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    """Another person, or the same at another machine: no cookie of the shop's, only their mail."""
    with Visitor.coming_to(shop, chromium) as arrived:
        yield arrived


@pytest.fixture
def staff(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    with Visitor.coming_to(shop, chromium) as arrived:
        yield arrived.sign_in("staff@saywhen.example", door="/admin/")
