"""Rows that a person has typed: what a cell means, and the relation that gives them without any source.

One row is constants. Several are one text for each column that the engine takes apart: fifty thousand constants would
take seconds to parse, a thousandth of that is enough this way. The values are cast from texts that are made here of
what has been read already, never from what was typed.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from node_catalog.sdk.constants import Scalar, read_scalar, written
from node_catalog.sdk.ports import Schema, ibis_type

_PARAMETER = re.compile(r"(:+)([A-Za-z_][A-Za-z0-9_]*)\Z")
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\S.*))?\Z", re.ASCII)
_CLOCK = re.compile(r"(\d):")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "yes", "1", "是"}), frozenset({"false", "no", "0", "否"})
_MARKS = ("|", ";", "~")
_PRIVATE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE))
"""Characters for private use: no text has all of them."""

Cell = Scalar | None


def parameter_in(cell: Cell) -> str | None:
    """The name of the parameter that a cell refers to (``:name``); None for every other one."""
    match = _PARAMETER.match(cell) if isinstance(cell, str) else None
    return match[2] if match and match[1] == ":" else None


def read_cell(cell: Cell, kind: str) -> Any:
    """What a cell without a parameter means in a column of our type ``kind``; raises ValueError when it does not fit.

    A text column takes the text as it is, but that ``::name`` means ``:name``. In the others spaces around count for
    nothing, nothing at all is an empty value, and dates and yes/no may look as in a spreadsheet.
    """
    if cell is None:
        return None
    if kind == "text":
        return _read_text(cell)
    if isinstance(cell, str):
        cell = cell.strip()
        if not cell:
            return None
        cell = _as_written(cell, kind.partition("(")[0])
    elif kind in ("date", "time", "timestamp"):
        raise ValueError(cell)
    made = read_scalar(cell, kind)
    if isinstance(made, datetime.time) and made.tzinfo is not None:
        raise ValueError(cell)
    return made


def _read_text(cell: Scalar) -> str:
    if not isinstance(cell, str) or "\0" in cell:
        raise ValueError(cell)
    cell.encode()
    return cell[1:] if cell.startswith("::") and _PARAMETER.match(cell) else cell


def _as_written(cell: str, family: str) -> Scalar:
    """Common ways to write a value, as our constants are written."""
    if family == "boolean":
        word = cell.casefold()
        return word in _TRUE if word in _TRUE | _FALSE else cell
    if family in ("integer", "number", "decimal"):
        if not _NUMBER.match(cell) or (family == "integer" and not cell.lstrip("+-").isdigit()):
            raise ValueError(cell)
        return cell
    if family == "time":
        return _CLOCK.sub(r"0\1:", cell) if cell[1:2] == ":" else cell
    match = _DAY.match(cell)
    if match is None:
        raise ValueError(cell)
    year, month, day, rest = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}" + (f"T{_as_written(rest, 'time')}" if rest else "")


def typed_rows(schema: Schema, rows: Sequence[Sequence[Any]]) -> Any:
    """The rows as an Ibis relation, in their order. A value is as ``read_cell`` gives it, or an Ibis value."""
    import ibis.expr.operations as ops

    columns = [[row[place] for row in rows] for place in range(len(schema.fields))]
    make = _one if len(rows) == 1 else _several
    made = {field.name: make(cells, field.type).op() for field, cells in zip(schema.fields, columns, strict=True)}
    return ops.DummyTable(values=made).to_expr()


def rows_made(table: Any) -> int:
    """How many rows a relation without any source (an Ibis ``DummyTable``) gives."""
    import ibis.expr.operations as ops

    for value in table.values.values():
        for unnest in value.find(ops.Unnest, filter=ops.Value):
            listed = unnest.arg
            if isinstance(listed, ops.StringSplit):
                return int(listed.arg.value.count(listed.delimiter.value)) + 1
            return len(listed.exprs) if isinstance(listed, ops.Array) else 0
    return 1


def _one(cells: Sequence[Any], kind: str) -> Any:
    return _constant(cells[0], kind)


def _constant(value: Any, kind: str) -> Any:
    import ibis

    if value is None:
        return ibis.null(ibis_type(kind))
    if isinstance(value, ibis.Expr):
        return value
    made = ibis.literal(written(value), type="string")
    return made if kind == "text" else made.cast(ibis_type(kind))


def _several(cells: Sequence[Any], kind: str) -> Any:
    import ibis
    import ibis.expr.datatypes as dt
    import ibis.expr.operations as ops

    if not cells:
        none = ibis.literal([], type=dt.Array(dt.string))
        return _apart(ops.Cast(none, dt.Array(ibis_type(kind))))  # the engine knows no type of an empty list
    if any(isinstance(value, ibis.Expr) for value in cells):
        return _apart(ibis.array([_constant(value, kind) for value in cells]))
    texts = [None if value is None else written(value) for value in cells]
    marks = _unused(text for text in texts if text)
    between = next(marks)
    empty = next(marks) if None in texts else ""
    whole = ibis.literal(between.join(empty if text is None else text for text in texts), type="string")
    made = _apart(whole.split(between))
    made = made.nullif(empty) if empty else made
    return made if kind == "text" else made.cast(ibis_type(kind))


def _apart(listed: Any) -> Any:
    """The members of a list, each in a row."""
    import ibis.expr.operations as ops

    return ops.Unnest(listed).to_expr()


def _unused(texts: Iterable[str]) -> Iterator[str]:
    """Characters that stand in none of the texts."""
    used = frozenset().union(*texts)
    return (mark for mark in chain(_MARKS, map(chr, chain(*_PRIVATE))) if mark not in used)
