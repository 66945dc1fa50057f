"""Judges the engine on order history from files, beside the shop's own best sellers. Touches no table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from orders.importing.reading import COLUMNS, RowKind, read_customer, read_orders
from recommendations.engine import metrics, queries, rankers
from recommendations.engine.model import PurchaseModel
from recommendations.engine.purchases import Ints, PurchaseRow, Purchases, to_epoch_days
from recommendations.engine.queries import NOBODY, RankingQuery
from shop.csv_files import (
    BadRow,
    Columns,
    CsvFormat,
    RowReport,
    UnusableFileError,
    UnusableRowError,
    open_table,
    quote_cell,
)
from shop.csv_files.values import read_moment
from shop.spelling import clean_spelling

PREDICTED = 20  # ranks written per query
NEW_CUT = 5  # `new` is judged by the first five as well
QUESTIONS = Columns(required=("query", "task", "cutoff", "customer", "given", "candidates"))
Say = Callable[[str], None]
Prediction = tuple[str, int, str, float]  # query, rank, SKU, score


@dataclass
class OrderHistory:
    """Purchases as files tell them: no cancellation, gift, price or quantity of 0, and nobody without a name."""

    rows: list[PurchaseRow] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)  # by SKU; the latest one wins

    def add(self, path: Path, how: CsvFormat | None = None) -> RowReport:
        """Reads a file in either format of `import_orders`, told by its header. Raises UnusableFileError.

        Returns what was wrong with rows that were left out.
        """
        bad = RowReport()
        with open_table(path, *COLUMNS.values(), how=how or CsvFormat()) as table:
            for row in read_orders(table):
                if isinstance(row, BadRow):
                    bad.add(row)
                elif row.kind is RowKind.LINE and row.customer and row.unit_price and not row.is_gift:
                    at = timezone.localtime(row.placed_at).replace(tzinfo=None)
                    self.rows.append(PurchaseRow(row.customer, row.sku, at, row.quantity))
                    self.titles[row.sku] = row.title
        return bad


@dataclass(frozen=True)
class Question:
    """A row of a queries file; customer, given and candidates may be empty."""

    name: str
    task: str
    cutoff: datetime
    customer: str
    given: tuple[str, ...]
    candidates: tuple[str, ...]


@dataclass
class EvaluationBench:
    """Everything interned once; models are frozen at a moment of it."""

    purchases: Purchases
    titles: list[str]
    k: int

    @classmethod
    def of(cls, history: OrderHistory, *, k: int, products: Sequence[str] = ()) -> "EvaluationBench":
        purchases = Purchases.of(history.rows, products=products)
        return cls(purchases, [history.titles.get(sku, "") for sku in purchases.products], k)

    def train_model_at(self, cutoff: float) -> PurchaseModel:
        return PurchaseModel.frozen(self.purchases, end=cutoff, titles=self.titles, k=self.k)


@dataclass
class Tally:
    """One task's measures, per query, over one batch of queries or several."""

    ours: list[dict[str, Any]] = field(default_factory=list)
    popular: list[dict[str, Any]] = field(default_factory=list)
    query_count: int = 0

    def report(self) -> dict[str, Any]:
        return {"queries": self.query_count, "ours": _compute_means(self.ours), "popular": _compute_means(self.popular)}


def evaluate_tasks(
    history: OrderHistory, cutoff: datetime, *, k: int, say: Say, keep: Callable[[Prediction], None] | None = None
) -> dict[str, dict[str, Any]]:
    """All tasks at one cut-off, everything after it being the future. `keep` receives what was predicted."""
    bench = EvaluationBench.of(history, k=k)
    start = to_epoch_days(cutoff)
    model = bench.train_model_at(start)
    report = {}
    for task, posed in queries.build_queries(model.history, bench.purchases.between(start)).items():
        say(f"{task}: {len(posed)} queries")
        report[task] = _evaluate_batches(task, [(model, posed)], keep).report()
    report["new"] = _evaluate_batches("new", _build_new_windows(bench, start, say), keep).report()
    return report


def predict_answers(history: OrderHistory, questions: Sequence[Question], *, k: int, say: Say) -> Iterator[Prediction]:
    """Answers a file's questions, each with only what was known at its own cut-off."""
    asked = [sku for question in questions for sku in (*question.given, *question.candidates)]
    bench = EvaluationBench.of(history, k=k, products=asked)
    for cutoff in sorted({question.cutoff for question in questions}):
        model = bench.train_model_at(to_epoch_days(cutoff))
        for task in queries.TASKS:
            wanted = [question for question in questions if (question.cutoff, question.task) == (cutoff, task)]
            if wanted:
                say(f"{cutoff:%Y-%m-%d} {task}: {len(wanted)} queries")
                posed = [_build_query(model, question) for question in wanted]
                answers = rankers.rank_products(rankers.RANKERS[task], model, posed, top=PREDICTED)
                for question, answer in zip(wanted, answers, strict=True):
                    yield from _list_predictions(question.name, model, *answer)


def read_questions(path: Path, how: CsvFormat | None = None) -> tuple[list[Question], RowReport]:
    """The questions of a file, and what is wrong with its other rows. Raises UnusableFileError."""
    questions, bad = [], RowReport()
    with open_table(path, QUESTIONS, how=how or CsvFormat()) as table:
        for row in table.read_rows(_parse_question):
            if isinstance(row, BadRow):
                bad.add(row)
            else:
                questions.append(row)
    if bad.count and not questions:
        first = bad.kept[0]
        raise UnusableFileError(f"{path} has no question that can be answered. Row {first.number}: {first.reason}.")
    return questions, bad


def parse_wall_time(text: str) -> datetime:
    """A date or moment by the shop's clock; one with a zone is converted. Raises ValueError."""
    day = parse_date(text)
    at = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    if at is None:
        raise ValueError(f"{text!r} is no date")
    return timezone.localtime(at).replace(tzinfo=None) if timezone.is_aware(at) else at


def _build_new_windows(
    bench: EvaluationBench, start: float, say: Say
) -> Iterator[tuple[PurchaseModel, list[RankingQuery]]]:
    """The windows of `new`: the four weeks from the cut-off, and those before it."""
    for index in range(queries.WINDOWS):
        opens = start - index * queries.WINDOW_DAYS
        posed = queries.build_new_product_queries(bench.purchases, start=opens)
        say(f"new, window {index + 1}: {len(posed)} queries")
        yield bench.train_model_at(opens), posed


def _evaluate_batches(task: str, batches: Any, keep: Callable[[Prediction], None] | None) -> Tally:
    tally = Tally()
    for model, posed in batches:
        ours = list(rankers.rank_products(rankers.RANKERS[task], model, posed, top=PREDICTED))
        popular = list(rankers.rank_products(rankers.score_popular, model, posed))
        tally.ours.append(_measure_answers(task, ours, posed))
        tally.popular.append(_measure_answers(task, popular, posed))
        for number, answer in enumerate(ours, start=tally.query_count + 1):
            if keep is not None:
                for prediction in _list_predictions(f"{task}-{number}", model, *answer):
                    keep(prediction)
        tally.query_count += len(posed)
    return tally


def _measure_answers(task: str, answers: Sequence[tuple[Ints, Any]], posed: Sequence[RankingQuery]) -> dict[str, Any]:
    ranked = [best for best, _ in answers]
    measured = metrics.measure_rankings(ranked, posed)
    if task == "new":
        measured[f"hr@{NEW_CUT}"] = metrics.measure_rankings(ranked, posed, at=NEW_CUT)[f"hr@{NEW_CUT}"]
    return measured


def _compute_means(batches: Sequence[dict[str, Any]]) -> dict[str, float]:
    joined = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]} if batches else {}
    return {name: round(float(values.mean()), 5) if len(values) else 0.0 for name, values in joined.items()}


def _parse_question(_number: int, cells: Mapping[str, str]) -> Question:
    task = cells["task"].strip()
    if task not in queries.TASKS:
        raise UnusableRowError(f"{quote_cell(task)} is no task; there are {', '.join(queries.TASKS)}")
    cutoff = timezone.localtime(read_moment(cells["cutoff"], name="cutoff", may_be_ahead=True)).replace(tzinfo=None)
    given, candidates = (tuple(map(clean_spelling, cells[name].split())) for name in ("given", "candidates"))
    customer = read_customer(cells["customer"].strip().removesuffix(".0"))
    return Question(cells["query"].strip(), task, cutoff, customer, given, candidates)


def _build_query(model: PurchaseModel, question: Question) -> RankingQuery:
    index = model.history.product_index
    customer = model.history.customer_index.get(question.customer, NOBODY)
    given = np.array([index[sku] for sku in question.given], dtype=np.int64)
    candidates = np.array([index[sku] for sku in question.candidates], dtype=np.int64)
    if question.task == "next_new" and customer != NOBODY:
        given = np.union1d(given, model.history.ever[[customer]].indices)
    if question.task == "new" and not len(candidates):
        candidates = np.flatnonzero(~model.history.known)
    limited = len(candidates) > 0 or question.task == "new"
    return RankingQuery(customer, given, candidates=candidates if limited else None)


def _list_predictions(name: str, model: PurchaseModel, best: Ints, scores: Any) -> Iterator[Prediction]:
    for rank, (product, score) in enumerate(zip(best.tolist(), scores.tolist(), strict=True), start=1):
        yield name, rank, model.history.products[product], round(score, 8)
