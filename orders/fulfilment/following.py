"""Parcels that have left are followed: whoever tells of scans has to know their numbers first."""

from datetime import timedelta

from django.utils import timezone

from orders import stages
from orders.gateways import easypost
from orders.models import Shipment
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 100
NEWS_FOR = timedelta(days=30)  # of what left earlier nobody asks any more
PARCELS = loops.register_loop(
    Loop(
        "parcels_to_follow",
        "A parcel EasyPost is to follow",
        "It is asked again by itself. If it stays, look whether EASYPOST_API_KEY is right; where the parcel is stands "
        "on the carrier’s own page.",
        model="orders.Shipment",
    )
)


def follow_new_parcels() -> int:
    """Asks EasyPost, where the shop has an account, to follow what has left; each stands or falls alone.

    A number it does not know how to follow is not asked about again. Returns how many were asked about.
    """
    if not easypost.is_set_up():
        return 0
    on_the_road = stages.CARRIED_STAGES - {Shipment.Stage.DELIVERED, Shipment.Stage.BACK}
    waiting = Shipment.objects.filter(
        stage__in=on_the_road, followed_at=None, dispatched_at__gt=timezone.now() - NEWS_FOR
    ).exclude(tracking_number="")
    PARCELS.forget_settled(waiting)
    count = 0
    for pk, number in list(PARCELS.due(waiting).order_by("pk").values_list("pk", "tracking_number")[:BATCH]):
        with PARCELS.attempt(pk, subject=f"{PARCELS.title}: {number}"):
            easypost.follow_number(number)
            Shipment.objects.filter(pk=pk, tracking_number=number).update(followed_at=timezone.now())
            count += 1
    return count
