"""On the narrowest phone no page is wider than the screen, and the account's menu is one row."""

from playwright.sync_api import Page

from tests.browser.visitor import Visitor

ANYBODYS = (
    "/",
    "/category/footwear/",
    "/search/?q=socks",
    "/search/?q=xyzzy",
    "/cart/",
    "/privacy/",
    "/accounts/login/",
)
CUSTOMERS = (
    "/account/",
    "/account/orders/",
    "/account/preferences/",
    "/account/recommendations/",
    "/account/told/",
    "/account/consents/",
    "/account/consents/receipt/",
    "/account/access/",
    "/account/data/",
    "/account/addresses/",
    "/checkout/",
)


def overflowing(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def find_too_wide(visitor: Visitor, paths: tuple[str, ...]) -> list[str]:
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    return [path for path in paths if overflowing(visitor.go(path).page)]


def test_no_page_of_the_shop_is_wider_than_the_narrowest_phone(visitor: Visitor) -> None:
    assert find_too_wide(visitor, ANYBODYS) == []
    product = str(
        visitor.go("/category/footwear/").page.locator("main a[href^='/product/']").first.get_attribute("href")
    )
    assert find_too_wide(visitor, (product,)) == []


def test_no_page_of_the_account_is_wider_and_its_menu_is_one_row(visitor: Visitor) -> None:
    visitor.sign_in("alice@saywhen.example")
    assert find_too_wide(visitor, CUSTOMERS) == []
    visitor.go("/account/orders/")
    order = str(visitor.page.locator("main a[href^='/orders/']").first.get_attribute("href"))
    assert find_too_wide(visitor, (order,)) == []
    visitor.go("/account/")
    assert (
        len(set(visitor.page.evaluate("[...document.querySelectorAll('.rooms li')].map(each => each.offsetTop)"))) == 1
    )


def test_the_room_one_is_in_is_in_sight_on_a_phone(visitor: Visitor) -> None:
    visitor.sign_in("alice@saywhen.example")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/account/", "/account/preferences/", "/account/data/"):
        room = visitor.go(path).page.locator(".rooms [aria-current]").bounding_box()
        assert room, path
        assert room["x"] >= 0, path
        assert room["x"] + room["width"] <= 390, path
