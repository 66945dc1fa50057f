import gzip
import io
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from orders.importing import BadRow, Format, Import, UnusableFileError
from orders.importing.consents import ConsentImport
from orders.importing.reading import OPTIONAL, REQUIRED
from shop.progress import Progress


class Command(BaseCommand):
    help = (
        f"Takes in order history from a CSV file. Columns: {', '.join(REQUIRED[Format.OWN])}; if you like also "
        f"{', '.join(OPTIONAL)}. “customer” is an e-mail address or a reference of your own. "
        "--format online-retail reads UCI's file. Nobody is mailed, nobody has consented to anything unless --consents "
        "says so, and running it twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv file, or .csv.gz")
        parser.add_argument("--format", choices=[each.value for each in Format], default=Format.OWN.value)
        parser.add_argument("--stock", type=int, default=0, help="opening stock of each product it makes (0)")
        parser.add_argument("--consents", type=Path, help="a file with customer, purpose, granted, at")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stock"] < 0:
            raise CommandError("--stock cannot be below 0.")
        run = Import(Format(options["format"]), opening_stock=options["stock"], is_dry=options["dry_run"])
        with _opened(options["file"]) as (raw, file), Progress("Orders", options["file"].stat().st_size) as bar:
            for step in run.run(file):
                bar.at(raw.tell(), step)
        self._report(run)
        if options["consents"]:
            self._take_consents(options["consents"], is_dry=options["dry_run"])

    def _take_consents(self, path: Path, *, is_dry: bool) -> None:
        run = ConsentImport(is_dry=is_dry)
        with _opened(path) as (raw, file), Progress("Consents", path.stat().st_size) as bar:
            for count in run.run(file):
                bar.at(raw.tell(), f"{count:,} rows")
        self._bad(run.bad, len(run.bad))
        self.stdout.write(f"{run.row_count:,} answers read, {run.new_count:,} of them new, {len(run.bad):,} left out.")

    def _report(self, run: Import) -> None:
        done = run.total
        self._bad(done.bad, done.bad_count)
        would = "Nothing was changed. It would be: " if run.is_dry else ""
        self.stdout.write(
            f"{would}{done.row_count:,} rows read, {done.bad_count:,} left out, {done.known_count:,} known already; "
            f"new: {done.orders_made:,} orders with {done.lines_made:,} lines and {done.adjustments_made:,} "
            f"adjustments, {done.customers_made:,} customers, {done.products_made:,} products."
        )

    def _bad(self, rows: list[BadRow], count: int) -> None:
        for row in rows:
            self.stderr.write(f"Row {row.number}: {row.reason}")
        if count > len(rows):
            self.stderr.write(f"… and {count - len(rows):,} more rows like these.")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, TextIO]]:
    """The file's bytes, for progress, and its text. What is wrong with the file ends the command in words."""
    try:
        with path.open("rb") as raw:
            plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
            yield raw, io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
    except UnusableFileError as error:
        raise CommandError(str(error)) from error
    except (OSError, EOFError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
