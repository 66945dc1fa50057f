"""The packing table in Chromium: a scanner types and presses Enter; what is wrong is heard and read."""

import pytest
from playwright.sync_api import Page, expect

from orders.models import PackingScan, Shipment
from tests import builders
from tests.backoffice.test_in_browser import DESK, TELEPHONE, check_readable
from tests.orders.packing_table import pick

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

# Counts the beeps that a loudspeaker would make.
LISTEN = """window.beeps = 0;
class Tone {
  frequency = {};
  connect() {}
  start() { window.beeps += 1; }
  stop() {}
}
window.AudioContext = class { createOscillator() { return new Tone(); } };"""


def scan(page: Page, code: str) -> None:
    """As a scanner does, once the page is there: keys into the field that has the focus, and Enter."""
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (TELEPHONE, "dark")])
def test_two_parcels_are_packed_without_touching_the_mouse(open_page, viewport, scheme):
    page = open_page(viewport=viewport, color_scheme=scheme)
    page.add_init_script(LISTEN)
    socks, mug = builders.variant(), builders.variant()
    pick(socks, quantity=2)
    pick(mug)
    page.goto("/admin/orders/order/packing/")
    check_readable(page)
    page.keyboard.press("Enter")  # the button has the focus
    expect(page.get_by_text("0 of 2").first).to_be_visible()
    check_readable(page)
    said = page.locator("#packing-said")
    scan(page, mug.sku)
    expect(said).to_contain_text("Wrong item")
    assert page.evaluate("window.beeps") > 0
    check_readable(page)
    scan(page, socks.sku)
    expect(said).to_contain_text("1 of 2")
    page.reload()
    expect(page.get_by_text("1 of 2").first).to_be_visible()
    scan(page, socks.sku)
    expect(page.get_by_text("Everything is in.")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "code"
    scan(page, socks.sku)
    expect(said).to_contain_text("One too many")
    check_readable(page)
    page.keyboard.press("Enter")
    expect(said).to_contain_text("is packed")
    scan(page, mug.sku)
    expect(page.get_by_text("Everything is in.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing else waits to be packed.")).to_be_visible()
    assert set(Shipment.objects.values_list("stage", flat=True)) == {"packed"}


def test_a_fast_scanner_loses_nothing(open_page):
    page = open_page(viewport=DESK)
    item = builders.variant(on_hand=20)
    pick(item, quantity=8)
    page.goto("/admin/orders/order/packing/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("0 of 8").first).to_be_visible()
    for _ in range(8):
        scan(page, item.sku)
    expect(page.get_by_text("Everything is in.")).to_be_visible()
    assert PackingScan.objects.count() == 8


def test_the_same_without_javascript(open_page):
    page = open_page(viewport=DESK, java_script_enabled=False)
    item = builders.variant()
    pick(item)
    page.goto("/admin/orders/order/packing/")
    page.get_by_role("button", name="Pack the next parcel").click()
    page.get_by_label("Scan a thing").fill(item.sku)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close the parcel").click()
    page.get_by_text("is packed.").wait_for()
    assert Shipment.objects.get().stage == Shipment.Stage.PACKED
