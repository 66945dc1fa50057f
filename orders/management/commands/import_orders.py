from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from orders.importing import OrderFormat, OrderImport
from orders.importing.consents import CONSENTS, ConsentImport
from orders.importing.reading import COLUMNS, suggest_format
from shop.csv_files import (
    CsvFormat,
    CsvTable,
    MissingColumnsError,
    UnusableFileError,
    add_format_arguments,
    get_format,
    open_table,
)
from shop.progress import Progress


class Command(BaseCommand):
    help = (
        f"Takes in order history from a CSV file. Columns: {', '.join(COLUMNS[OrderFormat.OWN].required)}; "
        f"if you like also {', '.join(COLUMNS[OrderFormat.OWN].optional)}. "
        "“customer” is an e-mail address or a reference of your own. "
        "--format online-retail reads UCI's file. Nobody is mailed, nobody has consented to anything unless --consents "
        "says so. Rows that cannot be used are reported and the rest goes on. Running it twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv file, or .csv.gz")
        parser.add_argument("--format", choices=[each.value for each in OrderFormat], default=OrderFormat.OWN.value)
        parser.add_argument("--stock", type=int, default=0, help="opening stock of each product it makes (0)")
        parser.add_argument("--consents", type=Path, help="a file with customer, purpose, granted, at")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        add_format_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stock"] < 0:
            raise CommandError("--stock cannot be below 0.")
        self.would = "Nothing was changed. It would be: " if options["dry_run"] else ""
        how = get_format(options)
        try:
            with ExitStack() as stack:
                orders = stack.enter_context(_open_orders(options["file"], OrderFormat(options["format"]), how))
                consents = options["consents"] and stack.enter_context(
                    open_table(options["consents"], CONSENTS, how=how)
                )
                if options["dry_run"]:
                    stack.enter_context(_roll_back_at_end())
                self._take_orders(orders, options)
                if consents:
                    self._take_consents(consents, options)
        except UnusableFileError as error:
            raise CommandError(str(error)) from error

    def _take_orders(self, table: CsvTable, options: dict[str, Any]) -> None:
        run = OrderImport(opening_stock=options["stock"])
        with Progress("Orders", options["file"].stat().st_size) as bar:
            for step in run.run(table):
                bar.at(table.position, step)
        done = run.total
        done.bad.write_to(self.stderr)
        self._name_unused(table)
        self.stdout.write(
            f"{self.would}{done.row_count:,} rows read, {done.bad.count:,} left out, "
            f"{done.known_count:,} known already; new: {done.orders_made:,} orders "
            f"with {done.lines_made:,} lines and {done.adjustments_made:,} adjustments, "
            f"{done.customers_made:,} customers, {done.products_made:,} products."
        )

    def _take_consents(self, table: CsvTable, options: dict[str, Any]) -> None:
        run = ConsentImport(is_dry=options["dry_run"])
        with Progress("Consents", options["consents"].stat().st_size) as bar:
            for count in run.run(table):
                bar.at(table.position, f"{count:,} rows")
        run.bad.write_to(self.stderr)
        self._name_unused(table)
        self.stdout.write(f"{run.row_count:,} answers read, {run.new_count:,} of them new, {run.bad.count:,} left out.")

    def _name_unused(self, table: CsvTable) -> None:
        if table.unused:
            self.stderr.write(f"Columns that nothing reads: {', '.join(table.unused)}")


@contextmanager
def _open_orders(path: Path, layout: OrderFormat, how: CsvFormat) -> Iterator[CsvTable]:
    try:
        with open_table(path, COLUMNS[layout], how=how) as table:
            yield table
    except MissingColumnsError as error:
        raise UnusableFileError(f"{error}{suggest_format(error.header)}") from error


@contextmanager
def _roll_back_at_end() -> Iterator[None]:
    """A transaction that is always rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
