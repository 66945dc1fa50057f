"""What a request takes: CPU of web and PostgreSQL, several by turns in one run; statements; statements' run time."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench.visit import Reply, Visit

WARM_UPS = 2
TRANSACTION_ENDS = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})  # ask nothing; savepoints count
READING = ("SELECT", "WITH", "EXECUTE")
RUNS = 5  # of a statement, the quickest counts


@dataclass(frozen=True)
class Step:
    """What a visitor does, and as whom: `come` makes the visitor ready, unmeasured, before each time."""

    come: Callable[[], Visit]
    act: Callable[[Visit], Reply]

    def do_once(self) -> Reply:
        return self.act(self.come())


@dataclass(frozen=True)
class Cost:
    """Milliseconds of CPU."""

    web: float
    postgres: float

    @property
    def total(self) -> float:
        return self.web + self.postgres


def measure_costs(steps: Mapping[str, Step], *, rounds: int = 7) -> dict[str, Cost]:
    """The median round of each step; they take turns, so that whatever slows the machine slows them all."""
    for step in steps.values():
        for _ in range(WARM_UPS):
            step.do_once()
    spent: dict[str, list[Cost]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            spent[name].append(measure_round(step))
    return {name: _take_median(costs) for name, costs in spent.items()}


def _take_median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(cost.web for cost in costs), statistics.median(cost.postgres for cost in costs))


def measure_round(step: Step, *, requests: int = 4) -> Cost:
    web = postgres = 0.0
    for _ in range(requests):
        visit = step.come()
        web_before, postgres_before = time.process_time(), _read_postgres_seconds()
        step.act(visit)
        web += time.process_time() - web_before
        postgres += _read_postgres_seconds() - postgres_before
    return Cost(web * 1000 / requests, postgres * 1000 / requests)


def _read_postgres_seconds() -> float:
    """CPU so far of the PostgreSQL process that serves us, where it runs here."""
    connection.ensure_connection()
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    try:
        return int(schedule.read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def count_statements(step: Step, *, forget: Callable[[], None]) -> tuple[int, int]:
    """How often it asks the database: the first time after `forget`, and from then on."""
    visits = step.come(), step.come()
    forget()
    first, second = (len(_capture_statements(step, each)) for each in visits)
    return first, second


def count_warm_statements(step: Step) -> int:
    step.do_once()
    return len(_capture_statements(step, step.come()))


def time_statements(step: Step) -> float:
    """Milliseconds of CPU in which PostgreSQL runs the step's statements, without planning them."""
    step.do_once()
    statements = [query["sql"] for query in _capture_statements(step, step.come())]
    return sum(_time_statement(sql) for sql in statements if sql.lstrip().upper().startswith(READING))


def _time_statement(sql: str) -> float:
    """By CPU and not by the clock, which on a busy machine tells of the others; in one process, whose CPU we see."""
    run_and_planned = min(_measure_statement(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}") for _ in range(RUNS))
    planned = min(_measure_statement(f"EXPLAIN {sql}") for _ in range(RUNS))
    return max(0.0, run_and_planned - planned)


def _measure_statement(sql: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        before = _read_postgres_seconds()
        cursor.execute(sql)
        return (_read_postgres_seconds() - before) * 1000


def _capture_statements(step: Step, visit: Visit) -> list[dict[str, str]]:
    with CaptureQueriesContext(connection) as queries:
        step.act(visit)
    return [query for query in queries.captured_queries if query["sql"] not in TRANSACTION_ENDS]
