"""Goods that were sold before they came: who gets what comes, and that their buyers read of it (ADR 71).

A promise that the shelf does not hold waits (`Allocation.awaits_goods`). What comes goes to whoever was promised it by
the earliest day, in the transaction that puts it on the shelf, under the lock of its stock record. The order's story
says so afterwards, under the order's own lock, which comes before that of stock: at once, and by a job if need be.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders import arrivals, events, promise, shop_terms
from orders.delays.prediction import DueGoods
from orders.locks import lock_order
from orders.models import Allocation, Order, OrderEvent, OrderLine, Shipment, ShipmentLine
from orders.models.allocation import IS_STANDING
from orders.promise import Promise
from shop.prepared import PreparedStatement

# What somebody fetched already stays theirs; so does what was given before, while there is enough of it.
SERVE_WAITING = PreparedStatement("""
WITH standing AS (
    SELECT a.id, a.awaits_goods, r.on_hand,
           sum(a.quantity) OVER (
               PARTITION BY a.record_id
               ORDER BY NOT EXISTS (SELECT FROM orders_shipmentline inside
                                    JOIN orders_shipment s ON s.id = inside.shipment_id
                                    WHERE inside.order_line_id = a.order_line_id
                                      AND s.stage IN ('picking', 'picked', 'packed')),
                        a.awaits_goods,
                        coalesce(line.first_promised_by_on,
                                 CASE WHEN line.goes_first THEN line.promised_by_on END,
                                 o.first_promised_by_on, line.promised_by_on, o.promised_by_on),
                        coalesce(o.placed_at, o.created_at), a.id) AS needed
    FROM catalog_stockrecord r
    JOIN orders_allocation a ON a.record_id = r.id AND a.released_at IS NULL AND a.consumed_at IS NULL
    JOIN orders_orderline line ON line.id = a.order_line_id
    JOIN orders_order o ON o.id = line.order_id
    WHERE r.id = ANY(%(records)s)
)
UPDATE orders_allocation a
SET awaits_goods = standing.needed > standing.on_hand,
    came_at = CASE WHEN standing.needed <= standing.on_hand THEN clock_timestamp() END
FROM standing WHERE standing.id = a.id AND a.awaits_goods <> (standing.needed > standing.on_hand)
RETURNING (SELECT line.order_id FROM orders_orderline line WHERE line.id = a.order_line_id), a.awaits_goods
""")
LOCK_RECORDS = PreparedStatement(
    "SELECT r.id FROM catalog_stockrecord r WHERE r.id = ANY(%(records)s) ORDER BY r.variant_id, r.id FOR UPDATE"
)


def serve_waiting(record_ids: Sequence[int]) -> set[int]:
    """Gives what the shelf holds to those who wait, the oldest promise first; takes it back where a count was lower.

    The keys of the orders that got something. Needs a transaction that holds the records' rows.
    """
    changed = SERVE_WAITING.fetch_rows({"records": list(record_ids)})
    served = {order_id for order_id, still_waits in changed if not still_waits}
    if served:
        transaction.on_commit(partial(_tell_each, sorted(served)), robust=True)
    return served


def serve_on_shelf_change(record_ids: Sequence[int]) -> None:
    serve_waiting(record_ids)


def serve_all_waiting() -> set[int]:
    """What should stand already: of every record that somebody waits for."""
    awaited = Allocation.objects.awaiting().order_by("record_id").values_list("record_id", flat=True).distinct()
    return {order_id for record_id in list(awaited) for order_id in _serve_record(record_id)}


@transaction.atomic
def _serve_record(record_id: int) -> set[int]:
    LOCK_RECORDS.fetch_rows({"records": [record_id]})
    return serve_waiting([record_id])


def find_untold() -> QuerySet[Order]:
    """Orders for which something came that their story does not tell yet."""
    came = Allocation.objects.filter(came_at__isnull=False)
    return Order.objects.filter(pk__in=came.order_by().values("order_line__order")).order_by("pk")


def _tell_each(order_ids: Sequence[int]) -> None:
    for order_id in order_ids:
        tell_goods_came(order_id)


@transaction.atomic
def tell_goods_came(order_id: int) -> bool:
    """Writes into the order's story what came for it; once, and not for an order that is no more."""
    order = lock_order(order_id)
    came = Allocation.objects.filter(order_line__order=order, came_at__isnull=False)
    here = came.filter(IS_STANDING, awaits_goods=False).order_by("order_line_id")
    titles = dict(here.values_list("order_line", "order_line__title"))
    came.update(came_at=None)
    if not titles or order.status != Order.Status.CONFIRMED:
        return False
    inside = ShipmentLine.objects.filter(shipment__order=order, shipment__stage=Shipment.Stage.WAITING)
    parcels: dict[int, list[Shipment]] = defaultdict(list)
    for row in inside.select_related("shipment").order_by("pk"):
        parcels[row.order_line_id].append(row.shipment)
    by_parcel: dict[Shipment | None, list[str]] = defaultdict(list)
    for line_id, title in titles.items():
        for parcel in parcels.get(line_id, [None]):
            by_parcel[parcel].append(title)
    _bring_days_forward(order, set(titles))
    for parcel, what in by_parcel.items():
        events.record_order_event(order, OrderEvent.Kind.GOODS_CAME, shipment=parcel, what=list(dict.fromkeys(what)))
    return True


def _bring_days_forward(order: Order, came: Collection[int]) -> None:
    """What is here sooner than was thought leaves sooner, once nothing else keeps its parcel. `came`: keys of lines.

    A day that had slipped is left alone: what its buyer was asked stands. So is that of what is collected: it was
    promised from a shelf.
    """
    is_settled = order.first_promised_by_on is not None or order.pickup_store_id is not None
    if order.shipping_method is None or is_settled:
        return
    lines = list(order.lines.select_related("product"))
    mine = [line for line in lines if line.pk in came and line.first_promised_by_on is None]
    own = {line.promised_by_on for line in mine if line.promised_by_on}
    if order.ships_as_ready and own:  # each parcel by its own day, whether or not anybody knows that of the other
        for by_on in sorted(own):
            _bring_parcel_forward(order, [line for line in lines if line.promised_by_on == by_on], by_on)
        days = arrivals.find_last_days(order)
        if days.promised_by_on:
            Order.objects.filter(pk=order.pk).update(**asdict(days))
    elif order.promised_by_on is not None:
        promised = _bring_parcel_forward(order, lines, order.promised_by_on)
        if promised is not None:
            Order.objects.filter(pk=order.pk).update(**list_days(promised), moved_days=promised.moved_days or 0)


def _bring_parcel_forward(order: Order, inside: Sequence[OrderLine], by_on: date) -> Promise | None:
    """Writes the days of its lines that have days of their own. None where they stay as they are."""
    if Allocation.objects.awaiting().filter(order_line__in=inside).exists():
        return None
    promised = compute_promise_from_shelf(order, inside)
    if promised is None or promised.by_on >= by_on:
        return None
    keys = [line.pk for line in inside]
    order.lines.filter(pk__in=keys, promised_by_on__isnull=False).update(**list_days(promised))
    return promised


def compute_promise_from_shelf(order: Order, inside: Sequence[OrderLine]) -> Promise | None:
    """Of lines that lie on the shelf, from now. None for an order that names no way of sending it."""
    if order.shipping_method is None:
        return None
    released = [line.product.released_on for line in inside if line.product and line.product.released_on]
    return promise.compute_promise(
        shop_terms.load_terms().get_order_calendar(order),
        order.shipping_method,
        availability=DueGoods(restock_on=None, on_shelf=1),
        now=timezone.now(),
        released_on=max(released, default=None),
    )


def list_days(promised: Promise) -> dict[str, date]:
    return {"ships_on": promised.ships_on, "promised_from_on": promised.from_on, "promised_by_on": promised.by_on}
