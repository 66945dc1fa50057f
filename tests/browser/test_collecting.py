"""Collected in a store: chosen at the checkout, made ready, handed over by its code, as buyer and staff see it."""

from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.test_buying import look_up
from tests.browser.visitor import Visitor
from tests.journeys.walks import STAGES

COLLECT = "Collect at Harbour Row"
WRONG = "AAAAAA"
READY = "Tell me when my order is ready to collect"
LEAVES = "Tell me when my order leaves"


def test_a_guest_has_it_put_aside_in_the_store_and_gets_it_for_the_code(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "col@example.com"
    visitor.put_in_cart("pint-mug").click("Cart").press("Check out")
    page = visitor.fill("E-mail", email).fill("Full name", "Col Walker").page
    page.get_by_role("heading", name="Where it goes").wait_for()
    page.get_by_label(LEAVES).wait_for()
    page.get_by_label(READY).wait_for(state="hidden")
    page.get_by_role("radio", name=COLLECT).check()
    page.get_by_role("heading", name="Who comes for it").wait_for()
    page.get_by_label(LEAVES).wait_for(state="hidden")
    page.get_by_label("Address", exact=True).wait_for(state="hidden")  # nothing of a door is asked
    page.locator("#summary").get_by_text(COLLECT).wait_for()
    check_on_telephone(visitor, "checkout, collected")
    visitor.tick(READY)
    number = visitor.pay()
    code = page.locator("#collect ~ p .number").inner_text()
    assert "You collect it" in visitor.words
    check_on_telephone(visitor, "an order to collect")

    look_up(staff, number)
    assert code not in staff.page.content()
    for step in (*STAGES[: STAGES.index("Ship")], "Ready to collect"):
        staff.press(step)
    page.reload()
    assert "Ready to collect" in page.locator(".head .badge").inner_text()
    shop.wait_for_mail(email, "order_ready", holding=number)

    staff.press("Hand over").fill("Code:", WRONG).press("Hand over")
    assert "that is not its code" in staff.words
    page.reload()
    assert "Ready to collect" in visitor.words
    look_up(staff, number)
    staff.press("Hand over")
    check_on_telephone(staff, "asking for the code")
    staff.fill("Code:", code.lower()).press("Hand over")
    assert f"Handed over: {number}." in staff.words
    page.reload()
    assert page.locator(".head .badge").inner_text() == "Collected"
    assert code not in visitor.words
    check_on_telephone(visitor, "an order that was collected")
