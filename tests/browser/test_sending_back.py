"""Sent back, as both sides see it: what buyers press and read, what staff do at the table, step by step."""

import io

from PIL import Image
from playwright.sync_api import expect

from orders.models import ReturnAuthorization
from orders.returns.return_wording import COMING_WORDS, SETTLED_WORDS, TO_PAY_WORDS
from tests.browser.shop_process import Shop
from tests.browser.test_access import check
from tests.browser.test_buying import look_up, sign_up, take
from tests.browser.visitor import Visitor, find_named
from tests.journeys.walks import STAGES

Wanted = ReturnAuthorization.Wanted
NEWS = "Tell me how a return goes"
CHIPPED = "One of the two has a chip, see the picture."


def draw_picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), "#7a5230").save(drawn, "JPEG")
    return drawn.getvalue()


def send(staff: Visitor, number: str, *, walk: tuple[str, ...] = STAGES) -> None:
    look_up(staff, number)
    for step in walk:
        take(staff, step)


def see_to(staff: Visitor, rma: str, action: str) -> Visitor:
    """A step from the list of returns, found by the number on the slip."""
    staff.go(f"/admin/orders/returnauthorization/?q={rma}")
    staff.page.locator("input[name=_selected_action]").check()
    staff.page.locator("select[name=action]").select_option(label=action)
    return staff.press("Go")


def read_rma(visitor: Visitor) -> str:
    """The number of the return whose page is open."""
    rma = visitor.path.rstrip("/").split("/")[-1]
    assert rma.startswith("RMA-")
    assert f"Return {rma}" in visitor.words
    return rma


def check_slip(visitor: Visitor, rma: str, *things: str) -> None:
    """The slip names the return and what is in the parcel, and on paper nothing else of the page is left."""
    visitor.click("Slip to print")
    check(visitor.page, "return slip")
    page = visitor.page
    expect(page.get_by_role("img", name=f"{rma} as a QR code")).to_be_visible()
    page.emulate_media(media="print")
    printed = page.locator("body").inner_text()
    assert all(word in printed for word in (rma, *things))
    assert "Back to the return" not in printed
    assert "Search" not in printed
    page.emulate_media(media="screen")
    visitor.click("Back to the return")


def see_on_order(visitor: Visitor, order: str, *words: str) -> None:
    visitor.go(f"/orders/{order}/")
    for each in words:
        assert each in visitor.words, f"{each!r} is not on the order's page: {visitor.words}"


def test_a_guest_sends_two_mugs_back_one_of_them_chipped_and_is_paid_back(
    visitor: Visitor, reader: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "rae@example.com"
    visitor.put_in_cart("pint-mug").put_in_cart("pint-mug").fill_in_checkout(email)
    order = visitor.pay()
    send(staff, order)

    receipt = shop.wait_for_mail(email, "receipt")
    link = next(word for word in receipt["text"].split() if f"/orders/{order}/open/" in word)
    reader.go(link).click("Return or exchange something")
    check(reader.page, "asking for a return")
    reader.page.locator("input[name^=line-]").fill("2")
    reader.page.get_by_label("Why?").select_option(label="Something else")
    reader.page.get_by_role("textbox", name="Anything we should know?").fill(CHIPPED)
    reader.page.get_by_text("Add pictures").click()
    picture = {"name": "chip.jpg", "mimeType": "image/jpeg", "buffer": draw_picture()}
    reader.page.locator("input[type=file]").first.set_input_files(picture)  # type: ignore[arg-type]
    reader.press("Ask for the return")
    rma = read_rma(reader)
    check(reader.page, "a return")
    assert CHIPPED in reader.words
    shown = reader.page.get_by_role("img", name="Your picture 1")
    shown.scroll_into_view_if_needed()
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("picture => picture.naturalWidth") == 640
    check_slip(reader, rma, order, "2 ×")
    see_on_order(reader, order, rma, "You send it back", "With us", COMING_WORDS[Wanted.REFUND])

    see_to(staff, rma, "Received")
    see_on_order(reader, order, "It is here")
    see_to(staff, rma, "Inspect")
    assert CHIPPED in staff.words
    staff.page.locator("input[name^=line-]").fill("1")
    staff.press("Inspect")
    see_on_order(reader, order, "We looked at it")
    staff.page.get_by_role("link", name=rma).click()
    assert "1, 1" in staff.page.locator(".field-shelved").inner_text()
    see_to(staff, rma, "Refund")
    staff.press("Refund")
    see_on_order(reader, order, SETTLED_WORDS[Wanted.REFUND], "refunded")
    assert order in shop.wait_for_mail(email, "order_refunded")["text"]
    shop.wait_until_told()
    assert [topic for topic in shop.topics(email) if topic.startswith("return_")] == []  # no step was ticked


def test_a_customer_who_ticked_the_news_wears_another_size_in_the_end(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "ira@example.com"
    sign_up(visitor, email)
    visitor.go("/account/preferences/").tick(NEWS)
    visitor.page.get_by_text("Saved. It is on.").first.wait_for()
    order = visitor.put_in_cart("everyday-merino-socks").fill_in_checkout(email).pay()
    send(staff, order)

    visitor.go(f"/orders/{order}/").click("Return or exchange something")
    visitor.page.get_by_label("What would you like?").select_option(label="Another size or colour")
    instead = visitor.page.locator("select[name^=instead-]")
    offered = instead.locator("option:not([value=''])").first.inner_text()
    instead.select_option(label=offered)
    visitor.page.get_by_label("Why?").select_option(label="Too small")
    visitor.press("Ask for the return")
    rma = read_rma(visitor)
    check_slip(visitor, rma, order)
    for step in ("Received", "Inspect"):
        see_to(staff, rma, step)
    staff.press("Inspect")
    see_to(staff, rma, "Send the exchange or replacement")
    see_on_order(visitor, order, rma, SETTLED_WORDS[Wanted.EXCHANGE])
    visitor.click("Follow it")
    sent = visitor.path.split("/")[2]
    assert sent != order
    assert offered.rsplit(",", 1)[0] in visitor.words
    send(staff, sent, walk=STAGES[1:])  # it is approved already
    visitor.page.reload()
    assert "Delivered" in visitor.words
    find_named(visitor.page, "link", "Return or exchange something").wait_for()  # it may come back as well
    shop.wait_for_mail(email, "return_settled")
    shop.wait_until_told()
    news = [topic for topic in shop.topics(email) if topic.startswith("return_")]
    assert news == ["return_requested", "return_received", "return_settled"]


def raise_price(staff: Visitor, product: str, sku: str, price: str) -> None:
    staff.go(f"/admin/catalog/product/?q={sku}").click(product)
    row = staff.page.locator("tr.form-row").filter(has=staff.page.locator(f"input[value='{sku}']"))
    row.locator("input[name$=-price]").fill(price)
    staff.press("Save")
    assert "was changed successfully" in staff.words


def test_a_guest_takes_what_costs_more_and_pays_it_by_the_link(
    visitor: Visitor, reader: Visitor, staff: Visitor, shop: Shop
) -> None:
    email = "una@example.com"
    order = visitor.put_in_cart("rag-wool-socks").fill_in_checkout(email).pay()
    send(staff, order)
    raise_price(staff, "Rag wool socks", "TT-RAGWL-13", "16.50")

    visitor.go(f"/orders/{order}/").click("Return or exchange something")
    visitor.page.get_by_label("What would you like?").select_option(label="Another size or colour")
    visitor.page.locator("select[name^=instead-]").select_option(label="size 13, £16.50 (£2.50 more)")
    visitor.page.get_by_label("Why?").select_option(label="Too small")
    visitor.press("Ask for the return")
    rma = read_rma(visitor)
    see_to(staff, rma, "Received")
    staff.go(f"/admin/orders/returnauthorization/?q={rma}")
    assert "(costs more)" in staff.words
    see_to(staff, rma, "Send the exchange or replacement")
    assert "waits for £16.50; a mail has the link. The money for what came goes back." in staff.words

    see_on_order(visitor, order, rma, TO_PAY_WORDS, "You get £14.00 back for what you sent us.")
    letter = shop.wait_for_mail(email, "order_to_pay")["text"]
    assert rma in letter
    reader.go(next(word for word in letter.split() if "/open/" in word))
    sent = reader.pay()
    assert sent != order
    see_on_order(visitor, order, SETTLED_WORDS[Wanted.EXCHANGE], "refunded")
    assert "£14.00" in shop.wait_for_mail(email, "order_refunded")["text"]
    send(staff, sent)
    see_on_order(reader, sent, "Delivered")
