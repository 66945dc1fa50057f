"""A parcel's scans as its customer reads them: what, where and when, in the shop's words."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from orders.models import TrackingEvent

Meaning = TrackingEvent.Meaning
MOST_SHOWN = 15  # the carrier's own page has them all

TITLES = {
    Meaning.IN_TRANSIT: "In transit",
    Meaning.OUT_FOR_DELIVERY: "Out for delivery",
    Meaning.READY_TO_COLLECT: "Ready for you to collect",
    Meaning.FAILED_ATTEMPT: "The carrier tried to deliver it",
    Meaning.UNDELIVERABLE: "The carrier cannot deliver it",
    Meaning.RETURNED: "On its way back to us",
}


def build_scan_steps(scans: Iterable[TrackingEvent]) -> list[dict[str, Any]]:
    """The lines between “it left” and “at your door”, as the fields of a `TimelineStep`; the same place twice a day is
    one. That it was delivered is a line of its own; what moves nothing is for staff.
    """
    told: dict[tuple[object, ...], dict[str, Any]] = {}
    for scan in scans:
        title = TITLES.get(Meaning(scan.meaning))
        if title is None:
            continue
        same = (title, scan.place, timezone.localdate(scan.happened_at))
        text = f"{format_place(scan.place)}." if scan.place else ""
        told.setdefault(same, {"title": title, "state": "done", "at": scan.happened_at, "text": text})
    return list(told.values())[-MOST_SHOWN:]


def format_place(place: str) -> str:
    """Carriers shout: “PORTSMOUTH, GB” is read as “Portsmouth, GB”."""
    parts = place.split(", ")
    return ", ".join(part.title() if part.isupper() and len(part) > 3 else part for part in parts)
