"""A shop's year of orders in a few statements: paid, worked, delivered, some of them late; and a few still open."""

from django.db import connection

from orders.models import Order
from tests import builders

OPEN = 200  # so many are still in the shop, however long the history

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
_PARCELS = """
    INSERT INTO orders_shipment
        (order_id, store_id, stage, carrier, tracking_number, packing_note, packed_by, created_at, dispatched_at,
         delivered_at)
    SELECT id, %(store)s, 'delivered', 'royal_mail', '', '', '', placed_at, placed_at + interval '1 day',
           placed_at + interval '1 day' * (2 + id %% 4)
    FROM orders_order WHERE status = 'completed' AND id NOT IN (SELECT order_id FROM orders_shipment)"""
_EVENTS = """
    INSERT INTO orders_orderevent (order_id, shipment_id, kind, data, actor, created_at, relayed_at)
    SELECT o.id, NULL, step.kind, '{}', '', o.placed_at + step.hours * (1 + o.id %% 7) * interval '1 hour', now()
    FROM orders_order o
    CROSS JOIN (VALUES ('order_placed', 0.0), ('order_approved', 0.5), ('shipment_picked', 1.0),
                       ('shipment_packed', 1.5), ('shipment_dispatched', 3), ('shipment_delivered', 14))
               step(kind, hours)
    WHERE o.status = 'completed' AND o.id NOT IN (SELECT order_id FROM orders_orderevent)"""


def grow_history(count: int) -> None:
    """Up to so many orders, spread over a year."""
    values = {
        "first": Order.objects.count() + 1,
        "count": count,
        "open": OPEN,
        "method": builders.shipping_method("Post").pk,
        "store": builders.store().pk,
    }
    with connection.cursor() as cursor:
        for statement in (_ORDERS, _PARCELS, _EVENTS):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE orders_order, orders_shipment, orders_orderevent")
