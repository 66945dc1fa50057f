"""Rows that fail when they are written: a trigger that a test sets up, and cures."""

from django.db import connection

_TRIGGER = """
    CREATE OR REPLACE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('tests.poison', true) = 'on' THEN RAISE EXCEPTION 'poisoned'; END IF;
        RETURN COALESCE(NEW, OLD);
    END $$;
    CREATE TRIGGER refuse_poison BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition})
    EXECUTE FUNCTION refuse_poison()
"""


def poison(table: str, condition: str = "true", *, event: str = "UPDATE") -> None:
    """From now on the database refuses such a row. Goes with the test's transaction, or by `cure`."""
    _execute(_TRIGGER.format(table=table, condition=condition, event=event))
    _execute("SELECT set_config('tests.poison', 'on', false)")


def cure() -> None:
    _execute("SELECT set_config('tests.poison', 'off', false)")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
