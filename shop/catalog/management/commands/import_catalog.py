from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.catalog.importing import CatalogImport
from shop.catalog.importing.reading import CATALOG_COLUMNS
from shop.csv_files import UnusableFileError, add_format_arguments, get_format, open_table
from shop.progress import Progress


class Command(BaseCommand):
    help = (
        f"Takes in products from a CSV file. Columns: {', '.join(CATALOG_COLUMNS.required)}; if you like also "
        f"{', '.join(CATALOG_COLUMNS.optional)}. Rows with the same product are its variants; the first speaks for it. "
        "Other columns become attributes. “category” may be a path: Clothing > Socks. “image” names files beside the "
        "CSV, separated by ;. Rows that cannot be used are reported and the rest goes on. "
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
        add_format_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        run = CatalogImport(
            reference=f"import {path.name}",
            folder=path.parent,
            sets_stock=options["set_stock"],
            is_dry=options["dry_run"],
        )
        try:
            with (
                open_table(path, CATALOG_COLUMNS, how=get_format(options)) as table,
                Progress("Importing", path.stat().st_size) as bar,
            ):
                for row_count in run.run(table):
                    bar.at(table.position, f"{row_count:,} rows")
        except UnusableFileError as error:
            raise CommandError(str(error)) from error
        self._report(run)

    def _report(self, run: CatalogImport) -> None:
        run.bad.write_to(self.stderr)
        done = run.total
        would = "Nothing was changed. It would be: " if run.is_dry else ""
        self.stdout.write(
            f"{would}{run.row_count:,} rows read, {run.bad.count:,} left out or in part; "
            f"products: {done.products_made:,} new, {done.products_changed:,} changed; "
            f"variants: {done.variants_made:,} new, {done.variants_changed:,} changed; "
            f"stock counted: {done.stock_counted:,}; pictures: {done.pictures_made:,} new."
        )
