"""Which buttons a queue and an order's page offer: the next steps, then what else can be done."""

from collections.abc import Iterable, Iterator
from typing import Any

from orders import cancellation, line_change
from orders.admin.by_hand import GIVEN_BACK, MARK_PAID, SEND_AGAIN, is_owed_by_hand
from orders.admin.delay_steps import list_delay_steps
from orders.admin.dividing import DIVIDE
from orders.admin.entered_returns import list_entering_steps
from orders.admin.line_actions import CANCEL_LINES, CHANGE_LINES, REFUND_PARTS
from orders.admin.order_action_forms import CORRECT
from orders.admin.road_steps import PASTE, SETTLE
from orders.admin.sheets import STILL_HERE
from orders.admin.splitting import SEND_HERE, SEND_TOGETHER
from orders.admin.workbench import list_mending_steps
from orders.fulfilment import dividing, queue, rejoining, splitting
from orders.line_cancellation import may_cancel_some
from orders.models import Order, Shipment
from orders.payments.refunds import find_refundable_payment
from orders.stages import (
    CARRIED_STAGES,
    EVERY_STAGE,
    PACKING_SLIPS,
    PICKUP_ROAD,
    ROAD,
    ParcelStage,
    StaffButton,
    find_next_stage,
    get_road,
)

APPROVE, RELEASE = ROAD[0].button, StaffButton("release", "Release")


def list_quick_steps(queue_key: str) -> list[StaffButton]:
    """The buttons above a queue's list."""
    if queue_key in (queue.TO_APPROVE.key, queue.ON_HOLD.key):
        return [APPROVE if queue_key == queue.TO_APPROVE.key else RELEASE]
    own = {queue.NOT_RECEIVED.key: SETTLE, queue.PAYMENT_PROBLEM.key: SEND_AGAIN}
    if queue_key in own:
        return [own[queue_key]]
    here = queue.QUEUES.get(queue_key, queue.BACKORDERED)
    roads = [road for road, is_pickup in ((ROAD, False), (PICKUP_ROAD, True)) if here.is_pickup in (None, is_pickup)]
    following = [step for road in roads for step in _list_steps_from(here.stages, road)]
    sheets = [row.sheet for row in EVERY_STAGE if row.stage in here.stages and row.sheet]
    return list(dict.fromkeys([*following, *sheets]))


def _list_steps_from(stages: Iterable[str], road: Iterable[ParcelStage]) -> list[StaffButton]:
    road = list(road)
    following = (find_next_stage(stage, road) for stage in stages)
    return list(dict.fromkeys(row.button for row in following if row))


def list_next_steps(order: Order, parcels: list[Shipment], stages: list[str], undelivered: set[int]) -> dict[str, Any]:
    """The buttons: the next steps, then what else can be done."""
    settling = [SETTLE] if any(parcel.denied_at for parcel in parcels) else []
    again = [SEND_AGAIN, GIVEN_BACK] if undelivered else []
    following = [*again, *settling, *_list_following_steps(order, stages)]
    return {"following": following, "more": list(_list_other_steps(order, stages))}


def _list_following_steps(order: Order, stages: list[str]) -> list[StaffButton]:
    if order.waits_for_link:
        return [MARK_PAID]
    following = _list_steps_from(stages, get_road(order))
    if queue.find_queue_for_order(order, stages) == queue.TO_APPROVE:
        following = [APPROVE]
    if order.hold:
        following = [RELEASE]
    if order.hold == Order.Hold.REBUILT:
        following = [StaffButton("complete_address", "Type in the address"), *following]
    return following


def _list_other_steps(order: Order, stages: list[str]) -> Iterator[StaffButton]:
    if not CARRIED_STAGES.isdisjoint(stages):
        yield CORRECT.button
        yield PASTE
    yield from list_mending_steps(order)
    if cancellation.may_cancel(order) or order.waits_for_link:
        yield StaffButton("cancel", "Cancel")
    yield from _list_line_steps(order, stages)
    if find_refundable_payment(order)[0]:
        yield StaffButton("refund", "Refund")
        yield REFUND_PARTS
    yield from list_entering_steps(order, order.lines.all(), stages)
    if any(is_owed_by_hand(refund) for payment in order.payments.all() for refund in payment.refunds.all()):
        yield GIVEN_BACK
    if not STILL_HERE.isdisjoint(stages):
        yield StaffButton(PACKING_SLIPS.action, "Packing slip")
    yield from list_delay_steps(order)


def _list_line_steps(order: Order, stages: list[str]) -> Iterator[StaffButton]:
    """What can be done with some of it."""
    if splitting.find_parts(order):
        yield SEND_HERE
    if rejoining.may_rejoin(order):
        yield SEND_TOGETHER
    if dividing.list_divisible_parcels(order.shipments.all(), stages):
        yield DIVIDE
    if may_cancel_some(order, order.lines.all()):
        yield CANCEL_LINES
    has_invoice = bool(order.invoices_issued)  # type: ignore[attr-defined]
    if line_change.may_change_lines(order, order.lines.all(), has_invoice=has_invoice):
        yield CHANGE_LINES
