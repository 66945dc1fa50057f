"""Somebody without an account sees and changes what the shop holds about them."""

import re

from playwright.sync_api import expect

from tests.browser.shop_process import Shop
from tests.browser.test_access import check
from tests.browser.visitor import Visitor

EMAIL = "robin@example.com"


def test_a_mailed_link_opens_a_guests_switches_until_they_are_done(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/account/orders/").fill("E-mail", EMAIL).press("Mail me a link")
    letter = shop.wait_for_mail(EMAIL, holding="/account/link/open/")
    link = re.search(r"http\S+/account/link/open/\S+", letter["text"])[0]
    visitor.go(link)
    assert visitor.path == "/account/link/use/"
    check(visitor.page, "use the link")
    visitor.press("Show me")
    assert visitor.path == "/account/orders/"
    visitor.go("/account/preferences/").tick("The newsletter")
    expect(visitor.page.locator("#said")).to_contain_text("It is on")
    check(visitor.page, "a guest's switches")
    visitor.press("I am done")
    visitor.go("/account/orders/")
    assert visitor.path == "/account/link/"
