"""Ibis' compiler for Spark, mended where its text would not mean what ``flow_format.md`` says.

Calls of our expression language's functions are written in Spark's words here; ``same_on_spark`` says which of them
mean the same there at all. A stage runs there in ANSI mode, with the time zone UTC and case-sensitive names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler

Write = Callable[..., Any]


def for_spark(base: Any) -> Any:
    """Ibis' compiler class with our functions.

    OFFSET is written where Ibis would number rows that have no order; and NaN stays what it is (Ibis asks an option of
    its back end for Spark, which is not loaded here).
    """

    def scalar_udf(self: Any, op: Any, **arguments: Any) -> Any:
        write = CALLS.get(op.__func_name__)
        if write is None:
            return base.visit_ScalarUDF(self, op, **arguments)
        return write(*arguments.values())

    def literal(self: Any, op: Any, *, value: Any, dtype: Any) -> Any:
        plain = SQLGlotCompiler if dtype.is_floating() else base
        return plain.visit_NonNullLiteral(self, op, value=value, dtype=dtype)

    visits = {
        "visit_ScalarUDF": scalar_udf,
        "visit_NonNullLiteral": literal,
        "visit_Field": SQLGlotCompiler.visit_Field,
        "visit_Limit": SQLGlotCompiler.visit_Limit,
    }
    return type("SparkCompiler", (base,), {"__slots__": (), **visits})


def _call(name: str) -> Write:
    return lambda *values: sge.Anonymous(this=name, expressions=list(values))


def _binary(kind: type[sge.Binary]) -> Write:
    return lambda left, right: sge.paren(kind(this=left, expression=right))


def _whole(name: str) -> Write:
    """Spark gives 32 bits where we promise 64."""
    return lambda value: sge.cast(_call(name)(value), "bigint")


def _date_trunc(unit: Any, moment: Any) -> Any:
    """Spark gives a moment with a time zone; ours is UTC, and its moments have none."""
    return sge.Cast(this=_call("DATE_TRUNC")(unit, moment), to=sge.DataType(this=sge.DataType.Type.TIMESTAMPNTZ))


CALLS: dict[str, Write] = {
    "add": _binary(sge.Add),
    "subtract": _binary(sge.Sub),
    "multiply": _binary(sge.Mul),
    "length": _whole("CHAR_LENGTH"),
    "substring": _call("SUBSTRING"),
    "left": _call("LEFT"),
    "right": _call("RIGHT"),
    "replace": _call("REPLACE"),
    "contains": _call("CONTAINS"),
    "starts_with": _call("STARTSWITH"),
    "ends_with": _call("ENDSWITH"),
    "sqrt": _call("SQRT"),
    "date_trunc": _date_trunc,
    **{name: _whole(name.upper()) for name in ("year", "quarter", "month", "day", "hour", "minute", "second")},
}
"""Function of the engine → how it is written for Spark."""
