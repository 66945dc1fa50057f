"""What the checkout offers of delivery: the ways, and one parcel or two where some of it is still to come; and the
sentence about all of it above the button.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from orders import pricing, promise
from orders.addresses.zone_words import describe_zone
from orders.checkout import plan_cart_parcels
from orders.models import CartLine, DeliveryZone, ShippingMethod
from orders.parcel_plan import ParcelPlan, format_plan
from orders.shop_terms import PickupPlace, Terms
from shop.catalog.opening_hours import describe_opening
from shop.money import format_amount
from shop.storefront.checkout_form import IN_TWO, TOGETHER, CheckoutForm


@dataclass(frozen=True)
class DeliveryOption:
    """One way for the parcel to go, as the page offers it."""

    method: ShippingMethod
    price: str
    arrival: str
    is_chosen: bool
    place: PickupPlace | None = None  # where it is collected, if it is
    opening: str = ""
    zone_words: str = ""


@dataclass(frozen=True)
class ParcelOption:
    """All together, or in two parcels. `price`: what it costs on top; empty where nothing."""

    value: str
    title: str
    price: str
    arrival: str
    is_chosen: bool


def list_deliveries(form: CheckoutForm, lines: list[CartLine], agreed: Terms) -> list[DeliveryOption]:
    now, chosen, country, postcode = timezone.now(), form.chosen_method, form.chosen_country, form.chosen_postcode
    zones = {each.pk: agreed.find_zone(country, postcode, each) for each in form.methods}
    plans = {
        each.pk: plan_cart_parcels(lines, each, agreed, country=country, postcode=postcode) for each in form.methods
    }
    goods = pricing.compute_totals([line for line in lines if line.is_sellable], None, "", terms=agreed)
    return [
        DeliveryOption(
            method=each,
            price=_format_method_price(each, zones[each.pk], goods),
            arrival=_format_days(plans[each.pk], zones[each.pk], now),
            is_chosen=each == chosen,
            place=(place := agreed.get_pickup(each)),
            opening=describe_opening(place.hours, now) if place else "",
            zone_words=describe_zone(zones[each.pk]),
        )
        for each in form.methods
    ]


def _format_days(plan: ParcelPlan, zone: DeliveryZone | None, now: datetime) -> str:
    return "" if zone and zone.is_refused else format_plan(plan, in_two=False, now=now)


def _format_method_price(method: ShippingMethod, zone: DeliveryZone | None, goods: pricing.Totals) -> str:
    amount = method.price_for(goods.subtotal) + (zone.surcharge if zone else 0)
    return format_amount(amount, goods.currency) if amount else "free"


def list_parcel_options(plan: ParcelPlan, method: ShippingMethod, *, now: datetime, in_two: bool) -> list[ParcelOption]:
    """None where all of it goes at once anyway."""
    if not plan.may_split:
        return []
    unknown = "We will write when we know the day."
    together = format_plan(plan, in_two=False, now=now) or unknown
    return [
        ParcelOption(TOGETHER, "All together", "", together, is_chosen=not in_two),
        ParcelOption(
            IN_TWO,
            "In two parcels, each as it is ready",
            _format_extra(method) or "at no extra cost",
            format_plan(plan, in_two=True, now=now),
            is_chosen=in_two,
        ),
    ]


def _format_extra(method: ShippingMethod) -> str:
    """What a second parcel costs on top; empty where nothing."""
    extra = method.extra_parcel_price
    return f"+ {format_amount(extra, method.currency)}" if extra else ""


def format_arrival(lines: Sequence[CartLine], plan: ParcelPlan, *, now: datetime, in_two: bool = False) -> str:
    """One sentence for all of it, when every day is known; and that it travels together, when the days differ."""
    if in_two:
        return format_plan(plan, in_two=True, now=now)
    together = plan.together
    if together is None:
        return ""
    words = promise.format_promise(together, now=now)
    if not has_different_days(plan.promises):
        return words
    rows = zip(lines, plan.promises, strict=True)
    late = [line.variant.product.title for line, promised in rows if promised and promised.by_on == together.by_on]
    if not late:
        return words
    cause = late[0] if len(late) == 1 else "the last of it"
    return f"It all travels together, with {cause}. {words}"


def has_different_days(promises: Sequence[promise.Promise | None]) -> bool:
    """Whether the lines alone would go by different days."""
    return len({(each.ships_on, each.by_on) for each in promises if each}) > 1
