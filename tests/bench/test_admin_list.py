"""The staff's list of orders: as quick on its last page as on its first, and with 100,000 orders as with 5,000."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order
from tests import builders
from tests.bench import shoppers

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ROUNDS = 15
LIST = reverse("admin:orders_order_changelist")
INSERT_ORDERS = """
    INSERT INTO orders_order
        (number, email, source, status, payment_status, fulfilment_status, currency, subtotal, shipping_total,
         tax_total, total, full_name, line1, line2, city, region, postcode, country, phone, shipping_name, carrier,
         gift_note, cart_fingerprint, created_at, placed_at, approved_at, ships_on)
    SELECT 'SW-' || lpad(n::text, 10, '0'), 'buyer' || n %% 9000 || '@example.com', 'web',
           CASE WHEN n %% 500 = 0 THEN 'confirmed' ELSE 'completed' END, 'paid',
           CASE WHEN n %% 500 = 0 THEN 'unfulfilled' ELSE 'delivered' END,
           'GBP', 20, 0, 0, 20, 'Buyer ' || n, '1 High Street', '', 'Leeds', '', 'LS1 1AA', 'GB', '', 'Post',
           'royal_mail', '', '', now(), now() - n * interval '7 minutes', now(), current_date
    FROM generate_series(%s, %s) AS n
"""
INSERT_PARCELS = """
    INSERT INTO orders_shipment
        (order_id, store_id, stage, carrier, tracking_number, packing_note, packed_by, created_at)
    SELECT id, %s, CASE status WHEN 'completed' THEN 'delivered' ELSE 'waiting' END, '', '', '', '', now()
    FROM orders_order WHERE id NOT IN (SELECT order_id FROM orders_shipment)
"""


def grow_to(count: int) -> None:
    first = Order.objects.count() + 1
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ORDERS, [first, count])
        cursor.execute(INSERT_PARCELS, [builders.store().pk])
        cursor.execute("VACUUM ANALYZE orders_order")
        cursor.execute("VACUUM ANALYZE orders_shipment")


@pytest.fixture
def staff(production_like) -> Client:
    client = Client()
    client.force_login(shoppers.make_staff())
    return client


def seconds(client: Client, *urls: str) -> list[float]:
    """The quickest of several interleaved requests for each address."""
    best = [float("inf")] * len(urls)
    for _ in range(ROUNDS):
        for place, url in enumerate(urls):
            began_at = time.perf_counter()
            assert client.get(url).status_code == 200
            best[place] = min(best[place], time.perf_counter() - began_at)
    return best


def test_the_list_stays_quick(staff: Client, capsys) -> None:
    grow_to(5_000)
    (small,) = seconds(staff, LIST)
    grow_to(100_000)
    first, middle, last, queue = seconds(staff, LIST, f"{LIST}?p=1000", f"{LIST}?p=2000", f"{LIST}?queue=pick")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        staff.get(f"{LIST}?p=1000")
    with capsys.disabled():
        print(  # noqa: T201
            f"\nadmin list: 5k {small * 1000:.0f} ms; 100k first {first * 1000:.0f}, middle {middle * 1000:.0f}, "
            f"last {last * 1000:.0f}, a queue {queue * 1000:.0f} ms; {len(queries)} SQL"
        )
    assert len(queries) <= 6
    assert max(middle, last) <= first * 1.2
    assert first <= small * 1.3
