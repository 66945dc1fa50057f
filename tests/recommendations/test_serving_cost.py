"""What a shelf costs the database: the rows its plan touches, which no busy machine changes, and fresh statistics."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Consent, Interest
from accounts.preferences import interests
from orders.models import OrderLine
from recommendations import from_interests, picks, training
from recommendations.models import Contribution, ModelRun, ProductPopularity, ProductSimilarity
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.plans import read_plan_steps
from tests.recommendations.test_training import PURPOSE, buyers

pytestmark = pytest.mark.django_db

PRODUCTS, CUSTOMERS, BESIDE, LINES = 300, 200, 50, 60


@pytest.fixture
def big_shop():
    """An epoch of 12,000 lines and 15,000 pairs, written straight into its tables; everybody answered a day ago."""
    shelf, maker = builders.category(), builders.maker()
    Product.objects.bulk_create(
        Product(title=f"Thing {n:03}", slug=f"thing-{n}", category=shelf, maker=maker, price_from=1, is_available=True)
        for n in range(PRODUCTS)
    )
    ids = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    people = builders.crowd(CUSTOMERS, ticks=(PURPOSE,))
    now = timezone.now()
    Consent.objects.update(changed_at=now - timedelta(days=1))
    run = ModelRun.objects.create(cutoff_at=now, k=5, is_current=True, line_count=CUSTOMERS * LINES)
    records = dict(Consent.objects.values_list("customer", "record"))
    Contribution.objects.bulk_create(
        Contribution(
            run=run,
            customer=person,
            product_id=ids[(number * 7 + line * 3) % PRODUCTS],
            order_line_id=number * LINES + line,
            consent_record_id=records[person.pk],
            bought_at=now,
        )
        for number, person in enumerate(people)
        for line in range(LINES)
    )
    ProductSimilarity.objects.bulk_create(
        ProductSimilarity(
            run=run,
            product_id=ids[n],
            similar_id=ids[(n + 3 * step) % PRODUCTS],
            score=1 / step,
            cart_score=1 / step,
            support=5,
            rank=step,
        )
        for n in range(PRODUCTS)
        for step in range(1, BESIDE + 1)
    )
    ProductPopularity.objects.bulk_create(
        ProductPopularity(run=run, product_id=product_id, score=1 / (1 + n)) for n, product_id in enumerate(ids)
    )
    training._analyze_tables(ModelRun, Contribution, ProductSimilarity, ProductPopularity, Product, Consent, OrderLine)
    return ids, people


def rows_touched(work, *, by_index: bool = False) -> int:
    """The sum, over all steps of the statements' plans, of the rows each step read or dropped, times how often."""
    with CaptureQueriesContext(connection) as queries:
        work()
    return sum(_rows_of(query["sql"], by_index=by_index) for query in queries if "recommendations_" in query["sql"])


def _rows_of(sql: str, *, by_index: bool = False) -> int:
    return sum(_rows_of_step(step) for step in read_plan_steps(sql, by_index=by_index))


def _rows_of_step(step: dict) -> int:
    dropped = sum(value for name, value in step.items() if name.startswith("Rows Removed"))
    return int((step["Actual Rows"] + dropped) * step["Actual Loops"])


SHELVES = {
    "beside forty things": lambda ids: picks.pick_frequently_bought_with(ids[:40]),
    "beside one": lambda ids: picks.pick_frequently_bought_with(ids[:1]),
    "best sellers": lambda ids: picks.pick_popular(),
}
# Rows: the pairs and products a shelf is chosen from, and no more than a few steps over each of them.
MOST = {"beside forty things": 40 * BESIDE * 12, "beside one": 6_000, "best sellers": 6_000}


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_reads_what_it_chooses_from_and_no_more(big_shop, shelf):
    ids, _ = big_shop
    assert rows_touched(lambda: SHELVES[shelf](ids)) <= MOST[shelf]


@pytest.mark.parametrize("shelf", SHELVES)
def test_those_who_withdrew_cost_a_shelf_no_more_than_their_own_lines(big_shop, shelf):
    ids, people = big_shop
    for person in people[:10]:
        consent.set_consent(person, PURPOSE, granted=False, source="test")
    assert rows_touched(lambda: SHELVES[shelf](ids)) <= MOST[shelf] + 10 * LINES * 120


def test_best_sellers_are_read_in_the_order_of_their_index_and_no_further(big_shop):
    with CaptureQueriesContext(connection) as queries:
        assert len(picks.pick_popular()) == 8
    steps = read_plan_steps(queries[0]["sql"], by_index=True)
    sorts = [each for each in steps if each["Node Type"] == "Sort" and "score" in " ".join(each["Sort Key"])]
    (scan,) = [each for each in steps if each.get("Relation Name") == "recommendations_productpopularity"]
    assert not sorts
    assert scan["Actual Rows"] < PRODUCTS / 2


def test_withdrawals_are_told_from_the_counts_and_not_from_the_goods(big_shop):
    """Beside the goods the planner adds the cost of finding them to each look-up and reads the whole catalog."""
    with CaptureQueriesContext(connection) as queries:
        picks.pick_popular()
    filters = {
        each["Relation Name"]: each.get("Filter", "")
        for each in read_plan_steps(queries[0]["sql"], by_index=True)
        if "Relation Name" in each
    }
    assert "SubPlan" in filters["recommendations_productpopularity"]
    assert "SubPlan" not in filters["catalog_product"]


def test_a_size_alone_is_looked_for_among_what_sells(big_shop):
    Product.objects.update(sizes_in_stock=["M"])
    training._analyze_tables(Product)
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_TOLD,))
    Interest.objects.create(customer=alice, kind=Interest.Kind.SIZE, words="M")
    told = interests.get_interests(alice)
    with CaptureQueriesContext(connection) as queries:
        found = from_interests.match_products_to_interests(told, limit=8)
    assert [each.title for each in found] == [f"Thing {n:03}" for n in range(8)]
    steps = read_plan_steps(queries[0]["sql"], by_index=True)
    goods = [each for each in steps if each.get("Relation Name") == "catalog_product"]
    assert sum(_rows_of_step(each) for each in goods) < PRODUCTS / 2


def test_a_told_department_looks_up_the_sales_of_its_own_goods_alone(big_shop):
    few = builders.category("Lamps")
    Product.objects.filter(pk__in=Product.objects.order_by("pk")[:10].values("pk")).update(category=few)
    training._analyze_tables(Product)
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_TOLD,))
    Interest.objects.create(customer=alice, kind=Interest.Kind.CATEGORY, category=few)
    told = interests.get_interests(alice)
    with CaptureQueriesContext(connection) as queries:
        assert from_interests.match_products_to_interests(told, limit=8)
    with (
        connection.cursor() as cursor
    ):  # as among many: by index, and what may be joined is joined by reading all of it
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_nestloop = off"
        )
    steps = read_plan_steps(queries[0]["sql"])
    sales = [each for each in steps if each.get("Relation Name") == "recommendations_productpopularity"]
    assert sum(_rows_of_step(each) for each in sales) <= 10


def test_what_one_customer_told_us_reads_nobody_elses_answer():
    builders.crowd(CUSTOMERS, ticks=(purposes.RECOMMEND_FROM_TOLD,))
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_TOLD,))
    Interest.objects.create(customer=alice, kind=Interest.Kind.NEED, words="wool")
    with CaptureQueriesContext(connection) as queries:
        assert interests.get_interests(alice).told
    # By index: a table of 200 rows may lie on so few pages that reading all of it is the quicker way.
    steps = read_plan_steps(queries[0]["sql"], by_index=True)
    answers = [each for each in steps if each.get("Relation Name") == "accounts_consent"]
    assert sum(_rows_of_step(each) for each in answers) <= 1


def test_a_told_shelf_reads_what_it_chooses_from(big_shop):
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_TOLD,))
    Interest.objects.create(customer=alice, kind=Interest.Kind.CATEGORY, category=builders.category())
    granted = frozenset({purposes.RECOMMEND_FROM_TOLD})
    # By index: of 300 that sell, PostgreSQL would sooner read all for each find than look one up.
    assert rows_touched(lambda: picks.pick_for_customer(alice, granted), by_index=True) <= 12_000


# -- Statistics ------------------------------------------------------------------------------------------------


def estimated(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


def test_what_an_epoch_writes_in_bulk_has_statistics_when_it_is_published():
    boots, socks = builders.variant(), builders.variant()
    listing.refresh_listings()
    buyers(6, boots, socks)
    training.train_epoch()
    training.compute_similar_products()
    tables = "modelrun contribution productsimilarity productpopularity productlikeness"
    for table in tables.split():
        model = {m._meta.db_table: m for m in ModelRun._meta.apps.get_models()}[f"recommendations_{table}"]
        assert estimated(f"recommendations_{table}") == model.objects.count(), table
