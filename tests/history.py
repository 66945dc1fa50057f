"""A shop's year of orders in a few statements: paid, worked, delivered, some of them late; and a few still to approve.

What goes otherwise stands in `tests.troubles`.
"""

from django.db import connection

from orders.models import Order
from shop.catalog.models import Variant
from tests import builders

OPEN = 200  # so many are still in the shop, however long the history
GOODS = 20  # what they are of

_ORDERS = """
    INSERT INTO orders_order
        (number, email, source, status, payment_status, fulfilment_status, currency, subtotal, shipping_total,
         tax_total, total, full_name, line1, line2, city, region, postcode, country, phone, shipping_name, carrier,
         gift_note, cart_fingerprint, created_at, placed_at, approved_at, ships_on, promised_from_on, promised_by_on,
         shipping_method_id)
    SELECT 'SW-' || lpad(n::text, 10, '0'), 'buyer' || n %% 9000 || '@example.com', 'web',
           CASE WHEN is_open THEN 'confirmed' ELSE 'completed' END, 'paid',
           CASE WHEN is_open THEN 'unfulfilled' ELSE 'delivered' END,
           'GBP', 20, 0, 0, 20, 'Buyer ' || n, '1 High Street', '', 'Leeds', '', 'LS1 1AA',
           (ARRAY['GB', 'GB', 'GB', 'DE', 'FR'])[1 + n %% 5], '', (ARRAY['Post', 'Courier'])[1 + n %% 2],
           'royal_mail', '', '', at, at, CASE WHEN is_open THEN NULL ELSE at + interval '2 hours' END,
           at::date + 1, at::date + 3, at::date + 4, %(method)s
    FROM generate_series(%(first)s, %(count)s) AS n,
         LATERAL (SELECT n <= %(open)s AS is_open) kind,
         LATERAL (SELECT now() - CASE WHEN is_open THEN interval '2 hours'
                                 ELSE interval '6 days' + n * interval '359 days' / %(count)s END AS at) bought"""
_LINES = """
    INSERT INTO orders_orderline
        (order_id, product_id, variant_id, sku, title, options, quantity, unit_price, tax_rate, tax_amount, is_gift,
         is_excluded)
    SELECT o.id, v.product_id, v.id, v.sku, p.title, '', 1, v.price, 0, 0, false, false
    FROM orders_order o
    CROSS JOIN generate_series(0, 1) AS place
    JOIN catalog_variant v ON v.id = (%(variants)s::bigint[])[1 + (o.id + place) %% array_length(%(variants)s, 1)]
    JOIN catalog_product p ON p.id = v.product_id
    WHERE (place = 0 OR o.id %% 3 = 0) AND o.id NOT IN (SELECT order_id FROM orders_orderline)"""  # every third has two
_PARCELS = """
    INSERT INTO orders_shipment
        (order_id, store_id, stage, carrier, tracking_number, packing_note, packed_by, created_at, dispatched_at,
         delivered_at)
    SELECT id, %(store)s, 'delivered', 'royal_mail', 'TT' || lpad(id::text, 9, '0') || 'GB', '', '', placed_at,
           placed_at + interval '1 day', placed_at + interval '1 day' * (2 + id %% 4)
    FROM orders_order WHERE status = 'completed' AND id NOT IN (SELECT order_id FROM orders_shipment)"""
_PACKED = """
    INSERT INTO orders_shipmentline (shipment_id, order_line_id, quantity)
    SELECT s.id, line.id, line.quantity FROM orders_shipment s JOIN orders_orderline line ON line.order_id = s.order_id
    WHERE line.id NOT IN (SELECT order_line_id FROM orders_shipmentline)"""
_SCANS = """
    INSERT INTO orders_trackingevent (shipment_id, meaning, words, place, happened_at, received_at, sender, key)
    SELECT id, meaning, '', '', at, at, 'easypost', meaning
    FROM orders_shipment,
         LATERAL (VALUES ('in_transit', dispatched_at + interval '6 hours'), ('delivered', delivered_at)) s(meaning, at)
    WHERE stage = 'delivered' AND id NOT IN (SELECT shipment_id FROM orders_trackingevent)"""
_ALLOCATIONS = """
    INSERT INTO orders_allocation (order_line_id, record_id, quantity, consumed_at)
    SELECT line.id, r.id, line.quantity, s.dispatched_at
    FROM orders_orderline line JOIN catalog_stockrecord r ON r.variant_id = line.variant_id
    LEFT JOIN orders_shipment s ON s.order_id = line.order_id
    WHERE line.id NOT IN (SELECT order_line_id FROM orders_allocation)"""
_PAYMENTS = """
    INSERT INTO orders_payment
        (order_id, provider, note, idempotency_key, provider_reference, payment_intent, redirect_url, amount, currency,
         status, problem, created_at, captured_at)
    SELECT id, 'stripe', '', gen_random_uuid(), 'cs_' || id, 'pi_' || id, '', total, currency, 'captured', '',
           placed_at, placed_at
    FROM orders_order WHERE placed_at IS NOT NULL AND id NOT IN (SELECT order_id FROM orders_payment)"""
_EVENTS = """
    INSERT INTO orders_orderevent (order_id, shipment_id, kind, data, actor, created_at, relayed_at)
    SELECT o.id, NULL, step.kind, '{}', '', o.placed_at + step.hours * (1 + o.id %% 7) * interval '1 hour', now()
    FROM orders_order o
    CROSS JOIN (VALUES ('order_placed', 0.0), ('order_approved', 0.5), ('shipment_picked', 1.0),
                       ('shipment_packed', 1.5), ('shipment_dispatched', 3), ('shipment_delivered', 14))
               step(kind, hours)
    WHERE o.status = 'completed' AND o.id NOT IN (SELECT order_id FROM orders_orderevent)"""
# What is promised of a shelf is what stands promised of it, whatever was opened again.
COUNT_PROMISED = """
    UPDATE catalog_stockrecord r
    SET allocated = (SELECT coalesce(sum(a.quantity), 0) FROM orders_allocation a
                     WHERE a.record_id = r.id AND a.released_at IS NULL AND a.consumed_at IS NULL)"""
_IN_ORDER = (_ORDERS, _LINES, _PARCELS, _PACKED, _SCANS, _ALLOCATIONS, _PAYMENTS, _EVENTS, COUNT_PROMISED, "ANALYZE")


def grow_history(count: int) -> None:
    """Up to so many orders, spread over a year."""
    values = {
        "first": Order.objects.count() + 1,
        "count": count,
        "open": OPEN,
        "method": builders.shipping_method("Post").pk,
        "store": builders.store().pk,
        "variants": _stock_goods(),
    }
    with connection.cursor() as cursor:
        for statement in _IN_ORDER:
            cursor.execute(statement, values)


def _stock_goods() -> list[int]:
    """Keys of variants of which there is plenty; the same ones each time."""
    goods = Variant.objects.filter(product__title__startswith="Long-lived ").order_by("pk")
    for number in range(goods.count(), GOODS):
        builders.product(f"Long-lived {number}", on_hand=10_000)
    return list(goods.values_list("pk", flat=True))
