"""Products, variants and opening stock from a CSV file (`import_catalog`).

Streams; each batch is one transaction. A row that cannot be used is reported and the rest goes on; a batch the database
refuses is halved until the row at fault is alone. Running an import twice changes nothing the second time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from shop.catalog import listing
from shop.catalog.importing.reading import BadRow, Row, UnusableFileError, read
from shop.catalog.importing.shelves import Shelves
from shop.catalog.importing.writing import Writer, Written
from shop.catalog.models import Store

__all__ = ["BadRow", "Import", "UnusableFileError"]

BATCH = 500  # rows


@dataclass
class Import:
    """`for row_count in Import(...).run(file)`: the count of rows read so far, batch by batch; then see `total`."""

    reference: str
    folder: Path
    sets_stock: bool = False
    is_dry: bool = False
    total: Written = field(default_factory=Written)
    row_count: int = 0
    _skus: dict[str, int] = field(default_factory=dict)

    def run(self, file: TextIO) -> Iterator[int]:
        """Raises UnusableFileError before anything is written. A dry run writes all and takes all of it back."""
        rows = read(file)
        with _TakenBack() if self.is_dry else _Kept():
            writer = self._writer()
            for number, batch in enumerate(self._batches(rows), start=1):
                self._write(writer, batch)
                if number & (number - 1) == 0:  # at 1, 2, 4, 8 …: tables that grew from nothing need statistics
                    listing.analyze()
                yield self.row_count
            listing.analyze()

    def _writer(self) -> Writer:
        store = Store.objects.filter(ships_orders=True).first() or Store.objects.create(name="Shop")
        return Writer(
            shelves=Shelves(),
            store=store,
            reference=self.reference[:60],
            folder=self.folder,
            currency=settings.CURRENCY,
            sets_stock=self.sets_stock,
            is_dry=self.is_dry,
        )

    def _batches(self, rows: Iterator[Row | BadRow]) -> Iterator[list[Row]]:
        batch: list[Row] = []
        for row in rows:
            self.row_count += 1
            if isinstance(row, BadRow):
                self.total.bad.append(row)
            elif row.sku in self._skus:
                self.total.bad.append(BadRow(row.number, f"SKU {row.sku} is already in row {self._skus[row.sku]}"))
            else:
                self._skus[row.sku] = row.number
                batch.append(row)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        yield batch

    def _write(self, writer: Writer, rows: Sequence[Row]) -> None:
        if not rows:
            return
        seen = set(writer.seen)
        try:
            with transaction.atomic():
                done = writer.write(rows)
                listing.refresh(done.touched)
        except (IntegrityError, DataError) as error:
            writer.shelves.forget()
            writer.seen = seen
            self._halve(writer, rows, error)
        else:
            writer.shelves.keep()
            self._add(done)

    def _halve(self, writer: Writer, rows: Sequence[Row], error: Exception) -> None:
        if len(rows) == 1:
            self.total.bad.append(BadRow(rows[0].number, f"refused by the database: {str(error).splitlines()[0]}"))
            return
        middle = len(rows) // 2
        self._write(writer, rows[:middle])
        self._write(writer, rows[middle:])

    def _add(self, done: Written) -> None:
        for name, value in vars(done).items():
            if isinstance(value, int):
                setattr(self.total, name, getattr(self.total, name) + value)
        self.total.bad += done.bad
        self.total.touched |= done.touched


class _Kept:
    def __enter__(self) -> None: ...

    def __exit__(self, *error: Any) -> None: ...


class _TakenBack(transaction.Atomic):
    """A transaction that is always rolled back."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)

    def __exit__(self, *error: Any) -> None:
        transaction.set_rollback(True)
        super().__exit__(*error)
