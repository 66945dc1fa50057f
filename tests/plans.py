"""What PostgreSQL does for a statement: the steps of its plan, run."""

from typing import Any

from django.db import connection


def read_plan_steps(sql: str, *, sorts_if_it_must: bool = False) -> list[dict[str, Any]]:
    """Every step of the statement's plan, with the rows it read and how often it ran. The statement is run.

    `sorts_if_it_must`: the few rows of a test might be sorted though an index has their order; then they are not.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = %s", ["off" if sorts_if_it_must else "on"])
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
        return _flatten(cursor.fetchone()[0][0]["Plan"])


def _flatten(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(step for each in plan.get("Plans", []) for step in _flatten(each))]
