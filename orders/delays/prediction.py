"""Whether a promised day can still be kept. Plain values in, the new day out; nothing here queries or writes."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils import timezone

from orders import pickup, promise
from orders.models import DelayNotice, ShippingMethod
from orders.promise import Promise
from orders.shop_terms import Calendar
from shop.catalog.opening_hours import StoreCalendar

Reason = DelayNotice.Reason
LAST_HOUR = 18  # by then nothing more leaves that day, unless the cut-off is later still
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DueGoods:
    """What an order waits for, as `promise` looks at goods: none is here, and more come on a day."""

    restock_on: date | None
    available: int = 1
    on_shelf: int = 0


@dataclass(frozen=True)
class OrderOutlook:
    """How an order stands that was promised by a day.

    `left_on`: the day its parcel left; None while it is here. `awaits_goods`: something of it is not in the shop;
    `goods_on`: when that is due, None where nobody knows or the day has passed. `released_on`: not before that day.
    `moved_days`: by how many days the promised day had been moved, `zone_days`: how many its zone had added; what was
    measured or set since is no delay. `hours`: of the store where it is collected; None where it is sent.
    """

    promised_by_on: date
    left_on: date | None = None
    awaits_goods: bool = False
    goods_on: date | None = None
    released_on: date | None = None
    moved_days: int = 0
    zone_days: int = 0
    hours: StoreCalendar | None = None


@dataclass(frozen=True)
class Slip:
    """It will be late. `promised`: the new days; None when nobody can name any."""

    reason: DelayNotice.Reason
    promised: Promise | None

    @property
    def has_left(self) -> bool:
        """Whether it is about what is on the road."""
        return self.reason in DelayNotice.ON_THE_ROAD


def predict_slip(outlook: OrderOutlook, *, calendar: Calendar, method: ShippingMethod, now: datetime) -> Slip | None:
    """None while the promised day can still be kept.

    Goods that are here can leave today until `LAST_HOUR`. Goods of which nobody knows might come today: only when
    even that would be too late is the day given up. A parcel that has left is late when even the carrier's quickest
    day is. What is collected is late when it can no longer lie ready on its day while the store is open.
    """
    calendar = replace(calendar, moved_days={method.pk: outlook.moved_days}, zone_days={None: outlook.zone_days})
    if outlook.left_on is not None:
        promised = compute_arrival(calendar, method, leaves_on=outlook.left_on)
        return Slip(Reason.ROAD, promised) if promised.from_on > outlook.promised_by_on else None
    soonest = compute_arrival(calendar, method, leaves_on=find_first_day_to_leave(calendar, outlook, now))
    if outlook.awaits_goods and outlook.goods_on is not None:
        due = _compute_after_restock(calendar, method, outlook.goods_on, outlook.released_on, now)
        soonest = max(soonest, due, key=lambda each: each.by_on)
    if outlook.hours is None:
        return _name_slip(outlook, soonest, now) if soonest.by_on > outlook.promised_by_on else None
    can_still = pickup.set_ready_moment(soonest, outlook.hours, calendar, earliest=now)
    if can_still and can_still.by_on <= outlook.promised_by_on:
        return None
    soonest_hour = pickup.find_soonest_hour(now)
    return _name_slip(outlook, pickup.set_ready_moment(soonest, outlook.hours, calendar, earliest=soonest_hour), now)


def _name_slip(outlook: OrderOutlook, promised: Promise | None, now: datetime) -> Slip:
    if outlook.awaits_goods:
        return Slip(Reason.GOODS, promised if outlook.goods_on is not None else None)
    is_unreleased = outlook.released_on is not None and outlook.released_on > timezone.localdate(now)
    return Slip(Reason.GOODS if is_unreleased else Reason.BEHIND, promised)


def find_first_day_to_leave(calendar: Calendar, outlook: OrderOutlook, now: datetime) -> date:
    """The first day on which goods that are here could go."""
    local = now.astimezone(timezone.get_default_timezone())
    is_over = local.hour >= max(calendar.cutoff_hour, LAST_HOUR)
    today = local.date() + ONE_DAY if is_over else local.date()
    return max(today, outlook.released_on) if outlook.released_on else today


def compute_arrival(calendar: Calendar, method: ShippingMethod, *, leaves_on: date) -> Promise:
    """When a parcel arrives that leaves on that day, or on the first day from then on which the shop sends any."""
    midnight = timezone.make_aware(datetime.combine(leaves_on - ONE_DAY, datetime.min.time()))
    promised = promise.compute_promise(
        replace(calendar, handling_days=0), method, availability=DueGoods(leaves_on), now=midnight
    )
    if promised is None:
        raise ValueError("Goods that are due on a day have a promise")
    return promised


def _compute_after_restock(
    calendar: Calendar, method: ShippingMethod, goods_on: date, released_on: date | None, now: datetime
) -> Promise:
    """As it was promised when it was bought: the day they come, and the shop's days to pack."""
    promised = promise.compute_promise(
        calendar, method, availability=DueGoods(goods_on), now=now, released_on=released_on
    )
    if promised is None:
        raise ValueError("Goods that are due on a day have a promise")
    return promised
