"""A queue's list sends its menu and each of its buttons: the page that asks first asks about what was pressed."""

import re

import pytest

from tests.backoffice.steps import LIST, Stage, order_at, stages

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(admin_client):
    return admin_client


@pytest.mark.parametrize(
    ("menu", "place", "meant"),
    [("", 1, "ship"), ("ship", 0, "ship"), ("cancel", 0, "cancel"), ("cancel", 1, "ship")],
    ids=["the first button", "the menu", "the menu, another step", "a button, though the menu says another"],
)
def test_the_page_that_asks_repeats_what_was_pressed(staff, menu, place, meant):
    orders = [order_at(Stage.PACKED), order_at(Stage.PACKED)]
    queue = staff.get(f"{LIST}?queue=ship")
    steps = re.findall(r'<input\s+type="hidden"\s+name="action"\s+value="(\w+)"', queue.text)
    assert steps == ["ship"]
    sent = {"action": [menu, *steps], "index": str(place), "_selected_action": [order.pk for order in orders]}
    page = staff.post(f"{LIST}?queue=ship", sent)
    assert re.findall(r'name="action" value="(\w*)"', page.text) == [meant]
    assert stages(*orders) == [Stage.PACKED, Stage.PACKED]


@pytest.mark.parametrize("place", ["9", "-1", "x", ""])
def test_a_place_that_no_button_has_changes_nothing(staff, place):
    order = order_at(Stage.PACKED)
    sent = {"action": ["", "ship"], "index": place, "_selected_action": [order.pk]}
    assert staff.post(f"{LIST}?queue=ship", sent).status_code < 500
    assert stages(order) == [Stage.PACKED]
