"""Row filters of grants: a small tree of comparisons as data, turned into an Ibis condition. Never raw SQL.

``{"op": "and"|"or", "args": [filter, …]}`` · ``{"op": "not", "args": [filter]}`` ·
``{"op": "="|"!="|"<"|"<="|">"|">=", "column": name, "value": constant}`` ·
``{"op": "in", "column": name, "value": [constant, …]}`` · ``{"op": "is_null", "column": name}`` ·
``{"op": "starts_with"|"ends_with"|"contains", "column": name, "value": text}`` (plain text, no wildcards).

Whatever cannot be understood raises: a filter that is left out would show rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.text import text

MAX_DEPTH = 32
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT = {"starts_with": "startswith", "ends_with": "endswith", "contains": "contains"}
OPERATORS = ("and", "or", "not", *_COMPARE, "in", "is_null", *_TEXT)


def condition(relation: Any, expr: Mapping[str, Any], depth: int = 0) -> Any:
    """The Ibis boolean of ``expr`` over ``relation``. Raises SourceError for anything it does not know."""
    import ibis

    op, args = expr.get("op"), expr.get("args")
    if depth > MAX_DEPTH:
        raise _refused("the filter is nested too deeply", "条件嵌套过深")
    if op in ("and", "or"):
        if not isinstance(args, list | tuple) or not args:
            raise _refused(f"“{op}” needs a list of conditions", f"“{op}”需要若干条件")
        parts = [condition(relation, part, depth + 1) for part in args]
        return ibis.and_(*parts) if op == "and" else ibis.or_(*parts)
    if op == "not":
        if not isinstance(args, list | tuple) or len(args) != 1:
            raise _refused("“not” needs exactly one condition", "“not”需要且只需要一个条件")
        return ~condition(relation, args[0], depth + 1)
    return _leaf(relation, op, expr)


def columns_of(expr: Mapping[str, Any] | None) -> set[str]:
    """Names of the columns a filter tests (a push-down must read them even when they are not granted)."""
    if not expr:
        return set()
    found = {expr["column"]} if "column" in expr else set()
    return found.union(*(columns_of(part) for part in expr.get("args") or ()))


def _leaf(relation: Any, op: Any, expr: Mapping[str, Any]) -> Any:
    name = expr.get("column")
    if not isinstance(name, str) or name not in relation.columns:
        raise _refused(
            f"the dataset has no column “{name}” that the grant's row filter tests",
            f"数据集中没有授权条件用到的列“{name}”",
        )
    column = relation[name]
    if op == "is_null":
        return column.isnull()
    value = expr.get("value")
    if op in _COMPARE:
        return _COMPARE[op](column, _constant(column, value))
    if op == "in":
        if not isinstance(value, list | tuple) or not value:
            raise _refused("“in” needs a list of values", "“in”需要一组取值")
        return column.isin([_constant(column, item) for item in value])
    if op in _TEXT and column.type().is_string() and isinstance(value, str) and value:
        import ibis

        return getattr(column, _TEXT[op])(ibis.literal(value))
    raise _refused(f"“{op}” cannot be applied to column “{name}”", f"“{op}”不能用于列“{name}”")


def _constant(column: Any, value: Any) -> Any:
    """``value`` (from JSON) as a literal of the column's type."""
    import ibis

    kind = column.type()
    try:
        if value is None:
            raise ValueError("null")
        if kind.is_boolean():
            typed: Any = {True: True, False: False, "true": True, "false": False}[value]
        elif kind.is_integer():
            typed = int(value)
            if Decimal(str(value)) != typed:
                return _decimal(value)
        elif kind.is_decimal():
            return _decimal(value)
        elif kind.is_floating():
            typed = float(value)
        elif kind.is_date():
            typed = date.fromisoformat(value)
        elif kind.is_timestamp():
            typed = datetime.fromisoformat(value)
        elif kind.is_time():
            typed = time.fromisoformat(value)
        elif kind.is_string() and isinstance(value, str):
            typed = value
        else:
            raise TypeError(str(kind))
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        name = column.get_name()
        raise _refused(f"the value for column “{name}” is no {kind}", f"列“{name}”的取值与其类型不符") from error
    return ibis.literal(typed, type=kind)


def _decimal(value: Any) -> Any:
    """An exact decimal literal of just the digits it needs (without a type the engine would round to three places)."""
    import ibis
    import ibis.expr.datatypes as dt

    number = Decimal(str(value))
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(str(number))
    scale = max(-exponent, 0)
    return ibis.literal(number, type=dt.Decimal(min(max(len(digits) + max(exponent, 0), scale + 1), 38), scale))


def _refused(en: str, zh: str) -> SourceError:
    message = text(
        f"The grant's row filter cannot be applied: {en}. No rows are shown; ask the dataset's owner to mend "
        "the grant.",
        f"授权的行过滤条件无法执行：{zh}。为保护数据，不返回任何行，请联系数据提供方修正授权。",
    )
    return SourceError("grant.row_filter", message)
