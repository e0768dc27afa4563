"""Rows that get values of their own: one statement's text, made once and sent with the values of each row.

Where each row is an UPDATE of the model framework, or all are one with a CASE for every value, making the text costs
more than the database takes for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.sql import UpdateQuery

from runtime.clock import Soon

Change = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Which row: names of columns with the values that it must have; and its new values."""


def update_each(rows: QuerySet[Any], changes: Sequence[Change]) -> int:
    """Change single rows among ``rows``, which takes no values itself; gives how many were there to be changed."""
    alike: dict[Hashable, list[Change]] = defaultdict(list)
    for which, values in changes:
        # A value that is not there is no parameter but a word of the text.
        alike[(*which, "", *values, "", *(name for name, value in values.items() if value is None))].append(
            (which, values)
        )
    return sum(_update(rows, group) for group in alike.values())


def _update(rows: QuerySet[Any], changes: Sequence[Change]) -> int:
    which, values = changes[0]
    if len(changes) > 1:
        query = rows.filter(**which).order_by().query.chain(UpdateQuery)
        query.add_update_values(values)
        text, given = query.get_compiler(connection=connection).as_sql()
        parameters = [_parameters(rows, *change) for change in changes]
        if repr([*given]) == repr(parameters[0]):
            with connection.cursor() as cursor:
                cursor.executemany(text, parameters)
                return int(cursor.rowcount)
    # Alone, or with something whose parameters cannot be told without making the text.
    return sum(rows.filter(**which).update(**values) for which, values in changes)


def _parameters(rows: QuerySet[Any], which: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any]:
    """In the order of the text: new values as given, then conditions by name."""
    field = rows.model._meta.get_field
    found: list[Any] = []
    for name, value in values.items():
        if isinstance(value, Soon):
            found += value.parameters(connection)
        elif hasattr(value, "resolve_expression"):
            found.append(value)
        elif value is not None:
            found.append(field(name).get_db_prep_save(value, connection=connection))
    for name, value in sorted(which.items()):
        column = rows.model._meta.pk if name == "pk" else field(name)
        found.append(column.get_db_prep_value(value, connection=connection))
    return found
