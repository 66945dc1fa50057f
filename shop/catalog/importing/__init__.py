"""Products, variants and opening stock from a CSV file (`import_catalog`).

Streams; each batch is one transaction. A row that cannot be used is reported and the rest goes on; a batch the database
refuses is halved until the row at fault is alone. Running an import twice changes nothing the second time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from shop.catalog import listing
from shop.catalog.importing.matching import KnownSkus
from shop.catalog.importing.reading import CatalogRow, read_catalog_rows
from shop.catalog.importing.taxonomy import CategoriesAndMakers
from shop.catalog.importing.writing import CatalogImportCounts, CatalogWriter
from shop.catalog.models import Store
from shop.csv_files.report import BadRow, RowReport
from shop.csv_files.table import CsvTable
from shop.spelling import make_spelling_key

__all__ = ["CatalogImport"]

BATCH = 500  # rows


@dataclass
class CatalogImport:
    """`for row_count in Import(...).run(table)`: how many rows were read so far; then see `total` and `bad`."""

    reference: str
    folder: Path
    sets_stock: bool = False
    is_dry: bool = False
    total: CatalogImportCounts = field(default_factory=CatalogImportCounts)
    bad: RowReport = field(default_factory=RowReport)
    row_count: int = 0
    _skus: dict[str, int] = field(default_factory=dict)

    def run(self, table: CsvTable) -> Iterator[int]:
        """A dry run writes all and takes all of it back."""
        rows = read_catalog_rows(table)
        with _DryRun() if self.is_dry else _RealRun():
            writer = self._writer()
            for number, batch in enumerate(self._batches(rows), start=1):
                self._write(writer, batch)
                if number & (number - 1) == 0:  # at 1, 2, 4, 8 …: tables that grew from nothing need statistics
                    listing.analyze_catalog_tables()
                yield self.row_count
            listing.analyze_catalog_tables()

    def _writer(self) -> CatalogWriter:
        store = Store.objects.filter(ships_orders=True).first() or Store.objects.create(name="Shop")
        return CatalogWriter(
            shelves=CategoriesAndMakers(),
            known_skus=KnownSkus.load(),
            store=store,
            reference=self.reference[:60],
            folder=self.folder,
            currency=settings.CURRENCY,
            sets_stock=self.sets_stock,
            is_dry=self.is_dry,
        )

    def _batches(self, rows: Iterator[CatalogRow | BadRow]) -> Iterator[list[CatalogRow]]:
        batch: list[CatalogRow] = []
        for row in rows:
            self.row_count += 1
            if isinstance(row, BadRow):
                self.bad.add(row)
            elif (first := self._skus.setdefault(make_spelling_key(row.sku), row.number)) != row.number:
                self.bad.add(BadRow(row.number, f"SKU {row.sku} is already in row {first}"))
            else:
                batch.append(row)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        yield batch

    def _write(self, writer: CatalogWriter, rows: Sequence[CatalogRow]) -> None:
        if not rows:
            return
        seen = set(writer.seen)
        try:
            with transaction.atomic():
                done = writer.write(rows)
                listing.refresh_listings(done.touched)
        except (IntegrityError, DataError) as error:
            writer.shelves.forget()
            writer.seen = seen
            self._halve(writer, rows, error)
        else:
            writer.shelves.keep()
            self._add(done)

    def _halve(self, writer: CatalogWriter, rows: Sequence[CatalogRow], error: Exception) -> None:
        if len(rows) == 1:
            self.bad.add(BadRow(rows[0].number, f"refused by the database: {str(error).splitlines()[0]}"))
            return
        middle = len(rows) // 2
        self._write(writer, rows[:middle])
        self._write(writer, rows[middle:])

    def _add(self, done: CatalogImportCounts) -> None:
        for name, value in vars(done).items():
            if isinstance(value, int):
                setattr(self.total, name, getattr(self.total, name) + value)
        self.bad.extend(done.bad)
        self.total.touched |= done.touched


class _RealRun:
    def __enter__(self) -> None: ...

    def __exit__(self, *error: Any) -> None: ...


class _DryRun(transaction.Atomic):
    """A transaction that is always rolled back."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)

    def __exit__(self, *error: Any) -> None:
        transaction.set_rollback(True)
        super().__exit__(*error)
