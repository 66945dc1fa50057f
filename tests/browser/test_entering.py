"""Somebody rings, and staff enter what they want with the keys alone, from the first page to the link to pay."""

import logging
import time

from playwright.sync_api import Page

from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.visitor import ADDRESS, Visitor

logger = logging.getLogger(__name__)
SECONDS_A_KEY = 0.3  # somebody who types forty words a minute
SECONDS_A_LOOK = 3.0  # at a new page
LIMIT_SECONDS = 2 * 60  # for two things, one of them in sizes; nobody wants to be kept waiting on the telephone
MOST_STEPS = 25  # keys that write nothing: Tab, Enter, arrows


class Keyboard:
    """The keys alone, counted. `steps` are those that write nothing."""

    def __init__(self, page: Page) -> None:
        self.page, self.steps, self.letters, self.looks = page, 0, 0, 0

    def tap(self, *keys: str) -> "Keyboard":
        for key in keys:
            self.page.keyboard.press(key)
            self.steps += 1
        return self

    def write(self, words: str) -> "Keyboard":
        self.page.keyboard.type(words)
        self.letters += len(words)
        return self

    def send(self) -> "Keyboard":
        with self.page.expect_navigation():
            self.tap("Enter")
        self.page.wait_for_load_state()
        self.looks += 1
        return self

    def compute_seconds(self) -> float:
        return (self.steps + self.letters) * SECONDS_A_KEY + self.looks * SECONDS_A_LOOK


def read_focus(page: Page) -> str:
    """By its name."""
    name = page.evaluate(
        "(it => (it.ariaLabel || it.labels?.[0]?.innerText || it.innerText).trim())(document.activeElement)"
    )
    return str(name).rstrip(":")


def name_goods(keys: Keyboard) -> None:
    """Two mugs, and slippers whose size is asked about."""
    page = keys.page
    assert read_focus(page) == "SKU or words, line 1"
    keys.write("hare mug").tap("Tab").write("2").send()
    assert read_focus(page) == "SKU or words, line 2"
    assert "This field is required" not in page.locator("body").inner_text()
    keys.write("felt slippers").send()
    assert read_focus(page) == "Which one, line 2"
    keys.tap("ArrowDown", "Tab").write("1").send()
    assert read_focus(page) == "SKU or words, line 3"
    keys.send()
    assert read_focus(page) == "E-mail"


def name_buyer(keys: Keyboard, email: str) -> None:
    """Without the postcode: that is forgotten, and nothing that was typed is lost over it."""
    keys.write(email)
    for _ in range(12):
        keys.tap("Tab")
        if (label := read_focus(keys.page)) == "Postcode":
            break
        keys.write(ADDRESS.get(label, ""))
    keys.send()
    assert read_focus(keys.page) == "Postcode"
    assert keys.page.get_by_label("E-mail").input_value() == email
    keys.write(ADDRESS["Postcode"]).send()


def test_whoever_rings_has_the_link_within_two_minutes_of_keys_alone(staff: Visitor, shop: Shop) -> None:
    email, page = "rin@example.com", staff.page
    staff.go("/admin/")
    began, keys = time.monotonic(), Keyboard(page)
    keys.tap("Tab").tap("Enter", "Tab")
    assert read_focus(page) == "Enter an order"
    keys.send()
    name_goods(keys)
    name_buyer(keys, email)
    assert "2 × Hare mug" in staff.words
    assert read_focus(page) == "Enter the order"
    keys.send()
    took = time.monotonic() - began + keys.compute_seconds()
    assert "Waits for its payment until" in staff.words
    number = page.get_by_role("heading", level=1).inner_text().split()[-1]
    assert f"/orders/{number}/open/" in shop.wait_for_mail(email, holding=f"/orders/{number}/")["text"]
    logger.info("%d steps, %d letters, %d pages, %d s", keys.steps, keys.letters, keys.looks, took)
    assert keys.steps <= MOST_STEPS
    assert took <= LIMIT_SECONDS


def test_the_first_page_leads_staff_to_the_form_on_a_telephone(staff: Visitor) -> None:
    staff.go("/admin/")
    check_on_telephone(staff, "the first page of staff")
    staff.click("Enter an order")
    assert read_focus(staff.page) == "SKU or words, line 1"
