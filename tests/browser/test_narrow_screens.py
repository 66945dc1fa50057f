"""On the narrowest phone no page is wider than the screen, and the account's menu is one row."""

from playwright.sync_api import Page

from tests.browser.shop_process import Shop
from tests.browser.test_buying import DELIVERED, look_up, take
from tests.browser.visitor import Visitor

APPROVED = "Tell me when my order is approved"
ANYBODYS = (
    "/",
    "/category/footwear/",
    "/search/?q=socks",
    "/search/?q=xyzzy",
    "/search/?q=wool+xyzzy",
    "/account/preferences/",
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


def test_on_a_phone_the_news_of_an_order_is_within_two_screens_and_the_page_is_short(visitor: Visitor) -> None:
    visitor.sign_in("bob@saywhen.example")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.go("/account/preferences/").page
    switch = page.get_by_role("checkbox", name=DELIVERED, exact=True).bounding_box()
    assert switch
    assert switch["y"] < 1200
    assert page.evaluate("document.documentElement.scrollHeight") < 4000


def test_an_order_with_a_marked_line_is_no_wider_than_the_narrowest_phone(visitor: Visitor) -> None:
    visitor.sign_in("alice@saywhen.example").go("/account/orders/")
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.go(str(visitor.page.locator("main a[href^='/orders/']").first.get_attribute("href")))
    mark = visitor.page.locator("button[id^='gift-']").first
    mark.click()
    visitor.page.get_by_text("A gift: nothing we suggest draws on it.").first.wait_for()
    assert not overflowing(visitor.page)
    visitor.page.get_by_role("button", name="It was no gift").first.click()
    visitor.page.get_by_text("A gift: nothing we suggest draws on it.").first.wait_for(state="detached")


def test_a_guests_order_and_leaving_its_mail_are_no_wider_than_the_narrowest_phone(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "slim@example.com"
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.put_in_cart("pint-mug").fill_in_checkout(email).tick(APPROVED)
    assert not overflowing(visitor.page)
    number = visitor.pay()
    assert not overflowing(visitor.page)
    look_up(staff, number)
    take(staff, "Approve")
    letter = shop.wait_for_mail(email, "order_approved")
    link = next(word.strip("<>") for word in letter["text"].split() if "/mail/unsubscribe/" in word)
    assert not overflowing(visitor.go(link).page)
    visitor.press("Turn it off")
    assert not overflowing(visitor.page)
