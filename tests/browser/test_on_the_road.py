"""What a carrier scans of a parcel, to the door or back to us, as a guest, a customer and staff each read it."""

import time

import pytest

from orders import stages
from orders.models import Shipment
from orders.stages import ParcelStage
from shop.local.carrier import life
from tests.browser.telephone import check_on_telephone
from tests.browser.test_buying import look_up, sign_up, take
from tests.browser.test_calling_off import buy, read_badge
from tests.browser.visitor import Visitor, find_named
from tests.journeys.walks import steps_between

Stage = Shipment.Stage
FOLLOW = "Follow it at the carrier"
NOT_HERE = "It did not come"
NO_DAY = "No day is known at the moment."
Scan = tuple[str, str, str, str]
Road = tuple[tuple[Shipment.Stage, Scan | None, str], ...]
# What is scanned, or else said by staff, and what its buyer reads then and not before.
TO_THE_DOOR: Road = (
    (Stage.IN_TRANSIT, life.COLLECTED, "Portsmouth, GB. It is on its way to you."),
    (Stage.OUT_FOR_DELIVERY, life.ON_THE_VAN, "Out for delivery"),
    (Stage.FAILED_ATTEMPT, life.TRIED, "The carrier tried to deliver it"),
    (Stage.DELIVERED, life.HANDED_OVER, NOT_HERE),
)
AND_BACK: Road = (
    (Stage.IN_TRANSIT, life.SORTED, "Birmingham, GB. It is on its way to you."),
    (Stage.UNDELIVERABLE, life.REFUSED, "The carrier cannot deliver it"),
    (Stage.RETURNED, life.GOING_BACK, "On its way back to us"),
    (Stage.BACK, None, "It came back to us."),
)
NUMBERS = {"there": ("RA100000017GB", "RA100000025GB"), "back": ("RA100000034GB", "RA100000048GB")}


def hand_over(staff: Visitor, order: str, tracking_number: str) -> None:
    """To the carrier, which scans it only as it is told to."""
    staff.shop.steer_carrier("parcels", number=tracking_number, life="by_hand")
    look_up(staff, order)
    for step in steps_between("Approve", "Mark packed"):
        take(staff, step)
    staff.press("Ship").fill("Tracking number:", tracking_number).press("Ship")


def wait_until_read(buyer: Visitor, words: str) -> None:
    """The shop looks through what carriers told every five seconds."""
    deadline = time.monotonic() + 30
    while words not in buyer.words:
        assert time.monotonic() < deadline, f"{words!r} does not come: {buyer.words}"
        buyer.page.wait_for_timeout(300)
        buyer.page.reload()


def move(staff: Visitor, order: str, tracking_number: str, row: ParcelStage, scanned: Scan | None) -> None:
    if scanned:
        staff.shop.steer_carrier("scan", number=tracking_number, step=scanned)
    else:
        look_up(staff, order)
        staff.press(row.button.label)


def check_buyer(buyer: Visitor, row: ParcelStage, words: str) -> None:
    wait_until_read(buyer, words)
    assert read_badge(buyer) == row.progress.words
    assert row.advice in buyer.words
    assert (NO_DAY in buyer.words) == (row.progress in (stages.HELD_UP, stages.CAME_BACK))
    assert ("With you" in buyer.words) == (row.progress == stages.ON_ITS_WAY)
    assert find_named(buyer.page, "link", FOLLOW).is_visible()
    assert find_named(buyer.page, "button", NOT_HERE).count() == (row.stage == Stage.DELIVERED)


def check_staff(staff: Visitor, order: str, row: ParcelStage, words: str) -> None:
    look_up(staff, order)
    assert f": {Stage(row.stage).label.lower()}" in staff.words.lower()
    assert (row.milestone or words) in staff.words  # what its buyer reads
    in_trouble = staff.go("/admin/orders/order/?queue=trouble").words
    assert (order in in_trouble) == (row.stage in stages.IN_TROUBLE)


@pytest.mark.parametrize(("way", "road"), [("there", TO_THE_DOOR), ("back", AND_BACK)])
def test_each_scan_is_read_by_guest_customer_and_staff(
    visitor: Visitor, reader: Visitor, staff: Visitor, way: str, road: Road
) -> None:
    email = f"cora.{way}@example.com"
    sign_up(reader, email)
    customer_order = buy(reader, email, "pint-mug")
    guest_order = buy(visitor, f"gus.{way}@example.com", "hare-mug")
    orders = {guest_order: visitor, customer_order: reader}
    parcels = list(zip(orders, NUMBERS[way], strict=True))
    for order, tracking_number in parcels:
        hand_over(staff, order, tracking_number)
    for stage, scanned, words in road:
        row = stages.get_stage(stage)
        for order, tracking_number in parcels:
            move(staff, order, tracking_number, row, scanned)
        for order, buyer in orders.items():
            check_buyer(buyer, row, words)
            check_staff(staff, order, row, words)
        check_on_telephone(visitor, f"a parcel that is {stage}")
