"""What is not wanted any more, or comes later than promised: as a buyer decides it on the order's own pages."""

from datetime import UTC, datetime, timedelta

from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.test_buying import look_up, sign_up, take
from tests.browser.visitor import Visitor, find_named
from tests.journeys.walks import STAGES

WHY = "The kiln was cold for a week."
OVER = "Cancelled and refunded"
FOUND = "It was with your neighbour at number 7."


def buy(visitor: Visitor, email: str, *slugs: str) -> str:
    for slug in slugs:
        visitor.put_in_cart(slug)
    return visitor.fill_in_checkout(email).pay()


def read_badge(visitor: Visitor) -> str:
    return visitor.page.locator(".head .badge").inner_text()


def say_late(staff: Visitor, number: str) -> None:
    """Staff name a day a fortnight off."""
    leaves_on = datetime.now(UTC).date() + timedelta(days=14)
    look_up(staff, number)
    staff.press("Say it is late")
    check_on_telephone(staff, "saying that it is late")
    staff.fill("It leaves on:", leaves_on.isoformat()).fill("What you say to the customer:", WHY)
    staff.press("Say it is late")
    assert f"Told that it is late: {number}." in staff.words


def test_a_customer_cancels_one_thing_and_then_all_that_is_left(visitor: Visitor, shop: Shop) -> None:
    email = "kay@example.com"
    sign_up(visitor, email)
    number = buy(visitor, email, "pint-mug", "hare-mug")
    paid = visitor.page.locator("dd.total").first.inner_text()
    visitor.click("Cancel some of it")
    check_on_telephone(visitor, "cancelling some of it")
    visitor.press("See what goes back")
    assert visitor.page.locator(".errorlist").count()  # nothing was named
    visitor.page.locator("input[name^=line-]").first.fill("1")
    visitor.press("See what goes back")
    assert "Is this right?" in visitor.words
    check_on_telephone(visitor, "what goes back")
    visitor.press("Cancel these")
    assert visitor.path == f"/orders/{number}/"
    shop.wait_for_mail(email, holding=number)
    lines = visitor.page.locator("#ordered .line").all_inner_texts()
    assert ["cancelled" in line for line in lines] == [True, False]
    visitor.page.get_by_text("Given back", exact=True).wait_for()

    visitor.page.get_by_text("Changed your mind?").click()
    check_on_telephone(visitor, "an order of which some is cancelled")
    visitor.press("Cancel this order")
    assert read_badge(visitor) == OVER
    assert find_named(visitor.page, "button", "Cancel this order").count() == 0
    back = visitor.page.locator("dl.sums dt:text-is('Given back') + dd").inner_text()
    assert back == f"−{paid}"
    check_on_telephone(visitor, "a cancelled order")


def test_told_of_a_later_day_a_guest_waits_and_later_thinks_better_of_it(
    visitor: Visitor, reader: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "del@example.com"
    number = buy(visitor, email, "pint-mug")
    say_late(staff, number)
    letter = shop.wait_for_mail(email, holding=f"{number}/delay/")
    assert WHY in letter["text"]
    visitor.page.reload()
    assert "Later than we promised. We are sorry." in visitor.words
    check_on_telephone(visitor, "a late order")
    link = next(word.strip("<>") for word in letter["text"].split() if f"{number}/delay/" in word)
    for _ in range(2):  # it may be followed as often as one likes, and says nothing for whoever does
        reader.go(link)
        assert WHY in reader.words
        assert "You said that you wait." not in reader.words
        assert find_named(reader.page, "button", "Cancel and refund").count()
    check_on_telephone(reader, "waiting or cancelling")
    reader.press("Wait")
    visitor.page.reload()
    assert "You said that you wait." in visitor.words
    assert read_badge(visitor) == "Delayed"
    visitor.go(f"/orders/{number}/delay/")
    assert "You said that you wait." in visitor.words
    assert find_named(visitor.page, "button", "Wait").count() == 0
    visitor.press("Cancel and refund")
    assert read_badge(visitor.go(f"/orders/{number}/")) == OVER


def test_a_guest_says_that_it_did_not_come_and_staff_find_it(visitor: Visitor, staff: Visitor, shop: Shop) -> None:
    email = "den@example.com"
    number = buy(visitor, email, "pint-mug")
    look_up(staff, number)
    for step in STAGES:
        take(staff, step)
    visitor.page.reload()
    assert read_badge(visitor) == "Delivered"
    check_on_telephone(visitor, "a delivered order")
    visitor.press("It did not come")
    assert read_badge(visitor) == "You say it did not come"
    assert "We are looking for it, and write to you." in visitor.words
    check_on_telephone(visitor, "an order that did not come")

    staff.go("/admin/orders/order/?queue=denied").click(number)
    staff.press("Settle that it did not come")
    check_on_telephone(staff, "settling that it did not come")
    staff.fill("What came of it:", FOUND).press("Settle that it did not come")
    assert f"Settled: {number}." in staff.words
    visitor.page.reload()
    assert FOUND in visitor.words
    assert "We are looking for it" not in visitor.words
    check_on_telephone(visitor, "an order that was found")


def test_a_guest_has_another_size_until_somebody_picks_it(visitor: Visitor, staff: Visitor, shop: Shop) -> None:
    visitor.go("/product/slipway-plimsoll/")
    chips = visitor.page.locator("label.chip:not(.gone)")
    chips.nth(1).click()
    visitor.press("Add to cart")
    number = visitor.fill_in_checkout("cal@example.com").pay()
    visitor.click("Change a size or colour")
    check_on_telephone(visitor, "another size or colour")
    select = visitor.page.locator("select[name^=line-]")
    [was, wanted] = select.locator("option").all_inner_texts()[:2]
    visitor.press("Change it")
    assert "Everything is as it was." in visitor.words
    select.select_option(label=wanted)
    visitor.press("Change it")
    assert visitor.path == f"/orders/{number}/"
    assert f"{wanted} instead of {was.removesuffix(' (as ordered)')}" in visitor.words
    check_on_telephone(visitor, "an order with another size")

    look_up(staff, number)
    assert wanted in staff.words
    assert find_named(staff.page, "button", "Change a size or colour").count()
    for step in STAGES[:2]:
        take(staff, step)
    assert not find_named(staff.page, "button", "Change a size or colour").count()
    visitor.page.reload()
    assert not find_named(visitor.page, "link", "Change a size or colour").count()
    assert "What is in it stays as it is." in visitor.go(f"/orders/{number}/changed-lines/").words
