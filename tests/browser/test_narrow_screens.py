"""On a phone no page is wider than the screen, no entry of a menu covers or breaks another, and each is one line."""

from playwright.sync_api import Browser, Page

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
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/sessions/",
    "/checkout/",
)
WIDTHS = (470, 390, 320)
FORGETS = "Forget what I bought so far"
# Of the account's menu pushed to its left end, its middle and its right end: which entries lie on one another.
COVERED = """() => {
  const row = document.querySelector(".rooms ul");
  const entries = [...document.querySelectorAll(".rooms li")];
  const overlap = (one, two, start, end) => Math.min(one[end], two[end]) - Math.max(one[start], two[start]) > 1;
  const covers = (one, two) => overlap(one, two, "left", "right") && overlap(one, two, "top", "bottom");
  const found = new Set();
  for (const part of row ? [0, 0.5, 1] : []) {
    row.scrollLeft = part * (row.scrollWidth - row.clientWidth);
    const boxes = entries.map((each) => each.getBoundingClientRect());
    for (const [at, box] of boxes.entries())
      for (let next = at + 1; next < boxes.length; next++)
        if (covers(box, boxes[next])) found.add(`${entries[at].textContent} and ${entries[next].textContent}`);
  }
  if (row) row.scrollLeft = 0;
  return [...found];
}"""
# Entries in sight whose words take more than one line.
BROKEN = """() => [...document.querySelectorAll(".rooms a, .switch summary")].filter((each) => {
  const words = document.createRange();
  words.selectNodeContents(each.firstChild);
  return each.checkVisibility() && new Set([...words.getClientRects()].map((line) => line.top)).size > 1;
}).map((each) => each.textContent)"""


def overflowing(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def find_faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands, on a telephone of each width; afterwards the narrowest is in hand."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        found += [f"{width}: wider than the screen"] if overflowing(page) else []
        found += [f"{width}: on one another, {pair}" for pair in page.evaluate(COVERED)]
        found += [f"{width}: more than one line, {words}" for words in page.evaluate(BROKEN)]
    return found


def visit(visitor: Visitor, *paths: str) -> dict[str, list[str]]:
    """The faults of those pages that have any."""
    found = {path: find_faults(visitor.go(path).page) for path in paths}
    return {path: faults for path, faults in found.items() if faults}


def test_no_page_of_the_shop_is_wider_than_the_narrowest_phone(visitor: Visitor) -> None:
    assert visit(visitor, *ANYBODYS) == {}
    product = str(
        visitor.go("/category/footwear/").page.locator("main a[href^='/product/']").first.get_attribute("href")
    )
    assert visit(visitor, product) == {}


def test_no_page_of_the_account_is_wider_and_its_menu_is_one_row_with_each_entry_clear(visitor: Visitor) -> None:
    visitor.sign_in("alice@saywhen.example")
    assert visit(visitor, *CUSTOMERS) == {}
    visitor.go("/account/orders/")
    order = str(visitor.page.locator("main a[href^='/orders/']").first.get_attribute("href"))
    assert visit(visitor, order) == {}
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
    assert switch["y"] < 2 * 844
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height < 4300, height  # a switch takes about 100


def test_forgotten_purchases_and_taking_that_back_are_no_wider_than_the_narrowest_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    page = visitor.sign_in("alice@saywhen.example").go("/account/preferences/").page
    page.locator("#switch-recommend_from_purchases summary").first.click()
    notice = page.locator("#held-recommend_from_purchases")
    notice.locator("summary").filter(has_text=FORGETS).click()
    assert not overflowing(page)
    notice.get_by_role("button", name="Yes, forget it").click()
    undo = notice.get_by_role("button", name="Undo")
    undo.wait_for()
    assert not overflowing(page)
    page.reload()
    page.locator("#switch-recommend_from_purchases summary").first.click()
    assert undo.is_visible()
    assert not overflowing(page)
    undo.click()
    undo.wait_for(state="detached")
    assert not overflowing(page)


def test_without_javascript_the_notice_of_forgotten_purchases_is_no_wider_than_the_narrowest_phone(
    shop: Shop, chromium: Browser
) -> None:
    screen = {"width": 320, "height": 640}
    with Visitor.coming_to(shop, chromium, java_script_enabled=False, viewport=screen) as visitor:
        page = visitor.sign_in("alice@saywhen.example").go("/account/preferences/").page
        for press in (FORGETS, "Undo"):
            page.locator("#switch-recommend_from_purchases summary").first.click()
            notice = page.locator("#held-recommend_from_purchases")
            if press == FORGETS:
                notice.locator("summary").filter(has_text=FORGETS).click()
            notice.get_by_role("button", name="Yes, forget it" if press == FORGETS else "Undo").click()
            page.locator(".messages").first.wait_for()
            assert not overflowing(page)


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
