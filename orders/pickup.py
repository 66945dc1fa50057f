"""Orders that their buyers collect in a store: who is offered it, and from when the goods lie ready there."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from django.utils import timezone

from orders import promise
from orders.models import CartLine, Order, ShippingMethod
from orders.parcel_plan import ParcelPlan
from orders.promise import Promise, ReservedGoods
from orders.shop_terms import Calendar, PickupPlace, Terms
from shop.catalog.models import Store
from shop.catalog.opening_hours import HoursLine, StoreCalendar, describe_opening, find_opening, list_hours

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


def plan_pickup(lines: Sized, place: PickupPlace, calendar: Calendar, now: datetime) -> ParcelPlan:
    """One parcel, of goods that are there. Without days where the store stays shut."""
    promised = compute_pickup_promise(place, calendar, now)
    return ParcelPlan((promised,) * len(lines), (True,) * len(lines))


def compute_pickup_promise(place: PickupPlace, calendar: Calendar, now: datetime) -> Promise | None:
    """Packed on the day on which a parcel would leave, until the hour at which it would; then once the store opens."""
    packed = promise.compute_promise(calendar, place.method, availability=ReservedGoods(), now=now)
    return set_ready_moment(packed, place.hours, calendar, earliest=find_soonest_hour(now)) if packed else None


def find_soonest_hour(now: datetime) -> datetime:
    """By which something could be packed that nobody has begun with."""
    return _round_up_to_hour(now + TIME_TO_PACK)


def set_ready_moment(
    packed: Promise, hours: StoreCalendar, calendar: Calendar, *, earliest: datetime
) -> Promise | None:
    """What leaves on its day lies ready then instead. None where the store stays shut."""
    by_then = timezone.make_aware(datetime.combine(packed.ships_on, time(calendar.cutoff_hour)))
    ready_at = find_opening(hours, max(by_then, earliest))
    if ready_at is None:
        return None
    on = timezone.localdate(ready_at)
    return replace(packed, ships_on=on, from_on=on, by_on=on, moved_days=None, ready_at=ready_at)


def set_ready_again(
    packed: Promise, method: ShippingMethod, calendar: Calendar, terms: Terms, now: datetime
) -> Promise | None:
    """The same for an order that was made before, at the soonest from now on."""
    return set_ready_moment(packed, get_store_hours(terms, method), calendar, earliest=find_soonest_hour(now))


def get_store_hours(terms: Terms, method: ShippingMethod) -> StoreCalendar:
    """Of a method by which orders were made to be collected; at any time, once it is no longer offered."""
    place = terms.get_pickup(method)
    return place.hours if place else StoreCalendar({}, {})


def _round_up_to_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(hours=1)


@dataclass(frozen=True)
class PickupWords:
    """What an order's buyer needs to collect it. `ready`: from when, while it is not; `code`: while it may be used."""

    name: str
    address: str
    phone: str
    opening: str
    hours: list[HoursLine]
    ready: str
    code: str
    is_ready: bool
    is_collected: bool


def describe_pickup(order: Order, now: datetime) -> PickupWords | None:
    """None of an order that is sent. Reads the store and its hours: three queries."""
    store = order.pickup_store
    if store is None:
        return None
    hours, today = _read_hours(store), timezone.localdate(now)
    status = Order.FulfilmentStatus(order.fulfilment_status)
    is_ready, is_collected = status == status.READY, status == status.DELIVERED
    is_open = order.status == Order.Status.CONFIRMED and not order.hold
    promised = order.pickup_ready_at
    return PickupWords(
        *(store.name, " ".join(store.address.split("\n")), store.phone),
        opening=describe_opening(hours, now),
        hours=list_hours(hours, today) if hours.weekly or hours.special else [],
        ready=promise.format_moment(promised, today) if promised and is_open and not (is_ready or is_collected) else "",
        code=order.pickup_code if is_open else "",
        is_ready=is_ready,
        is_collected=is_collected,
    )


def _read_hours(store: Store) -> StoreCalendar:
    calendar = StoreCalendar({}, {})
    for each in store.opening_hours.all():
        calendar.weekly.setdefault(each.weekday, []).append((each.opens_at, each.closes_at))
    for day in store.special_hours.all():
        spans = [(day.opens_at, day.closes_at)] if day.opens_at and day.closes_at else []
        calendar.special[day.falls_on] = spans
    return calendar
