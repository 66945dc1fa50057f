"""Twenty orders from paid to the truck in Chromium, by keyboard and scanner alone, at a person’s pace."""

import logging
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from orders.models import Shipment
from tests import builders
from tests.backoffice.steps import dpd_number
from tests.backoffice.test_in_browser import DESK

pytestmark = [
    pytest.mark.browser,
    pytest.mark.soak,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

logger = logging.getLogger(__name__)
ORDERS = 20
REACH_SECONDS = 1.5  # for a thing, from its scan to the next
LOOK_SECONDS = 2.0  # at a new page
LIMIT_SECONDS = 5 * 60
MOST_TABS = 250


def press_on(page: Page, wanted: Locator, key: str) -> None:
    """Goes there by Tab and presses a key, as somebody without a mouse does."""
    handle = wanted.element_handle()
    for _ in range(MOST_TABS):
        if page.evaluate("wanted => document.activeElement === wanted", handle):
            page.keyboard.press(key)
            return
        page.keyboard.press("Tab")
    raise AssertionError("No Tab leads there")


def take_all(page: Page, queue: str, button: str) -> None:
    page.goto(f"/admin/orders/order/?queue={queue}")
    time.sleep(LOOK_SECONDS)
    press_on(page, page.locator("#action-toggle"), "Space")
    press_on(page, page.get_by_role("button", name=button, exact=True), "Enter")
    page.get_by_text(f"{ORDERS} orders").first.wait_for()


def scan(page: Page, code: str) -> None:
    time.sleep(REACH_SECONDS)
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def pack_parcel(page: Page) -> None:
    """Scans whatever the page says is missing, then closes it."""
    time.sleep(LOOK_SECONDS)
    for row in page.locator(".packing tbody tr").all():
        sku, count = row.locator("td").nth(2).inner_text(), row.locator("strong").inner_text()
        for _ in range(int(count.split()[-1])):
            scan(page, sku)
            expect(page.locator("#packing-said")).to_contain_text(" of ")
    expect(page.get_by_text("Everything is in.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything is in.")).to_have_count(0)


def test_twenty_orders_leave_in_under_five_minutes_by_keyboard(open_page):
    goods = [builders.variant(on_hand=100) for _ in range(5)]
    orders = [
        builders.placed_order(goods[n % 5], goods[(n + 1) % 5], quantity=n % 2 + 1, carrier="dpd")
        for n in range(ORDERS)
    ]
    page = open_page(viewport=DESK)
    page.goto("/admin/")
    began = time.monotonic()
    take_all(page, "approve", "Approve")
    take_all(page, "pick", "Start picking")
    take_all(page, "picking", "Mark picked")
    page.goto("/admin/orders/order/packing/")
    page.keyboard.press("Enter")
    for _ in range(ORDERS):
        pack_parcel(page)
    expect(page.get_by_text("Nothing else waits to be packed.")).to_be_visible()
    page.goto("/admin/orders/order/tracking/")
    time.sleep(LOOK_SECONDS)
    lines = "\n".join(f"{each.number}\t{dpd_number(each.shipments.get().pk)}" for each in orders)
    page.keyboard.insert_text(lines)  # pasted from the carrier's own page
    press_on(page, page.get_by_role("button", name="Look at them first"), "Enter")
    page.get_by_text(f"{ORDERS} of {ORDERS}").wait_for()
    time.sleep(LOOK_SECONDS)
    page.keyboard.press("Enter")
    page.get_by_text(f"Shipped: {ORDERS} parcels.").wait_for()
    took = time.monotonic() - began
    logger.info("%d orders in %d s", ORDERS, took)
    assert set(Shipment.objects.values_list("stage", flat=True)) == {"dispatched"}
    assert took < LIMIT_SECONDS
