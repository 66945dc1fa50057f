"""Epochs: what is on the "bought together" shelves is a function of a data cut-off, of those who allowed it then and
ever since, and of their lines that are still usable.

New purchases and returning customers wait for the next epoch. Whoever withdraws is taken out of what is published
within a minute, whatever else is under way: `take_out_withdrawn` deletes what they stood behind, and `withdraw`
recomputes the epoch without them. No epoch is published with what was withdrawn while it was computed.
"""

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import ForgottenPast
from orders.models import OrderLine
from recommendations.engine.model import K
from recommendations.engine.published import ProductFacts, compute_published_tables, find_similar_products
from recommendations.engine.purchases import PurchaseRow, Purchases
from recommendations.models import Contribution, ModelRun, ProductLikeness, ProductPopularity, ProductSimilarity
from shop.advisory_locks import AdvisoryLock, try_lock_until_commit
from shop.catalog.demand import replace_demand
from shop.catalog.models import Product

PURPOSE = purposes.COUNT_IN_ALSO_BOUGHT
EPOCH = timedelta(hours=6)
ON_ITS_WAY = timedelta(
    seconds=5
)  # as in `withdrawn_sql.WITHDRAWN_SQL`: a change may have been on its way when the run began
_FIELDS = "(run_id, customer_id, product_id, order_line_id, consent_record_id, bought_at)"


@transaction.atomic
def train_epoch(*, cutoff_at: datetime | None = None, k: int = K) -> ModelRun | None:
    """Publishes a new epoch. None while another training is under way."""
    if not _try_training_lock():
        return None
    run = ModelRun.objects.create(cutoff_at=cutoff_at or timezone.now(), k=k)
    lines = get_usable_lines().filter(order__placed_at__lte=run.cutoff_at)
    _insert_contributions(run, lines.values_list("order__customer", "product", "id", "record", "order__placed_at"))
    return _publish_run(run)


def train_when_due() -> ModelRun | None:
    """A new epoch once the last is old enough and at least k customers have purchases that it did not count.

    Those may be older than it: imported since, or allowed since.
    """
    last = ModelRun.objects.filter(is_current=True).first()
    if last is None:
        return train_epoch()
    if timezone.now() - last.cutoff_at < EPOCH:
        return None
    counted = last.contributions.filter(order_line_id=OuterRef("pk"))
    added = get_usable_lines().filter(~Exists(counted), order__placed_at__lte=timezone.now())
    buyers = added.order_by().values("order__customer").distinct()
    return train_epoch() if buyers[: last.k].count() == last.k else None


@transaction.atomic
def compute_similar_products() -> None:
    """Recomputes which products are alike, from what they are called and where they stand. Reads no purchase."""
    rows = find_similar_products(_load_product_facts())
    ProductLikeness.objects.all().delete()
    _insert_rows("productlikeness", "product_id similar_id score rank", rows)
    _analyze_tables(ProductLikeness)


@transaction.atomic
def delete_withdrawn_lines() -> int:
    """Deletes from the published epoch what may no longer be used and the pairs and best sellers it stood behind.

    Waits for no training: one that is just publishing does this itself. Returns how many lines went; `withdraw`
    recomputes what is left.
    """
    current = ModelRun.objects.select_for_update(skip_locked=True).filter(is_current=True).first()
    count = _delete_withdrawn_from_run(current) if current else 0
    if current and count:
        _update_demand(current)
    return count


def rebuild_without_withdrawn() -> ModelRun | None:
    """Recomputes the published epoch without what may no longer be used, again while that grows. None: nothing did."""
    delete_withdrawn_lines()
    recomputed = None
    while run := _rebuild_once():
        recomputed = run
    return recomputed


@transaction.atomic
def _rebuild_once() -> ModelRun | None:
    """The published epoch from what is left of its lines; None when none has gone, or another training is under way."""
    current = ModelRun.objects.filter(is_current=True).first()
    if current is None or current.contributions.count() == current.line_count or not _try_training_lock():
        return None
    run = ModelRun.objects.create(cutoff_at=current.cutoff_at, k=current.k)
    kept = current.contributions.exclude(pk__in=find_withdrawn_contributions(current).values("pk"))
    _insert_contributions(
        run, kept.values_list("customer", "product", "order_line_id", "consent_record_id", "bought_at")
    )
    return _publish_run(run)


def get_usable_lines() -> QuerySet[Any]:
    """What may be counted now, each line with the consent record it stands on (`record`)."""
    answered = OrderLine.objects.usable_for(PURPOSE).filter(order__customer__consents__purpose=PURPOSE)
    return answered.annotate(record=F("order__customer__consents__record"))


def find_withdrawn_contributions(run: ModelRun) -> QuerySet[Contribution]:
    """What the run counted and may not be used any more, or only under a newer yes."""
    standing = consent.find_granted_consents(PURPOSE).filter(
        customer=OuterRef("customer"), record=OuterRef("consent_record_id")
    )
    usable = OrderLine.objects.usable_for(PURPOSE)
    still = usable.filter(pk=OuterRef("order_line_id"), order__customer=OuterRef("customer"))
    return run.contributions.filter(~Exists(standing) | ~Exists(still) | Exists(_forgotten_during(run)))


def _forgotten_during(run: ModelRun) -> QuerySet[ForgottenPast]:
    """What was forgotten since the run began, taken back or not: what comes back waits for the next epoch."""
    told = ForgottenPast.objects.filter(purpose=PURPOSE, before_at__gte=run.created_at - ON_ITS_WAY)
    covering = told.filter(customer=OuterRef("customer"), before_at__gte=OuterRef("bought_at"))
    return covering.filter(Q(after_at=None) | Q(after_at__lt=OuterRef("bought_at")))


def _delete_withdrawn_from_run(run: ModelRun) -> int:
    """Deletes the fallen lines of a run and what they stood behind. A pair may have had others: recomputing tells."""
    lines, values = find_withdrawn_contributions(run).values("id", "customer_id", "product_id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE fallen ON COMMIT DROP AS {lines}", values)
        count = int(cursor.rowcount)
        for statement in _TAKE_OUT if count else ():
            cursor.execute(statement, {"run": run.pk})
        cursor.execute("DROP TABLE IF EXISTS fallen, theirs")
    return count


_TAKE_OUT = (
    """CREATE TEMPORARY TABLE theirs ON COMMIT DROP AS
        SELECT DISTINCT customer_id, product_id FROM recommendations_contribution
        WHERE run_id = %(run)s AND customer_id IN (SELECT customer_id FROM fallen)""",
    "ANALYZE fallen, theirs",
    """DELETE FROM recommendations_productsimilarity s USING fallen WHERE s.run_id = %(run)s
        AND s.product_id = fallen.product_id
        AND (fallen.customer_id, s.similar_id) IN (SELECT customer_id, product_id FROM theirs)""",
    """DELETE FROM recommendations_productsimilarity s USING fallen WHERE s.run_id = %(run)s
        AND s.similar_id = fallen.product_id
        AND (fallen.customer_id, s.product_id) IN (SELECT customer_id, product_id FROM theirs)""",
    """DELETE FROM recommendations_productpopularity p
        WHERE p.run_id = %(run)s AND p.product_id IN (SELECT fallen.product_id FROM fallen)""",
    "DELETE FROM recommendations_contribution c USING fallen WHERE c.id = fallen.id",
)


def _try_training_lock() -> bool:
    """Whether no other training is under way. This one may then take as long as it needs."""
    if not try_lock_until_commit(AdvisoryLock.TRAINING):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    return True


def _insert_contributions(run: ModelRun, rows: QuerySet) -> None:
    """Writes the run's contributions from a queryset of their columns, in one statement."""
    select, values = rows.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Contribution._meta.db_table} {_FIELDS} "  # noqa: S608, SLF001  (names of our own)
            f"SELECT %s, counted.* FROM ({select}) AS counted",
            [run.pk, *values],
        )


def _publish_run(run: ModelRun) -> ModelRun:
    """Computes the run's tables from its contributions and puts them on the shelves, in the caller's transaction.

    What was withdrawn meanwhile is taken out of them first.
    """
    purchases = Purchases.of(_read_purchase_rows(run))
    tables = compute_published_tables(
        purchases, _load_product_facts(), cutoff=timezone.make_naive(run.cutoff_at), k=run.k
    )
    together = [(run.pk, *_COLUMNS_OF(pair)) for pair in tables.together]
    _insert_rows("productsimilarity", "run_id product_id similar_id score cart_score support rank goes_well", together)
    popular = [(run.pk, product, score) for product, score in tables.popular.items()]
    _insert_rows("productpopularity", "run_id product_id score", popular)
    ModelRun.objects.filter(is_current=True).update(is_current=False)
    run.customer_count, run.line_count = len(purchases.customers), len(purchases.product)
    run.is_current, run.published_at, run.clock_on = True, timezone.now(), tables.clock_on
    run.save()
    for table in (Contribution, ProductSimilarity, ProductPopularity):
        table.objects.exclude(run=run).delete()
    _analyze_tables(ModelRun, Contribution, ProductSimilarity, ProductPopularity)
    _delete_withdrawn_from_run(run)
    _update_demand(run)
    return run


def _update_demand(run: ModelRun) -> None:
    """The catalog's lists go by what is published as selling well, and by nothing else."""
    replace_demand(dict(run.popularities.values_list("product", "score")))


_COLUMNS_OF = attrgetter("product", "similar", "score", "cart_score", "support", "rank", "goes_well")


def _read_purchase_rows(run: ModelRun) -> Iterator[PurchaseRow]:
    """The run's contributions, in the shop's wall time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id, product_id, bought_at AT TIME ZONE %s FROM recommendations_contribution "
            "WHERE run_id = %s",
            [timezone.get_current_timezone_name(), run.pk],
        )
        yield from (PurchaseRow(*counted) for counted in cursor)


def _analyze_tables(*tables: type[Model]) -> None:
    """Tables that were filled at once need statistics before anybody asks them something."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(table._meta.db_table for table in tables))  # noqa: SLF001


def _load_product_facts() -> dict[Hashable, ProductFacts]:
    products = Product.objects.published().values_list("pk", "title", "category", "maker")
    return {
        product_id: ProductFacts(title, frozenset({("category", category), ("maker", maker)} - {("maker", None)}))
        for product_id, title, category, maker in products.iterator()
    }


def _insert_rows(table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows in one statement, a column at a time."""
    names = columns.split()
    if rows:
        slots = ", ".join(["%s"] * len(names))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO recommendations_{table} ({', '.join(names)}) SELECT * FROM unnest({slots})",  # noqa: S608
                [list(column) for column in zip(*rows, strict=True)],
            )
