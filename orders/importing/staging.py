"""The SQL of an import: rows are copied into a temporary table, and everything else is made from there in sets.

Placeholders are column lists of our own and parameters; no value of a row is ever part of a statement.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import connection

from accounts.models.address import ADDRESS_FIELDS
from orders.importing.reading import OrderRow
from shop.advisory_locks import AdvisoryLock, lock_until_commit

NULL = "\x01"  # stands for nothing in what is copied; the texts of rows are printable

_CREATE = """
CREATE TEMPORARY TABLE staged (
    number integer, kind char(1), reference text, placed_at timestamptz, customer text, sku text, title text,
    quantity integer, unit_price numeric(10, 2), is_gift boolean, country text, postcode text, service text,
    promised_on date, shipped_at timestamptz, delivered_at timestamptz, has_fate boolean
) ON COMMIT DROP
"""

# The same import twice, or two files with orders in common, adds each order once.
_FORGET_KNOWN = """
DELETE FROM staged USING orders_order WHERE orders_order.external_reference = staged.reference
"""

# The rows of one order agree about it, or none of them is taken: whose would it be? Amounts have twelve digits.
_CONTRADICTIONS = """
WITH refused AS (
    SELECT reference, CASE
        WHEN min(customer) <> max(customer) THEN 'has rows of two customers'
        WHEN max(placed_at) - min(placed_at) > interval '1 day' THEN 'was placed on different days'
        WHEN %s AND min(country) FILTER (WHERE country <> '') <> max(country) THEN 'goes to two countries'
        WHEN %s AND min(postcode) FILTER (WHERE postcode <> '') <> max(postcode) THEN 'goes to two postcodes'
        WHEN min(promised_on) <> max(promised_on) THEN 'was promised for different days'
        ELSE 'comes to more than 9,999,999,999.99' END AS problem
    FROM staged GROUP BY reference
    HAVING min(customer) <> max(customer) OR max(placed_at) - min(placed_at) > interval '1 day'
        OR min(promised_on) <> max(promised_on)
        OR sum(abs(quantity::numeric) * unit_price) >= 10000000000
        OR (%s AND (min(country) FILTER (WHERE country <> '') <> max(country)
                    OR min(postcode) FILTER (WHERE postcode <> '') <> max(postcode)))
)
DELETE FROM staged USING refused WHERE refused.reference = staged.reference
RETURNING number, 'order ' || refused.reference || ' ' || problem
"""

# An order that came before, with the same number and for somebody else. One that was let go of names nobody.
_OTHERS = """
SELECT s.number, 'order ' || s.reference || ' is known already, of another customer' FROM staged s
JOIN orders_order o ON o.external_reference = s.reference LEFT JOIN accounts_customer c ON c.id = o.customer_id
WHERE coalesce(nullif(o.email, ''), c.external_reference) <> s.customer
    AND s.customer IS DISTINCT FROM c.external_reference AND s.customer IS DISTINCT FROM lower(c.email)
"""

_RESPELL = """
UPDATE staged SET sku = spelling.found
FROM (SELECT unnest(%s::text[]) AS given, unnest(%s::text[]) AS found) AS spelling WHERE staged.sku = spelling.given
"""

_CUSTOMERS_BY_REFERENCE = """
INSERT INTO accounts_customer (external_reference, name, chain, created_at)
SELECT customer, '', gen_random_uuid(), min(placed_at) FROM staged
WHERE customer <> '' AND position('@' in customer) = 0 GROUP BY customer
ON CONFLICT DO NOTHING
"""
_CUSTOMERS_BY_EMAIL = """
INSERT INTO accounts_customer (email, name, chain, created_at)
SELECT customer, '', gen_random_uuid(), min(placed_at) FROM staged
WHERE position('@' in customer) > 0 GROUP BY customer
ON CONFLICT DO NOTHING
"""

MISSING_GOODS = """
SELECT DISTINCT ON (s.sku) s.sku, s.title, s.unit_price FROM staged s
WHERE s.kind = 'L' AND s.unit_price > 0 AND NOT EXISTS (SELECT FROM catalog_variant v WHERE v.sku = s.sku)
ORDER BY s.sku, s.placed_at DESC, s.number DESC
"""

# Ten characters of orders.models.order.ALPHABET from ten random bytes of a UUID (two of its bytes are not random).
_NUMBER = """
(SELECT 'SW-' || substr(drawn, 1, 4) || '-' || substr(drawn, 5, 4) || '-' || substr(drawn, 9, 2) FROM (
    SELECT string_agg(substr(%s, 1 + (get_byte(uuid_send(o.seed), place) & 31), 1), '') AS drawn
    FROM unnest(ARRAY[0, 1, 2, 3, 4, 5, 9, 10, 11, 12]) AS place
) AS drawing)
"""

# Where it goes, as far as a file tells.
_ADDRESS = {**dict.fromkeys(ADDRESS_FIELDS, "''"), "postcode": "o.postcode", "country": "o.country"}

_ORDERS = (
    """
INSERT INTO orders_order (
    number, external_reference, source, email, customer_id, {address_columns},
    cart_fingerprint, status, payment_status, fulfilment_status, currency, subtotal, shipping_total, tax_total, total,
    shipping_name, carrier, gift_note, promised_by_on, created_at, placed_at, approved_at, cancelled_at
)
SELECT
    {number},
    o.reference, 'import', CASE WHEN position('@' in o.customer) > 0 THEN o.customer ELSE '' END, c.id,
    {address_values},
    '', CASE WHEN o.is_credit THEN 'cancelled' WHEN o.delivered_at IS NULL AND o.has_fate THEN 'confirmed'
         ELSE 'completed' END,
    CASE WHEN o.is_credit THEN 'refunded' ELSE 'paid' END,
    CASE WHEN o.is_credit THEN 'unfulfilled' WHEN o.delivered_at IS NOT NULL OR NOT o.has_fate THEN 'delivered'
         WHEN o.shipped_at IS NOT NULL THEN 'dispatched' ELSE 'unfulfilled' END,
    %s, o.subtotal, 0, 0, o.subtotal + o.adjusted, '', '', '', o.promised_on, o.placed_at, o.placed_at,
    CASE WHEN o.shipped_at IS NOT NULL OR NOT o.has_fate THEN o.placed_at END,
    CASE WHEN o.is_credit THEN o.placed_at END
FROM (
    SELECT reference, gen_random_uuid() AS seed, min(placed_at) AS placed_at, max(customer) AS customer,
           max(country) AS country, max(postcode) AS postcode, bool_or(kind = 'C') AS is_credit,
           bool_or(has_fate) AS has_fate, max(promised_on) AS promised_on, max(shipped_at) AS shipped_at,
           max(delivered_at) AS delivered_at,
           coalesce(sum(quantity * unit_price) FILTER (WHERE kind = 'L'), 0) AS subtotal,
           coalesce(sum(quantity * unit_price) FILTER (WHERE kind = 'A'), 0) AS adjusted
    FROM staged GROUP BY reference
) o
LEFT JOIN accounts_customer c ON o.customer <> '' AND (
    (position('@' in o.customer) = 0 AND c.external_reference = o.customer)
    OR (position('@' in o.customer) > 0 AND lower(c.email) = o.customer)
)
ORDER BY o.placed_at, o.reference
""".replace("{number}", _NUMBER)
    .replace("{address_columns}", ", ".join(_ADDRESS))
    .replace("{address_values}", ", ".join(_ADDRESS.values()))
)

_LINES = """
INSERT INTO orders_orderline (
    order_id, product_id, variant_id, sku, title, options, quantity, unit_price, tax_rate, tax_amount, is_gift,
    is_excluded
)
SELECT o.id, v.product_id, v.id, s.sku, s.title, '', s.quantity, s.unit_price, 0, 0, s.is_gift, false
FROM staged s
JOIN orders_order o ON o.external_reference = s.reference
LEFT JOIN catalog_variant v ON v.sku = s.sku
WHERE s.kind = 'L' ORDER BY o.id, s.number
"""

_ADJUSTMENTS = """
INSERT INTO orders_adjustment (order_id, label, amount)
SELECT o.id, left(CASE WHEN s.kind = 'C' THEN s.quantity || ' × ' || s.title ELSE s.title END, 120),
       s.quantity * s.unit_price
FROM staged s JOIN orders_order o ON o.external_reference = s.reference
WHERE s.kind IN ('A', 'C') ORDER BY o.id, s.number
"""

_SHIPMENTS = """
INSERT INTO orders_shipment (
    order_id, store_id, stage, carrier, tracking_number, packing_note, packed_by, created_at, dispatched_at,
    delivered_at
)
SELECT o.id, %s, CASE WHEN f.delivered_at IS NOT NULL THEN 'delivered' ELSE 'dispatched' END, f.service, '', '', '',
       o.placed_at, f.shipped_at, f.delivered_at
FROM (
    SELECT reference, max(shipped_at) AS shipped_at, max(delivered_at) AS delivered_at, max(service) AS service
    FROM staged GROUP BY reference HAVING max(shipped_at) IS NOT NULL OR max(delivered_at) IS NOT NULL
) f JOIN orders_order o ON o.external_reference = f.reference ORDER BY o.id
"""

_SHIPMENT_LINES = """
INSERT INTO orders_shipmentline (shipment_id, order_line_id, quantity)
SELECT p.id, l.id, l.quantity FROM orders_shipment p
JOIN orders_order o ON o.id = p.order_id JOIN orders_orderline l ON l.order_id = o.id
WHERE o.external_reference IN (SELECT reference FROM staged) ORDER BY l.id
"""

# What happened, for the timeline. Relayed already: nobody is mailed about the past.
_EVENTS = """
INSERT INTO orders_orderevent (order_id, shipment_id, kind, data, actor, created_at, relayed_at)
SELECT order_id, shipment_id, kind, '{}', '', happened_at, now() FROM (
    SELECT o.id AS order_id, NULL::bigint AS shipment_id, 'order_placed' AS kind, o.placed_at AS happened_at, 1 AS place
    FROM orders_order o WHERE o.external_reference IN (SELECT reference FROM staged)
    UNION ALL
    SELECT o.id, p.id, 'shipment_dispatched', p.dispatched_at, 2 FROM orders_shipment p
    JOIN orders_order o ON o.id = p.order_id
    WHERE o.external_reference IN (SELECT reference FROM staged) AND p.dispatched_at IS NOT NULL
    UNION ALL
    SELECT o.id, p.id, 'shipment_delivered', p.delivered_at, 3 FROM orders_shipment p
    JOIN orders_order o ON o.id = p.order_id
    WHERE o.external_reference IN (SELECT reference FROM staged) AND p.delivered_at IS NOT NULL
    UNION ALL
    SELECT o.id, NULL, 'order_cancelled', o.cancelled_at, 4 FROM orders_order o
    WHERE o.external_reference IN (SELECT reference FROM staged) AND o.cancelled_at IS NOT NULL
) happened ORDER BY order_id, place
"""


def create_staging_table() -> None:
    """Within the import's own transaction: one import at a time, and as long as it takes."""
    lock_until_commit(AdvisoryLock.ORDER_IMPORT)
    _execute_statement("SET LOCAL statement_timeout = 0")
    _execute_statement("SET LOCAL lock_timeout = 0")
    _execute_statement("SET CONSTRAINTS ALL IMMEDIATE")  # checked as it goes, not kept in memory until the end
    _execute_statement("DROP TABLE IF EXISTS pg_temp.staged")  # of an import before, within the same transaction
    _execute_statement(_CREATE)


def copy_rows(rows: Iterable[OrderRow]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(_get_row_values(row) for row in rows)
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY staged FROM STDIN (FORMAT csv, NULL '{NULL}')", text)


def _get_row_values(row: OrderRow) -> tuple[object, ...]:
    """In the table's order."""
    return (
        row.number,
        row.kind.value,
        row.reference,
        row.placed_at,
        row.customer,
        row.sku,
        row.title,
        row.quantity,
        row.unit_price,
        row.is_gift,
        row.country,
        row.postcode,
        row.service,
        row.promised_on or NULL,
        row.shipped_at or NULL,
        row.delivered_at or NULL,
        row.has_fate,
    )


def find_orders_of_others() -> list[tuple[int, str]]:
    """Number and reason of each row of an order that the shop knows as somebody else's."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        return list(cursor.fetchall())


def discard_known_rows() -> int:
    """Leaves only what is new; returns how many rows were known already."""
    known = _execute_statement(_FORGET_KNOWN)
    _execute_statement("ANALYZE staged")
    return known


def refuse_contradictions(*, with_places: bool) -> list[tuple[int, str]]:
    """Number and reason of every row of an order whose rows contradict each other; those rows are taken out."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTRADICTIONS, [with_places] * 3)
        return list(cursor.fetchall())


def list_staged_skus() -> list[str]:
    """In the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sku FROM staged WHERE kind = 'L' GROUP BY sku ORDER BY min(number)")
        return [sku for (sku,) in cursor.fetchall()]


def respell_skus(spellings: Mapping[str, str]) -> None:
    if spellings:
        with connection.cursor() as cursor:
            cursor.execute(_RESPELL, [list(spellings), list(spellings.values())])


def make_customers() -> int:
    return _execute_statement(_CUSTOMERS_BY_REFERENCE) + _execute_statement(_CUSTOMERS_BY_EMAIL)


def make_orders(*, alphabet: str, currency: str) -> int:
    return _execute_statement(_ORDERS, alphabet, currency)


def make_lines() -> int:
    return _execute_statement(_LINES)


def make_adjustments() -> int:
    return _execute_statement(_ADJUSTMENTS)


def make_shipments(*, store_id: int) -> int:
    made = _execute_statement(_SHIPMENTS, store_id)
    if made:
        _execute_statement(_SHIPMENT_LINES)
    return made


def make_events() -> None:
    _execute_statement(_EVENTS)


def find_missing_goods() -> list[tuple[str, str, Decimal]]:
    """SKU, title and price, as of the latest sale above 0, of what the catalog does not have."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING_GOODS)
        return list(cursor.fetchall())


def analyze_import_tables() -> None:
    """Tables that grew at once need statistics before anybody asks them something."""
    _execute_statement("ANALYZE accounts_customer, catalog_product, catalog_variant, orders_order, orders_orderline")


def _execute_statement(statement: str, *values: str | int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return int(cursor.rowcount)
