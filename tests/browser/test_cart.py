"""The cart in Chromium: what is changed in place leaves the page as a fresh look would have it."""

from playwright.sync_api import expect

from tests.browser.visitor import Visitor


def main_of(visitor: Visitor) -> str:
    """The words of the page, without what the shop has to say about the last step."""
    return visitor.page.evaluate(
        "[...document.querySelectorAll('#cart h1, #cart li, #cart dl, #cart .summary p, #cart > section h2')]"
        ".map(each => each.innerText).join('\\n') + document.querySelector('#doors').innerText"
    )


def looks_fresh(visitor: Visitor) -> bool:
    screen = main_of(visitor)
    visitor.go("/cart/")
    return screen == main_of(visitor)


def test_a_cart_changed_in_place_shows_what_a_fresh_look_shows(visitor: Visitor) -> None:
    slugs = []
    for path in ("/category/table/", "/category/footwear/"):
        visitor.go(path)
        slugs.append(visitor.page.locator(".card a").first.get_attribute("href"))
    for path in slugs:
        visitor.go(path).press("Add to cart")
    shelf = visitor.page.get_by_role("region", name="Goes with what is in it")
    lines = visitor.page.locator("#cart .line")
    expect(lines).to_have_count(2)
    expect(shelf).to_be_visible()

    lines.first.get_by_role("checkbox").check()
    expect(visitor.page.get_by_label("A note to go in with the gift")).to_be_visible()
    assert looks_fresh(visitor)

    lines.first.get_by_role("button", name="Remove").click()
    expect(lines).to_have_count(1)
    visitor.press("Undo")
    expect(lines).to_have_count(2)
    assert looks_fresh(visitor)

    count = lines.last.get_by_role("spinbutton")
    count.focus()
    for _ in range(3):
        visitor.page.keyboard.press("ArrowUp")
    expect(visitor.page.locator("#doors .count")).to_contain_text("5")
    assert looks_fresh(visitor)

    for left in (1, 0):
        lines.first.get_by_role("button", name="Remove").click()
        expect(lines).to_have_count(left)
    expect(shelf).to_have_count(0)
    expect(visitor.page.get_by_role("heading", name="Nothing in your cart yet")).to_be_visible()
    assert looks_fresh(visitor)


def test_a_question_stays_while_the_cart_is_changed_and_is_not_put_again(visitor: Visitor) -> None:
    visitor.sign_in("bob@saywhen.example")
    visitor.put_in_cart("pint-mug")
    question = visitor.page.locator("section.ask")
    expect(question).to_be_visible()
    visitor.page.locator("#cart .line").first.get_by_role("checkbox").check()
    expect(visitor.page.get_by_label("A note to go in with the gift")).to_be_visible()
    expect(question).to_be_visible()
    visitor.go("/cart/")
    expect(question).to_have_count(0)
    visitor.press("Remove Pint mug, Oatmeal")
