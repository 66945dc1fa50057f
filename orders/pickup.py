"""Orders that their buyers collect in a store: who is offered it, and from when the goods lie ready there."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from django.utils import timezone

from orders import promise
from orders.models import CartLine
from orders.parcel_plan import ParcelPlan
from orders.promise import Promise, ReservedGoods
from orders.shop_terms import Calendar, PickupPlace
from shop.catalog.opening_hours import find_opening

TIME_TO_PACK = timedelta(hours=1)  # what is ordered today and ready today is not ready at once


def filter_pickups(places: Iterable[PickupPlace], lines: Sequence[CartLine]) -> list[PickupPlace]:
    """The stores that have all of it on their shelves now, in the shop's order."""
    return [place for place in places if holds_all(place, lines)]


def holds_all(place: PickupPlace, lines: Sequence[CartLine]) -> bool:
    today, store = timezone.localdate(), place.method.store_id or 0
    return all(
        line.quantity <= line.count_in_store(store) and (line.variant.product.released_on or today) <= today
        for line in lines
    )


def plan_pickup(lines: Sequence[CartLine], place: PickupPlace, calendar: Calendar, now: datetime) -> ParcelPlan:
    """One parcel, of goods that are there. Without days where the store stays shut."""
    promised = compute_pickup_promise(place, calendar, now)
    return ParcelPlan((promised,) * len(lines), (True,) * len(lines))


def compute_pickup_promise(place: PickupPlace, calendar: Calendar, now: datetime) -> Promise | None:
    """Packed on the day on which a parcel would leave, until the hour at which it would; then once the store opens."""
    packed = promise.compute_promise(calendar, place.method, availability=ReservedGoods(), now=now)
    if packed is None:
        return None
    by_then = timezone.make_aware(datetime.combine(packed.ships_on, time(calendar.cutoff_hour)))
    ready_at = find_opening(place.hours, max(by_then, _round_up_to_hour(now + TIME_TO_PACK)))
    if ready_at is None:
        return None
    on = timezone.localdate(ready_at)
    return replace(packed, ships_on=on, from_on=on, by_on=on, moved_days=None, ready_at=ready_at)


def _round_up_to_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(hours=1)
