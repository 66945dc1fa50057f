import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.calibration.forecasting import LEAD_DAYS, forecast_days
from orders.calibration.scoring import BacktestScore, LaneScore, score_forecasts
from orders.importing.deliveries import DELIVERIES, DeliveryHistory, count_days
from shop.csv_files import CsvFormat, UnusableFileError, add_format_arguments, get_format, open_table
from shop.progress import Progress


class Command(BaseCommand):
    help = (
        f"Judges the shop's promised dates on deliveries from a file. Columns: {', '.join(DELIVERIES.required)}; "
        "an empty delivered_on is a shipment still on the way. "
        f"Each promise is forecast {LEAD_DAYS} days ahead from what was known then. A lane is a country and a mode. "
        "Rows that cannot be used are reported and the rest goes on. Touches no table."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv file, or .csv.gz")
        parser.add_argument(
            "--from", type=_parse_day, required=True, metavar="DATE", help="scores what was promised from this day on"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")
        add_format_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            history = self._read(options["file"], get_format(options))
        except UnusableFileError as error:
            raise CommandError(str(error)) from error
        history.bad.write_to(self.stderr)
        if not history.count:
            raise CommandError(f"{options['file']} has no usable row below its first line.")
        promises = history.build()
        score = score_forecasts(promises, forecast_days(promises), history.names, from_day=count_days(options["from"]))
        if score is None:
            raise CommandError(
                f"{options['file']} has no delivered shipment that was promised for {options['from']} or later: "
                "choose an earlier --from."
            )
        self.stdout.write(_format_json(score) if options["json"] else "\n".join(_format_report(score)))

    def _read(self, path: Path, how: CsvFormat) -> DeliveryHistory:
        history = DeliveryHistory()
        with open_table(path, DELIVERIES, how=how) as table:
            with Progress("Deliveries", path.stat().st_size) as bar:
                for count in history.read(table):
                    bar.at(table.position, f"{count:,} rows")
            if table.unused:
                self.stderr.write(f"Columns that nothing reads: {', '.join(table.unused)}")
        return history


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date such as 2012-01-31") from None


def _format_json(score: BacktestScore) -> str:
    lanes = [{"lane": each.lane, "n": each.count, "coverage": round(each.coverage, 4)} for each in score.lanes]
    total = score.total
    report = {"lanes": lanes, "pooled": round(total.coverage, 4), "added_days": round(total.added_days, 2)}
    return json.dumps(report, indent=2)


def _format_report(score: BacktestScore) -> Iterator[str]:
    width = max(len(each.lane) for each in (*score.lanes, score.total))
    yield f"{'Lane':{width}}  shipments  held  days added  held as promised before"
    for each in (*score.lanes, score.total):
        yield _format_line(each, width)
    large = [each for each in score.lanes if each.is_large]
    calibrated_count = sum(each.is_calibrated for each in large)
    yield f"Lanes of 100 or more: {len(large)}; of them between 86 and 94 %: {calibrated_count}."
    if score.open_count:
        yield f"Still on the way and not scored: {score.open_count:,}."


def _format_line(each: LaneScore, width: int) -> str:
    return f"{each.lane:{width}}  {each.count:9,}  {each.coverage:4.0%}  {each.added_days:10.1f}  {each.kept:4.0%}"
