"""The back office in Chromium: the browser complains of nothing, and everybody can read and reach everything."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from orders.fulfilment import transitions
from orders.models import InfoPage, Order, Shipment
from orders.papers.issuing import INVOICES
from tests import builders
from tests.backoffice.steps import IN_THE_HOUSE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

DESK, TELEPHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LIST = "/admin/orders/order/"
# what Django's own pages bring along and we do not lay over: landmarks round the admin's header and filter
NOT_OURS = {"region", "landmark-unique", "landmark-one-main", "page-has-heading-one", "heading-order"}


def press(page: Page, name: str) -> None:
    """Until the next page is there: one opened before would show what was so before the step."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def choose_all(page: Page, queue: str) -> None:
    page.goto(f"{LIST}?queue={queue}")
    for box in page.locator("input.action-select").all():
        box.check()


def check_readable(page: Page) -> None:
    """Nothing for axe to complain of, and nothing beyond the edge of the screen."""
    page.wait_for_load_state()
    page.locator("#footer").wait_for(state="attached")  # the last thing on each page
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    ours = [f"{found['id']}: {found['nodes'][0]['html']}" for found in violations if found["id"] not in NOT_OURS]
    assert ours == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_links_in_the_words_of_the_first_page_are_told_from_them_without_colour(open_page) -> None:
    page = open_page(viewport=DESK)
    InfoPage.objects.create(slug="repairs", title="Repairs", is_published=True)
    with INVOICES.attempt(builders.placed_order().pk, subject="An invoice"):
        raise ValueError("It is stuck.")
    page.goto("/admin/")
    for heading in ("Still to be written", "Stuck"):
        page.get_by_role("heading", name=heading).wait_for()
    check_readable(page)


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESK, "light"), pytest.param(TELEPHONE, "dark", marks=pytest.mark.soak)]
)
def test_a_shift_from_the_first_page_to_the_truck(open_page, viewport, scheme) -> None:
    page = open_page(viewport=viewport, color_scheme=scheme)
    variant = builders.variant(on_hand=20)
    orders = [builders.placed_order(variant) for _ in range(3)]
    page.goto("/admin/")
    check_readable(page)
    page.get_by_role("link", name="3 To approve").click()
    page.wait_for_url("**/?queue=approve")
    check_readable(page)
    to_the_bench = [row for row in IN_THE_HOUSE if row.stage != Shipment.Stage.PACKED]
    for queue, row in zip(["approve", *(row.queue[0] for row in to_the_bench)], to_the_bench, strict=False):
        choose_all(page, queue)
        press(page, row.button.label)
        assert "3 orders" in page.locator(".messagelist").inner_text() or orders[0].number in page.content()

    page.goto(f"{LIST}?queue={to_the_bench[-1].queue[0]}")
    page.get_by_role("link", name=orders[0].number).click()
    page.wait_for_url(re.compile("/change/"))
    check_readable(page)
    page.get_by_label("A note to the customer").fill("Enjoy the first cup.")
    press(page, "Mark packed")
    press(page, "Ship")
    assert page.evaluate("document.activeElement.name").endswith("tracking_number")
    check_readable(page)
    press(page, "Ship")  # without a number: it says so and asks again
    page.get_by_label("Carrier").select_option(label="DPD")
    page.get_by_label("Tracking number").fill("15501234567890")
    press(page, "Ship")
    assert orders[0].number in page.get_by_role("heading", level=1).inner_text()
    check_readable(page)

    choose_all(page, to_the_bench[-1].queue[0])
    press(page, "Mark packed")
    choose_all(page, "ship")
    press(page, "Ship")
    check_readable(page)
    for number, field in enumerate(page.locator("input[name$=tracking_number]").all()):
        field.fill(f"1550123456{number:04}")
    press(page, "Ship")  # without a carrier: it says so and asks again
    for field in page.locator("select[name$=carrier]").all():
        field.select_option(label="UPS")
    press(page, "Ship")
    check_readable(page)
    press(page, "Ship anyway")
    assert set(Shipment.objects.values_list("stage", flat=True)) == {Shipment.Stage.DISPATCHED}


def test_cancel_and_refund_ask_before_they_act_and_the_other_rooms_can_be_read(open_page) -> None:
    page = open_page(viewport=TELEPHONE, color_scheme="light")
    builders.shipping_method()
    order = builders.placed_order(customer=builders.customer())
    transitions.approve_order(order.pk, actor="Sam")
    for button, field in [("Cancel", "reason"), ("Refund", "amount")]:
        page.goto(f"{LIST}{order.pk}/change/")
        press(page, button)
        assert page.evaluate("document.activeElement.name") == field
        check_readable(page)
        page.get_by_role("link", name="Back, change nothing").click()
        page.wait_for_url(f"**/{order.pk}/change/")
    assert Order.objects.get().status == "confirmed"
    for path in ["accounts/customer/", "accounts/user/", "orders/shippingmethod/", "orders/payment/"]:
        page.goto(f"/admin/{path}")
        check_readable(page)
