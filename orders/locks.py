"""Locks, always in one order: cart, order, payment, shipment, tracking number, then stock by variant id.

Whoever changes an order or anything that belongs to it holds the order's row lock while doing so.
"""

from orders.carriers.tracking_numbers import get_bare_number
from orders.models import Order, Payment, Shipment
from shop.advisory_locks import AdvisoryLock, lock_until_commit, to_lock_part


def lock_order(order_id: int) -> Order:
    """The order, freshly read under its row lock. Needs a transaction."""
    return Order.objects.select_for_update().get(pk=order_id)


def lock_shipment(shipment_id: int) -> Shipment:
    """The shipment with its order locked first; `shipment.order` is the locked order. Needs a transaction."""
    order_id = Shipment.objects.values_list("order_id", flat=True).get(pk=shipment_id)
    order = lock_order(order_id)
    shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
    shipment.order = order
    return shipment


def lock_payment(payment_id: int) -> Payment:
    """The payment with its order locked first; `payment.order` is the locked order. Needs a transaction."""
    order = Order.objects.select_for_update(of=("self",)).get(payments=payment_id)
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    payment.order = order
    return payment


def lock_number(number: str) -> None:
    """Until the transaction ends, whoever gives another parcel this tracking number waits. Needs a transaction."""
    lock_until_commit(AdvisoryLock.TRACKING_NUMBER, to_lock_part(get_bare_number(number)))
