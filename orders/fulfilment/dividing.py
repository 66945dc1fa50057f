"""Some pieces of a parcel in a parcel of their own, by staff: not all fits into one box, or a thing shall go alone.

Until it is picked. Both go to the same address and by the same days, nothing is charged, and the goods stay promised as
they are. It is taken back like any step (`orders.fulfilment.undoing`), while neither of the two is begun.
"""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F

from orders import events
from orders.arrivals import PromisedDays, find_parcel_days
from orders.fulfilment import queue
from orders.fulfilment.packing import describe_packer
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_shipment
from orders.models import Order, OrderEvent, OrderLine, Shipment, ShipmentLine
from orders.payments.refund_parts import describe_pieces

Stage = Shipment.Stage
TAKEN_FROM = "taken_from"  # in the data of the event: the key of the parcel that the pieces were in


def list_divisible_parcels(parcels: Iterable[Shipment], standings: Iterable[str]) -> list[Shipment]:
    """`standings`: of each, as `queue.list_standings` has them. No query; prefetch `lines`."""
    pairs = zip(parcels, standings, strict=True)
    waiting = [(parcel, standing) for parcel, standing in pairs if standing == Stage.WAITING]
    return [parcel for parcel, standing in waiting if not find_objection(parcel, standing)]


def find_objection(parcel: Shipment, standing: str) -> str:
    """Why it stays as it is, as the end of a sentence after its order's number; empty where it may be divided."""
    order = parcel.order
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so its parcels stay as they are."
    if order.hold:
        return "is on hold, so its parcels stay as they are for now."
    if order.pickup_store_id:
        return "is collected by its buyer: it lies ready all together."
    if standing == queue.AWAITS_GOODS:
        return "waits for goods that are not here yet. “Send what is here” lets the others go ahead."
    if standing != Stage.WAITING:
        at_it = describe_packer(parcel) or f"it is “{parcel.get_stage_display().lower()}”"
        return f"is begun already, so its parcel stays as it is: {at_it}."
    if count_pieces(parcel) < 2:
        return "has a single thing in its parcel: there is nothing to divide."
    return ""


def count_pieces(parcel: Shipment) -> int:
    """How many pieces are in it. A form shows that and sends it back, so that sent twice it divides once."""
    return sum(row.quantity for row in parcel.lines.all())


@transaction.atomic
def divide_parcel(shipment_id: int, quantities: Mapping[int, int], *, actor: str, seen_count: int) -> Shipment:
    """Puts so many pieces of these order lines, by their keys, into a parcel of their own; gives that.

    `seen_count`: the `count_pieces` that whoever asks was shown. Raises `TransitionRefused`, and then nothing changes.
    """
    parcel = lock_shipment(shipment_id)
    order, rows = parcel.order, list(parcel.lines.select_related("order_line").order_by("pk"))
    wanted = {line_id: count for line_id, count in quantities.items() if count > 0}
    [standing] = queue.list_standings([parcel])
    objection = find_objection(parcel, standing) or _find_objection_to_choice(rows, wanted, seen_count)
    if objection:
        raise TransitionRefused(f"{order.number} {objection}")
    own = Shipment.objects.create(order=order, store_id=parcel.store_id, carrier=parcel.carrier)
    taken = [(row, wanted[row.order_line_id]) for row in rows if row.order_line_id in wanted]
    for row, count in taken:
        _move_pieces(row, count, own)
    what = ", ".join(describe_pieces(row.order_line, count) for row, count in taken)
    told = {TAKEN_FROM: parcel.pk, "what": what, "reason": what}
    events.record_order_event(order, OrderEvent.Kind.DIVIDED, shipment=own, actor=actor, **told)
    return own


def _find_objection_to_choice(rows: list[ShipmentLine], wanted: Mapping[int, int], seen_count: int) -> str:
    inside = {row.order_line_id: row for row in rows}
    if sum(row.quantity for row in rows) != seen_count:
        return "was changed meanwhile. Look again."
    if not wanted:
        return "stays as it is: say what goes in a parcel of its own, at least one thing."
    for line_id, count in wanted.items():
        if line_id not in inside:
            return "has none of that in this parcel. Look again."
        if count > inside[line_id].quantity:
            return f"has {describe_pieces(inside[line_id].order_line, inside[line_id].quantity)} there. Look again."
    if sum(wanted.values()) == seen_count:
        return "would have nothing left in that parcel: leave at least one thing."
    return ""


def _move_pieces(row: ShipmentLine, count: int, own: Shipment) -> None:
    mine = ShipmentLine.objects.filter(pk=row.pk)
    if count == row.quantity:
        mine.update(shipment=own)
        return
    mine.update(quantity=F("quantity") - count)
    ShipmentLine.objects.create(shipment=own, order_line_id=row.order_line_id, quantity=count)


def keep_events_of_parcel(happened: Iterable[OrderEvent], parcel: Shipment | None) -> list[OrderEvent]:
    """Those about the whole order, or this parcel: what was taken out of it among them."""
    own = {None, parcel.pk} if parcel else {None}
    return [event for event in happened if event.shipment_id in own or event.data.get(TAKEN_FROM, 0) in own]


def may_put_back(event: OrderEvent, parcels: Mapping[int, Shipment]) -> bool:
    """Whether what it took out may go back: neither parcel is begun, and both go by the same days still.

    `parcels`: those that stand, by key. No query but for an order in two parcels: prefetch `lines__order_line`.
    """
    pair = [parcels.get(event.shipment_id or 0), parcels.get(event.data[TAKEN_FROM])]
    both = [each for each in pair if each is not None and each.stage == Stage.WAITING]
    return len(both) == 2 and len({_find_days(each) for each in both}) == 1


def _find_days(parcel: Shipment) -> PromisedDays:
    lines: list[OrderLine] = []
    if parcel.order.ships_as_ready:
        lines = [row.order_line for row in parcel.lines.all()]
    return find_parcel_days(parcel.order, lines)


def put_back(event: OrderEvent) -> list[str]:
    """What was taken out is in its parcel again. The caller holds the order's lock and records the event.

    Gives the events that no longer hold.
    """
    own, into = (Shipment.objects.get(pk=pk) for pk in (event.shipment_id or 0, event.data[TAKEN_FROM]))
    merge_parcel(own, into)
    return [OrderEvent.Kind.DIVIDED.value]


def merge_parcel(parcel: Shipment, into: Shipment) -> None:
    """All that is in one goes into the other, where each line stands once, and the first is no more. Under the order's
    lock, while neither is begun.
    """
    there = dict(into.lines.values_list("order_line", "pk"))
    for row in parcel.lines.order_by("pk"):
        if row.order_line_id in there:
            ShipmentLine.objects.filter(pk=there[row.order_line_id]).update(quantity=F("quantity") + row.quantity)
            row.delete()
        else:
            ShipmentLine.objects.filter(pk=row.pk).update(shipment=into)
    Shipment.objects.filter(pk=parcel.pk).update(stage=Stage.CANCELLED)
