"""The Chromium that browser tests drive, started in one place and in one way."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from shop.local import testing

# Nothing it asks the network for on its own account: what a test sees, a page of ours asked for.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched() -> Iterator[Browser]:
    """While it is open Playwright's loop runs in this thread, and Django refuses to talk to its database there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=testing.find_chromium(), args=FLAGS)
        yield browser
        browser.close()
