"""What a decision was made from: read in one statement, kept as text, compared as it is.

A request that comes again need not look everything up again object by object. Equal rows, equal answer; one value that
differs, whoever has written it, and it is decided anew. Nothing is interpreted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

Rows = frozenset[tuple[Any, ...]]
Part = tuple[str, QuerySet[Any], Sequence[str]]
"""A kind of fact, the rows that hold it, and which of their columns."""


@dataclass(frozen=True)
class Facts:
    """The statement that reads them."""

    sql: str
    values: tuple[Any, ...]

    def read(self) -> Rows:
        """The rows of this moment."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            return frozenset(map(tuple, cursor.fetchall()))


def facts_from(parts: Sequence[Part]) -> Facts:
    """One statement for all parts. A part that can have no rows (of no dataset, say) has no SQL either."""
    width = max(len(names) for _, _, names in parts)
    first, *others = (_texts(kind, rows, names, width) for kind, rows, names in parts)
    sql, values = first.union(*others, all=True).query.get_compiler(connection=connection).as_sql()
    return Facts(sql, tuple(values))


def every_column(model: type[Model], prefix: str = "") -> tuple[str, ...]:
    """All columns of a model: also those that a later version adds are looked at."""
    return tuple(f"{prefix}{field.attname}" for field in model._meta.concrete_fields)


def _texts(kind: str, rows: QuerySet[Any], names: Sequence[str], width: int) -> QuerySet[Any]:
    """Columns of a query as texts, all parts as wide as the widest."""
    columns = [Cast(name, TextField()) for name in names]
    padding = [Value("", output_field=TextField()) for _ in range(width - len(names))]
    return rows.order_by().values_list(Value(kind, output_field=TextField()), *columns, *padding)
