"""The pages beside the list of orders on which staff work many at once, and the queues that lead to them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, reverse

from orders.addresses.address_change import may_change_address
from orders.admin import bulk_tracking, figures, handover, packing
from orders.admin.address import CHANGE_ADDRESS
from orders.admin.gift_note import CHANGE_NOTE
from orders.admin.taking_back import TAKE_BACK
from orders.fulfilment.undoing import find_last_step
from orders.gift_note import may_change_gift_note
from orders.models import Order, Shipment
from orders.stages import StaffButton, get_stage

Stage = Shipment.Stage


@dataclass(frozen=True)
class QueuePage:
    """A page that a queue leads to."""

    label: str
    url: str


def build_workbench_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    return [
        *packing.build_packing_urls(model_admin),
        bulk_tracking.build_tracking_url(model_admin),
        handover.build_handover_url(model_admin),
        figures.build_figures_url(model_admin),
    ]


def list_queue_pages(request: HttpRequest, queue_key: str) -> list[QueuePage]:
    """For whoever may change orders, as all who work in a queue may; the hand-over list for whoever sees them."""
    may_change = request.user.has_perm("orders.change_order")
    pages = {
        _get_queue_key(Stage.PICKED): [("Pack item by item", packing.TABLE, may_change)],
        _get_queue_key(Stage.PACKED): [
            ("Tracking numbers in bulk", f"admin:{bulk_tracking.PAGE}", may_change),
            ("Hand-over list", f"admin:{handover.PAGE}", True),
        ],
        _get_queue_key(Stage.DISPATCHED): [("Hand-over list", f"admin:{handover.PAGE}", True)],
    }
    return [QueuePage(label, reverse(name)) for label, name, may_open in pages.get(queue_key, ()) if may_open]


def list_mending_steps(order: Order) -> Iterator[StaffButton]:
    """What can be put right of it while it is here. For a page, prefetch `events` and `shipments`."""
    if find_last_step(order):
        yield TAKE_BACK
    if may_change_address(order):
        yield CHANGE_ADDRESS
    if may_change_gift_note(order):
        yield CHANGE_NOTE


def _get_queue_key(stage: Stage) -> str:
    queue = get_stage(stage).queue
    return queue[0] if queue else ""
