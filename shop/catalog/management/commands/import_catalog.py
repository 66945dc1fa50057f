import gzip
import io
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError

from shop.catalog.importing import Import, UnusableFileError
from shop.catalog.importing.reading import OPTIONAL, REQUIRED
from shop.progress import Progress


class Command(BaseCommand):
    help = (
        f"Takes in products from a CSV file. Columns: {', '.join(REQUIRED)}; if you like also {', '.join(OPTIONAL)}. "
        "Rows with the same product are its variants; the first speaks for it. Other columns become attributes. "
        "“category” may be a path: Clothing > Socks. “image” names files beside the CSV, separated by ;. "
        "Running it twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv file, or .csv.gz")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument(
            "--set-stock",
            action="store_true",
            help="take the stock column as a count of everything listed, not only as the opening stock of new SKUs",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        run = Import(
            reference=f"import {path.name}",
            folder=path.parent,
            sets_stock=options["set_stock"],
            is_dry=options["dry_run"],
        )
        try:
            with (
                path.open("rb") as raw,
                _text(raw, path) as text,
                Progress("Importing", path.stat().st_size) as bar,
            ):
                for row_count in run.run(text):
                    bar.at(raw.tell(), f"{row_count:,} rows")
        except UnusableFileError as error:
            raise CommandError(str(error)) from error
        except (OSError, EOFError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        self._report(run)

    def _report(self, run: Import) -> None:
        for bad in sorted(run.total.bad, key=lambda each: each.number):
            self.stderr.write(f"Row {bad.number}: {bad.reason}")
        done = run.total
        would = "Nothing was changed. It would be: " if run.is_dry else ""
        self.stdout.write(
            f"{would}{run.row_count:,} rows read, {len(done.bad):,} left out or in part; "
            f"products: {done.products_made:,} new, {done.products_changed:,} changed; "
            f"variants: {done.variants_made:,} new, {done.variants_changed:,} changed; "
            f"stock counted: {done.stock_counted:,}; pictures: {done.pictures_made:,} new."
        )


def _text(raw: BinaryIO, path: Path) -> io.TextIOWrapper:
    plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    return io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
