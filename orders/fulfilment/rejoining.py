"""A division taken back by staff: both parts are one parcel again, by the later day, while neither is begun.

What its buyer chose stays, and so does what was told or answered of one part since: that yes is to that part's day, and
what is put together again would have another. The event stays in the order's history, and what took it back beside it.
"""

from collections import defaultdict
from dataclasses import asdict

from django.db import transaction

from orders import events, stages, status
from orders.arrivals import find_last_days
from orders.fulfilment.dividing import merge_parcel
from orders.fulfilment.transitions import TransitionRefused
from orders.fulfilment.undoing import keep_standing_events
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Shipment

Kind, Stage = OrderEvent.Kind, Shipment.Stage
ANSWERS = frozenset({Kind.DELAYED, Kind.DELAY_ACCEPTED})  # of one part alone, once it is divided


def may_rejoin(order: Order) -> bool:
    """No query for an order in one parcel. Prefetch `events`, `lines` and `shipments`."""
    return order.ships_as_ready and not find_objection(order)


@transaction.atomic
def rejoin_order(order_id: int, *, actor: str) -> Order:
    """Raises `TransitionRefused`, and then nothing changes. Nobody is mailed, as nobody was when it was divided."""
    order = lock_order(order_id)
    objection = find_objection(order)
    if objection:
        raise TransitionRefused(f"{order.number} {objection}")
    _write_days(order)
    _put_together(order)
    undone, reason = [Kind.SPLIT.value], str(Kind.SPLIT.label)
    events.record_order_event(order, Kind.TAKEN_BACK, actor=actor, undone=undone, reason=reason)
    status.recalculate(order)
    return order


def find_objection(order: Order) -> str:
    """Why it stays in two parcels, as the end of a sentence after its number; empty where it need not.

    Prefetch `events`, `lines` and `shipments`.
    """
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so its parcels stay as they are."
    if order.hold:
        return "is on hold, so its parcels stay as they are for now."
    if not order.ships_as_ready:
        return "goes in one parcel already."
    return _find_objection_of_buyer(order) or _find_objection_of_parcels(order)


def _find_objection_of_buyer(order: Order) -> str:
    happened = keep_standing_events(sorted(order.events.all(), key=lambda each: each.pk))
    divided = next((event for event in reversed(happened) if event.kind == Kind.SPLIT), None)
    if divided is None:
        return "was bought in two parcels, so it goes in two."
    if divided.actor == events.BUYER:
        return "goes in two parcels because its buyer chose that. Write to them, if it must be another way."
    if any(event.pk > divided.pk and event.kind in ANSWERS for event in happened):
        return "goes in two parcels: its buyer was told of the day of one of them since, or has answered."
    return ""


def _find_objection_of_parcels(order: Order) -> str:
    if any(parcel.stage != Stage.WAITING for parcel in _list_parcels(order)):
        return "is being made ready already, so it goes in two parcels."
    if len({line.goes_first for line in order.lines.all() if line.open_quantity}) < 2:
        return "has only one of its two parcels left."
    return ""


def _list_parcels(order: Order) -> list[Shipment]:
    """The oldest first; none before it is approved."""
    live = [parcel for parcel in order.shipments.all() if parcel.stage not in stages.OFF_THE_ROAD]
    return sorted(live, key=lambda parcel: parcel.pk)


def _write_days(order: Order) -> None:
    """No line has days of its own any more; the order's are those of the part that comes last."""
    for name, day in asdict(find_last_days(order)).items():
        setattr(order, name, day)
    order.ships_as_ready = False
    order.save(update_fields=["ships_as_ready", "ships_on", "promised_from_on", "promised_by_on"])
    order.lines.update(
        goes_first=False, ships_on=None, promised_from_on=None, promised_by_on=None, first_promised_by_on=None
    )


def _put_together(order: Order) -> None:
    """What a store sends goes into its older parcel, and what was written there of goods that came with it.

    The other is no more, and keeps the events of steps taken at it: mail about those falls by them.
    """
    by_store: dict[int, list[Shipment]] = defaultdict(list)
    for parcel in _list_parcels(order):
        by_store[parcel.store_id].append(parcel)
    for kept, *others in by_store.values():
        order.events.filter(kind=Kind.GOODS_CAME, shipment__in=others).update(shipment=kept)
        for parcel in others:
            merge_parcel(parcel, kept)
