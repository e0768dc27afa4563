"""Schema propagation (L3): every step type builds its relation over empty tables; what comes out is the schema.

Each step is evaluated over fresh tables that carry only its inputs' schemas, so the cost per step does not grow with
the length of the flow, and equal steps over equal inputs are evaluated once per process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flows.graph.context import StepContext
from flows.graph.errors import ExpressionError, GraphError
from flows.graph.expressions.parameters import Parameter
from flows.graph.incomparable import check_geometries
from flows.graph.quick import quick_table
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.memory import Memory
from node_catalog.sdk.open_columns import taken_out_words, with_taken_out
from node_catalog.sdk.ports import Schema, from_ibis, to_ibis
from node_catalog.sdk.text import Text, text

Inputs = Mapping[str, tuple[Schema, ...]]


@dataclass(frozen=True)
class Failure:
    """Why a step has no schema: code, words, pointer inside its settings, suggestion, position in an expression."""

    code: str
    message: Text
    pointer: str = ""
    fix: Mapping[str, Any] | None = None
    position: int | None = None


@dataclass(frozen=True)
class Evaluated:
    """What a step gives: a schema per out port (a sink: what it stores, under the name ``in``), or the failure."""

    schemas: Mapping[str, Schema] = field(default_factory=dict)
    failure: Failure | None = None
    warnings: tuple[tuple[str, Text, str], ...] = ()


_evaluated: Memory[Evaluated] = Memory(20_000)


def evaluate(
    kind: type[Transform], settings: Any, key: bytes, inputs: Inputs, parameters: Mapping[str, Parameter]
) -> Evaluated:
    """The schemas of one step. ``key`` stands for its settings (their JSON); never raises."""
    used = tuple(inputs.items())
    identity = (kind, key, used, parameters_key(parameters))
    return _evaluated.get(identity, lambda: _evaluate(kind, settings, inputs, parameters))


def parameters_key(parameters: Mapping[str, Parameter]) -> tuple[Any, ...]:
    """What stands for the parameters in a key of remembered results."""
    return tuple((name, item.type, item.is_list, item.mark) for name, item in parameters.items())


def _evaluate(kind: type[Transform], settings: Any, inputs: Inputs, parameters: Mapping[str, Parameter]) -> Evaluated:
    context = StepContext(parameters)
    try:
        tables = {
            port: [_table(schema, f"{port}_{i}") for i, schema in enumerate(many)] for port, many in inputs.items()
        }
        built = build(kind, tables, settings, context)
        check_geometries(tables, built)
        schemas = {port: from_ibis(relation.schema()) for port, relation in built.items()}
    except ExpressionError as error:
        return Evaluated(failure=Failure(error.code, error.message, error.where, error.fix, error.position))
    except GraphError as error:
        return Evaluated(failure=Failure(error.code, error.message, error.where, error.fix))
    except NodeTypeError as error:
        return Evaluated(failure=Failure(error.code, error.message, error.where))
    except Exception as error:  # a step type is foreign code: whatever it raises becomes words, never a crash
        return Evaluated(failure=_unexpected(error))
    return Evaluated(schemas, warnings=tuple(context.warnings))


def build(
    kind: type[Transform], tables: Mapping[str, list[Any]], settings: Any, context: StepContext
) -> dict[str, Any]:
    """The relations of a step by out port (``in`` for a sink). The one place where ``Transform.apply`` is called."""
    relation = _with_columns_from_data(tables, context, lambda known: kind.apply(known, settings, context))
    if isinstance(relation, Mapping):
        return dict(relation)
    ports = [port.name for port in kind.ports if port.direction == "out"]
    return {ports[0] if ports else "in": relation}


def build_facts(kind: type[Transform], tables: Mapping[str, list[Any]], settings: Any, context: StepContext) -> Any:
    """The facts from which a step makes its verdict, over the same columns as ``build``."""
    return _with_columns_from_data(tables, context, lambda known: kind.facts(known, settings, context))


def _with_columns_from_data(
    tables: Mapping[str, list[Any]], context: StepContext, make: Callable[[Mapping[str, list[Any]]], Any]
) -> Any:
    """What ``make`` gives; a column that it misses is taken out of those that only the data knows, with a warning."""
    before = list(context.warnings)
    taken: list[tuple[str, Text, str]] = []
    while True:
        try:
            return make(tables)
        except GraphError as error:
            changed = with_taken_out(tables, error.column) if error.column else None
            if changed is None or len(taken) == _MOST_TAKEN_OUT:
                raise
            tables = changed
            taken.append(("column.from_data", taken_out_words(error.column), error.where))
            context.warnings[:] = [*before, *taken]


_MOST_TAKEN_OUT = 100
"""Columns that one step may take out of those that only the data knows."""


def build_once(
    kind: type[Transform], tables: Mapping[str, list[Any]], settings: Any, context: StepContext
) -> Mapping[str, Any]:
    """``build``, remembered for the same settings over the same tables: what an edit leaves alone costs nothing in the
    next plan. Warnings are not repeated; the check has them.
    """
    inputs = tuple((port, tuple(table.op() for table in many)) for port, many in tables.items())
    identity = (kind, settings_key(settings), inputs, parameters_key(context.parameters))
    return _built.get(identity, lambda: build(kind, tables, settings, context))


_built: Memory[dict[str, Any]] = Memory(5_000)


def _table(schema: Schema, name: str) -> Any:
    return quick_table(_ibis_schemas.get(schema, lambda: to_ibis(schema)), name)


_ibis_schemas: Memory[Any] = Memory(5_000)


def _unexpected(error: Exception) -> Failure:
    name = type(error).__name__
    message = text(
        f"This step cannot be built with these settings ({name}). Check its settings, or set it up again.",
        f"按当前设置无法构建该步骤（{name}）。请检查设置，或重新设置。",
    )
    return Failure("step.unexpected", message)


def settings_key(settings: Any) -> bytes:
    """A short stable key of parsed settings."""
    return msgspec.json.encode(settings)
