"""What staff see to beside the usual road: withdrawals, holds, disputes, and orders that came by telephone."""

from pathlib import Path

from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.test_buying import look_up
from tests.browser.test_calling_off import buy, read_badge
from tests.browser.test_sending_back import send
from tests.browser.visitor import ADDRESS, Visitor


def see_to(staff: Visitor, kind: str, number: str, action: str) -> Visitor:
    """A step from one of the lists of matters, found by its order."""
    staff.go(f"/admin/orders/{kind}/?q={number}")
    staff.page.locator("input[name=_selected_action]").check()
    staff.page.locator("select[name=action]").select_option(label=action)
    return staff.press("Go")


def let_bank_act(visitor: Visitor, number: str, what: str, **given: str) -> None:
    """What the bank does about what was paid for the order, at the stand-in: a warning or a dispute."""
    stripe, steps = visitor.context.request, f"{visitor.shop.origins[1]}/_control/charges"
    charge = stripe.get(steps).json()["charges"][-1]
    assert number in str(charge)
    assert stripe.post(f"{steps}/{charge['id']}/{what}", data=given).ok


def enter_order(staff: Visitor, email: str) -> str:
    """As it comes by telephone, to be paid by link; returns its number."""
    staff.go("/admin/orders/order/?queue=any").click("Enter an order")
    page = staff.page
    page.get_by_label("SKU or words, line 1").fill("hare mug")
    staff.fill("E-mail:", email)
    for label, value in ADDRESS.items():
        staff.fill(f"{label}:", value)
    page.get_by_label("Country").select_option(label="United Kingdom")
    staff.press("Look it up")
    assert "1 × Hare mug" in staff.words
    check_on_telephone(staff, "entering an order")
    staff.press("Enter the order")
    assert "Waits for its payment until" in staff.words
    number = page.get_by_role("heading", level=1).inner_text().split()[-1]
    assert number.startswith("SW-")
    return number


def test_a_withdrawal_is_seen_to_until_the_money_is_back(visitor: Visitor, staff: Visitor, shop: Shop) -> None:
    email = "wil@example.com"
    number = buy(visitor, email, "pint-mug")
    send(staff, number)
    visitor.go(f"/orders/{number}/").click("Withdraw from contract here")
    check_on_telephone(visitor, "withdrawing from an order")
    visitor.press("Confirm withdrawal")
    assert "We received your withdrawal on" in visitor.words
    staff.go("/admin/orders/withdrawal/?matter=open")
    assert number in staff.words
    check_on_telephone(staff, "withdrawals")
    see_to(staff, "withdrawal", number, "Goods are back")
    assert f"Goods noted as back: {number}." in staff.words
    see_to(staff, "withdrawal", number, "Inspect")
    check_on_telephone(staff, "looking at what was withdrawn from")
    staff.press("Inspect")
    see_to(staff, "withdrawal", number, "Refund")
    check_on_telephone(staff, "giving the money of a withdrawal back")
    staff.press("Refund")
    assert f"Refunded: {number}." in staff.words
    assert number not in staff.go("/admin/orders/withdrawal/?matter=open").words
    visitor.go(f"/orders/{number}/")
    visitor.page.get_by_text("Given back", exact=True).wait_for()
    check_on_telephone(visitor, "an order that was withdrawn from")
    shop.wait_for_mail(email, "order_refunded", holding=number)


def wait_until_held(staff: Visitor, number: str, why: str) -> None:
    """Until the shop has heard of it."""
    for _ in range(60):
        look_up(staff, number)
        if why in staff.words:
            return
        staff.page.wait_for_timeout(500)
    raise AssertionError(f"{number} is not held: {staff.words}")


def test_an_order_held_for_a_warning_is_released_and_goes_on(visitor: Visitor, staff: Visitor) -> None:
    number = buy(visitor, "war@example.com", "pint-mug")
    let_bank_act(visitor, number, "warning", fraud_type="misc")
    wait_until_held(staff, number, "this payment may be fraud")
    assert staff.page.get_by_role("button", name="Approve", exact=True).count() == 0
    assert number in staff.go("/admin/orders/order/?queue=held").words
    check_on_telephone(staff, "orders on hold")
    staff.click(number)
    check_on_telephone(staff, "an order on hold")
    staff.press("Release")
    assert number not in staff.go("/admin/orders/order/?queue=held").words
    look_up(staff, number)
    staff.press("Approve")
    visitor.page.reload()
    assert read_badge(visitor) == "Approved"


def test_a_disputes_evidence_is_gathered_to_be_copied(visitor: Visitor, staff: Visitor) -> None:
    number = buy(visitor, "dis@example.com", "pint-mug")
    let_bank_act(visitor, number, "dispute", reason="product_not_received")
    wait_until_held(staff, number, "bank disputes the payment")
    staff.go(f"/admin/orders/striperecord/?matter=disputes&q={number}")
    check_on_telephone(staff, "disputes")
    staff.click("Evidence")
    parts = " ".join(each.input_value() for each in staff.page.locator("textarea.evidence").all())
    assert all(word in parts for word in ("Pint mug", "dis@example.com", ADDRESS["Address"], "Placed and paid"))
    check_on_telephone(staff, "evidence")
    with staff.page.expect_download() as download:
        staff.page.get_by_role("link", name="All of it as a text file").click()
    assert download.value.suggested_filename == f"evidence-{number}.txt"
    assert "Pint mug" in Path(download.value.path()).read_text()


def test_an_order_by_telephone_is_paid_by_its_link(visitor: Visitor, staff: Visitor, shop: Shop) -> None:
    email = "tel@example.com"
    number = enter_order(staff, email)
    letter = shop.wait_for_mail(email, holding=f"/orders/{number}/")
    link = next(word.strip("<>") for word in letter["text"].split() if f"/orders/{number}/open/" in word)
    visitor.go(link)
    assert "nothing is charged before you pay" in visitor.words
    check_on_telephone(visitor, "an order to pay")
    visitor.press("Continue to payment")
    visitor.page.wait_for_url(f"{shop.origins[1]}/**")
    visitor.press("Pay")
    visitor.page.wait_for_url(f"{shop.url}/orders/**")
    visitor.page.get_by_text("Placed and paid").wait_for()
    shop.wait_for_mail(email, "receipt", holding=number)


def test_an_order_paid_at_the_bank_is_marked_paid_by_hand(visitor: Visitor, staff: Visitor, shop: Shop) -> None:
    email = "ban@example.com"
    number = enter_order(staff, email)
    look_up(staff, number)
    staff.press("Mark paid")
    check_on_telephone(staff, "marking as paid")
    staff.fill("How it was paid:", "Transfer, today").press("Mark paid")
    assert f"Paid: {number}." in staff.words
    letter = shop.wait_for_mail(email, "receipt", holding=number)
    link = next(word for word in letter["text"].split() if f"/orders/{number}/open/" in word)
    assert read_badge(visitor.go(link)) == "Placed"
    assert "Transfer" not in visitor.words
