"""What a shop has learnt: orders, and an epoch published from them with pairs, best sellers and what is alike."""

from django.db import connection
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer
from recommendations.engine.model import K
from recommendations.engine.published import ALIKE_KEPT
from recommendations.models import Contribution, ModelRun, ProductLikeness, ProductPopularity, ProductSimilarity
from shop.catalog.demand import replace_demand
from shop.catalog.models import Product
from tests.bench.crowd import grow_crowd

ANSWERED = (
    purposes.COUNT_IN_ALSO_BOUGHT,
    purposes.RECOMMEND_FROM_PURCHASES,
    purposes.NEWSLETTER,
    purposes.MAIL_RECOMMENDATIONS,
    purposes.RECOMMEND_FROM_TOLD,
)
PAIRS = 30  # of a product
WITHDREW = 20  # customers, since the epoch

_ORDERS = """
    INSERT INTO orders_order
        (number, customer_id, email, source, status, payment_status, fulfilment_status, currency, subtotal,
         shipping_total, tax_total, total, full_name, line1, line2, city, region, postcode, country, phone,
         shipping_name, carrier, gift_note, cart_fingerprint, created_at, placed_at, approved_at, ships_on)
    SELECT 'SW-' || c.id || '-' || n, c.id, c.email, 'web', 'completed', 'paid', 'delivered', 'GBP', 20, 0, 0, 20,
           'Buyer', '1 High Street', '', 'Leeds', '', 'LS1 1AA', 'GB', '', 'Post', 'royal_mail', '', '',
           at, at, at, at::date
    FROM accounts_customer c CROSS JOIN generate_series(1, 2) AS n
    CROSS JOIN LATERAL (SELECT now() - ((c.id * 7 + n * 311) %% 700 + 1) * interval '1 day' AS at) bought
    WHERE c.user_id IS NULL AND c.id > coalesce((SELECT max(customer_id) FROM orders_order), 0)"""
# What sells, sells much more often than the rest.
_LINES = """
    INSERT INTO orders_orderline
        (order_id, product_id, variant_id, sku, title, options, quantity, unit_price, tax_rate, tax_amount, is_gift,
         is_excluded)
    SELECT drawn.order_id, p.id, v.id, v.sku, p.title, v.size, 1, v.price, 0, 0, false, false
    FROM (SELECT o.id AS order_id, %(first)s + floor(%(count)s * power(random(), 2))::int AS product_id
          FROM orders_order o CROSS JOIN generate_series(1, 4)
          WHERE o.id > coalesce((SELECT max(order_id) FROM orders_orderline), 0)) drawn
    JOIN catalog_product p ON p.id = drawn.product_id
    JOIN catalog_variant v ON v.product_id = p.id AND v.position = 0"""
_CONTRIBUTIONS = """
    INSERT INTO recommendations_contribution
        (run_id, customer_id, product_id, order_line_id, consent_record_id, bought_at)
    SELECT %(run)s, o.customer_id, l.product_id, l.id, c.record_id, o.placed_at
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    JOIN accounts_consent c ON c.customer_id = o.customer_id AND c.purpose = %(counted)s AND c.granted"""
_PAIRS = """
    INSERT INTO recommendations_productsimilarity
        (run_id, product_id, similar_id, score, cart_score, support, rank, goes_well)
    SELECT %(run)s, p.id, %(first)s + (p.id - %(first)s + place * 104729) %% %(count)s,
           1.0 / place, 1.0 / (place + 2), %(k)s + %(pairs)s - place, place, place %% 5 < 3
    FROM catalog_product p CROSS JOIN generate_series(1, %(pairs)s) AS place"""
_POPULARITY = """
    INSERT INTO recommendations_productpopularity (run_id, product_id, score)
    SELECT %(run)s, id, 1 + 1000 * power(random(), 8) FROM catalog_product"""
_STAFF_PICKS = """
    INSERT INTO catalog_product_goes_with (from_product_id, to_product_id)
    SELECT p.id + shift, p.id + 1 - shift FROM catalog_product p CROSS JOIN generate_series(0, 1) AS shift
    WHERE (p.id - %(first)s) %% 50 = 0 ON CONFLICT DO NOTHING"""
# Things of one kind in one aisle: the next dozen of them, in a ring.
_LIKENESSES = """
    WITH thing AS MATERIALIZED (
        SELECT id, kind, row_number() OVER (PARTITION BY kind ORDER BY id) AS at, count(*) OVER (PARTITION BY kind)
        FROM (SELECT id, category_id || substring(title FROM ' [^ ]+$') AS kind FROM catalog_product) named)
    INSERT INTO recommendations_productlikeness (product_id, similar_id, score, rank)
    SELECT one.id, other.id, 1.0 / place, place
    FROM thing one CROSS JOIN generate_series(1, %(alike)s) AS place
    JOIN thing other ON other.kind = one.kind AND other.at = (one.at - 1 + place) %% one.count + 1
    WHERE place < one.count"""


def grow_sales() -> None:
    """Two orders of four lines for each product there is, and the epoch that has counted them."""
    first, count = Product.objects.order_by("pk").values_list("pk", flat=True)[0], Product.objects.count()
    grow_crowd(count, ANSWERED)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute("SET session_replication_role = replica")
        for statement in (_ORDERS, _LINES, _STAFF_PICKS):
            cursor.execute(statement, {"first": first, "count": count})
            cursor.execute("ANALYZE orders_order, orders_orderline")
        cursor.execute("SET session_replication_role = origin")
    _publish_run(first, count)
    _withdraw_some()


def _publish_run(first: int, count: int) -> None:
    ModelRun.objects.update(is_current=False)
    run = ModelRun.objects.create(
        cutoff_at=timezone.now(),
        clock_on=timezone.localdate(),
        k=K,
        customer_count=count,
        line_count=8 * count,
        published_at=timezone.now(),
        is_current=True,
    )
    values = {
        "run": run.pk,
        "first": first,
        "count": count,
        "k": K,
        "pairs": PAIRS,
        "alike": ALIKE_KEPT,
        "counted": purposes.COUNT_IN_ALSO_BOUGHT,
    }
    ProductLikeness.objects.all().delete()
    with connection.cursor() as cursor:
        for statement in (_CONTRIBUTIONS, _PAIRS, _POPULARITY, _LIKENESSES):
            cursor.execute(statement, values)
    for table in (Contribution, ProductSimilarity, ProductPopularity):
        table.objects.exclude(run=run).delete()
    replace_demand(dict(run.popularities.values_list("product", "score")))


def _withdraw_some() -> None:
    for customer in Customer.objects.filter(user=None).order_by("pk")[:WITHDREW]:
        consent.set_consent(customer, purposes.COUNT_IN_ALSO_BOUGHT, granted=False, source="bench")
