"""What another postcode does to the days of an order that is still here. Plain values; nothing here queries or writes.

The day it leaves stays. What it cost stays too: a price is never raised after the purchase, nor lowered by itself.
"""

from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from orders.addresses.postcodes import build_postcode_key
from orders.delays.prediction import compute_arrival
from orders.models import DeliveryZone, Order
from orders.promise import Promise, format_date_range
from orders.shop_terms import Calendar, Terms


@dataclass(frozen=True)
class NewPlace:
    """`calendar`: of the new postcode, with the order's own lane window, or that of another country; None where its
    days stay as they are.
    """

    zone: DeliveryZone | None
    calendar: Calendar | None

    @property
    def is_refused(self) -> bool:
        return self.zone is not None and self.zone.is_refused

    def compute_days(self, order: Order, leaves_on: date | None) -> Promise | None:
        """Of a parcel of that order; None where no day was known, or it stays."""
        if self.calendar is None or leaves_on is None or order.shipping_method is None:
            return None
        return compute_arrival(self.calendar, order.shipping_method, leaves_on=leaves_on)


def find_new_place(order: Order, country: str, postcode: str, terms: Terms) -> NewPlace | None:
    """None for the same postcode, however it is written: what was agreed for it stands, whatever changed since."""
    method, is_abroad = order.shipping_method, country != str(order.country)
    if not is_abroad and build_postcode_key(postcode, country) == build_postcode_key(order.postcode, country):
        return None
    zone = terms.find_zone(country, postcode, method) if method else None
    days = zone.extra_days if zone else 0
    if method is None or (days == order.zone_days and not is_abroad):
        return NewPlace(zone, None)
    calendar = replace(terms.get_calendar(country), zone_days={None: days})
    return NewPlace(zone, calendar if is_abroad else replace(calendar, moved_days={method.pk: order.moved_days}))


def describe_later_days(order: Order, country: str, postcode: str, terms: Terms) -> str:
    """Before it is changed: “There it arrives 4–6 December, not 1–2 December.” Empty where it comes no later."""
    place = find_new_place(order, country, postcode, terms)
    days = place.compute_days(order, order.ships_on) if place else None
    before = order.promised_by_on
    if days is None or before is None or days.by_on <= before:
        return ""
    today = timezone.localdate()
    was = format_date_range(order.promised_from_on or before, before, today)
    there = format_date_range(days.from_on, days.by_on, today)
    return f"There it arrives {there}, not {was}. What you paid stays as it is."
