"""What the tests of the back office do again and again: take a step, read what was said."""

import html
import re

from django.test import Client
from django.urls import reverse

from orders.fulfilment import transitions
from orders.models import Order, Shipment
from orders.stages import ROAD, USUAL_ROAD, ParcelStage
from tests import builders

IN_THE_HOUSE = [row for row in ROAD if not row.has_left]
LIST = reverse("admin:orders_order_changelist")
Stage = Shipment.Stage


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def take(client: Client, action: str, *orders: Order, **fields: str):
    """Takes a step as the list does, and follows to the page that says what came of it."""
    chosen = {"action": action, "_selected_action": [order.pk for order in orders]}
    return client.post(f"{LIST}?queue=any", chosen | fields, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def stages(*orders: Order) -> list[str]:
    return list(Shipment.objects.filter(order__in=orders).order_by("pk").values_list("stage", flat=True))


def buttons(response) -> list[str]:
    found = re.findall(r'<button[^>]*class="button[^>]*>([^<]+)</button>', response.text)
    return [html.unescape(name) for name in found]


def order_at(stage: str, *variants, **fields) -> Order:
    """An order whose parcel has come as far as `stage`, by the usual steps there."""
    order = builders.placed_order(*variants, **fields)
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    for row in find_way_to(stage)[1:]:
        label = {"carrier": "dpd", "tracking_number": dpd_number(parcel.pk)} if row.stage == Stage.DISPATCHED else {}
        parcel = getattr(transitions, row.verb)(parcel.pk, actor="Sam", **label)
        assert parcel.stage == row.stage
    return order


def find_way_to(stage: str) -> list[ParcelStage]:
    """The rows from the road's beginning to that stage, each the nearest usual one before the next."""
    way = [next(row for row in ROAD if row.stage == stage)]
    while way[0] is not ROAD[0]:
        before = [row for row in ROAD[: ROAD.index(way[0])] if row.stage in way[0].follows]
        usual = [row for row in before if row in USUAL_ROAD] or before
        way.insert(0, usual[-1])
    return way


def dpd_number(serial: int) -> str:
    """One as DPD gives them, and no other of the tests' parcels has."""
    return f"1550{serial:010}"


def numbers(*orders: Order, carrier: str = "dpd", **more: str) -> dict[str, str]:
    """What the Ship page sends."""
    typed = {"confirm": "1"}
    for order in orders:
        parcel = order.shipments.get().pk
        typed |= {f"{parcel}-carrier": carrier, f"{parcel}-tracking_number": dpd_number(parcel)}
    return typed | more
