"""What the tests of the mail room do again and again."""

from django.utils import timezone

from accounts.consent import consent
from accounts.models import Customer
from notifications import delivery, relay
from notifications.models import OutgoingEmail
from orders import events
from orders.models import Order, OrderEvent, OrderTick, Shipment, ShipmentLine
from orders.stages import EVERY_STAGE
from recommendations.picks import Pick
from tests import builders

Kind = OrderEvent.Kind
OF_A_PARCEL = {*(row.event for row in EVERY_STAGE[1:]), Kind.TRACKING_CORRECTED}  # the others are of the whole order


def tick(order: Order, purpose: str, *, granted: bool = True) -> OrderTick:
    return OrderTick.objects.create(order=order, purpose=purpose, granted=granted, wording_version=1)


def untick(order: Order, purpose: str) -> None:
    OrderTick.objects.filter(order=order, purpose=purpose).update(granted=False, changed_at=timezone.now())


def tick_again(order: Order, purpose: str) -> None:
    OrderTick.objects.filter(order=order, purpose=purpose).update(granted=True, changed_at=timezone.now())


def parcel(order: Order, **fields) -> Shipment:
    fields.setdefault("carrier", "royal_mail")
    made = Shipment.objects.create(order=order, store=builders.store(), **fields)
    for line in order.lines.all():
        ShipmentLine.objects.create(shipment=made, order_line=line, quantity=line.quantity)
    return made


def happened(order: Order, kind: OrderEvent.Kind, **more) -> OrderEvent:
    return events.record_order_event(order, kind, **more)


def queued(order: Order, kind: OrderEvent.Kind, **more) -> OutgoingEmail:
    """Something happened, and the relay has dealt with it."""
    happened(order, kind, **more)
    relay.relay_all_events()
    return OutgoingEmail.objects.filter(order=order).latest("created_at")


def relay_and_deliver() -> int:
    relay.relay_all_events()
    return delivery.deliver_due_mail()


def best_sellers(count: int = 3) -> list[Pick]:
    """So many things as the letter would pick them for anybody."""
    return [Pick(builders.product().pk, "Sells well just now") for _ in range(count)]


def say_no(customer: Customer, purpose: str) -> None:
    consent.set_consent(customer, purpose, granted=False, source="test")


def say_yes(customer: Customer, purpose: str) -> None:
    consent.set_consent(customer, purpose, granted=True, source="test")
