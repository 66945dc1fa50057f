"""A shift in the back office: orders moved by the buttons of their pages and by the list's actions."""

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Order, Shipment
from tests import builders, cast

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_order_changelist")
Stage = Shipment.Stage


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def take(client: Client, action: str, *orders: Order, **fields: str):
    """Takes a step as the list does, and follows to the page that says what came of it."""
    chosen = {"action": action, "_selected_action": [order.pk for order in orders]}
    return client.post(f"{LIST}?queue=any", chosen | fields, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def stages(*orders: Order) -> list[str]:
    return list(Shipment.objects.filter(order__in=orders).values_list("stage", flat=True))


def test_an_order_goes_from_paid_to_the_doorstep_by_the_buttons(staff: Client) -> None:
    order = builders.placed_order()
    for action, stage in [
        ("approve", Stage.WAITING),
        ("start_picking", Stage.PICKING),
        ("mark_picked", Stage.PICKED),
        ("mark_packed", Stage.PACKED),
    ]:
        take(staff, action, order)
        assert stages(order) == [stage]
    parcel = order.shipments.get()
    take(staff, "ship", order, confirm="1", **{f"{parcel.pk}-carrier": "dpd", f"{parcel.pk}-tracking_number": "155"})
    take(staff, "mark_delivered", order)
    order.refresh_from_db()
    assert order.status == Order.Status.COMPLETED
    assert staff.get(page_of(order)).status_code == 200
