"""Another address for an order, or for what of it is still here, until somebody starts picking that; what has left
keeps the one it went to (ADR 37). Price and tax are those of the country, which therefore stays: to another one, the
buyer writes to the shop, and staff choose it where no sum moves. Where the new postcode takes longer, its days are
counted anew, unless some has left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import transaction
from django.db.models import prefetch_related_objects

from accounts.models.address import ADDRESS_FIELDS
from accounts.people.address_forms import ADDRESS_LABELS, ADDRESS_WIDGETS, PostalAddressMixin
from orders import events, shop_terms, stages
from orders.addresses import zone_words
from orders.addresses.address_days import NewPlace, describe_later_days, find_new_place
from orders.addresses.other_country import explain_country_refusal
from orders.carrier_contact import CARRIER_MAY_WRITE, WHAT_CARRIER_GETS, WHY_PHONE
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent
from orders.models.shipment import copy_address
from orders.shop_terms import Terms

MOVED = ["zone_name", "zone_days", "promised_from_on", "promised_by_on", "first_promised_by_on", "moved_days"]
CARRIER_CONTACT = ("carrier_may_write", "phone")  # what it may get besides name and address
CHANGEABLE = (*(name for name in ADDRESS_FIELDS if name != "phone"), *CARRIER_CONTACT)
OTHER_COUNTRY = (
    "In another country tax, delivery and the day it arrives may differ, so that is not changed here. "
    "Write to us, and we see to it."
)
OTHER_DAYS = (
    "Some of this order has left, and to that postcode the way takes another time. "
    "Please give another address, or write to us."
)
MEANINGLESS = RegexValidator(r"^[^\r\n\t<>]*$", "Please write it in plain words on one line.")


class OrderAddressChangeForm(PostalAddressMixin, forms.ModelForm):
    """Where an order goes, by the rules of its country. That stays, unless whoever types it `may_leave_country`."""

    class Meta:
        model = Order
        fields = CHANGEABLE
        labels = {**ADDRESS_LABELS, "carrier_may_write": CARRIER_MAY_WRITE}
        widgets = ADDRESS_WIDGETS
        help_texts = {"carrier_may_write": WHAT_CARRIER_GETS, "phone": WHY_PHONE}

    def __init__(self, *args: Any, may_leave_country: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_leave_country = may_leave_country
        self.was_country = str(self.instance.country)
        for name, field in self.fields.items():
            if name not in ("country", "carrier_may_write"):
                field.validators.append(MEANINGLESS)
        self.apply_postal_rules()
        self.terms = shop_terms.load_terms()
        if self.terms.list_postcode_zones(self.typed_country) and self.postal_rules.has_postcode:
            self.fields["postcode"].required = True

    @property
    def typed_country(self) -> str:
        return str(self["country"].value() or "")

    def clean_postcode(self) -> str:
        postcode = str(super().clean_postcode())
        is_abroad = self.typed_country != self.was_country
        if not is_abroad and (refusal := _explain_place_refusal(self.instance, self.was_country, postcode, self.terms)):
            raise forms.ValidationError(refusal)
        return postcode

    def _find_doubts(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Where it takes longer there, that is asked about once too."""
        yield from super()._find_doubts(cleaned)
        country = cleaned.get("country", self.was_country)
        if later := describe_later_days(self.instance, country, cleaned.get("postcode", ""), self.terms):
            yield "postcode", later

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"])
        if country != self.was_country:
            if not self.may_leave_country:
                raise forms.ValidationError(OTHER_COUNTRY)
            postcode = self.cleaned_data.get("postcode", "")
            if refusal := _explain_place_refusal(self.instance, country, postcode, self.terms):
                raise forms.ValidationError(refusal)
        return country

    @property
    def address(self) -> dict[str, Any]:
        """Of a valid form. A number that no carrier may get is not kept."""
        left_out = {} if self.cleaned_data["carrier_may_write"] else {"phone": ""}
        return {name: self.cleaned_data[name] for name in CHANGEABLE} | left_out


def may_change_address(order: Order) -> bool:
    """For a page, prefetch `shipments`."""
    return not _find_objection(order)


@dataclass(frozen=True)
class AddressChange:
    """What became of an order's days; both None where nobody knew one. Where it `is_elsewhere`, more was changed than
    what the carrier may get besides.
    """

    was_by_on: date | None
    by_on: date | None
    is_elsewhere: bool = True

    @property
    def moved_day(self) -> date | None:
        """The new last day, where it is another."""
        return self.by_on if self.by_on != self.was_by_on else None


@transaction.atomic
def change_address(
    order_id: int, address: Mapping[str, Any], *, actor: str, may_leave_country: bool = False
) -> AddressChange | None:
    """None where nothing was changed: the same address again. The event holds no address, and the days if they moved;
    there is none where only what the carrier may get besides was changed. What `address` leaves out stays.

    Raises `TransitionRefused` once somebody picks what is still here, while it is on hold, where its way does not go or
    that would move the days of what has left, and for another country, unless it `may_leave_country` and no sum moves.
    """
    terms = shop_terms.load_terms()
    order = lock_order(order_id)
    prefetch_related_objects([order], "shipments")
    if objection := _find_objection(order):
        raise TransitionRefused(f"{order.number} {objection}")
    country, postcode = address["country"], address["postcode"]
    if country != str(order.country) and not may_leave_country:
        raise TransitionRefused(f"{order.number}: {OTHER_COUNTRY}")
    if refusal := _explain_place_refusal(order, country, postcode, terms):
        raise TransitionRefused(f"{order.number}: {refusal}")
    place = find_new_place(order, country, postcode, terms)
    _keep_where_it_went(order)
    changed = _save_address(order, address)
    if not changed:
        return None
    if changed <= set(CARRIER_CONTACT):
        return AddressChange(order.promised_by_on, order.promised_by_on, is_elsewhere=False)
    change = AddressChange(order.promised_by_on, _move_days(order, place) if place else order.promised_by_on)
    days: dict[str, Any] = {"was": str(change.was_by_on), "by": str(change.moved_day)} if change.moved_day else {}
    events.record_order_event(order, OrderEvent.Kind.ADDRESS_CHANGED, actor=actor, **days)
    return change


def _explain_place_refusal(order: Order, country: str, postcode: str, terms: Terms) -> str:
    """Why it does not go there; empty where it does. An order's parcels share its zone, and may share its days, by
    which what has left is measured.
    """
    if country != str(order.country):
        return explain_country_refusal(order, country, postcode, terms)
    place = find_new_place(order, country, postcode, terms)
    if place and place.is_refused:
        return zone_words.format_refusal(place.zone, postcode)
    return OTHER_DAYS if place and place.calendar and stages.has_any_left(order) else ""


def _keep_where_it_went(order: Order) -> None:
    """Of parcels that left without a copy: they came into the books as having left, as imported ones do."""
    if stages.has_any_left(order):
        left = order.shipments.filter(stage__in=stages.CARRIED_STAGES, went_to__isnull=True)
        left.update(went_to=copy_address(order))


def _move_days(order: Order, place: NewPlace) -> date | None:
    """Writes zone and days, and returns the last day that holds now. What was promised first, where a delay moved it,
    moves along: the lane is measured by it.
    """
    zone, before, zone_days = place.zone, order.promised_by_on, order.zone_days
    order.zone_name, order.zone_days = (zone.name, zone.extra_days) if zone else ("", 0)
    days = place.compute_days(order, order.ships_on) if before else None
    if days:
        order.promised_from_on, order.promised_by_on = days.from_on, days.by_on
        order.moved_days = days.moved_days or 0
    if order.first_promised_by_on:
        moved = days.by_on - before if days and before else timedelta(days=order.zone_days - zone_days)
        order.first_promised_by_on += moved
    for line in order.lines.exclude(promised_by_on=None) if order.ships_as_ready else ():
        if own := place.compute_days(order, line.ships_on):
            if line.first_promised_by_on and line.promised_by_on:
                line.first_promised_by_on += own.by_on - line.promised_by_on
            line.promised_from_on, line.promised_by_on = own.from_on, own.by_on
            line.save(update_fields=["promised_from_on", "promised_by_on", "first_promised_by_on"])
    order.save(update_fields=MOVED)
    return order.promised_by_on


def _save_address(order: Order, address: Mapping[str, Any]) -> set[str]:
    """The names of the fields that are others now."""
    changed = {name for name in CHANGEABLE if name in address and str(address[name]) != str(getattr(order, name))}
    for name in changed:
        setattr(order, name, address[name])
    if changed:
        order.save(update_fields=sorted(changed))
    return changed


def _find_objection(order: Order) -> str:
    """Why its address stays, as the end of a sentence after its number; empty where it may be changed."""
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so its address stays as it is."
    if order.pickup_store_id:
        return "is collected by its buyer: it goes to no address."
    if order.hold:
        return "is on hold, so its address stays as it is for now."
    if stages.has_all_left(order):
        return "has left, so its address stays as it is."
    if stages.is_rest_begun(order):
        return "is being made ready already, so its address stays as it is."
    return ""
