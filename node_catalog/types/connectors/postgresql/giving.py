"""Rows of other nodes for a PostgreSQL statement: bound as settings of the transaction, one array for each column.

A COPY takes no parameters, and temporary tables need a right that a reader should not have. So each column travels as
the text of an array, bound to ``set_config``, and the statement unnests it in its exact type. The setting ends with
the transaction; none of the rows ever stands in the text of a statement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from node_catalog.sdk.access import Given
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.sql_node import literal, quoted

SET = "select set_config({name}, {value}, true)"
_TYPES = {
    "boolean": "boolean", "integer": "bigint", "number": "double precision", "text": "text", "date": "date",
    "timestamp": "timestamp",
}  # fmt: skip
_HASHED = {"enable_sort": "off", "jit": "off"}
"""For rows with a key: the server then hashes them and groups by hashing, as it does over a table that it has counted.
Otherwise it takes millions of rows for as many groups and sorts them (twice the time at a million rows)."""
_FIRST_YEAR, _LAST_YEAR = 1, 9999


def given(name: str, schema: Schema, rows: Any, compared: Collection[str]) -> Given | None:
    """``Connector.give``: None for a text with NUL and for days outside the years that both sides write alike."""
    key, once = next((one for one in schema.names if one in compared and _is_key(rows, one)), ""), ""
    values: dict[str, str] = {}
    arrays, columns = [], []
    for place, field in enumerate(schema.fields):
        kind = _TYPES.get(field.type) or "numeric" + field.type.removeprefix("decimal")
        if field.name not in rows.schema.names:
            columns.append(f"NULL::{kind} AS {quoted(field.name)}")
            continue
        words = _words(rows.column(field.name), field.type)
        if words is None:
            return None
        setting = f"citygo.{name}_{place}"
        values[setting] = words
        arrays.append((f"current_setting({literal(setting)})::{kind}[]", quoted(field.name)))
        value = f"t.{quoted(field.name)}" + (' COLLATE "C"' if field.type == "text" else "")
        columns.append(f"{value} AS {quoted(field.name)}")
        if field.name == key:
            once = f"DISTINCT ON ({value}) "  # drops nothing, and tells the server that it is a key
    listed, names = ", ".join(array for array, _ in arrays), ", ".join(column for _, column in arrays)
    relation = f"(SELECT {once}{', '.join(columns)} FROM unnest({listed}) AS t({names}))"
    return Given(relation, {**values, **_HASHED} if once else values)


def _is_key(rows: Any, name: str) -> bool:
    """Whether no two rows have the same value in a column, and none lacks it."""
    import pyarrow.compute as pc

    if name not in rows.schema.names or str(rows.schema.field(name).type) in ("bool", "double"):
        return False
    column = rows.column(name)
    return len(column) > 0 and not column.null_count and pc.count_distinct(column).as_py() == len(column)


def _words(column: Any, kind: str) -> str | None:
    """A column as the text of an array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind in ("date", "timestamp") and len(column) > column.null_count:
        years = pc.min_max(pc.year(column)).as_py()
        if years["min"] < _FIRST_YEAR or years["max"] > _LAST_YEAR:
            return None
    words = column.cast(pa.string()).to_pylist()
    if kind == "text" and any("\0" in word for word in words if word is not None):
        return None
    return "{" + ",".join("NULL" if word is None else _quoted(word) for word in words) + "}"


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bind_arrow(cursor: Any, values: Mapping[str, str]) -> None:
    """Bind values in the transaction of an ADBC cursor."""
    for name, value in values.items():
        cursor.execute(SET.format(name="$1", value="$2"), (name, value))
        cursor.fetchall()


def bind(connection: Any, values: Mapping[str, str]) -> None:
    """Bind values in the transaction of a psycopg connection."""
    for name, value in values.items():
        connection.execute(SET.format(name="%s", value="%s"), (name, value))
