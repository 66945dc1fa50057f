"""Parcels that have left are followed: whoever tells of scans has to know their numbers first.

What is followed is told of by webhooks; where none comes for a while, EasyPost is asked.
"""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from orders import stages
from orders.carriers.easypost import read_tracker
from orders.fulfilment import scans
from orders.gateways import easypost
from orders.models import Shipment
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 100
NEWS_FOR = timedelta(days=30)  # of what left earlier nobody asks any more
ON_THE_ROAD = stages.CARRIED_STAGES - {Shipment.Stage.DELIVERED, Shipment.Stage.BACK}
PARCELS = loops.register_loop(
    Loop(
        "parcels_to_follow",
        "A parcel EasyPost is to follow",
        "It is asked again by itself. If it stays, look whether EASYPOST_API_KEY is right; where the parcel is stands "
        "on the carrier’s own page.",
        model="orders.Shipment",
    )
)
SILENT_FOR = timedelta(hours=6)  # no parcel is asked about more often
SILENT_BATCH = 20  # a minute; an EasyPost that hangs holds up one worker, for ten seconds each
SILENT_PARCELS = loops.register_loop(
    Loop(
        "silent_parcels",
        "A parcel EasyPost is asked about",
        "It is asked again by itself, and may tell of it unasked. If it stays, look whether EASYPOST_API_KEY is right; "
        "where the parcel is stands on the carrier’s own page.",
        model="orders.Shipment",
    )
)


def follow_new_parcels() -> int:
    """Asks EasyPost, where the shop has an account, to follow what has left; each stands or falls alone.

    A number it does not know how to follow is not asked about again. Returns how many were asked about.
    """
    if not easypost.is_set_up():
        return 0
    waiting = _find_carried().filter(followed_at=None).exclude(tracking_number="")
    PARCELS.forget_settled(waiting)
    count = 0
    for pk, number in list(PARCELS.due(waiting).order_by("pk").values_list("pk", "tracking_number")[:BATCH]):
        with PARCELS.attempt(pk, subject=f"{PARCELS.title}: {number}"):
            tracker_id, now = easypost.follow_number(number), timezone.now()
            Shipment.objects.filter(pk=pk, tracking_number=number).update(
                followed_at=now, heard_at=now, tracker_reference=tracker_id
            )
            count += 1
    return count


def ask_about_silent_parcels() -> int:
    """Asks EasyPost of what it follows and nobody has told of for `SILENT_FOR`; each stands or falls alone.

    What it answers is kept as what it tells unasked. Returns how many were asked about.
    """
    with SILENT_PARCELS.take_turn() as is_mine:
        return _ask_about_silent_parcels() if is_mine and easypost.is_set_up() else 0


def find_silent_parcels() -> QuerySet[Shipment]:
    """Those EasyPost follows and nobody has told of for `SILENT_FOR`."""
    return _find_carried().exclude(tracker_reference="").filter(heard_at__lt=timezone.now() - SILENT_FOR)


def _ask_about_silent_parcels() -> int:
    silent = find_silent_parcels()
    SILENT_PARCELS.forget_settled(silent)
    count = 0
    for parcel in list(SILENT_PARCELS.due(silent).order_by("heard_at", "pk")[:SILENT_BATCH]):
        with SILENT_PARCELS.attempt(parcel.pk, subject=f"{SILENT_PARCELS.title}: {parcel.tracking_number}"):
            _ask_about(parcel)
            count += 1
    return count


def _ask_about(parcel: Shipment) -> None:
    """Where EasyPost has its tracker no more, as after a change of account, it is to follow the number anew."""
    told = easypost.fetch_tracker(parcel.tracker_reference)
    asked = Shipment.objects.filter(pk=parcel.pk, tracker_reference=parcel.tracker_reference)
    if told is None:
        asked.update(followed_at=None, tracker_reference="")
        return
    scans.store_notice("easypost", read_tracker(told))
    asked.update(heard_at=timezone.now())


def _find_carried() -> QuerySet[Shipment]:
    return Shipment.objects.filter(stage__in=ON_THE_ROAD, dispatched_at__gt=timezone.now() - NEWS_FOR)
