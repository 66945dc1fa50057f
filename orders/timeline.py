"""An order's story for the person who waits for it: what happened, what comes next, when."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.formats import date_format

from orders import stages
from orders.arrivals import PromisedDays, find_parcel_days, format_arrival
from orders.carrier_directory import build_parcel_url
from orders.carriers import get_carrier_name
from orders.delays import delay_words
from orders.delays.delay_words import ToldDelay
from orders.fulfilment.dividing import keep_events_of_parcel
from orders.fulfilment.splitting import describe_division
from orders.fulfilment.undoing import keep_standing_events
from orders.models import Order, OrderEvent, Shipment, Withdrawal
from orders.models.withdrawal import MONEY_IS_BACK
from orders.promise import format_day
from orders.returns.deadlines import WITHDRAWAL_PERIOD
from orders.returns.wording import describe_contents
from orders.scan_steps import add_scans
from orders.status import DENIED_WORDS
from orders.timeline_step import TimelineStep
from shop.money import format_amount

Kind = OrderEvent.Kind


@dataclass(frozen=True)
class Timeline:
    """The story of one parcel; an order in several parcels has one each, with what is in it. `note` is the packer's.

    `parcel`: none where the order has none yet, or was cancelled.
    """

    title: str
    steps: list[TimelineStep]
    parcel: Shipment | None = None
    contents: str = ""
    note: str = ""
    note_by: str = ""


BANK_MILESTONE = (Kind.PAYMENT_UNDER_WAY, "Payment on its way from your bank")
BETWEEN_TITLES: dict[str, str] = {
    Kind.LINES_CANCELLED: "Some of it cancelled",
    Kind.LINES_CHANGED: "Changed as you wished",
    Kind.NOTE_CHANGED: "Gift note changed",
    Kind.DIVIDED: "Some of it in a parcel of its own",
}
NO_DAY_TEXT = "No day is known at the moment."
NOT_PAID_TEXT = "Nothing was charged, and the goods are no longer held."
DUE_FIELDS = {row.event: row.due_field for row in stages.EVERY_STAGE if row.due_field}


def list_milestones(order: Order) -> list[tuple[OrderEvent.Kind, str]]:
    """The lines of its story if all goes well: brought to a door, or collected."""
    road = [(row.event, row.milestone) for row in stages.get_road(order) if row.milestone]
    return [(Kind.PLACED, "Placed and paid"), *road]


def build_timelines(order: Order) -> list[Timeline]:
    """Three queries: the order's events, its parcels and its withdrawals; none for what is prefetched.

    One more for the scans of parcels that have left, one for each parcel whose carrier staff added, and two for what is
    in each of several parcels, or in the one of two that is left.
    """
    happened, withdrawals = keep_standing_events(order.events.all()), list(order.withdrawals.all())
    parcels = [parcel for parcel in order.shipments.all() if parcel.stage not in stages.OFF_THE_ROAD]
    prefetch_related_objects([parcel for parcel in parcels if parcel.stage in stages.DISPATCHED_STAGES], "scans")
    if order.ships_as_ready or len(parcels) > 1:
        prefetch_related_objects(parcels, "lines__order_line")
    if order.status == Order.Status.CANCELLED or len(parcels) < 2:
        return [_build_parcel_timeline(order, happened, withdrawals, parcels[0] if parcels else None, title="")]
    count = len(parcels)
    return [
        _build_parcel_timeline(order, happened, withdrawals, parcel, title=f"Parcel {number} of {count}")
        for number, parcel in enumerate(parcels, start=1)
    ]


def _build_parcel_timeline(
    order: Order,
    happened: list[OrderEvent],
    withdrawals: list[Withdrawal],
    parcel: Shipment | None,
    *,
    title: str,
) -> Timeline:
    mine = keep_events_of_parcel(happened, parcel)
    is_cancelled = order.status == Order.Status.CANCELLED
    steps = _build_cancelled_steps(order, mine) if is_cancelled else _build_steps(order, mine, parcel)
    if parcel and order.fulfilment_status in stages.PARTLY_STATUSES and not order.hold:
        steps = _add_waiting_goods(steps, order, parcel)
    steps = _insert_delays(steps, delay_words.list_told_delays(mine))
    steps = _insert_what_came_between(steps, mine)
    came_back = {event.data.get("refund") for event in mine if event.kind == Kind.REFUND_FAILED}
    given_back = [event for event in mine if event.kind == Kind.REFUNDED and event.data.get("refund") not in came_back]
    steps = _insert_by_time(
        steps,
        [
            *(_build_refund_step(order, event) for event in given_back),
            *_build_failed_refund_steps(order, mine),
            *(_taken_back(order, event) for event in _lost_disputes(mine)),
            *_build_denial_steps(mine, parcel),
            *(step for each in withdrawals for step in _build_withdrawal_steps(order, each)),
        ],
    )
    if parcel is None:
        return Timeline(title, steps)
    contents = ", ".join(_list_contents(parcel)) if title else ""
    return Timeline(title, steps, parcel, contents, note=parcel.packing_note, note_by=parcel.packed_by)


def _add_waiting_goods(steps: list[TimelineStep], order: Order, parcel: Shipment) -> list[TimelineStep]:
    """To where a parcel stands while another has left: what is in it, and when that comes."""
    if parcel.stage in stages.DISPATCHED_STAGES:
        return steps
    names = _list_contents(parcel)
    if not names:
        return steps
    arrives = format_arrival(_find_days(order, parcel), timezone.localdate())
    waits = f"Still to come: {', '.join(names)}{f', with you {arrives}' if arrives else ''}."
    place = next((place for place, step in enumerate(steps) if step.state == "now"), 0)
    now = steps[place]
    return [*steps[:place], replace(now, text=f"{now.text} {waits}".strip()), *steps[place + 1 :]]


def _list_contents(parcel: Shipment) -> list[str]:
    return [
        f"{line.quantity} × {line.order_line.title}" if line.quantity > 1 else line.order_line.title
        for line in parcel.lines.all()
    ]


def _insert_delays(steps: list[TimelineStep], told: list[ToldDelay]) -> list[TimelineStep]:
    """Each where it was told; the last of them waits, for as long as nothing has happened since."""
    today = timezone.localdate()
    for each in told:
        place = _find_place(steps, each.told_at)
        is_last = each is told[-1] and not any(step.at for step in steps[place:])
        said = "You said that you wait." if each.is_accepted else ""
        text = " ".join(filter(None, (delay_words.describe_slip(each, today), delay_words.describe_cause(each), said)))
        step = TimelineStep("Delayed", "wait" if is_last else "done", at=each.told_at, text=text)
        steps = [*steps[:place], step, *steps[place:]]
    return steps


def _insert_what_came_between(steps: list[TimelineStep], mine: list[OrderEvent]) -> list[TimelineStep]:
    """What was waited for and came, what of it was cancelled or changed, its note too."""
    between = (event for event in mine if event.kind in (Kind.GOODS_CAME, Kind.SPLIT, *BETWEEN_TITLES))
    return _insert_by_time(steps, [_build_step_between(event) for event in between])


def _insert_by_time(steps: list[TimelineStep], others: list[TimelineStep]) -> list[TimelineStep]:
    """Each where it happened; what is still to come of them stands at the end."""
    dated = [(each.at, each) for each in others if each.at]
    for at, each in sorted(dated, key=lambda pair: pair[0]):
        place = _find_place(steps, at)
        steps = [*steps[:place], each, *steps[place:]]
    return [*steps, *(each for each in others if not each.at)]


def _build_step_between(event: OrderEvent) -> TimelineStep:
    if event.kind == Kind.GOODS_CAME:
        return TimelineStep(_describe_arrival(event.data.get("what") or []), "done", at=event.created_at)
    if event.kind == Kind.SPLIT:
        return TimelineStep("In two parcels", "done", at=event.created_at, text=describe_division(event))
    what = event.data.get("what")
    return TimelineStep(BETWEEN_TITLES[event.kind], "done", at=event.created_at, text=f"{what}." if what else "")


def _describe_arrival(titles: list[str]) -> str:
    if not titles:
        return "What you wait for is here"
    what = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
    return f"The {what} you wait for {'is' if len(titles) == 1 else 'are'} here"


def _find_place(steps: list[TimelineStep], at: datetime | None) -> int:
    """After all that had happened by then."""
    return max((place for place, step in enumerate(steps) if step.at and at and step.at <= at), default=-1) + 1


def _build_cancelled_steps(order: Order, mine: list[OrderEvent]) -> list[TimelineStep]:
    by_kind = {event.kind: event for event in mine}
    steps = [
        TimelineStep(title, "done", at=by_kind[kind].created_at)
        for kind, title in (BANK_MILESTONE, *list_milestones(order))
        if kind in by_kind
    ]
    if Kind.PAYMENT_FAILED in by_kind:
        failed_at = by_kind[Kind.PAYMENT_FAILED].created_at
        steps.append(TimelineStep("Your bank did not pay", "stop", at=failed_at, text=NOT_PAID_TEXT))
    ended = by_kind.get(Kind.CANCELLED)
    reason = str(ended.data.get("reason", "")) if ended else ""
    return [
        *steps,
        TimelineStep("Cancelled", "stop", at=ended.created_at if ended else order.cancelled_at, text=reason),
    ]


def _build_refund_step(order: Order, event: OrderEvent) -> TimelineStep:
    amount = event.data.get("amount")
    title = f"{format_amount(Decimal(amount), order.currency)} refunded" if amount else "Refunded"
    way = "By hand, not through your card." if event.data.get("by_hand") else "The way you paid."
    said = (way, str(event.data.get("reason", "")))
    return TimelineStep(title, "done", at=event.created_at, text=" ".join(filter(None, said)))


def _build_withdrawal_steps(order: Order, withdrawal: Withdrawal) -> list[TimelineStep]:
    """What was declared, and by when its money is due; that it went back is told by the refund itself."""
    declared = TimelineStep("You withdrew", "done", at=withdrawal.declared_at, text=describe_contents(withdrawal))
    if withdrawal.set_aside_at:
        reason = withdrawal.set_aside_reason
        return [declared, TimelineStep("Withdrawal set aside", "stop", at=withdrawal.set_aside_at, text=reason)]
    if withdrawal.is_late:
        return [declared, TimelineStep(f"After the {WITHDRAWAL_PERIOD}: we read it, and write to you", "next")]
    back = TimelineStep("Your goods are back with us", "done", at=withdrawal.goods_back_at)
    steps = [declared, back] if withdrawal.goods_back_at else [declared]
    if withdrawal.settled_at or order.payment_status in MONEY_IS_BACK:
        return steps
    title = f"{withdrawal.owed_text} back with you" if withdrawal.owed else "Your money back with you"
    state = "wait" if withdrawal.is_overdue() else "next"
    return [*steps, TimelineStep(title, state, expected_on=withdrawal.due_on, text=_describe_wait(withdrawal))]


def _describe_wait(withdrawal: Withdrawal) -> str:
    if withdrawal.is_overdue():
        return "Later than it should be. We are sorry."
    if withdrawal.may_wait:
        return "It may wait until the goods are back, or you show us that you sent them."
    return ""


def _build_denial_steps(mine: list[OrderEvent], parcel: Shipment | None) -> list[TimelineStep]:
    """That its buyer says it did not come, while that is open, and what came of it."""
    if parcel is None:
        return []
    steps = [
        TimelineStep("We looked for your parcel", "done", at=event.created_at, text=str(event.data.get("reason", "")))
        for event in mine
        if event.kind == Kind.DENIAL_SETTLED and event.shipment_id == parcel.pk
    ]
    if parcel.denied_at:
        text = "We are looking for it, and write to you. You need do nothing."
        steps.append(TimelineStep(DENIED_WORDS, "wait", at=parcel.denied_at, text=text))
    return steps


def _lost_disputes(mine: list[OrderEvent]) -> list[OrderEvent]:
    """The ends of the disputes by which the bank took money back: of each, what was last decided."""
    last = {event.data.get("dispute"): event for event in mine if event.kind == Kind.DISPUTE_CLOSED}
    return [event for event in last.values() if event.data.get("amount")]


def _taken_back(order: Order, event: OrderEvent) -> TimelineStep:
    sum_text = format_amount(Decimal(event.data["amount"]), order.currency)
    return TimelineStep(f"{sum_text} given back by your bank", "done", at=event.created_at)


def _build_failed_refund_steps(order: Order, mine: list[OrderEvent]) -> list[TimelineStep]:
    """What came back to us, and that it was sent again since, or given back by hand."""
    again = {event.data.get("again_of"): event for event in mine if event.data.get("again_of")}
    steps = []
    for event in mine:
        if event.kind != Kind.REFUND_FAILED:
            continue
        amount = event.data.get("amount")
        title = f"{format_amount(Decimal(amount), order.currency) if amount else 'A refund'} could not be paid back"
        said = "Your bank returned it." if event.data.get("came_back", True) else ""
        repeated = again.get(event.data.get("refund"))
        what_now = _describe_repeated_refund(repeated) if repeated else "We will find another way."
        text = " ".join(filter(None, (said, what_now)))
        steps.append(TimelineStep(title, "done" if repeated else "wait", at=event.created_at, text=text))
    return steps


def _describe_repeated_refund(repeated: OrderEvent) -> str:
    day = date_format(timezone.localtime(repeated.created_at), "j F")
    return f"We gave it back another way on {day}." if repeated.data.get("by_hand") else f"We sent it again on {day}."


def _build_steps(order: Order, mine: list[OrderEvent], parcel: Shipment | None) -> list[TimelineStep]:
    if order.payment_status == Order.PaymentStatus.PROCESSING:
        return _build_awaiting_payment_steps(order, mine)
    at = _collect_event_times(order, mine, parcel)
    milestones = list_milestones(order)
    reached = max((place for place, (kind, _) in enumerate(milestones) if kind in at), default=-1)
    steps: list[TimelineStep] = []
    for place, (kind, title) in enumerate(milestones):
        if place > reached:
            steps.append(_build_coming_step(order, kind, title, parcel))
            continue
        is_last = place == len(milestones) - 1
        state = "now" if place == reached and not is_last else "done"
        steps.append(_build_reached_step(kind, title, state, at, parcel))
        if kind == Kind.DISPATCHED and parcel:
            steps[-1:] = add_scans(steps[-1], parcel)
    return steps


def _build_awaiting_payment_steps(order: Order, mine: list[OrderEvent]) -> list[TimelineStep]:
    """While the bank takes its days no later date can be told: they are counted from the day the money is here."""
    kind, title = BANK_MILESTONE
    begun_at = next((event.created_at for event in mine if event.kind == kind), None)
    to_come = ["Paid", *(step for kind, step in list_milestones(order) if kind != Kind.PLACED)]
    return [TimelineStep(title, "now", at=begun_at), *(TimelineStep(step, "next") for step in to_come)]


def _collect_event_times(order: Order, mine: list[OrderEvent], parcel: Shipment | None) -> dict[str, datetime | None]:
    """When each thing happened: by what order and parcel know, as a carrier's own moment, else by its event."""
    known: dict[str, datetime | None] = {Kind.PLACED: order.placed_at, Kind.APPROVED: order.approved_at}
    if parcel:
        known |= {row.event: getattr(parcel, row.date_field) for row in stages.get_road(order) if row.date_field}
    at: dict[str, datetime | None] = {kind: moment for kind, moment in known.items() if moment}
    for event in mine:
        at.setdefault(event.kind, event.created_at)
    if order.fulfilment_status == Order.FulfilmentStatus.DELIVERED:
        at.setdefault(stages.get_road(order)[-1].event, None)
    if parcel and parcel.stage in stages.NOT_AT_THE_DOOR:
        at.pop(Kind.DELIVERED, None)  # a scan said so, and another took it back
    return at


def _build_reached_step(
    kind: OrderEvent.Kind, title: str, state: str, at: dict[str, datetime | None], parcel: Shipment | None
) -> TimelineStep:
    moment = at.get(kind)
    if kind == Kind.DISPATCHED and parcel:
        return TimelineStep(
            title,
            state,
            at=moment,
            text=_describe_tracking(parcel),
            link_url=parcel.tracking_page or build_parcel_url(parcel.carrier, parcel.tracking_number),
            link_text="Follow it at the carrier",
        )
    return TimelineStep(title, state, at=moment, text=_describe_meanwhile(at) if state == "now" else "")


def _describe_meanwhile(at: Collection[str]) -> str:
    """What happens between the last line that was reached and the next, if anything does."""
    furthest = next((row for row in reversed(stages.ROAD) if row.event in at), None)
    return furthest.meanwhile if furthest and not furthest.milestone else ""


def _describe_tracking(parcel: Shipment) -> str:
    """Empty for one box of which only that it left is known."""
    boxes = f"{parcel.boxes_text}. " if parcel.boxes_text else ""
    if parcel.tracking_number:
        return f"{boxes}Tracking number {parcel.tracking_number}."
    if parcel.is_untracked:
        carrier = f" with {get_carrier_name(parcel.carrier)}," if parcel.carrier else ""
        return f"{boxes}Sent{carrier} without a tracking number."
    return boxes.strip()


def _build_coming_step(order: Order, kind: OrderEvent.Kind, title: str, parcel: Shipment | None = None) -> TimelineStep:
    """A day that has passed is owned up to and not named as one to come."""
    progress = stages.get_stage(parcel.stage).progress if parcel else stages.NOT_STARTED
    is_almost_here = parcel is not None and parcel.stage == Shipment.Stage.OUT_FOR_DELIVERY
    no_day = NO_DAY_TEXT if kind == Kind.DELIVERED and not is_almost_here else ""
    if order.hold or progress in (stages.HELD_UP, stages.CAME_BACK):
        return TimelineStep(title, "wait", text=no_day)
    expected = getattr(_find_days(order, parcel), DUE_FIELDS[kind]) if kind in DUE_FIELDS else None
    if expected is None:
        return TimelineStep(title, "next", text=no_day)
    today = timezone.localdate()
    if expected >= today:
        return TimelineStep(title, "next", expected_on=expected)
    late = f"We said {format_day(expected, today)}, and it is later than that. We are sorry."
    return TimelineStep(title, "wait", text=f"{late} {no_day}".strip())


def _find_days(order: Order, parcel: Shipment | None) -> PromisedDays:
    """Those of a parcel that is one of two; else the order's."""
    if parcel is None or not order.ships_as_ready:
        return find_parcel_days(order, ())
    return find_parcel_days(order, [line.order_line for line in parcel.lines.all()])
