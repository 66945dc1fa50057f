"""A step taken by mistake is taken back: one at a time, the last first, until the parcel has left.

The event stays in the order's history, and what took it back beside it; the customer's timeline no longer claims the
step. Mail about it that has not gone yet falls at the gate; what has gone is not unsaid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from orders import events, stages, status
from orders.fulfilment import dividing
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, PackingScan, Shipment

Stage = Shipment.Stage
Kind = OrderEvent.Kind
IN_THE_HOUSE = [row for row in stages.EVERY_STAGE if not row.has_left]
STEP_KINDS = {row.event for row in IN_THE_HOUSE}
# where a parcel stands again, and which events no longer hold
BACK_TO = {
    Stage.PICKING: (Stage.WAITING, (Kind.PICKING,)),
    Stage.PICKED: (Stage.WAITING, (Kind.PICKED, Kind.PICKING)),
    Stage.PACKED: (Stage.PICKED, (Kind.PACKED,)),
    Stage.READY: (Stage.PACKED, (Kind.READY,)),
}


@dataclass(frozen=True)
class LastStep:
    """The step that would be taken back: its event, and its name for staff."""

    event: OrderEvent
    name: str


def keep_standing_events(happened: Iterable[OrderEvent]) -> list[OrderEvent]:
    """The events of one order, oldest first, without those that were taken back and what took them back."""
    standing: list[OrderEvent] = []
    for event in happened:
        if event.kind == Kind.TAKEN_BACK:
            undone = set(event.data.get("undone", ()))
            standing = [each for each in standing if each.kind not in undone or each.shipment_id != event.shipment_id]
        else:
            standing.append(event)
    return standing


def find_last_step(order: Order) -> LastStep | None:
    """None where nothing can be taken back: not approved, called off, or the parcel of the last step has left.

    For a page, prefetch `events`, `shipments` and what is in them.
    """
    if order.status != Order.Status.CONFIRMED:
        return None
    parcels = {parcel.pk: parcel for parcel in order.shipments.all() if parcel.stage not in stages.OFF_THE_ROAD}
    for event in reversed(keep_standing_events(sorted(order.events.all(), key=lambda each: each.pk))):
        if name := _name_step(event, parcels):
            return LastStep(event, name)
    return None


def _name_step(event: OrderEvent, parcels: Mapping[int, Shipment]) -> str:
    """Empty where it is no step, or cannot be taken back. `parcels`: those that stand, by key."""
    parcel = parcels.get(event.shipment_id or 0)
    if event.kind == Kind.APPROVED and all(each.stage == Stage.WAITING for each in parcels.values()):
        return stages.ROAD[0].done
    if event.kind == Kind.DIVIDED and dividing.may_put_back(event, parcels):
        return str(Kind.DIVIDED.label)
    if event.kind in STEP_KINDS and parcel is not None and parcel.stage in BACK_TO:
        return stages.get_stage(parcel.stage).done
    return ""


@transaction.atomic
def take_back_step(order_id: int, *, actor: str, seen: int) -> LastStep:
    """`seen`: the key of the event that whoever takes it back was shown; refused when it is not the last any more."""
    order = lock_order(order_id)
    list(order.shipments.select_for_update().order_by("pk"))
    last = find_last_step(order)
    if last is None:
        raise TransitionRefused(_explain_nothing_to_take_back(order))
    if last.event.pk != seen:
        raise TransitionRefused(f"{order.number} has moved meanwhile. Look again.")
    undone = _undo(order, last.event)
    events.record_order_event(
        order, Kind.TAKEN_BACK, shipment=last.event.shipment, actor=actor, undone=undone, reason=last.name
    )
    status.recalculate(order)
    return last


def _undo(order: Order, event: OrderEvent) -> list[str]:
    if event.kind == Kind.APPROVED:
        return _take_back_approval(order)
    if event.kind == Kind.DIVIDED:
        return dividing.put_back(event)
    return take_back_stage(order.shipments.get(pk=event.shipment_id or 0))


def _take_back_approval(order: Order) -> list[str]:
    """Its parcels are no more; approving again makes new ones. The goods stay promised."""
    order.shipments.filter(stage=Stage.WAITING).update(stage=Stage.CANCELLED)
    order.approved_at = None
    order.save(update_fields=["approved_at"])
    return [Kind.APPROVED.value]


def take_back_stage(shipment: Shipment) -> list[str]:
    """What was typed and scanned for the step goes with it. The caller holds the order's lock and records the event.

    Gives the events that no longer hold.
    """
    stage, undone = BACK_TO[Stage(shipment.stage)]
    was_ready, shipment.stage, shipment.ready_at = shipment.stage == Stage.READY, stage, None
    if was_ready:
        shipment.save(update_fields=["stage", "ready_at"])
        return [kind.value for kind in undone]
    shipment.packing_note = shipment.packed_by = ""
    shipment.weight_grams, shipment.box_count = None, 1
    shipment.packer = shipment.packing_begun_at = None
    shipment.save()
    PackingScan.objects.filter(shipment_line__shipment=shipment).delete()
    return [kind.value for kind in undone]


def _explain_nothing_to_take_back(order: Order) -> str:
    if order.status == Order.Status.CANCELLED:
        return f"{order.number} was cancelled; that is not taken back."
    if order.approved_at is None:
        return f"{order.number} is not approved: there is no step to take back."
    return f"{order.number} has left; no step of it can be taken back."
