"""Every stage of every road in Chromium: staff take the step, and its customer and a guest read where it is now."""

from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders import stages
from orders.models import Order, Shipment
from orders.models.order import draw_pickup_code
from orders.order_access import build_order_link
from tests import builders
from tests.backoffice.steps import LIST, dpd_number

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

Stage = Shipment.Stage
TO_THE_BENCH = [Stage.WAITING, Stage.PICKING, Stage.PICKED, Stage.PACKED]
TO_THE_DOOR = [
    *(*TO_THE_BENCH, Stage.DISPATCHED, Stage.IN_TRANSIT, Stage.OUT_FOR_DELIVERY, Stage.FAILED_ATTEMPT, Stage.DELIVERED)
]
AND_BACK = [*(*TO_THE_BENCH, Stage.DISPATCHED, Stage.UNDELIVERABLE, Stage.RETURNED, Stage.BACK)]
TO_THE_COUNTER = [*(*TO_THE_BENCH, Stage.READY, Stage.COLLECTED)]
TELEPHONE = {"width": 390, "height": 844}


def test_these_are_all_the_stages_there_are():
    assert {*TO_THE_DOOR, *AND_BACK, *TO_THE_COUNTER} == {row.stage for row in stages.EVERY_STAGE}


def take_step(page: Page, order: Order, row: stages.ParcelStage) -> None:
    """From the list's menu, which has every step, and on through the page that asks for more."""
    page.goto(f"{LIST}?queue=any&q={order.number}")
    page.get_by_role("checkbox", name=f"Choose {order.number}", exact=True).check()
    page.locator("select[name=action]").select_option(value=row.button.action)
    with page.expect_navigation():
        page.get_by_role("button", name="Go", exact=True).click()
    asked = {"tracking_number": dpd_number(order.shipments.get().pk), "code": order.pickup_code}
    fields = [(page.locator(f"input[name$={name}]"), value) for name, value in asked.items()]
    if not any(field.count() for field, _ in fields):
        return
    for field, value in fields:
        if field.count():
            field.fill(value)
    if page.get_by_label("Carrier").count():
        page.get_by_label("Carrier").select_option(label="DPD")
    with page.expect_navigation():
        page.get_by_role("button", name=row.button.label, exact=True).click()


def check_reader(page: Page, row: stages.ParcelStage) -> None:
    """The order's badge, and in its timeline what was done or what goes on meanwhile."""
    page.reload()
    if badge := "Collected" if row.stage == Stage.COLLECTED else row.progress.words:
        expect(page.locator(".head .badge")).to_have_text(badge)
    words = " ".join(page.locator("main").inner_text().split())
    assert (row.milestone or row.meanwhile) in words
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_staff(page: Page, order: Order, row: stages.ParcelStage) -> None:
    page.goto(f"{LIST}{order.pk}/change/")
    words = " ".join(page.locator("#content-main").inner_text().split())
    assert f": {Stage(row.stage).label.lower()}" in words.lower()
    assert (row.milestone or row.meanwhile) in words  # what the customer reads


@pytest.mark.parametrize("way", [TO_THE_DOOR, AND_BACK, TO_THE_COUNTER], ids=["to the door", "and back", "collected"])
def test_every_stage_is_read_by_customer_guest_and_staff(open_page, browser, live_server, way) -> None:
    item, alice = builders.variant(on_hand=9), builders.customer("alice@example.com")
    collected = (
        {"pickup_store": builders.store(), "pickup_code": draw_pickup_code(), "pickup_ready_at": timezone.now()}
        if way is TO_THE_COUNTER
        else {}
    )
    of_customer, of_guest = (
        builders.placed_order(
            item, ships_on=timezone.localdate(), promised_by_on=timezone.localdate(), **who, **collected
        )
        for who in ({"customer": alice}, {"email": "robin@example.com"})
    )
    staff, customer = open_page(), open_page(alice.user, viewport=TELEPHONE)
    guest = browser.new_context(base_url=live_server.url, viewport=TELEPHONE).new_page()
    customer.goto(of_customer.get_absolute_url())
    guest.goto(urlsplit(build_order_link(of_guest)).path)
    expect(guest.get_by_role("heading", level=1)).to_contain_text(of_guest.number)
    for stage in way:
        row = stages.get_stage(stage)
        for order, reader in ((of_customer, customer), (of_guest, guest)):
            take_step(staff, order, row)
            assert order.shipments.get().stage == stage
            check_staff(staff, order, row)
            check_reader(reader, row)
