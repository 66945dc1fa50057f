from typing import Any

from orders.models import Order, OrderEvent, Shipment

RULE = "rule"  # the actor of what happens by itself
BUYER = "the customer"  # the actor, without a name


def record_order_event(
    order: Order, kind: OrderEvent.Kind, *, shipment: Shipment | None = None, actor: str = "", **data: Any
) -> OrderEvent:
    """Writes down what happened, in the transaction in which it happens. `data`: JSON, no personal data."""
    return OrderEvent.objects.create(order=order, kind=kind, shipment=shipment, actor=actor, data=data)
