"""Another address for an order, until somebody starts picking it. Price, tax and dates are those of the country, which
therefore stays: to another one, the buyer writes to the shop.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import transaction

from accounts.models.address import ADDRESS_FIELDS
from accounts.people.address_forms import ADDRESS_LABELS, ADDRESS_WIDGETS, PostalAddressMixin
from orders import events, stages
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Shipment

CHANGEABLE = [name for name in ADDRESS_FIELDS if name != "phone"]
OTHER_COUNTRY = (
    "In another country tax, delivery and the day it arrives may differ, so that is not changed here. "
    "Write to us, and we see to it."
)
MEANINGLESS = RegexValidator(r"^[^\r\n\t<>]*$", "Please write it in plain words on one line.")


class OrderAddressChangeForm(PostalAddressMixin, forms.ModelForm):
    """Where an order goes, by the rules of its country, which stays."""

    class Meta:
        model = Order
        fields = CHANGEABLE
        labels = ADDRESS_LABELS
        widgets = ADDRESS_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.was_country = str(self.instance.country)
        for name, field in self.fields.items():
            if name != "country":
                field.validators.append(MEANINGLESS)
        self.apply_postal_rules()

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"])
        if country != self.was_country:
            raise forms.ValidationError(OTHER_COUNTRY)
        return country

    @property
    def address(self) -> dict[str, str]:
        """Of a valid form."""
        return {name: self.cleaned_data[name] for name in CHANGEABLE}


def may_change_address(order: Order) -> bool:
    """For a page, prefetch `shipments`."""
    return not _find_objection(order)


@transaction.atomic
def change_address(order_id: int, address: Mapping[str, str], *, actor: str) -> bool:
    """Whether anything was changed: the same address again is none. The event holds no address.

    Raises `TransitionRefused` once somebody picks it, while it is on hold, or for another country.
    """
    order = lock_order(order_id)
    if objection := _find_objection(order):
        raise TransitionRefused(f"{order.number} {objection}")
    if address["country"] != str(order.country):
        raise TransitionRefused(f"{order.number}: {OTHER_COUNTRY}")
    is_changed = _save_address(order, address)
    if is_changed:
        events.record_order_event(order, OrderEvent.Kind.ADDRESS_CHANGED, actor=actor)
    return is_changed


def _save_address(order: Order, address: Mapping[str, str]) -> bool:
    changed = [name for name in CHANGEABLE if address[name] != str(getattr(order, name))]
    for name in changed:
        setattr(order, name, address[name])
    if changed:
        order.save(update_fields=changed)
    return bool(changed)


def _find_objection(order: Order) -> str:
    """Why its address stays, as the end of a sentence after its number; empty where it may be changed."""
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so its address stays as it is."
    if order.hold:
        return "is on hold, so its address stays as it is for now."
    underway = [each for each in order.shipments.all() if each.stage not in stages.OFF_THE_ROAD]
    if any(each.stage != Shipment.Stage.WAITING for each in underway):
        return "is being made ready already, so its address stays as it is."
    return ""
