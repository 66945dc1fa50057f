"""The road of a parcel, from approved to delivered: one row a stage, and all that the shop knows of it.

Transitions, the staff's queues, buttons, bulk actions and sheets, the customer's timeline and words, the mail that may
go, and the sample store read it here. A stage that the model's choices have and this table has not, or that is half
made, fails a system check (`orders.stage_checks`). How to add one: docs/order-lifecycle.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.consent import purposes
from orders.models import Order, OrderEvent, Shipment

Kind = OrderEvent.Kind
Stage = Shipment.Stage
FulfilmentStatus = Order.FulfilmentStatus


@dataclass(frozen=True)
class OrderProgress:
    """How far an order is. `words`: what its customer reads, where the parcels decide. `has_left`: all of it has."""

    fulfilment_status: Order.FulfilmentStatus
    words: str
    has_left: bool = False


NOT_STARTED = OrderProgress(FulfilmentStatus.UNFULFILLED, "")
READY_TO_COLLECT = OrderProgress(FulfilmentStatus.READY, "Ready to collect")
BEING_MADE_READY = OrderProgress(FulfilmentStatus.IN_PROGRESS, "Being made ready")
ON_ITS_WAY = OrderProgress(FulfilmentStatus.DISPATCHED, "On its way", has_left=True)
HELD_UP = OrderProgress(FulfilmentStatus.HELD_UP, "Held up on its way", has_left=True)
PARTLY_SENT = OrderProgress(FulfilmentStatus.PARTLY_SENT, "Partly on its way")
PARTLY_HERE = OrderProgress(FulfilmentStatus.PARTLY_HERE, "Partly delivered")
CAME_BACK = OrderProgress(FulfilmentStatus.RETURNED, "Sent back to us", has_left=True)
ARRIVED = OrderProgress(FulfilmentStatus.DELIVERED, "Delivered", has_left=True)


@dataclass(frozen=True)
class StaffButton:
    """An action of the order list, and what its button says. `asks_note`: it takes a line to the customer along."""

    action: str
    label: str
    asks_note: bool = False


PICK_LIST = StaffButton("pick_list", "Print the pick list")
PACKING_SLIPS = StaffButton("packing_slips", "Print packing slips")


@dataclass(frozen=True, kw_only=True)
class ParcelStage:
    """One stage of a parcel.

    How it is reached: by `verb`, a function of `orders.fulfilment.transitions`, from one of the stages it `follows`
    (none for the first: there a parcel comes into being as its order is approved); `event` is then recorded, and the
    parcel's `date_field`, if any, set. `button`: the step as staff take it; `done`: what they read afterwards.

    Who waits here: `queue` is the key and title of the staff's queue; `pickup_queue`, the one of what is collected,
    where that is another; `sheet`, what is printed from it. Nothing is left to do where a parcel's way ends (`is_end`).

    `is_scanned`: usually told by the carrier, so that it is no next step of staff's; they may take it from the menu.

    What the customer sees: `progress`; `milestone`, its line in the timeline, due by the order's `due_field`. A stage
    that is no line of its own says `meanwhile` under the line before, and `advice`, what follows from it, which also
    stands below a carrier's scan that says the same. `mail_purpose`: the switch for news of it, its own or one that
    stages next to it share; a `reminder` that it still stands there goes by the same switch.
    """

    stage: Shipment.Stage
    verb: str
    follows: frozenset[Shipment.Stage] = frozenset()
    event: OrderEvent.Kind
    date_field: str = ""
    button: StaffButton
    done: str
    queue: tuple[str, str] | None = None
    pickup_queue: tuple[str, str] | None = None
    sheet: StaffButton | None = None
    progress: OrderProgress
    milestone: str = ""
    meanwhile: str = ""
    advice: str = ""
    due_field: str = ""
    mail_purpose: str = ""
    reminder: OrderEvent.Kind | None = None
    is_scanned: bool = False
    is_end: bool = False

    @property
    def has_left(self) -> bool:
        return self.progress.has_left


QUEUE_ROAD = ("road", "On the road")
QUEUE_TROUBLE = ("trouble", "Trouble on the road")
MOVING = frozenset({Stage.DISPATCHED, Stage.IN_TRANSIT, Stage.OUT_FOR_DELIVERY})
IN_TROUBLE = frozenset({Stage.FAILED_ATTEMPT, Stage.UNDELIVERABLE, Stage.RETURNED})
NOT_AT_THE_DOOR = MOVING | IN_TROUBLE | {Stage.BACK}

ROAD = (
    ParcelStage(
        stage=Stage.WAITING,
        verb="approve_order",
        event=Kind.APPROVED,
        button=StaffButton("approve", "Approve"),
        done="Approved",
        queue=("pick", "To pick"),
        sheet=PICK_LIST,
        progress=NOT_STARTED,
        milestone="Approved",
        mail_purpose=purposes.MAIL_ORDER_APPROVED,
    ),
    ParcelStage(
        stage=Stage.PICKING,
        verb="start_picking_shipment",
        follows=frozenset({Stage.WAITING}),
        event=Kind.PICKING,
        button=StaffButton("start_picking", "Start picking"),
        done="Being picked",
        queue=("picking", "Being picked"),
        sheet=PICK_LIST,
        progress=BEING_MADE_READY,
        meanwhile="Somebody is fetching it from the shelf.",
    ),
    ParcelStage(
        stage=Stage.PICKED,
        verb="mark_shipment_picked",
        follows=frozenset({Stage.WAITING, Stage.PICKING}),
        event=Kind.PICKED,
        button=StaffButton("mark_picked", "Mark picked"),
        done="Picked",
        queue=("pack", "To pack"),
        sheet=PACKING_SLIPS,
        progress=BEING_MADE_READY,
        milestone="Picked",
        mail_purpose=purposes.MAIL_ORDER_PICKED,
    ),
    ParcelStage(
        stage=Stage.PACKED,
        verb="mark_shipment_packed",
        follows=frozenset({Stage.PICKED}),
        event=Kind.PACKED,
        button=StaffButton("mark_packed", "Mark packed", asks_note=True),
        done="Packed",
        queue=("ship", "To ship"),
        pickup_queue=("counter", "To the counter"),
        progress=BEING_MADE_READY,
        milestone="Packed",
        mail_purpose=purposes.MAIL_ORDER_PACKED,
    ),
    ParcelStage(
        stage=Stage.DISPATCHED,
        verb="dispatch_shipment",
        follows=frozenset({Stage.PACKED}),
        event=Kind.DISPATCHED,
        date_field="dispatched_at",
        button=StaffButton("ship", "Ship"),
        done="Shipped",
        queue=QUEUE_ROAD,
        progress=ON_ITS_WAY,
        milestone="On the truck",
        due_field="ships_on",
        mail_purpose=purposes.MAIL_ORDER_DISPATCHED,
    ),
    ParcelStage(
        stage=Stage.IN_TRANSIT,
        verb="mark_shipment_in_transit",
        follows=frozenset({Stage.DISPATCHED}),
        event=Kind.IN_TRANSIT,
        button=StaffButton("mark_in_transit", "Mark in transit"),
        done="In transit",
        queue=QUEUE_ROAD,
        progress=ON_ITS_WAY,
        meanwhile="The carrier has it.",
        advice="It is on its way to you.",
        is_scanned=True,
    ),
    ParcelStage(
        stage=Stage.OUT_FOR_DELIVERY,
        verb="mark_shipment_out_for_delivery",
        follows=frozenset({Stage.DISPATCHED, Stage.IN_TRANSIT}),
        event=Kind.OUT_FOR_DELIVERY,
        button=StaffButton("mark_out_for_delivery", "Mark out for delivery"),
        done="Out for delivery",
        queue=QUEUE_ROAD,
        progress=ON_ITS_WAY,
        meanwhile="It is out for delivery.",
        mail_purpose=purposes.MAIL_ORDER_OUT_FOR_DELIVERY,
        is_scanned=True,
    ),
    ParcelStage(
        stage=Stage.FAILED_ATTEMPT,
        verb="mark_delivery_failed",
        follows=MOVING,
        event=Kind.DELIVERY_FAILED,
        button=StaffButton("mark_delivery_failed", "Mark delivery tried"),
        done="Delivery tried",
        queue=QUEUE_TROUBLE,
        progress=HELD_UP,
        meanwhile="The carrier tried to deliver it and could not.",
        advice="The carrier’s page says what happens next.",
        mail_purpose=purposes.MAIL_ORDER_TROUBLE,
        is_scanned=True,
    ),
    ParcelStage(
        stage=Stage.UNDELIVERABLE,
        verb="mark_shipment_undeliverable",
        follows=MOVING | {Stage.FAILED_ATTEMPT},
        event=Kind.UNDELIVERABLE,
        button=StaffButton("mark_undeliverable", "Mark undeliverable"),
        done="Cannot be delivered",
        queue=QUEUE_TROUBLE,
        progress=HELD_UP,
        meanwhile="The carrier cannot deliver it.",
        advice="We are looking into it, and you need do nothing.",
        mail_purpose=purposes.MAIL_ORDER_TROUBLE,
        is_scanned=True,
    ),
    ParcelStage(
        stage=Stage.RETURNED,
        verb="mark_shipment_returned",
        follows=MOVING | {Stage.FAILED_ATTEMPT, Stage.UNDELIVERABLE},
        event=Kind.RETURNED,
        button=StaffButton("mark_returned", "Mark on its way back"),
        done="On its way back",
        queue=QUEUE_TROUBLE,
        progress=CAME_BACK,
        meanwhile="The carrier is bringing it back to us.",
        advice="We write to you about what comes next.",
        mail_purpose=purposes.MAIL_ORDER_TROUBLE,
        is_scanned=True,
    ),
    ParcelStage(
        stage=Stage.BACK,
        verb="mark_shipment_back",
        follows=frozenset({Stage.UNDELIVERABLE, Stage.RETURNED}),
        event=Kind.BACK,
        button=StaffButton("mark_back", "Mark back with us"),
        done="Back with us",
        progress=CAME_BACK,
        meanwhile="It came back to us.",
        advice="We write to you about what comes next.",
        is_end=True,
    ),
    ParcelStage(
        stage=Stage.DELIVERED,
        verb="mark_shipment_delivered",
        follows=MOVING | IN_TROUBLE,
        event=Kind.DELIVERED,
        date_field="delivered_at",
        button=StaffButton("mark_delivered", "Mark delivered"),
        done="Delivered",
        progress=ARRIVED,
        milestone="At your door",
        due_field="promised_by_on",
        mail_purpose=purposes.MAIL_ORDER_DELIVERED,
        is_end=True,
    ),
)
_PLACE_OF_PACKED = next(place for place, row in enumerate(ROAD) if row.stage == Stage.PACKED)
# Where an order is collected, this follows packed in place of the carrier.
AT_THE_COUNTER = (
    ParcelStage(
        stage=Stage.READY,
        verb="mark_shipment_ready",
        follows=frozenset({Stage.PACKED}),
        event=Kind.READY,
        date_field="ready_at",
        button=StaffButton("mark_ready", "Ready to collect"),
        done="Ready to collect",
        queue=("collect", "Ready to collect"),
        progress=READY_TO_COLLECT,
        milestone="Ready to collect",
        due_field="ships_on",
        mail_purpose=purposes.MAIL_ORDER_READY,
        reminder=Kind.UNCOLLECTED,
    ),
    ParcelStage(
        stage=Stage.COLLECTED,
        verb="hand_over_shipment",
        follows=frozenset({Stage.READY}),
        event=Kind.COLLECTED,
        date_field="delivered_at",
        button=StaffButton("hand_over", "Hand over"),
        done="Handed over",
        progress=ARRIVED,
        milestone="Collected",
        is_end=True,
    ),
)
PICKUP_ROAD = (*ROAD[: _PLACE_OF_PACKED + 1], *AT_THE_COUNTER)
WITH_THE_CARRIER = ROAD[_PLACE_OF_PACKED + 1 :]
EVERY_STAGE = (*PICKUP_ROAD, *WITH_THE_CARRIER)
USUAL_ROAD = tuple(row for row in ROAD if not row.is_scanned and row.progress is not CAME_BACK)
OFF_THE_ROAD = frozenset({Stage.CANCELLED})  # no step leads from there, and none but a cancellation to it

# The switches for news of one way alone.
NEWS_OF_PICKUPS = frozenset(row.mail_purpose for row in AT_THE_COUNTER if row.mail_purpose)
NEWS_OF_DELIVERIES = frozenset(row.mail_purpose for row in WITH_THE_CARRIER if row.mail_purpose)

_BY_STAGE = {row.stage: row for row in EVERY_STAGE}
DISPATCHED_STAGES = frozenset(row.stage for row in EVERY_STAGE if row.has_left)
KEPT_STAGES = DISPATCHED_STAGES - {row.stage for row in EVERY_STAGE if row.progress is CAME_BACK}  # not on its way back
CARRIED_STAGES = DISPATCHED_STAGES - {Stage.COLLECTED}  # of those that a carrier has, or had
DISPATCHED_STATUSES = tuple(dict.fromkeys(row.progress.fulfilment_status for row in ROAD if row.has_left))
PARTLY = (PARTLY_SENT, PARTLY_HERE)  # of an order, and of no parcel
PARTLY_STATUSES = tuple(each.fulfilment_status for each in PARTLY)
DONE_STATUSES = (FulfilmentStatus.READY, *DISPATCHED_STATUSES)  # what was promised of the shop is done
CUSTOMER_WORDS = {each.fulfilment_status: each.words for each in (*(row.progress for row in EVERY_STAGE), *PARTLY)}


def has_any_left(order: Order) -> bool:
    """Whether a parcel of it is on its way or there. For a page, prefetch `shipments`."""
    return any(parcel.stage in DISPATCHED_STAGES for parcel in order.shipments.all())


def is_any_begun(order: Order) -> bool:
    """Whether somebody has started on a parcel of it that has a way to go. For a page, prefetch `shipments`."""
    return any(parcel.stage not in OFF_THE_ROAD | {Stage.WAITING} for parcel in order.shipments.all())


def is_rest_begun(order: Order) -> bool:
    """The same of those that are still here: what has left does not count. For a page, prefetch `shipments`."""
    here = OFF_THE_ROAD | DISPATCHED_STAGES | {Stage.WAITING}
    return any(parcel.stage not in here for parcel in order.shipments.all())


def has_all_left(order: Order) -> bool:
    """Whether nothing of it is still to leave, of an order that has parcels. For a page, prefetch `shipments`."""
    left = {parcel.stage in DISPATCHED_STAGES for parcel in order.shipments.all() if parcel.stage not in OFF_THE_ROAD}
    return left == {True}


def get_stage(stage: str) -> ParcelStage:
    """Raises KeyError for a stage that is off the road."""
    return _BY_STAGE[Stage(stage)]


def get_road(order: Order) -> tuple[ParcelStage, ...]:
    return PICKUP_ROAD if order.pickup_store_id else ROAD


def find_next_stage(stage: str, road: Iterable[ParcelStage] = ROAD) -> ParcelStage | None:
    """The nearest that staff bring about; None at the road's ends and off it."""
    return next((row for row in road if stage in row.follows and not row.is_scanned), None)


def summarize_progress(stages: Iterable[str]) -> OrderProgress:
    """Of an order, by the stages of those of its parcels that are on the road: as far as all of them are.

    While some is still here, what has left says more; once all have left, one that is held up or comes back does.
    """
    found = {get_stage(stage).progress for stage in stages} or {NOT_STARTED}
    if len(found) == 1:
        return found.pop()
    left = {each for each in found if each.has_left}
    if not left:
        return BEING_MADE_READY
    if left != found:
        return PARTLY_HERE if left == {ARRIVED} else PARTLY_SENT
    return next((each for each in (HELD_UP, CAME_BACK) if each in found), ON_ITS_WAY)


def list_mail_ahead(fulfilment_status: str, road: Sequence[ParcelStage] = ROAD) -> set[str]:
    """The switches for news of what comes after an order's standing."""
    standings = list(dict.fromkeys(row.progress.fulfilment_status for row in road))
    is_partly = fulfilment_status in PARTLY_STATUSES
    now = FulfilmentStatus.IN_PROGRESS if is_partly else FulfilmentStatus(fulfilment_status)
    ahead = standings[standings.index(now) + 1 :]
    return {row.mail_purpose for row in road if row.progress.fulfilment_status in ahead}
