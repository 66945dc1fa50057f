"""The order whose payment paid for another: of what was sent in exchange for nothing, the one before it."""

from orders.locks import lock_order
from orders.models import Order, ReturnAuthorization


def find_paid_order(order: Order) -> Order:
    """The order whose payment the goods were paid by. A query for each exchange before it."""
    while order.source == Order.Source.EXCHANGE:
        came_from = ReturnAuthorization.objects.select_related("order").filter(exchange_order=order).first()
        if came_from is None:
            return order
        order = came_from.order
    return order


def lock_paid_order(order: Order) -> Order:
    """The same, locked. The order itself is locked; the one that it came from is older, and locked after it."""
    paid = find_paid_order(order)
    return order if paid.pk == order.pk else lock_order(paid.pk)
