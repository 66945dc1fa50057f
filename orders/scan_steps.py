"""A parcel's scans as its customer reads them: what, where and when, in the shop's words."""

from collections.abc import Sequence
from dataclasses import replace

from django.utils import timezone

from orders import stages
from orders.fulfilment.scanned_stage import STAGE_BY_MEANING
from orders.models import Shipment, TrackingEvent
from orders.timeline_step import TimelineStep

Meaning = TrackingEvent.Meaning
MOST_SHOWN = 15  # the carrier's own page has them all

# That it was delivered is a line of its own; what moves nothing is for staff.
TITLES = {
    Meaning.IN_TRANSIT: "In transit",
    Meaning.OUT_FOR_DELIVERY: "Out for delivery",
    Meaning.READY_TO_COLLECT: "Ready for you to collect",
    Meaning.FAILED_ATTEMPT: "The carrier tried to deliver it",
    Meaning.UNDELIVERABLE: "The carrier cannot deliver it",
    Meaning.RETURNED: "On its way back to us",
}


def add_scans(left: TimelineStep, parcel: Shipment) -> list[TimelineStep]:
    """The line that it left, with the carrier's scans below it; the last of them says where it is now."""
    seen = [scan for scan in parcel.scans.all() if scan.meaning in TITLES]
    told = _build_scan_steps(seen)
    lines = [replace(left, state="done") if told else left, *told]
    meanwhile = _describe_way(parcel, seen) if left.state == "now" else ""
    state = left.state if not told or parcel.stage not in stages.IN_TROUBLE else "wait"
    lines[-1] = replace(lines[-1], state=state, text=f"{lines[-1].text} {meanwhile}".strip())
    return lines


def _describe_way(parcel: Shipment, seen: Sequence[TrackingEvent]) -> str:
    """What goes on meanwhile, and what follows; the latter alone where the last scan says the first itself."""
    row = stages.get_stage(parcel.stage)
    is_said = bool(seen) and STAGE_BY_MEANING[seen[-1].meaning] == row.stage
    return row.advice if is_said else f"{row.meanwhile} {row.advice}".strip()


def _build_scan_steps(seen: Sequence[TrackingEvent]) -> list[TimelineStep]:
    """The lines between “it left” and “at your door”; the same place twice a day is one, unless something else happened
    between.
    """
    told: list[TimelineStep] = []
    since_last_change: set[tuple[object, ...]] = set()
    for scan in seen:
        title = TITLES[Meaning(scan.meaning)]
        if told and told[-1].title != title:
            since_last_change.clear()
        same = (scan.place, timezone.localdate(scan.happened_at))
        if same not in since_last_change:
            since_last_change.add(same)
            text = f"{format_place(scan.place)}." if scan.place else ""
            told.append(TimelineStep(title, "done", at=scan.happened_at, text=text))
    return told[-MOST_SHOWN:]


def format_place(place: str) -> str:
    """Carriers shout: “PORTSMOUTH, GB” is read as “Portsmouth, GB”."""
    parts = place.split(", ")
    return ", ".join(part.title() if part.isupper() and len(part) > 3 else part for part in parts)
