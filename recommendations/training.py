"""Epochs: what is on the "bought together" shelves is a function of a data cut-off, of those who allowed it then and
ever since, and of their lines that are still usable.

New purchases and returning customers wait for the next epoch. Whoever withdraws is taken out within a minute:
`withdraw` compares the published epoch with what is usable now and, on any difference, recomputes it without.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from accounts import consent, purposes
from orders.models import OrderLine
from recommendations.engine.model import K
from recommendations.engine.published import Goods, alike, publish
from recommendations.engine.purchases import Purchases, Row
from recommendations.models import Contribution, ModelRun, ProductLikeness, ProductPopularity, ProductSimilarity
from shop.catalog.models import Product

PURPOSE = purposes.COUNT_IN_ALSO_BOUGHT
EPOCH = timedelta(hours=6)
_LOCK = 0x7265636F  # any number: the advisory lock under which one training runs at a time
_FIELDS = "(run_id, customer_id, product_id, order_line_id, consent_record_id, bought_at)"


@transaction.atomic
def train(*, cutoff_at: datetime | None = None, k: int = K) -> ModelRun | None:
    """Publishes a new epoch. None while another training is under way."""
    if not _is_alone():
        return None
    run = ModelRun.objects.create(cutoff_at=cutoff_at or timezone.now(), k=k)
    lines = usable_lines().filter(order__placed_at__lte=run.cutoff_at)
    _count_in(run, lines.values_list("order__customer", "product", "id", "record", "order__placed_at"))
    return _publish(run)


def train_when_due() -> ModelRun | None:
    """A new epoch once the last is old enough and at least k customers have bought since."""
    last = ModelRun.objects.filter(is_current=True).first()
    if last is None:
        return train()
    if timezone.now() - last.cutoff_at < EPOCH:
        return None
    buyers = usable_lines().filter(order__placed_at__gt=last.cutoff_at).order_by().values("order__customer").distinct()
    return train() if buyers[: last.k].count() == last.k else None


@transaction.atomic
def relate() -> None:
    """Recomputes which products are alike, from what they are called and where they stand. Reads no purchase."""
    rows = alike(_goods())
    ProductLikeness.objects.all().delete()
    _insert("productlikeness", "product_id similar_id score rank", rows)


@transaction.atomic
def withdraw() -> ModelRun | None:
    """Recomputes the published epoch without what may no longer be used. None when nothing changed."""
    current = ModelRun.objects.filter(is_current=True).first()
    if current is None or not _has_lost(current) or not _is_alone():
        return None
    run = ModelRun.objects.create(cutoff_at=current.cutoff_at, k=current.k)
    kept = current.contributions.exclude(pk__in=fallen(current).values("pk"))
    _count_in(run, kept.values_list("customer", "product", "order_line_id", "consent_record_id", "bought_at"))
    return _publish(run)


def usable_lines() -> QuerySet[Any]:
    """What may be counted now, each line with the consent record it stands on (`record`)."""
    standing = consent.granted(PURPOSE).filter(customer=OuterRef("order__customer"))
    return OrderLine.objects.usable_for(PURPOSE).annotate(record=Subquery(standing.values("record")[:1]))


def fallen(run: ModelRun) -> QuerySet[Contribution]:
    """What the run counted and may not be used any more, or only under a newer yes."""
    still = usable_lines().filter(pk=OuterRef("order_line_id"), record=OuterRef("consent_record_id"))
    return run.contributions.filter(~Exists(still))


def _has_lost(run: ModelRun) -> bool:
    """Whether something counted has fallen, or went with an erased customer and is missing."""
    return fallen(run).exists() or run.contributions.count() != run.line_count


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _count_in(run: ModelRun, rows: QuerySet) -> None:
    """Writes the run's contributions from a queryset of their columns, in one statement."""
    select, values = rows.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Contribution._meta.db_table} {_FIELDS} "  # noqa: S608, SLF001  (names of our own)
            f"SELECT %s, counted.* FROM ({select}) AS counted",
            [run.pk, *values],
        )


def _publish(run: ModelRun) -> ModelRun:
    """Computes the run's tables from its contributions and puts them on the shelves, in the caller's transaction."""
    purchases = Purchases.of(_rows(run))
    tables = publish(purchases, _goods(), cutoff=timezone.make_naive(run.cutoff_at), k=run.k)
    together = [(run.pk, *astuple(pair)) for pair in tables.together]
    _insert("productsimilarity", "run_id product_id similar_id score cart_score support rank", together)
    popular = [(run.pk, product, score) for product, score in tables.popular.items()]
    _insert("productpopularity", "run_id product_id score", popular)
    ModelRun.objects.filter(is_current=True).update(is_current=False)
    run.customer_count, run.line_count = len(purchases.customers), len(purchases.product)
    run.is_current, run.published_at = True, timezone.now()
    run.save()
    for table in (Contribution, ProductSimilarity, ProductPopularity):
        table.objects.exclude(run=run).delete()
    return run


def _rows(run: ModelRun) -> Iterator[Row]:
    counted = run.contributions.values_list("customer_id", "product_id", "bought_at")
    for customer_id, product_id, bought_at in counted.iterator(chunk_size=20_000):
        yield Row(customer_id, product_id, timezone.make_naive(bought_at))


def _goods() -> dict[Hashable, Goods]:
    products = Product.objects.published().values_list("pk", "title", "category", "maker")
    return {
        product_id: Goods(title, frozenset({("category", category), ("maker", maker)} - {("maker", None)}))
        for product_id, title, category, maker in products.iterator()
    }


def _insert(table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows in one statement, a column at a time."""
    names = columns.split()
    if rows:
        slots = ", ".join(["%s"] * len(names))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO recommendations_{table} ({', '.join(names)}) SELECT * FROM unnest({slots})",  # noqa: S608
                [list(column) for column in zip(*rows, strict=True)],
            )
