"""Order history from a CSV file (`import_orders`): streamed into a temporary table, then written in sets.

All of it is one transaction, so a dry run does everything and takes it back. Orders are known by the number they had
elsewhere: running an import twice changes nothing the second time. Nobody is mailed about the past.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from orders.importing import staging
from orders.importing.reading import OrderFormat, OrderRow, get_table_format, read_orders
from orders.models.order import ALPHABET
from shop.catalog import listing, stock
from shop.catalog.models import Category, Product, Store, Variant
from shop.catalog.stock import OpeningStock
from shop.csv_files.report import BadRow, RowReport, UnusableFileError
from shop.csv_files.table import CsvTable
from shop.spelling import make_slug, make_spelling_key

__all__ = ["ImportTotals", "OrderFormat", "OrderImport"]

CHUNK = 5000  # rows in memory at a time
BATCH = 1000  # products in one statement


@dataclass
class ImportTotals:
    row_count: int = 0
    known_count: int = 0
    customers_made: int = 0
    products_made: int = 0
    orders_made: int = 0
    lines_made: int = 0
    adjustments_made: int = 0
    bad: RowReport = field(default_factory=RowReport)


@dataclass
class OrderImport:
    """`for step in Import(...).run(table)`: what is being done, again and again; then see `total`."""

    opening_stock: int = 0
    total: ImportTotals = field(default_factory=ImportTotals)

    def run(self, table: CsvTable) -> Iterator[str]:
        """Raises UnusableFileError, with nothing written, where the database refuses what every check let through."""
        rows = read_orders(table)
        try:
            with transaction.atomic():
                staging.create_staging_table()
                for chunk in iter(lambda: list(islice(rows, CHUNK)), []):
                    self._stage_rows(chunk)
                    yield f"{self.total.row_count:,} rows read"
                yield "checking"
                self._check_staged(get_table_format(table))
                yield from self._write_staged()
        except (DataError, IntegrityError) as error:
            raise UnusableFileError(f"The database refused it, and nothing was changed: {error}") from error
        if self.total.orders_made:
            yield "taking stock of it all"
            staging.analyze_import_tables()

    def _stage_rows(self, chunk: list[OrderRow | BadRow]) -> None:
        staging.copy_rows(row for row in chunk if isinstance(row, OrderRow))
        self.total.row_count += len(chunk)
        self.total.bad.extend(row for row in chunk if isinstance(row, BadRow))

    def _check_staged(self, layout: OrderFormat) -> None:
        """What no row shows by itself: orders that contradict themselves, and other spellings of what we have."""
        others = [BadRow(*found) for found in staging.find_orders_of_others()]
        self.total.bad.extend(others)
        self.total.known_count = staging.discard_known_rows() - len(others)
        is_own = layout is OrderFormat.OWN
        self.total.bad.extend(BadRow(*found) for found in staging.refuse_contradictions(with_places=is_own))
        if is_own:  # the codes of the other format differ in capitals only, and are told apart there
            staging.respell_skus(_find_sku_spellings(staging.list_staged_skus()))

    def _write_staged(self) -> Iterator[str]:
        total = self.total
        yield "customers"
        total.customers_made = staging.make_customers()
        yield "products"
        product_ids = self._create_missing_products()
        total.products_made = len(product_ids)
        yield "orders"
        total.orders_made = staging.make_orders(alphabet=ALPHABET, currency=settings.CURRENCY)
        yield "order lines"
        total.lines_made = staging.make_lines()
        total.adjustments_made = staging.make_adjustments()
        yield "what became of them"
        staging.make_shipments(store_id=_get_or_create_store().pk)
        staging.make_events()
        if product_ids:
            yield "search words"
            listing.refresh_listings(product_ids)

    def _create_missing_products(self) -> list[int]:
        """What was sold and is not in the catalog goes there, with the title and price of its latest sale."""
        goods = staging.find_missing_goods()
        if not goods:
            return []
        shelf, _ = Category.objects.get_or_create(slug="imported", defaults={"name": "Imported", "position": 999})
        slugs = set(Product.objects.values_list("slug", flat=True))
        made: list[int] = []
        for start in range(0, len(goods), BATCH):
            made += self._create_products(goods[start : start + BATCH], shelf, slugs)
        return made

    def _create_products(self, goods: list[tuple[str, str, Decimal]], shelf: Category, slugs: set[str]) -> list[int]:
        products = Product.objects.bulk_create(
            Product(title=title or sku, slug=_make_product_slug(title, sku, slugs), category=shelf, price_from=price)
            for sku, title, price in goods
        )
        variants = Variant.objects.bulk_create(
            Variant(product=product, sku=sku, price=price, currency=settings.CURRENCY)
            for product, (sku, _, price) in zip(products, goods, strict=True)
        )
        openings = [OpeningStock(variant.pk, self.opening_stock) for variant in variants]
        stock.open_stock_records(_get_or_create_store(), openings, reference="import_orders")
        return [product.pk for product in products]


def _make_product_slug(title: str, sku: str, taken: set[str]) -> str:
    """From title and SKU; codes that differ only in capitals get a number."""
    first = f"{make_slug(title, longest=90)}-{make_slug(sku, longest=50)}".strip("-") or "product"
    slug, number = first, 1
    while slug in taken:
        number += 1
        slug = f"{first}-{number}"
    taken.add(slug)
    return slug


def _find_sku_spellings(skus: list[str]) -> dict[str, str]:
    """Of each SKU that is spelt otherwise in the catalog, or by an earlier row: the spelling to take."""
    exact = set(Variant.objects.filter(sku__in=skus).values_list("sku", flat=True))
    first: dict[str, str] = {}
    for sku in sorted(exact) + list(Variant.objects.values_list("sku", flat=True).iterator()) + skus:
        first.setdefault(make_spelling_key(sku), sku)
    return {sku: found for sku in skus if sku not in exact and (found := first[make_spelling_key(sku)]) != sku}


def _get_or_create_store() -> Store:
    return Store.objects.filter(ships_orders=True).first() or Store.objects.create(name="Shop")
