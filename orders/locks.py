"""Locks, always in one order: cart, order, payment, shipment, tracking number, then stock by variant id.

Whoever changes an order or anything that belongs to it holds the order's row lock while doing so.
"""

from orders.carriers.tracking_numbers import get_bare_number
from orders.models import Order, Payment, Shipment
from shop.advisory_locks import AdvisoryLock, lock_until_commit, to_lock_part
from shop.model_rows import RowStatement
from shop.prepared import PreparedStatement

LOCK_ORDER = RowStatement(Order, "WHERE t.id = %(order)s FOR UPDATE")
LOCK_ORDER_OF_PAYMENT = RowStatement(
    Order, "JOIN orders_payment payment ON payment.order_id = t.id WHERE payment.id = %(payment)s FOR UPDATE OF t"
)
LOCK_PAYMENT = RowStatement(Payment, "WHERE t.id = %(payment)s FOR UPDATE")
LOCK_CART_OF_PAYMENT = PreparedStatement("""
SELECT cart.id FROM orders_payment payment JOIN orders_order o ON o.id = payment.order_id
JOIN orders_cart cart ON cart.id = o.cart_id WHERE payment.id = %(payment)s FOR UPDATE OF cart
""")
FOR_PAYMENT = (LOCK_CART_OF_PAYMENT, LOCK_ORDER_OF_PAYMENT.statement, LOCK_PAYMENT.statement)


def lock_order(order_id: int) -> Order:
    """The order, freshly read under its row lock. Needs a transaction."""
    return LOCK_ORDER.get({"order": order_id})


def lock_shipment(shipment_id: int) -> Shipment:
    """The shipment with its order locked first; `shipment.order` is the locked order. Needs a transaction."""
    order_id = Shipment.objects.values_list("order_id", flat=True).get(pk=shipment_id)
    order = lock_order(order_id)
    shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
    shipment.order = order
    return shipment


def lock_payment(payment_id: int) -> Payment:
    """The payment with its order locked first; `payment.order` is the locked order. Needs a transaction."""
    order = LOCK_ORDER_OF_PAYMENT.get({"payment": payment_id})
    payment = LOCK_PAYMENT.get({"payment": payment_id})
    payment.order = order
    return payment


def lock_number(number: str) -> None:
    """Until the transaction ends, whoever gives another parcel this tracking number waits. Needs a transaction."""
    lock_until_commit(AdvisoryLock.TRACKING_NUMBER, to_lock_part(get_bare_number(number)))
