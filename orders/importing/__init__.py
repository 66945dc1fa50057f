"""Order history from a CSV file (`import_orders`): streamed into a temporary table, then written in sets.

All of it is one transaction, so a dry run does everything and takes it back. Orders are known by the number they had
elsewhere: running an import twice changes nothing the second time. Nobody is mailed about the past.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TextIO

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from orders.importing import staging
from orders.importing.reading import BadRow, Format, Row, UnusableFileError, read
from orders.models.order import ALPHABET
from shop.catalog import listing, stock
from shop.catalog.models import Category, Product, Store, Variant
from shop.catalog.stock import Opening

__all__ = ["BadRow", "Format", "Import", "Total", "UnusableFileError"]

CHUNK = 5000  # rows in memory at a time
BATCH = 1000  # products in one statement
BAD_KEPT = 1000  # reported one by one; beyond that only counted


@dataclass
class Total:
    row_count: int = 0
    bad_count: int = 0
    known_count: int = 0
    customers_made: int = 0
    products_made: int = 0
    orders_made: int = 0
    lines_made: int = 0
    adjustments_made: int = 0
    bad: list[BadRow] = field(default_factory=list)


@dataclass
class Import:
    """`for step in Import(...).run(file)`: what is being done, again and again; then see `total`."""

    layout: Format = Format.OWN
    opening_stock: int = 0
    is_dry: bool = False
    total: Total = field(default_factory=Total)

    def run(self, file: TextIO) -> Iterator[str]:
        """Raises UnusableFileError before anything is written."""
        rows = read(file, self.layout)
        with transaction.atomic():
            staging.open_table()
            for chunk in iter(lambda: list(islice(rows, CHUNK)), []):
                self._take(chunk)
                yield f"{self.total.row_count:,} rows read"
            yield from self._write()
            transaction.set_rollback(self.is_dry)
        if not self.is_dry and self.total.orders_made:
            yield "taking stock of it all"
            staging.analyze()

    def _take(self, chunk: list[Row | BadRow]) -> None:
        good = [row for row in chunk if isinstance(row, Row)]
        bad = [row for row in chunk if isinstance(row, BadRow)]
        staging.copy(good)
        self.total.row_count += len(chunk)
        self.total.bad_count += len(bad)
        self.total.bad += bad[: BAD_KEPT - len(self.total.bad)]

    def _write(self) -> Iterator[str]:
        total = self.total
        total.known_count = staging.prepare()
        yield "customers"
        total.customers_made = staging.make_customers()
        yield "products"
        product_ids = self._make_goods()
        total.products_made = len(product_ids)
        yield "orders"
        total.orders_made = staging.make_orders(alphabet=ALPHABET, currency=settings.CURRENCY)
        yield "order lines"
        total.lines_made = staging.make_lines()
        total.adjustments_made = staging.make_adjustments()
        yield "what became of them"
        staging.make_shipments(store_id=_store().pk)
        staging.make_events()
        if product_ids:
            yield "search words"
            listing.refresh(product_ids)

    def _make_goods(self) -> list[int]:
        """What was sold and is not in the catalog goes there, with the title and price of its latest sale."""
        goods = staging.missing_goods()
        if not goods:
            return []
        shelf, _ = Category.objects.get_or_create(slug="imported", defaults={"name": "Imported", "position": 999})
        slugs = set(Product.objects.values_list("slug", flat=True))
        made: list[int] = []
        for start in range(0, len(goods), BATCH):
            made += self._make_batch(goods[start : start + BATCH], shelf, slugs)
        return made

    def _make_batch(self, goods: list[tuple[str, str, Decimal]], shelf: Category, slugs: set[str]) -> list[int]:
        products = Product.objects.bulk_create(
            Product(title=title[:160] or sku, slug=_slug(title, sku, slugs), category=shelf, price_from=price)
            for sku, title, price in goods
        )
        variants = Variant.objects.bulk_create(
            Variant(product=product, sku=sku, price=price, currency=settings.CURRENCY)
            for product, (sku, _, price) in zip(products, goods, strict=True)
        )
        openings = [Opening(variant.pk, self.opening_stock) for variant in variants]
        stock.open_records(_store(), openings, reference="import_orders")
        return [product.pk for product in products]


def _slug(title: str, sku: str, taken: set[str]) -> str:
    """From title and SKU; codes that differ only in capitals get a number."""
    first = f"{slugify(title)[:90]}-{slugify(sku)[:50]}".strip("-")
    slug, number = first, 1
    while slug in taken:
        number += 1
        slug = f"{first}-{number}"
    taken.add(slug)
    return slug


def _store() -> Store:
    return Store.objects.filter(ships_orders=True).first() or Store.objects.create(name="Shop")
