"""Something is wrong with it: told from the order's page, mended or sent anew, as buyer and staff see it."""

import pytest

from orders.models import ReturnAuthorization
from orders.returns.return_wording import COMING_WORDS, SETTLED_WORDS
from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.test_calling_off import buy
from tests.browser.test_sending_back import read_rma, see_on_order, see_to, send
from tests.browser.visitor import Visitor, find_named
from tests.journeys.walks import STAGES

Wanted = ReturnAuthorization.Wanted
CRACKED = "The handle came off in the first week."


def get_label(visitor: Visitor) -> None:
    """From the page of a return that has not come: asked for, waited for without doing anything, and opened."""
    visitor.press("Get a label")
    assert "We are getting your label" in visitor.words
    label = find_named(visitor.page, "link", "Label to print")
    label.wait_for()
    assert "Royal Mail takes the parcel" in visitor.words
    check_on_telephone(visitor, "a return with its label")
    answer = visitor.context.request.get(f"{visitor.shop.url}{label.get_attribute('href')}")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


@pytest.mark.parametrize("wanted", [Wanted.REPAIR, Wanted.REPLACEMENT])
def test_a_faulty_mug_is_put_right_as_its_buyer_chose(
    visitor: Visitor, staff: Visitor, shop: Shop, wanted: ReturnAuthorization.Wanted
) -> None:
    order = buy(visitor, f"{wanted}@example.com", "pint-mug")
    send(staff, order)
    visitor.go(f"/orders/{order}/").click("Something is wrong with it")
    check_on_telephone(visitor, "something is wrong with it")
    page = visitor.page
    page.locator("input[name^=line-]").fill("1")
    page.get_by_label("What would you like?").select_option(label=wanted.label)
    page.get_by_label("What happened?").select_option(index=1)
    page.get_by_role("textbox", name="In your words").fill(CRACKED)
    visitor.press("Tell us")
    rma = read_rma(visitor)
    assert CRACKED in visitor.words
    assert "It costs you nothing" in visitor.words
    check_on_telephone(visitor, f"a return for {wanted}")
    get_label(visitor)
    see_on_order(visitor, order, rma, "You told us that something is wrong", COMING_WORDS[wanted])

    staff.go("/admin/orders/returnauthorization/?matter=faulty")
    assert rma in staff.words
    check_on_telephone(staff, "what is faulty")
    see_to(staff, rma, "Received")
    see_on_order(visitor, order, "It is here")
    if wanted == Wanted.REPAIR:
        see_to(staff, rma, "Repaired and sent back")
        see_on_order(visitor, order, SETTLED_WORDS[wanted])
        check_on_telephone(visitor, "an order that was repaired")
        return
    see_to(staff, rma, "Inspect")
    staff.page.locator("input[name^=line-]").fill("0")  # nobody else is to have it
    check_on_telephone(staff, "looking at what came back")
    staff.press("Inspect")
    see_to(staff, rma, "Send the exchange or replacement")
    see_on_order(visitor, order, SETTLED_WORDS[wanted])
    visitor.click("Follow it")
    assert visitor.path.split("/")[2] != order
    send(staff, visitor.path.split("/")[2], walk=STAGES[1:])
    visitor.page.reload()
    assert page.locator(".head .badge").inner_text() == "Delivered"
    check_on_telephone(visitor, "a replacement")
