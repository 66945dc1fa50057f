"""Which orders will miss their day: one statement for where they stand, one question about each, one notice each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from orders import pickup, shop_terms
from orders.delays.announcing import announce_delay
from orders.delays.answering import end_unanswered_order
from orders.delays.prediction import ONE_DAY, OrderOutlook, Slip, compute_arrival, predict_slip
from orders.delays.road import find_road_slips
from orders.fulfilment import backorders
from orders.models import DelayNotice, ShippingMethod
from orders.shop_terms import Terms
from shop.prepared import PreparedStatement
from shop.retrying.loops import Loop, register_loop

DELAYS = register_loop(
    Loop(
        "delays",
        title="Order",
        advice="Its buyer was not told that it will be late, or was not given the money back in time. Look at the "
        "order: say yourself when it will leave, or cancel it.",
        model="orders.Order",
    )
)
LONG_PAST = timedelta(days=14)  # a day that passed longer ago is no news: staff see it among what is late
UNKNOWN = date.min  # no day was promised any more, so any day is news

# Whose goods are not here: what is promised of a store's goods beyond what it holds, the oldest promise served first.
# Of an order in two parcels the order's own row is about the rest, and the first has a row, and days, of its own.
# An order without a day was told so; it is looked at until a day can be named, unless staff said so themselves.
FIND_STANDINGS = PreparedStatement("""
WITH short AS (
    SELECT line.order_id, line.goes_first, r.restock_on, r.on_hand,
           sum(a.quantity) OVER (PARTITION BY a.record_id
                                 ORDER BY a.awaits_goods,
                                          coalesce(line.first_promised_by_on,
                                                   CASE WHEN line.goes_first THEN line.promised_by_on END,
                                                   o.first_promised_by_on, line.promised_by_on, o.promised_by_on),
                                          coalesce(o.placed_at, o.created_at), a.id) AS needed
    FROM catalog_stockrecord r
    JOIN orders_allocation a ON a.record_id = r.id AND a.released_at IS NULL AND a.consumed_at IS NULL
    JOIN orders_orderline line ON line.id = a.order_line_id
    JOIN orders_order o ON o.id = line.order_id
    WHERE r.allocated > r.on_hand
), awaited AS (
    SELECT order_id, goes_first,
           CASE WHEN bool_and(coalesce(restock_on >= %(today)s, false)) THEN max(restock_on) END AS goods_on
    FROM short WHERE needed > on_hand GROUP BY order_id, goes_first
)
SELECT o.id, o.number, o.country, o.promised_by_on, o.shipping_method_id,
       CASE WHEN o.fulfilment_status IN ('dispatched', 'held_up')
            THEN (SELECT max(s.dispatched_at) FROM orders_shipment s WHERE s.order_id = o.id) END,
       awaited.order_id IS NOT NULL, awaited.goods_on,
       (SELECT max(p.released_on) FROM orders_orderline line JOIN catalog_product p ON p.id = line.product_id
        WHERE line.order_id = o.id AND NOT line.goes_first AND p.released_on > %(today)s), o.moved_days, o.zone_days,
       o.pickup_store_id IS NOT NULL, false
FROM orders_order o LEFT JOIN awaited ON awaited.order_id = o.id AND NOT awaited.goes_first
WHERE o.status = 'confirmed' AND o.hold = '' AND o.source <> 'import' AND o.shipping_method_id IS NOT NULL
  AND ((o.fulfilment_status IN ('unfulfilled', 'in_progress', 'partly_sent', 'partly_here')
        AND o.promised_by_on >= %(long_past)s
        AND (o.promised_by_on <= %(soon)s::date + 2 * o.zone_days + 7 * least(o.zone_days, 1)
             OR awaited.order_id IS NOT NULL
             OR EXISTS (SELECT FROM orders_orderline line JOIN catalog_product p ON p.id = line.product_id
                        WHERE line.order_id = o.id AND NOT line.goes_first AND p.released_on > %(today)s)))
    OR (o.fulfilment_status IN ('unfulfilled', 'in_progress', 'partly_sent', 'partly_here')
        AND o.promised_by_on IS NULL
        AND EXISTS (SELECT FROM orders_delaynotice n
                    WHERE n.order_id = o.id AND n.is_current AND NOT n.is_of_first AND n.new_by_on IS NULL
                      AND n.reason <> 'staff'))
    OR (o.fulfilment_status IN ('dispatched', 'held_up') AND o.promised_by_on >= %(today)s))
UNION ALL
SELECT o.id, o.number, o.country, own.by_on, o.shipping_method_id, CASE WHEN own.is_here THEN NULL ELSE own.left_at END,
       awaited.order_id IS NOT NULL, awaited.goods_on, own.released_on, o.moved_days, o.zone_days, false, true
FROM orders_order o
CROSS JOIN LATERAL (
    SELECT max(line.promised_by_on) AS by_on,
           max(p.released_on) FILTER (WHERE p.released_on > %(today)s) AS released_on,
           bool_or(s.id IS NULL OR s.dispatched_at IS NULL) AS is_here,
           max(s.dispatched_at) FILTER (WHERE s.stage IN ('dispatched', 'in_transit', 'out_for_delivery',
                                                          'failed_attempt', 'undeliverable')) AS left_at
    FROM orders_orderline line
    LEFT JOIN catalog_product p ON p.id = line.product_id
    LEFT JOIN orders_shipmentline inside ON inside.order_line_id = line.id
    LEFT JOIN orders_shipment s ON s.id = inside.shipment_id
    WHERE line.order_id = o.id AND line.goes_first AND line.cancelled_quantity < line.quantity
) own
LEFT JOIN awaited ON awaited.order_id = o.id AND awaited.goes_first
WHERE o.status = 'confirmed' AND o.hold = '' AND o.source <> 'import' AND o.shipping_method_id IS NOT NULL
  AND o.ships_as_ready
  AND ((own.is_here AND own.by_on >= %(long_past)s
        AND (own.by_on <= %(soon)s::date + 2 * o.zone_days + 7 * least(o.zone_days, 1)
             OR awaited.order_id IS NOT NULL OR own.released_on IS NOT NULL))
    OR (own.is_here AND own.by_on IS NULL
        AND EXISTS (SELECT FROM orders_delaynotice n
                    WHERE n.order_id = o.id AND n.is_current AND n.is_of_first AND n.new_by_on IS NULL
                      AND n.reason <> 'staff'))
    OR (NOT own.is_here AND own.left_at IS NOT NULL AND own.by_on >= %(today)s))
ORDER BY 4, 1
""")


@dataclass(frozen=True)
class FoundOrder:
    order_id: int
    number: str
    country: str
    promised_by_on: date | None
    method_id: int
    outlook: OrderOutlook
    is_first: bool = False  # about the first parcel of two


def see_to_delays() -> int:
    """Ends what nobody answered in time, then tells of what will be late. Returns how many orders changed."""
    with DELAYS.take_turn() as is_mine:
        if not is_mine:
            return 0
        _tell_what_came()
        return _end_what_is_over() + _tell_what_slips()


def _end_what_is_over() -> int:
    over = DelayNotice.objects.unanswered().filter(deadline_on__lt=timezone.localdate(), ended_at=None)
    count = 0
    for pk, order_id, number in over.order_by("deadline_on", "pk").values_list("pk", "order_id", "order__number"):
        if DELAYS.is_due(order_id):
            with DELAYS.attempt(order_id, subject=f"{DELAYS.title} {number}"):
                count += end_unanswered_order(pk) is not None
    return count


def _tell_what_came() -> None:
    """What was given to those who wait is told at once; this finds what a crash in between has left."""
    backorders.serve_all_waiting()
    for pk, number in list(backorders.find_untold().values_list("pk", "number")):
        if DELAYS.is_due(pk):
            with DELAYS.attempt(pk, subject=f"{DELAYS.title} {number}"):
                backorders.tell_goods_came(pk)


def _tell_what_slips() -> int:
    count = 0
    for found, slip in find_slips():
        if DELAYS.is_due(found.order_id):
            with DELAYS.attempt(found.order_id, subject=f"{DELAYS.title} {found.number}"):
                told = announce_delay(found.order_id, slip, seen_by_on=found.promised_by_on, is_of_first=found.is_first)
                count += told is not None
    return count + _tell_what_slips_on_the_road()


def _tell_what_slips_on_the_road() -> int:
    count = 0
    for found, slip in find_road_slips():
        if DELAYS.is_due(found.order_id):
            with DELAYS.attempt(found.order_id, subject=f"{DELAYS.title} {found.number}"):
                told = announce_delay(
                    found.order_id,
                    slip,
                    seen_by_on=found.outlook.promised_by_on,
                    shipment_id=found.shipment_id,
                    is_of_first=found.is_first,
                )
                count += told is not None
    return count


def find_slips() -> Iterator[tuple[FoundOrder, Slip]]:
    """The orders that will miss their day, and those without one for which a day can be named now."""
    now, terms = timezone.now(), shop_terms.load_terms()
    methods = ShippingMethod.objects.in_bulk()
    for found in list(find_standings(terms, methods)):
        slip = predict_slip(
            found.outlook, calendar=terms.get_calendar(found.country), method=methods[found.method_id], now=now
        )
        is_news = slip is not None and (found.promised_by_on is not None or slip.promised is not None)
        if slip is not None and is_news:
            yield found, slip


def find_standings(terms: Terms, methods: Mapping[int, ShippingMethod]) -> Iterator[FoundOrder]:
    """One query; orders whose day is far off and whose goods are here are left out."""
    today = timezone.localdate()
    arrivals = [compute_arrival(terms.calendar, each, leaves_on=today + ONE_DAY).by_on for each in methods.values()]
    values = {"today": today, "long_past": today - LONG_PAST, "soon": max(arrivals, default=today)}
    for (
        order_id,
        number,
        country,
        by_on,
        method_id,
        left_at,
        awaits,
        goods_on,
        released_on,
        moved_days,
        zone_days,
        is_collected,
        is_first,
    ) in FIND_STANDINGS.fetch_rows(values):
        outlook = OrderOutlook(
            by_on or UNKNOWN,
            left_on=timezone.localdate(left_at) if left_at else None,
            awaits_goods=awaits,
            goods_on=goods_on,
            released_on=released_on,
            moved_days=moved_days,
            zone_days=zone_days,
            hours=pickup.get_store_hours(terms, methods[method_id]) if is_collected else None,
        )
        yield FoundOrder(order_id, number, country, by_on, method_id, outlook, is_first)
