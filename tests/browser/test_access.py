"""Every kind of page, on phone and desk, by day and by night: axe finds nothing, and nothing runs off the side."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.shop_process import Shop
from tests.browser.visitor import Visitor

Looks = tuple[tuple[ViewportSize, str], ...]
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
PAGES = {
    "home": "/",
    "category": "/category/socks/",
    "product": "/product/pint-mug/",
    "search": "/search/?q=wool",
    "nothing found": "/search/?q=zzzzzz",
    "cart": "/cart/",
    "checkout": "/checkout/",
    "preferences": "/account/preferences/",
    "account": "/account/",
    "suggestions": "/account/recommendations/",
    "what I told you": "/account/told/",
    "orders": "/account/orders/",
    "what we hold": "/account/data/",
    "who looked": "/account/access/",
    "consent receipt": "/account/consents/receipt/",
    "privacy": "/privacy/",
}
FOR_VISITORS = {
    "sign in": "/accounts/login/",
    "sign up": "/accounts/signup/",
    "cart, empty": "/cart/",
    "who are you": "/account/orders/",
    "what a visitor can turn on": "/account/preferences/",
    "asked on a product’s page": "/product/pint-mug/",
}
FOR_STAFF = {"today": "/admin/", "queue": "/admin/orders/order/?queue=any"}
ONLY_CONTRAST = {"runOnly": ["color-contrast"]}
LOOKS = ((PHONE, "light"),)
OTHER_LOOKS = ((DESK, "light"), (PHONE, "dark"), (DESK, "dark"))
BY_NIGHT_TOO = ("home", "product", "preferences")


@pytest.fixture(scope="module")
def nobody(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    with Visitor.coming_to(shop, chromium) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def sam(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    with Visitor.coming_to(shop, chromium) as visitor:
        yield visitor.sign_in("staff@saywhen.example", door="/admin/")


@pytest.fixture(scope="module")
def alice(shop: Shop, chromium: Browser) -> Iterator[Visitor]:
    """Alice has everything ticked, something in her cart, and orders behind her."""
    with Visitor.coming_to(shop, chromium) as visitor:
        visitor.sign_in("alice@saywhen.example")
        visitor.put_in_cart("pint-mug")
        yield visitor


def check(page: Page, name: str, looks: Looks = LOOKS) -> None:
    """By night only colours differ. Nothing moves meanwhile: a colour on its way to another would be a fault."""
    axe, found = Axe(), []
    for size, scheme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = axe.run(page, options=ONLY_CONTRAST if scheme == "dark" else None)
        found += [f"{name}, {size['width']}, {scheme}: {each}" for each in _faults(results.response["violations"])]
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            found.append(f"{name}, {size['width']}: {overflow} px run off the side")
    assert found == []


def _faults(violations: list) -> list[str]:
    return [
        f"{each['id']} ({each['impact']}): " + "; ".join(node["html"][:160] for node in each["nodes"][:3])
        for each in violations
    ]


@pytest.mark.soak
@pytest.mark.parametrize("name", PAGES)
def test_a_customers_pages_are_for_everybody_in_their_other_looks(alice: Visitor, name: str) -> None:
    alice.go(PAGES[name])
    check(alice.page, name, OTHER_LOOKS)


@pytest.mark.parametrize("name", PAGES)
def test_a_customers_pages_are_for_everybody(alice: Visitor, name: str) -> None:
    alice.go(PAGES[name])
    check(alice.page, name, (*LOOKS, (DESK, "dark")) if name in BY_NIGHT_TOO else LOOKS)


def test_an_order_is_for_everybody(alice: Visitor) -> None:
    alice.go("/account/orders/")
    alice.page.locator("main a[href*='/orders/SW-']").first.click()
    alice.page.wait_for_url("**/orders/SW-**")
    check(alice.page, "order")


@pytest.mark.parametrize("key", ["recommend_from_purchases", "mail_order_dispatched"])
def test_a_switch_off_and_on_side_by_side_is_for_everybody(alice: Visitor, key: str) -> None:
    alice.go("/account/preferences/")
    button = alice.page.locator(f"button[formaction$='/{key}/preview/']")
    if not button.is_visible():  # news of orders keep theirs one tap away
        alice.page.locator(f"#switch-{key} summary").first.click()
    button.click()
    for side in ("off", "on"):
        alice.page.frame_locator(f"iframe[name=frame-{side}]").locator("#previewed").wait_for()
    assert alice.page.evaluate("scrollY") == 0  # only the frames were scrolled to what differs
    check(alice.page, f"{key}, off and on")


def test_without_javascript_each_side_has_its_button(shop: Shop, chromium: Browser) -> None:
    with Visitor.coming_to(shop, chromium, java_script_enabled=False) as visitor:
        visitor.sign_in("alice@saywhen.example")
        visitor.go("/account/preferences/")
        visitor.page.locator("button[formaction$='/recommend_from_purchases/preview/']").click()
        frames = {side: visitor.page.frame_locator(f"iframe[name=frame-{side}]") for side in ("off", "on")}
        for side, frame in frames.items():
            visitor.press(f"Show it {side}")
            frame.locator("#previewed").wait_for()  # it scrolls into view, and would move the next button meanwhile
        assert frames["on"].get_by_text("which you bought in").count() > 0
        assert frames["off"].get_by_text("which you bought in").count() == 0


@pytest.mark.parametrize("name", FOR_VISITORS)
def test_a_visitors_pages_are_for_everybody(nobody: Visitor, name: str) -> None:
    nobody.go(FOR_VISITORS[name])
    check(nobody.page, name)


@pytest.mark.soak
@pytest.mark.parametrize("name", FOR_STAFF)
def test_the_back_office_is_for_everybody(sam: Visitor, name: str) -> None:
    sam.go(FOR_STAFF[name])
    check(sam.page, name)


def test_asking_to_be_forgotten_is_open_to_everybody(alice):
    alice.go("/account/data/erasure/")
    check(alice.page, "asking to be forgotten")
