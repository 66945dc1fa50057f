"""An order's story for the person who waits for it: what happened, what comes next, when."""

from dataclasses import dataclass
from datetime import date, datetime

from orders.carriers import tracking_url
from orders.models import Order, OrderEvent, Shipment

Kind = OrderEvent.Kind


@dataclass(frozen=True)
class Step:
    """One line of the story. `at` when it happened; `expected_on` while it has not. `state`: done, now or next."""

    title: str
    state: str
    at: datetime | None = None
    expected_on: date | None = None
    text: str = ""
    link_url: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class Timeline:
    """The story of one parcel; an order in several parcels has one each. `note` is the packer's."""

    title: str
    steps: list[Step]
    note: str = ""
    note_by: str = ""


ROAD: tuple[tuple[OrderEvent.Kind, str], ...] = (
    (Kind.PLACED, "Placed and paid"),
    (Kind.APPROVED, "Approved"),
    (Kind.PICKED, "Picked"),
    (Kind.PACKED, "Packed"),
    (Kind.DISPATCHED, "On the truck"),
    (Kind.DELIVERED, "At your door"),
)


def timelines(order: Order) -> list[Timeline]:
    """Two queries: the order's events and its parcels."""
    happened = list(order.events.all())
    parcels = [parcel for parcel in order.shipments.all() if parcel.stage != Shipment.Stage.CANCELLED]
    if order.status == Order.Status.CANCELLED or len(parcels) < 2:
        return [_timeline(order, happened, parcels[0] if parcels else None, title="")]
    count = len(parcels)
    return [
        _timeline(order, happened, parcel, title=f"Parcel {number} of {count}")
        for number, parcel in enumerate(parcels, start=1)
    ]


def _timeline(order: Order, happened: list[OrderEvent], parcel: Shipment | None, *, title: str) -> Timeline:
    mine = {
        event.kind: event
        for event in happened
        if event.shipment_id is None or (parcel is not None and event.shipment_id == parcel.pk)
    }
    steps = _cancelled_road(mine) if order.status == Order.Status.CANCELLED else _road(order, mine, parcel)
    if Kind.REFUNDED in mine:
        steps.append(Step("Refunded", "done", at=mine[Kind.REFUNDED].created_at, text="To the card you paid with."))
    if parcel is None:
        return Timeline(title, steps)
    return Timeline(title, steps, note=parcel.packing_note, note_by=parcel.packed_by)


def _cancelled_road(mine: dict[str, OrderEvent]) -> list[Step]:
    kinds = [*ROAD, (Kind.CANCELLED, "Cancelled")]
    return [Step(title, "done", at=mine[kind].created_at) for kind, title in kinds if kind in mine]


def _road(order: Order, mine: dict[str, OrderEvent], parcel: Shipment | None) -> list[Step]:
    reached = max((place for place, (kind, _) in enumerate(ROAD) if kind in mine), default=-1)
    last = len(ROAD) - 1
    steps = []
    for place, (kind, title) in enumerate(ROAD):
        is_done = place < reached or (place == reached == last)
        state = "done" if is_done else "now" if place == reached else "next"
        event = mine.get(kind)
        expected = None if place <= reached else _expected(order, kind)
        steps.append(_step(title, state, event, expected, parcel if kind == Kind.DISPATCHED else None))
    return steps


def _step(title: str, state: str, event: OrderEvent | None, expected: date | None, parcel: Shipment | None) -> Step:
    at = event.created_at if event else None
    if event is None or parcel is None or not parcel.tracking_number:
        return Step(title, state, at=at, expected_on=expected)
    return Step(
        title,
        state,
        at=at,
        text=f"Tracking number {parcel.tracking_number}.",
        link_url=tracking_url(parcel.carrier, parcel.tracking_number),
        link_text="Follow it at the carrier",
    )


def _expected(order: Order, kind: OrderEvent.Kind) -> date | None:
    if kind == Kind.DISPATCHED:
        return order.ships_on
    return order.promised_by_on if kind == Kind.DELIVERED else None
