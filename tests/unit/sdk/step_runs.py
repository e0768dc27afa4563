"""Run one step over small tables, for the tests of single step types."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import duckdb
import ibis
import pytest

from flows.graph.expression import compile_expression
from flows.graph.queries.query import compile_query
from flows.graph.render import render
from node_catalog.palette import registry
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.ports import Schema, from_ibis, to_arrow, to_ibis
from node_catalog.sdk.schema import parse
from node_catalog.sdk.testing import PlainContext, StepProblem, arrow_table

Table = tuple[dict[str, str], Sequence[Sequence[Any]]]


def build(step: str, settings: dict[str, Any], *tables: Table) -> tuple[Any, dict[str, Table]]:
    """The step's relation over unbound tables, and the rows behind their names."""
    kind = registry().transforms[step]
    ports = [port.name for port in kind.ports if port.direction == "in"]
    inputs: dict[str, list[Any]] = {}
    named: dict[str, Table] = {}
    for index, table in enumerate(tables):
        name = f"t_{index}"
        named[name] = table
        port = ports[min(index, len(ports) - 1)]
        inputs.setdefault(port, []).append(ibis.table(to_ibis(Schema.of(list(table[0].items()))), name=name))
    context = PlainContext(
        lambda source, over, pointer, aggregate=False: compile_expression(source, over, {}, pointer, aggregate),
        lambda source, over, pointer: compile_query(source, over, {}, pointer),
    )
    return kind.apply(inputs, parse(kind.Settings, settings), context), named


def run(step: str, settings: dict[str, Any], *tables: Table) -> list[tuple[Any, ...]]:
    """The rows; the schema that the engine gives must be the promised one."""
    relation, named = build(step, settings, *tables)
    with closing(duckdb.connect()) as connection:
        for name, (columns, rows) in named.items():
            connection.register(name, arrow_table(columns, rows))
        answer = connection.sql(render(relation)).to_arrow_table()
    promised = to_arrow(from_ibis(relation.schema()))
    assert answer.schema.remove_metadata() == promised, f"{answer.schema}\n≠\n{promised}"
    return [tuple(row.values()) for row in answer.to_pylist()]


def code_of(step: str, settings: dict[str, Any], *tables: Table) -> str:
    """The code of the problem that settings or type check raise."""
    with pytest.raises((StepProblem, SettingsError)) as caught:
        build(step, settings, *tables)
    error = caught.value
    return error.code if isinstance(error, StepProblem) else error.problems[0].code


def hour(number: float) -> str:
    """A time so many hours after the start of 2024, as text."""
    return (datetime.datetime.fromisoformat("2024-01-01") + datetime.timedelta(hours=number)).isoformat()


def in_order(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, to compare them regardless of theirs."""
    return sorted(rows, key=repr)
