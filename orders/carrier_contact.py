"""What of an order goes to the carrier. Labels, slips, hand-over lists and calls to a carrier take it from here alone.

Name and address are what delivery needs (Regulation (EU) 2016/679, article 6(1)(b)); e-mail address and phone number
are passed on only where the buyer chose so for this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orders.models import Order, Shipment

CARRIER_MAY_WRITE = "Let the carrier write to me about this delivery"
WHAT_CARRIER_GETS = (
    "For this order alone: it then gets your e-mail address, and your phone number if you give one. "
    "Otherwise only name and address."
)
WHY_PHONE = "You need not. Only for the carrier, about this parcel, and only with that tick; some carriers ask for one."


@dataclass(frozen=True)
class CarrierContact:
    """`lines`: the address as on the label. `email` and `phone` are empty where the buyer did not choose."""

    lines: tuple[str, ...]
    email: str = ""
    phone: str = ""

    @property
    def ways(self) -> str:
        """How the carrier may reach the buyer, for staff to type in; empty for none."""
        return ", ".join(way for way in (self.email, self.phone) if way)


def build_carrier_contact(order: Order) -> CarrierContact:
    """For what of it is still here."""
    return _build_contact(order, order.address_lines)


def build_parcel_contact(parcel: Shipment) -> CarrierContact:
    """With the address that it left with, or leaves with."""
    return _build_contact(parcel.order, parcel.destination.address_lines)


def _build_contact(order: Order, address_lines: Sequence[str]) -> CarrierContact:
    lines = tuple(address_lines)
    return CarrierContact(lines, order.email, order.phone) if order.carrier_may_write else CarrierContact(lines)
