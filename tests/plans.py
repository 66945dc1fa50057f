"""What PostgreSQL does for a statement: the steps of its plan, run."""

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

# What suits few rows, and says nothing of many: all of a small table is quickly read, sorted or kept in memory.
WAYS_OF_FEW = ("sort", "seqscan", "bitmapscan", "hashjoin", "mergejoin", "material")
WAYS_OF_ALL = ("seqscan", "hashjoin", "mergejoin")  # that read a table from end to end


def read_plan_steps(sql: str, *, by_index: bool = False) -> list[dict[str, Any]]:
    """Every step of the statement's plan, with the rows it read and how often it ran. The statement is run.

    The planner is told what the tables hold now: what it knew was of another test's rows, whenever the database last
    found the time to look. `by_index`: the few rows of a test are read as many would be, by index, wherever the
    statement allows it.
    """
    with connection.cursor() as cursor:
        for table in {step["Relation Name"] for step in _explain(cursor, sql) if "Relation Name" in step}:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
        for way in WAYS_OF_FEW if by_index else ():
            cursor.execute(f"SET LOCAL enable_{way} = off")
        return _explain(cursor, sql, "ANALYZE, TIMING OFF,")


def _explain(cursor: CursorWrapper, sql: str, options: str = "") -> list[dict[str, Any]]:
    cursor.execute(f"EXPLAIN ({options} FORMAT JSON) {sql}")
    return _flatten(cursor.fetchone()[0][0]["Plan"])


def _flatten(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(step for each in plan.get("Plans", []) for step in _flatten(each))]


def read_expected_plan(sql: str) -> list[dict[str, Any]]:
    """Every step that the planner means to take, by what it knows already. The statement is not run."""
    with connection.cursor() as cursor:
        return _explain(cursor, sql)


def read_indexed_plan(sql: str) -> list[dict[str, Any]]:
    """Every step, with the rows it read and how often, as of many more rows. The statement is run.

    By what the planner knows already. Once it is asked, statements are planned as before.
    """
    with connection.cursor() as cursor:
        for way in WAYS_OF_ALL:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        steps = _explain(cursor, sql, "ANALYZE, TIMING OFF,")
        for way in WAYS_OF_ALL:
            cursor.execute(f"SET LOCAL enable_{way} = on")
        return steps
