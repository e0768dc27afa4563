"""What SQL databases share: quoting, the names of our own tables, and how rows must fit a target table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.contract import Delivery, DiscoveredColumn, DiscoveredDataset, Target
from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.target_words import columns_differ, key_empty, key_twice, types_differ
from node_catalog.sdk.text import text

ColumnOf = TypeVar("ColumnOf")
UNTESTED = text("Not tested against a server", "未在真实服务器上测试")
"""The label of a connector whose SQL and types are tested, but which has never met its server here."""
LEDGER, FENCE, STAGE = "citygo_commit", "citygo_fence", "citygo_stage"
OUR_PREFIX = "citygo_"
"""Tables of ours in other people's databases; discovery leaves them out."""


def quoted(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """An SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def conditions(bounds: Iterable[Bound], value: str, kind: str) -> list[str]:
    """The comparisons of ``bounds`` as SQL conditions on ``value``, which is of the SQL type ``kind``."""
    found = []
    for bound in bounds:
        constants = [f"CAST({literal(one)} AS {kind})" for one in bound.values]
        if bound.sign == "in":
            found.append(f"{value} IN ({', '.join(constants)})")
        elif bound.sign != "is not null":
            found.append(f"{value} {bound.sign} {constants[0]}")
    return found


def delivery_key(delivery: Delivery) -> str:
    """A short name for (sink, run, task), fit for table and file names."""
    return hashlib.sha256("\0".join((delivery.sink, delivery.run, delivery.task)).encode()).hexdigest()[:20]


def stage_name(delivery: Delivery) -> str:
    """The staging table or file of one attempt."""
    return f"{STAGE}_{delivery_key(delivery)}_{delivery.attempt}"


def check_target(target: Target, kept: Mapping[str, str], optional: Sequence[str]) -> None:
    """Whether the rows fit a table with columns ``kept`` (name → our type); ``optional`` ones may be left out.

    Whole numbers fit numbers and decimals, everything fits text columns of a database only when it is text.
    Raises TargetError.
    """
    name = ".".join(target.path)
    extra = [column for column in target.schema.names if column not in kept]
    missing = [column for column in kept if column not in target.schema.names and column not in optional]
    if extra or missing:
        raise columns_differ(name, missing, extra)
    if target.mode == "upsert" and (lost := [column for column in target.key if column not in target.schema.names]):
        raise columns_differ(name, lost, ())
    for field in target.schema.fields:
        if not _goes_into(field.type, kept[field.name]):
            raise types_differ(name, field.name, kept[field.name], field.type)


def _goes_into(given: str, kept: str) -> bool:
    a, b = given.partition("(")[0], kept.partition("(")[0]
    if a == b:
        return True
    if b in ("number", "decimal"):
        return a in ("integer", "number", "decimal")
    return (a, b) in (("date", "timestamp"), ("boolean", "integer"))


def on_conflict(target: Target) -> str:
    """The end of an INSERT in PostgreSQL and SQLite that changes rows with the same key instead."""
    key = ", ".join(map(quoted, target.key))
    others = [name for name in target.schema.names if name not in target.key]
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
    return f" on conflict ({key}) do " + (f"update set {changes}" if changes else "nothing")


def check_keys(connection: Any, staged: str, name: str, key: Sequence[str]) -> None:
    """Whether the staged rows have each key once and none empty (a connection of DB-API style). Raises TargetError."""
    listed = ", ".join(map(quoted, key))
    empty = " or ".join(f"{quoted(column)} is null" for column in key)
    if connection.execute(f"select 1 from {staged} where {empty} limit 1").fetchone():
        raise key_empty(name, key)
    if connection.execute(f"select 1 from {staged} group by {listed} having count(*) > 1 limit 1").fetchone():
        raise key_twice(name, key)


def check_promised(promised: Schema, found: Sequence[str], name: str) -> None:
    """Whether a source still has the columns that the catalogue promises. Raises SourceError naming those it lacks."""
    missing = [column for column in promised.names if column not in found]
    if missing:
        listed = ", ".join(missing[:5])
        message = text(
            f"“{name}” has no column {listed} any more: the table has changed. Discover the node again, then "
            "adjust the "
            "flow.",
            f"“{name}”中已没有列 {listed}，表结构发生了变化。请重新发现该节点，再调整流程。",
        )
        raise SourceError("source.columns_moved", message, name)


def promised_columns(found: Mapping[str, ColumnOf], names: Sequence[str], table: str) -> list[ColumnOf]:
    """The columns ``names`` of what a source has, in that order. Raises SourceError when table or column is gone."""
    if not found:
        raise missing_table(table)
    check_promised(Schema.of((name, "text") for name in names), list(found), table)
    return [found[name] for name in names]


def discovered_table(
    path: tuple[str, ...],
    kind: Literal["table", "view"],
    columns: Sequence[DiscoveredColumn],
    rows: int | None,
    comment: str = "",
) -> DiscoveredDataset:
    """A table as discovery tells it: columns without a type of ours cannot be read and are left out, with a warning."""
    readable = tuple(column for column in columns if column.type)
    left_out = [column.name for column in columns if not column.type]
    listed = ", ".join(left_out[:10])
    warning = text(f"Left out (types that cannot be read): {listed}.", f"以下列的类型无法读取，已略过：{listed}。")
    return DiscoveredDataset(path, kind, readable, rows, description=comment, warnings=(warning,) if left_out else ())


def place_of(path: Sequence[str], schema: str) -> tuple[str, str]:
    """Schema and table of a dataset path; the schema may be left out."""
    return (path[0], path[-1]) if len(path) > 1 else (schema, path[-1])


def missing_table(name: str) -> SourceError:
    """The error for a table that is gone."""
    message = text(
        f"The table “{name}” is not in the database any more. Discover the node again, or choose another dataset.",
        f"数据库中已没有表“{name}”。请重新发现该节点，或选择其他数据集。",
    )
    return SourceError("source.table_missing", message, name)
