"""The preference page by keyboard alone, and without JavaScript: saved at once, said aloud, undone with one press."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.shop_process import Shop
from tests.browser.visitor import Visitor

PAGE = "/account/preferences/"
NEWSLETTER = "The newsletter"


def sign_in(visitor: Visitor) -> Page:
    return visitor.sign_in("bob@saywhen.example").go(PAGE).page


def test_by_keyboard_a_switch_is_saved_said_and_undone_and_the_keyboard_stays_there(visitor: Visitor) -> None:
    page = sign_in(visitor)
    switch = page.get_by_role("checkbox", name=NEWSLETTER)
    switch.focus()
    page.keyboard.press("Space")
    expect(page.locator("#said")).to_have_text(f"{NEWSLETTER}: Saved. It is on.")
    expect(switch).to_be_checked()
    expect(switch).to_be_focused()
    undo = page.get_by_role("button", name=f"Undo “{NEWSLETTER}”")
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(f"{NEWSLETTER}: Undone. It is as it was.")
    expect(switch).not_to_be_checked()
    expect(switch).to_be_focused()


def test_by_keyboard_how_often_and_the_ceiling_are_saved_and_less_often_is_one_press_from_off(visitor: Visitor) -> None:
    page = sign_in(visitor)
    often = page.get_by_label(f"How often “{NEWSLETTER}”")
    often.focus()
    often.select_option(label="Once a month")
    expect(page.locator("#said")).to_have_text(f"{NEWSLETTER}: Saved: once a month.")
    expect(often).to_be_focused()
    page.get_by_role("button", name=f"Undo “{NEWSLETTER}”").click()
    expect(often).to_have_value("as_it_happens")
    ceiling = page.get_by_label("How many in all")
    ceiling.select_option(label="At most 2 a week")
    page.get_by_role("button", name="Undo how many in all").click()
    expect(ceiling).to_have_value("")
    switch = page.get_by_role("checkbox", name=NEWSLETTER)
    for _ in range(2):  # on, and off again
        switch.click()
        page.locator("#switch-newsletter .said").wait_for()
        expect(page.locator("#switch-newsletter .htmx-request")).to_have_count(0)
    page.get_by_role("button", name=f"Once a month “{NEWSLETTER}”").click()
    expect(page.locator("#said")).to_have_text(f"{NEWSLETTER}: Saved. It is on, once a month.")
    expect(switch).to_be_checked()
    page.get_by_role("button", name=f"Undo “{NEWSLETTER}”").click()
    expect(switch).not_to_be_checked()


def test_without_javascript_everything_is_saved_with_the_page_and_undone_with_one_button(
    shop: Shop, chromium: Browser
) -> None:
    with Visitor.coming_to(shop, chromium, java_script_enabled=False) as visitor:
        page = sign_in(visitor)
        page.get_by_role("checkbox", name=NEWSLETTER).check()
        page.get_by_label("How many in all").select_option("3")
        visitor.press("Save")
        expect(page.get_by_role("checkbox", name=NEWSLETTER)).to_be_checked()
        expect(page.get_by_label("How many in all")).to_have_value("3")
        visitor.press("Undo what you have just changed")
        expect(page.get_by_role("checkbox", name=NEWSLETTER)).not_to_be_checked()
        expect(page.get_by_label("How many in all")).to_have_value("")
