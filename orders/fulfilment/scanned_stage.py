"""Where a parcel is, by everything its carrier and staff have said of it: a rule without a database.

It looks at the whole set, sorted by when things happened, so that twice, late, or out of order comes to the same:

* what staff said last of its end (delivered, or back with us) stands, whatever is scanned;
* a parcel that goes back to its sender has not been delivered: carriers also scan “delivered” when they hand it to us;
* else a parcel once delivered stays so: whoever scans it afterwards is wrong;
* else the last thing that happened counts, except that “in transit” takes back neither “out for delivery” nor that it
  cannot be delivered.

It came into the buyer's hands when “delivered” was scanned first; where they said since that it did not come, and it
was scanned again, then.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from orders import stages
from orders.models import OrderEvent, Shipment, TrackingEvent

Stage = Shipment.Stage
Meaning = TrackingEvent.Meaning

STAGE_BY_MEANING: dict[str, Shipment.Stage] = {
    Meaning.IN_TRANSIT: Stage.IN_TRANSIT,
    Meaning.OUT_FOR_DELIVERY: Stage.OUT_FOR_DELIVERY,
    Meaning.READY_TO_COLLECT: Stage.OUT_FOR_DELIVERY,
    Meaning.FAILED_ATTEMPT: Stage.FAILED_ATTEMPT,
    Meaning.UNDELIVERABLE: Stage.UNDELIVERABLE,
    Meaning.RETURNED: Stage.RETURNED,
    Meaning.DELIVERED: Stage.DELIVERED,
}
STAGE_BY_EVENT: dict[str, Shipment.Stage] = {
    row.event: row.stage for row in stages.ROAD if row.has_left and row.stage != Stage.DISPATCHED
}
RANK = {row.stage: place for place, row in enumerate(stages.ROAD)}  # of two at the same moment the farther is later
ENDS = (Stage.DELIVERED, Stage.BACK)
NOT_TAKEN_BACK = (Stage.OUT_FOR_DELIVERY, Stage.UNDELIVERABLE)


@dataclass(frozen=True)
class ParcelStanding:
    """`delivered_at`: when it came into the buyer's hands; None while nobody says that it has."""

    stage: Shipment.Stage
    delivered_at: datetime | None


def derive_standing(scans: Iterable[TrackingEvent], steps: Collection[tuple[str, datetime]]) -> ParcelStanding:
    """Of a parcel that has left. `steps`: kind and time of the events that no scan made: of staff, of its buyer."""
    told = [scan for scan in scans if scan.meaning != Meaning.OTHER]
    by_carrier = [(scan.happened_at, STAGE_BY_MEANING[scan.meaning]) for scan in told]
    by_staff = [(at, STAGE_BY_EVENT[kind]) for kind, at in steps if kind in STAGE_BY_EVENT]
    ended = [step for step in by_staff if step[1] in ENDS]
    stage = max(ended, key=_get_place)[1] if ended else _find_stage(sorted(by_carrier + by_staff, key=_get_place))
    if stage != Stage.DELIVERED:
        return ParcelStanding(stage, None)
    handed_over = [min(scan.happened_at, scan.received_at) for scan in told if scan.meaning == Meaning.DELIVERED]
    said = handed_over or [at for at, each in ended if each == Stage.DELIVERED]
    denied_at = max((at for kind, at in steps if kind == OrderEvent.Kind.DELIVERY_DENIED), default=None)
    since = [at for at in said if denied_at and at > denied_at]
    return ParcelStanding(stage, min(since or said))


def _get_place(seen: tuple[datetime, Shipment.Stage]) -> tuple[datetime, int]:
    return seen[0], RANK[seen[1]]


def _find_stage(seen: list[tuple[datetime, Shipment.Stage]]) -> Shipment.Stage:
    found = {stage for _, stage in seen}
    for stage in (Stage.RETURNED, Stage.DELIVERED):
        if stage in found:
            return stage
    now = Stage.DISPATCHED
    for _, stage in seen:
        if stage != Stage.IN_TRANSIT or now not in NOT_TAKEN_BACK:
            now = stage
    return now
