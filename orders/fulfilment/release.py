"""Letting go of an order: its goods go back on the shelf, its parcels stop. The caller holds the order's lock."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from orders import events, status
from orders.fulfilment import backorders
from orders.models import Allocation, Order, OrderEvent, Shipment
from shop.catalog import stock


def get_open_allocations(order: Order) -> QuerySet[Allocation]:
    """What is still promised to the order, in the order in which stock is locked."""
    standing = Allocation.objects.filter(order_line__order=order, released_at=None, consumed_at=None)
    return standing.select_related("record").order_by("record__variant_id")


def close_allocation(item: Allocation, count: int, **closed_at: datetime) -> None:
    """Of what it promised so many pieces are `released_at` or `consumed_at` that moment; the others stay promised."""
    mine = Allocation.objects.filter(pk=item.pk)
    if count == item.quantity:
        mine.update(**closed_at)
        return
    mine.update(quantity=F("quantity") - count)
    Allocation.objects.create(order_line_id=item.order_line_id, record_id=item.record_id, quantity=count, **closed_at)


def release_stock(order: Order) -> None:
    """What others wait for goes to them."""
    promised = list(get_open_allocations(order))
    for item in promised:
        stock.release_allocation(item.record_id, quantity=item.quantity)
    get_open_allocations(order).update(released_at=timezone.now())
    backorders.serve_waiting([item.record_id for item in promised])


def cancel_and_release_stock(order: Order, *, actor: str, reason: str = "", gives_back: Decimal = Decimal(0)) -> None:
    """Marks the order cancelled, stops its parcels, releases what was promised to it, and records it.

    `gives_back`: what goes back to the buyer with it, which their mail names beside what their bank took back before.
    An order that was never placed leaves no event: nobody was told of it.
    """
    was_placed = order.placed_at is not None
    order.status = Order.Status.CANCELLED
    order.cancelled_at = timezone.now()
    order.save(update_fields=["status", "cancelled_at"])
    order.shipments.update(stage=Shipment.Stage.CANCELLED)
    release_stock(order)
    if was_placed:
        sums = {"amount": gives_back, "by_bank": status.lost_total(order)}
        money: dict[str, Any] = {name: str(amount) for name, amount in sums.items() if amount}
        events.record_order_event(order, OrderEvent.Kind.CANCELLED, actor=actor, reason=reason, **money)
    status.recalculate(order)
