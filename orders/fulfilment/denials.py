"""A parcel that is said to be delivered, and that its buyer says did not come.

The buyer's word is on the parcel (`Shipment.denied_at`) until they take it back or staff settle it; the events keep all
of it. It moves neither parcel nor money, and keeps the time to withdraw open meanwhile.
"""

from django.db import transaction
from django.utils import timezone

from orders import events, status
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_shipment
from orders.models import OrderEvent, Shipment
from orders.order_facts import read_order_facts
from orders.returns import pieces

Kind = OrderEvent.Kind


@transaction.atomic
def deny_delivery(shipment_id: int, *, actor: str) -> Shipment:
    """The buyer says that it did not come. Said again it is the same. Refused unless it is said to be delivered, and
    where all of it was sent back or paid back.
    """
    shipment = lock_shipment(shipment_id)
    if shipment.denied_at is not None:
        return shipment
    if shipment.stage != Shipment.Stage.DELIVERED:
        raise TransitionRefused(f"{shipment.order.number}: nobody says yet that this parcel was delivered.")
    if shipment.pk not in pieces.list_parcels_to_deny(shipment.order, read_order_facts(shipment.order_id)):
        raise TransitionRefused(f"{shipment.order.number}: what was in this parcel was sent back, or is paid back.")
    return _set_denial(shipment, Kind.DELIVERY_DENIED, is_open=True, actor=actor)


@transaction.atomic
def take_denial_back(shipment_id: int, *, actor: str) -> Shipment:
    """It came after all. Where nothing is open, nothing happens."""
    shipment = lock_shipment(shipment_id)
    if shipment.denied_at is None:
        return shipment
    return _set_denial(shipment, Kind.DENIAL_TAKEN_BACK, is_open=False, actor=actor)


@transaction.atomic
def settle_denial(shipment_id: int, *, actor: str, reason: str) -> Shipment:
    """Staff have seen to it. `reason`: what came of it, as the customer reads it."""
    shipment = lock_shipment(shipment_id)
    if shipment.denied_at is None:
        raise TransitionRefused(f"{shipment.order.number}: nobody says any more that this parcel did not come.")
    return _set_denial(shipment, Kind.DENIAL_SETTLED, is_open=False, actor=actor, reason=reason)


def _set_denial(shipment: Shipment, kind: OrderEvent.Kind, *, is_open: bool, actor: str, **told: str) -> Shipment:
    shipment.denied_at = timezone.now() if is_open else None
    shipment.save(update_fields=["denied_at"])
    events.record_order_event(shipment.order, kind, shipment=shipment, actor=actor, **told)
    status.recalculate(shipment.order)
    return shipment
