"""One parcel's life in Chromium: staff ship it, its carrier's signed scans move it, and its customer reads each time
where it is, when it comes and what they can do.
"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders.arrivals import format_arrivals
from orders.carrier_directory import build_parcel_url
from orders.carriers.base import CarrierScan
from orders.fulfilment import scans, transitions
from orders.models import Order, Shipment
from tests import builders
from tests.backoffice.test_in_browser import press
from tests.carriers.telling import make_generic, post_generic, scan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

NUMBER = "15501234567890"
LEFT_AGO = timedelta(days=3)
COMES_ON = timezone.localdate() + timedelta(days=2)
NOT_HERE, HERE_AFTER_ALL = "It did not come", "It came after all"
FOLLOW = "Follow it at the carrier"


def packed_parcel() -> Shipment:
    buyer = builders.customer("alice@example.com")
    order = builders.placed_order(customer=buyer, promised_by_on=COMES_ON, ships_on=timezone.localdate())
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    return transitions.mark_shipment_packed(parcel.pk, actor="Sam")


def ship(staff: Page, parcel: Shipment) -> Shipment:
    """As staff do, on the order's page. It counts as having left some days ago, so that scans of those days fit."""
    staff.goto(f"/admin/orders/order/{parcel.order_id}/change/")
    staff.get_by_role("button", name="Ship", exact=True).click()
    staff.get_by_label("Carrier").select_option(label="DPD")
    staff.get_by_label("Tracking number").fill(NUMBER)
    press(staff, "Ship")
    Shipment.objects.filter(pk=parcel.pk).update(dispatched_at=timezone.now() - LEFT_AGO)
    return Shipment.objects.get(pk=parcel.pk)


def post_scan(parcel: Shipment, told: CarrierScan) -> None:
    """The carrier tells of it, signed, and the shop's own job reads what came."""
    answer = post_generic(Client(), make_generic(parcel, told, reference=f"m-{told.meaning}"))
    assert answer.status_code < 300
    assert scans.process_waiting_messages() == 1


def check_page(page: Page, label: str, *words: str, may: str = "") -> None:
    """Badge, sentences, and the one button about the parcel, or none."""
    page.reload()
    expect(page.locator(".head .badge")).to_have_text(label)
    text = " ".join(page.locator("main").inner_text().split())
    for each in words:
        assert each in text, f"{each!r} is not in: {text}"
    for button in (NOT_HERE, HERE_AFTER_ALL):
        expect(page.get_by_role("button", name=button, exact=True)).to_have_count(1 if button == may else 0)


def test_a_parcels_life_as_its_customer_reads_it_stage_by_stage(open_page) -> None:
    parcel = packed_parcel()
    customer = open_page(parcel.order.customer.user, viewport={"width": 390, "height": 844})
    customer.goto(parcel.order.get_absolute_url())
    comes = f"With you {format_arrivals(parcel.order, timezone.localdate())}."
    check_page(customer, "Being made ready", "Packed", comes)
    parcel = ship(open_page(), parcel)
    check_page(customer, "On its way", f"Tracking number {NUMBER}.", comes, "At your door")
    expect(customer.get_by_role("link", name=FOLLOW)).to_have_attribute("href", build_parcel_url("dpd", NUMBER))
    post_scan(parcel, scan("in_transit", parcel, hours=12))
    check_page(customer, "On its way", "In transit", "Leeds. It is on its way to you.", comes)
    post_scan(parcel, scan("out_for_delivery", parcel, hours=36))
    check_page(customer, "On its way", "Out for delivery", comes)
    post_scan(parcel, scan("failed_attempt", parcel, hours=40))
    check_page(
        customer, "Held up on its way", "The carrier tried to deliver it", "The carrier’s page says what happens next."
    )
    expect(customer.get_by_role("link", name=FOLLOW)).to_be_visible()
    assert "With you" not in customer.locator("main").inner_text()  # nobody knows the day any more
    post_scan(parcel, scan("delivered", parcel, hours=60))
    check_page(customer, "Delivered", "At your door", may=NOT_HERE)
    press(customer, NOT_HERE)
    check_page(customer, "You say it did not come", "We are looking for it, and write to you.", may=HERE_AFTER_ALL)
    assert Order.objects.get().has_denied_delivery
