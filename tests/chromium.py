"""The Chromium that browser tests drive, started in one place and in one way."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, sync_playwright

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

# A page that was asked to give way to another is marked until that one is there, or until somebody goes back to it.
MARK_LEAVING = """() => {
  const mark = (isLeaving) => isLeaving && document.documentElement.setAttribute("data-leaving", "");
  const isHere = (form, button) => form.method !== "dialog" && !(button?.formTarget || form.target);
  const isElsewhere = (link) => link && !link.target && !link.download
    && link.href.split("#")[0] !== location.href.split("#")[0];
  addEventListener("submit", (event) => mark(!event.defaultPrevented && isHere(event.target, event.submitter)));
  addEventListener("click", (event) => mark(!event.defaultPrevented && isElsewhere(event.target.closest("a[href]"))));
  addEventListener("pageshow", () => document.documentElement.removeAttribute("data-leaving"));
}"""


def follow(element: Locator) -> None:
    """Clicks a button or a link, and waits for the page that it asks for, however late the browser begins to ask.

    A click alone comes back before that on a busy machine, and what is read then is the page before. Where a page may
    run no script there is no more than the click.
    """
    page = element.page
    page.evaluate(MARK_LEAVING)
    element.click()
    page.locator("html:not([data-leaving])").wait_for(state="attached")
    page.wait_for_load_state()


@contextmanager
def launched() -> Iterator[Browser]:
    """While it is open Playwright's loop runs in this thread, and Django refuses to talk to its database there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=testing.find_chromium(), args=FLAGS)
        yield browser
        browser.close()
