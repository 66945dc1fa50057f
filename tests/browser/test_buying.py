"""Buying as a person with a browser does, by the names of things on the screen alone."""

import time

import pytest
from playwright.sync_api import Browser

from tests.browser.shop_process import Shop
from tests.browser.test_access import check
from tests.browser.visitor import ADDRESS, Visitor, find_named
from tests.journeys.walks import FURTHEST, STAGES

LEAVES, DELIVERED = "Tell me when my order leaves", "Tell me when my order is delivered"


def look_up(staff: Visitor, number: str) -> None:
    staff.go(f"/admin/orders/order/?queue=any&q={number}").click(number)


def take(staff: Visitor, step: str) -> None:
    """The order's next step, with the button that staff find on its page."""
    staff.press(step)
    if step == "Ship":
        staff.page.get_by_label("Tracking number").fill("AB123456789GB")
        staff.press("Ship")


def sign_up(visitor: Visitor, email: str) -> None:
    visitor.go("/").click("Sign in").click("Sign up")
    visitor.fill("E-mail", email).fill("Password", "correct horse battery").press("Sign up")
    letter = visitor.shop.wait_for_mail(email, holding="/accounts/confirm-email/")
    link = next(word.strip("<>") for word in letter["text"].split() if "/accounts/confirm-email/" in word)
    visitor.go(link).press("Confirm")


def test_a_guest_buys_within_a_minute_and_finds_the_receipt(visitor: Visitor, shop: Shop) -> None:
    began = time.monotonic()
    visitor.go("/")
    visitor.page.get_by_label("Search the shop").fill("wool sokcs")
    visitor.page.keyboard.press("Enter")
    visitor.page.locator(".card a").first.click()
    visitor.press("Add to cart")
    visitor.fill_in_checkout("pat@example.com")
    number = visitor.pay()
    assert number in visitor.words
    receipt = shop.wait_for_mail("pat@example.com", "receipt")
    assert time.monotonic() - began < 60
    assert number in receipt["text"]
    link = next(word for word in receipt["text"].split() if f"/orders/{number}/" in word)
    assert "Placed and paid" in visitor.go(link).words
    assert shop.topics("pat@example.com") == ["receipt"]


def test_a_guest_withdraws_by_the_link_in_the_receipt_with_two_clicks_and_nothing_typed(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "wyn@example.com"
    visitor.go("/").page.locator(".card a").first.click()
    visitor.press("Add to cart").fill_in_checkout(email)
    number = visitor.pay()
    receipt = shop.wait_for_mail(email, "receipt")
    link = next(word for word in receipt["text"].split() if f"/orders/{number}/withdrawal/open/" in word)
    visitor.go(link)
    check(visitor.page, "withdrawing")
    visitor.press("Confirm withdrawal")
    assert "We received your withdrawal on" in visitor.words
    assert number in shop.wait_for_mail(email, "withdrawal_received")["text"]
    assert "You withdrew" in visitor.go(f"/orders/{number}/").words
    staff.go("/admin/orders/withdrawal/?matter=open")
    assert number in staff.words


def test_sign_up_tick_buy_and_staff_ship_with_exactly_the_ticked_mail(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "ada@example.com"
    sign_up(visitor, email)
    visitor.go("/account/preferences/").tick(LEAVES, DELIVERED)
    visitor.page.get_by_text("Saved. It is on.").nth(1).wait_for()
    visitor.put_in_cart("pint-mug").fill_in_checkout(email)
    assert visitor.is_ticked(LEAVES)
    number = visitor.pay()
    look_up(staff, number)
    for step, now in zip(STAGES, FURTHEST, strict=True):
        take(staff, step)
        visitor.page.reload()
        assert now in visitor.page.locator(".steps li:not([class=''])").last.inner_text()
    assert "AB123456789GB" in visitor.page.content()
    shop.wait_for_mail(email, "order_delivered")
    orders = [mail["topic"] for mail in shop.mails(email) if number in mail["text"] + mail["subject"]]
    assert orders == ["receipt", "order_dispatched", "order_delivered"]

    visitor.go("/account/preferences/")
    for name in (LEAVES, DELIVERED):
        visitor.page.get_by_role("checkbox", name=name, exact=True).uncheck()
    visitor.page.get_by_text("Saved. It is off, at once.").nth(1).wait_for()
    number = visitor.put_in_cart("hare-mug").fill_in_checkout(email).pay()
    look_up(staff, number)
    for step in STAGES:
        take(staff, step)
    shop.wait_until_told()
    orders = [mail["topic"] for mail in shop.mails(email) if number in mail["text"] + mail["subject"]]
    assert orders == ["receipt"]


def test_a_switch_says_that_it_is_saved_and_is_still_on_after_a_reload(visitor: Visitor) -> None:
    sign_up(visitor, "grace@example.com")
    visitor.go("/account/preferences/").tick("The newsletter")
    visitor.page.get_by_text("Saved. It is on.").first.wait_for()
    visitor.page.reload()
    assert visitor.is_ticked("The newsletter")
    assert not visitor.is_ticked(LEAVES)


def test_everything_works_without_javascript(shop: Shop, chromium: Browser) -> None:
    email = "bare@example.com"
    with Visitor.coming_to(shop, chromium, java_script_enabled=False) as visitor:
        sign_up(visitor, email)
        visitor.go("/account/preferences/").tick(LEAVES).press("Save")
        assert visitor.is_ticked(LEAVES)
        visitor.put_in_cart("pint-mug").fill_in_checkout(email)
        number = visitor.pay()
        assert number in visitor.words
    shop.wait_for_mail(email, "receipt")


def test_the_keyboard_alone_is_enough_to_buy(visitor: Visitor, shop: Shop) -> None:
    page = visitor.go("/product/pint-mug/").page
    to(page, "button", "Add to cart")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart/**")
    to(page, "button", "Check out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout/**")
    for label, value in {"E-mail": "keys@example.com", **ADDRESS}.items():
        to(page, "textbox", label)
        page.keyboard.type(value)
    to(page, "button", "Continue to payment")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{shop.origins[1]}/**")
    to(page, "button", "Pay")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{shop.url}/orders/**")
    shop.wait_for_mail("keys@example.com", "receipt")


def to(page, role: str, name: str) -> None:
    """Tab by tab, as far as it takes; the thing reached must show that it has the focus."""
    wanted = find_named(page, role, name)
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            ring = wanted.evaluate("element => getComputedStyle(element).outlineStyle")
            assert ring != "none", f"{name} does not show the focus"
            return
    pytest.fail(f"The keyboard never gets to {role} {name!r} on {page.url}")
