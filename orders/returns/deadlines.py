"""Until when a buyer may withdraw, and until when their money has to be back.

Articles 9 and 13 of Directive 2011/83/EU, counted as Article 3 of Regulation 1182/71 counts: the day something happens
on is not counted, a period ends with its last day's last hour, and a last day that is no working day makes way for the
next one. Days are those of the shop's own time zone. See docs/law.md.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from orders import stages
from orders.models import Order, Shipment
from orders.shop_terms import Calendar, Terms
from shop.periods import Period

WITHDRAWAL_PERIOD = Period(days=14)
SENDING_BACK_PERIOD = Period(days=14)
REFUND_PERIOD = Period(days=14)
ONE_DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True)
class WithdrawalPeriod:
    """`ends_on`: its last day; None while not every parcel is known to be with the buyer, and so it is open."""

    ends_on: date | None

    def is_open_at(self, moment: datetime) -> bool:
        return self.ends_on is None or timezone.localdate(moment) <= self.ends_on


def find_withdrawal_period(order: Order, terms: Terms) -> WithdrawalPeriod:
    """One query for the parcels, none where they are prefetched."""
    calendar = terms.get_calendar(str(order.country))
    return compute_withdrawal_period(order.shipments.all(), days_off=list_days_off(calendar))


def compute_withdrawal_period(parcels: Iterable[Shipment], *, days_off: Collection[date]) -> WithdrawalPeriod:
    """From the day all of it is in the buyer's hands; open while nobody knows that day."""
    arrived_on = find_arrival_day(parcels)
    if arrived_on is None:
        return WithdrawalPeriod(None)
    last_day = arrived_on + WITHDRAWAL_PERIOD
    while last_day.weekday() >= SATURDAY or last_day in days_off:
        last_day += ONE_DAY
    return WithdrawalPeriod(last_day)


def find_arrival_day(parcels: Iterable[Shipment]) -> date | None:
    """When the last parcel came into the buyer's hands, by its carrier's own moment where there is one.

    None without parcels, with one of unknown end, and while the buyer says that one did not come.
    """
    on_the_road = [parcel for parcel in parcels if parcel.stage not in stages.OFF_THE_ROAD]
    arrived = [None if parcel.denied_at else parcel.delivered_at for parcel in on_the_road]
    known = [moment for moment in arrived if moment is not None]
    return timezone.localdate(max(known)) if known and len(known) == len(arrived) else None


def compute_refund_day(declared_at: datetime) -> date:
    """The last day for the money. It is not moved past a weekend: paying sooner wrongs nobody."""
    return timezone.localdate(declared_at) + REFUND_PERIOD


def list_days_off(calendar: Calendar) -> Collection[date]:
    """The holidays staff keep. A day on which only the shop rests gives the buyer one more."""
    return calendar.closed | calendar.undelivered
