import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations import evaluation
from recommendations.engine.model import K
from recommendations.evaluation import OrderHistory, Prediction
from shop.csv_files import UnusableFileError, add_format_arguments, get_format
from shop.csv_files.writing import CsvWriter


class Command(BaseCommand):
    help = "Judges the recommendations on order history from files, beside best sellers. Touches no table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--history", type=Path, required=True, help="CSV of either format of import_orders, or .gz")
        split = parser.add_mutually_exclusive_group(required=True)
        split.add_argument("--future", type=Path, help="what happened next; its first moment is the cut-off")
        split.add_argument("--cutoff", type=evaluation.parse_wall_time, help="a date that splits the history")
        split.add_argument("--queries", type=Path, help="answer this file's questions instead (needs --predictions)")
        parser.add_argument("--predictions", type=Path, help="write 20 ranks for each query here")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")
        parser.add_argument("--k", type=int, default=K, help=f"customers behind what is shown (default {K})")
        add_format_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["queries"] and not options["predictions"]:
            raise CommandError("--queries needs --predictions: the file does not say what was wanted.")
        self.started = time.monotonic()
        self.how = get_format(options)
        try:
            report = self._answer(options) if options["queries"] else self._judge(options)
        except (OSError, UnusableFileError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else "\n".join(_format_report(report)))

    def _judge(self, options: dict[str, Any]) -> dict[str, Any]:
        history = self._read(options["history"])
        cutoff: datetime = options["cutoff"]
        if options["future"]:
            known_count = len(history.rows)
            self._add(history, options["future"])
            if len(history.rows) == known_count:
                raise CommandError(f"{options['future']} has no usable line.")
            cutoff = min(row.bought_at for row in history.rows[known_count:])
        with ExitStack() as stack:
            keep = stack.enter_context(PredictionFile(options["predictions"])).add if options["predictions"] else None
            return evaluation.evaluate_tasks(history, cutoff, k=options["k"], say=self._say, keep=keep)

    def _answer(self, options: dict[str, Any]) -> dict[str, Any]:
        questions, bad = evaluation.read_questions(options["queries"], self.how)
        bad.write_to(self.stderr)
        history = self._read(options["history"])
        with PredictionFile(options["predictions"]) as kept:
            for prediction in evaluation.predict_answers(history, questions, k=options["k"], say=self._say):
                kept.add(prediction)
        tasks = sorted({question.task for question in questions})
        return {task: {"queries": sum(question.task == task for question in questions)} for task in tasks}

    def _read(self, path: Path) -> OrderHistory:
        history = OrderHistory()
        self._add(history, path)
        self._say(f"{len(history.rows):,} usable lines of {len(history.titles):,} products")
        return history

    def _add(self, history: OrderHistory, path: Path) -> None:
        self._say(f"reading {path}")
        history.add(path, self.how).write_to(self.stderr)

    def _say(self, text: str) -> None:
        self.stderr.write(f"{time.monotonic() - self.started:6.1f} s  {text}")


class PredictionFile:
    """The file of predictions: query, rank, SKU, score."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8", newline="")
        self.writer = CsvWriter(self.file)
        self.writer.write_row(("query", "rank", "sku", "score"))

    def __enter__(self) -> "PredictionFile":
        return self

    def __exit__(self, *reason: object) -> None:
        self.file.close()

    def add(self, prediction: Prediction) -> None:
        self.writer.write_row(prediction)


def _format_report(report: dict[str, Any]) -> Iterable[str]:
    """Ours beside popularity, a line a task."""
    for task, figures in report.items():
        yield f"{task:15} {figures['queries']:6,} queries"
        for name, value in figures.get("ours", {}).items():
            yield f"    {name:10} ours {value:.4f}   popular {figures['popular'][name]:.4f}"
