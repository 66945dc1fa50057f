"""The payment page under a buyer's hands."""

from collections.abc import Callable, Iterator

import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from shop.local.stripe.testing import StandIn
from tests.chromium import launched

Open = Callable[..., stripe.checkout.Session]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("payment page")]  # one browser for all of them


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A telephone; the shop it returns to is only a word on a page. The browser may complain of nothing."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.route("http://localhost:8000/**", lambda route: route.fulfill(body="the shop"))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_buyer_pays_and_lands_in_the_shop(page: Page, stripe_standin: StandIn, open_session: Open) -> None:
    session = open_session()
    page.goto(session.url)
    assert page.get_by_text("Stripe stand-in: no real money.").is_visible()
    assert page.get_by_role("heading", name="£31.95").is_visible()

    press(page, "Pay")

    page.wait_for_url(f"http://localhost:8000/orders/done/?session={session.id}")
    assert len(stripe_standin.charges()) == 1


def test_a_declined_buyer_authenticates_and_pays(page: Page, stripe_standin: StandIn, open_session: Open) -> None:
    page.goto(open_session().url)

    press(page, "Decline")
    assert page.get_by_role("alert").inner_text() == "Your card was declined."
    press(page, "Require authentication")
    press(page, "Fail authentication")
    assert "Nothing was charged" in page.get_by_role("alert").inner_text()
    assert stripe_standin.charges() == []
    press(page, "Require authentication")
    press(page, "Complete authentication")

    page.wait_for_url("http://localhost:8000/orders/done/**")
    assert len(stripe_standin.charges()) == 1


def test_a_buyer_goes_back_unpaid(page: Page, stripe_standin: StandIn, open_session: Open) -> None:
    page.goto(open_session().url)

    press(page, "Go back")

    page.wait_for_url("http://localhost:8000/checkout/")
    assert stripe_standin.charges() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_read_well_to_everyone_and_fit_a_telephone(
    page: Page, stripe_standin: StandIn, client: stripe.StripeClient, params: dict[str, object], scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    del params["customer_email"]
    session = client.v1.checkout.sessions.create(params)

    for address in (session.url, f"{session.url}?again", f"{session.url}/authenticate"):
        page.goto(address)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        stripe_standin.control("POST", f"sessions/{session.id}/challenge")
