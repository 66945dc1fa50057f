"""Rows of a model by a small plain statement, for the few that every order and payment passes through: the ORM takes
several times as long to build such a statement as it runs.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from shop.prepared import PreparedStatement

Row = TypeVar("Row", bound=Model)


def list_columns(model: type[Model]) -> list[str]:
    """Of a model's table, in the order that `from_db` takes them."""
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001


class RowStatement(Generic[Row]):
    """`SELECT` of every column of a model, as it is by now, with the rest of the statement: its alias is `t`."""

    def __init__(self, model: type[Row], rest: str) -> None:
        self.model, self.rest = model, rest

    @cached_property
    def statement(self) -> PreparedStatement:
        columns = ", ".join(f"t.{name}" for name in self._columns)
        return PreparedStatement(f"SELECT {columns} FROM {self.model._meta.db_table} t {self.rest}")  # noqa: S608, SLF001

    @cached_property
    def _columns(self) -> list[str]:
        return list_columns(self.model)

    def fetch(self, values: Mapping[str, Any]) -> list[Row]:
        """Every row. For models whose columns mean what the driver makes of them: no JSON."""
        rows = self.statement.fetch_rows(values)
        return [self.model.from_db(DEFAULT_DB_ALIAS, self._columns, row) for row in rows]

    def get(self, values: Mapping[str, Any]) -> Row:
        """The only row. Raises the model's `DoesNotExist`."""
        rows = self.fetch(values)
        if not rows:
            raise self.model.DoesNotExist  # type: ignore[attr-defined]
        return rows[0]
