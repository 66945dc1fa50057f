"""Where an order stands: two derived axes, and the one set of words customers read."""

from decimal import Decimal

from django.db.models import Sum

from orders.models import Order, Payment, Refund, Shipment

Stage = Shipment.Stage

ON_ITS_WAY = frozenset({Stage.DISPATCHED, Stage.IN_TRANSIT, Stage.OUT_FOR_DELIVERY, Stage.DELIVERED})


def recalculate(order: Order) -> None:
    """Derives and stores `payment_status` and `fulfilment_status`. Call it under the order's lock, after any change.

    payment_status, by captured and refunded sums of its payments (an order without payments keeps what it has:
    imported ones and those with nothing to pay):

    | captured | refunded          | payment_status     |
    |----------|-------------------|--------------------|
    | none     |                   | unpaid             |
    | some     | none              | paid               |
    | some     | less than captured| partially_refunded |
    | some     | all of it         | refunded           |

    fulfilment_status, by the stages of its parcels, cancelled ones left out:

    | parcels                          | fulfilment_status |
    |----------------------------------|-------------------|
    | none, or all waiting             | unfulfilled       |
    | all delivered                    | delivered         |
    | all dispatched or further        | dispatched        |
    | anything else                    | in_progress       |
    """
    order.payment_status = _payment_status(order)
    order.fulfilment_status = _fulfilment_status(order)
    order.save(update_fields=["payment_status", "fulfilment_status"])


def captured_total(order: Order) -> Decimal:
    captured = order.payments.filter(status=Payment.Status.CAPTURED).aggregate(sum=Sum("amount"))["sum"]
    return captured or Decimal(0)


def refunded_total(order: Order, *, with_requested: bool = False) -> Decimal:
    """What went back to the buyer; `with_requested` counts refunds under way too."""
    states = [Refund.Status.SUCCEEDED, Refund.Status.REQUESTED] if with_requested else [Refund.Status.SUCCEEDED]
    refunds = Refund.objects.filter(payment__order=order, status__in=states)
    return refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _payment_status(order: Order) -> str:
    if not order.payments.exists():
        return order.payment_status
    captured, refunded = captured_total(order), refunded_total(order)
    if not captured:
        return Order.PaymentStatus.UNPAID
    if not refunded:
        return Order.PaymentStatus.PAID
    return Order.PaymentStatus.REFUNDED if refunded >= captured else Order.PaymentStatus.PARTIALLY_REFUNDED


def _fulfilment_status(order: Order) -> str:
    stages = set(order.shipments.exclude(stage=Stage.CANCELLED).values_list("stage", flat=True))
    if not stages or stages == {Stage.WAITING}:
        return Order.FulfilmentStatus.UNFULFILLED
    if stages == {Stage.DELIVERED}:
        return Order.FulfilmentStatus.DELIVERED
    if stages <= ON_ITS_WAY:
        return Order.FulfilmentStatus.DISPATCHED
    return Order.FulfilmentStatus.IN_PROGRESS


_BY_FULFILMENT = {
    Order.FulfilmentStatus.IN_PROGRESS: "Being made ready",
    Order.FulfilmentStatus.DISPATCHED: "On its way",
    Order.FulfilmentStatus.DELIVERED: "Delivered",
}


def words(order: Order) -> str:
    """The order's state as the customer reads it, everywhere."""
    if order.status == Order.Status.PENDING:
        return "Waiting for payment"
    if order.status == Order.Status.CANCELLED:
        refunded = order.payment_status == Order.PaymentStatus.REFUNDED
        return "Cancelled and refunded" if refunded else "Cancelled"
    if order.payment_status == Order.PaymentStatus.REFUNDED:
        return "Refunded"
    by_parcel = _BY_FULFILMENT.get(Order.FulfilmentStatus(order.fulfilment_status))
    return by_parcel or ("Approved" if order.approved_at else "Placed")
