"""What a MySQL or MariaDB database holds: tables, columns, keys, sizes; and how each native type is read.

Zero dates and dates with a zero month or day are read as NULL, and so are times outside one day: they have no
counterpart among our types.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.ports import is_type
from node_catalog.sdk.sql_node import OUR_PREFIX
from node_catalog.sdk.table_patterns import TablePatterns
from node_catalog.sdk.text import text
from node_catalog.types.connectors.mysql.connection import Session

EXACT_BELOW_BYTES = 16 << 20
"""Tables smaller than this are counted; of larger ones the server's own estimate is shown."""
_AT_ONCE = 200
"""Tables whose columns and rows are asked for in one statement each."""

_TABLES = """
select table_name, table_type, table_rows, coalesce(data_length, 0), coalesce(index_length, 0),
       coalesce(table_comment, ''), coalesce(engine, '')
from information_schema.tables
where table_schema = database() and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
order by table_name
"""
_COLUMNS = """
select table_name, column_name, data_type, column_type, is_nullable, coalesce(column_comment, ''), column_key,
       coalesce(extra, ''), column_default is not null, coalesce(character_set_name, ''), numeric_precision,
       numeric_scale, coalesce(collation_name, '')
from information_schema.columns
where table_schema = database() and table_name in %s
order by table_name, ordinal_position
"""
_FOREIGN = """
select table_name, column_name from information_schema.key_column_usage
where table_schema = database() and referenced_table_name is not null and table_name in %s
"""
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "integer", "bigint"}
_WORDS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_SHAPES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
}  # fmt: skip
_UTF8 = {"utf8mb4", "utf8mb3", "utf8", "ascii"}


def quoted(name: str) -> str:
    """An identifier in backticks, which mean the same under every setting of the server."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Column:
    """A column as the server declares it, and what a writer must know."""

    name: str
    kind: str
    """The type's name alone, in lower case."""
    native: str
    """The whole type, e.g. ``decimal(10,2) unsigned``."""
    nullable: bool
    description: str
    key: Literal["", "primary", "unique", "foreign"]
    has_default: bool
    is_generated: bool
    charset: str
    precision: int
    scale: int
    collation: str

    @property
    def is_unsigned(self) -> bool:
        """Whether it holds no negative numbers."""
        return "unsigned" in self.native.lower()

    @property
    def bits(self) -> int:
        """The width of a BIT column."""
        match = re.search(r"\((\d+)\)", self.native)
        return int(match[1]) if match else 1

    @property
    def type(self) -> str:
        """Our type."""
        return our_type(self)

    @property
    def expression(self) -> str:
        """SQL that reads it in our type. Plain columns stay plain, so that the server can use their indexes."""
        name, kind = quoted(self.name), self.kind
        if kind in ("date", "datetime", "timestamp"):
            return f"CASE WHEN DAY({name}) > 0 AND MONTH({name}) > 0 THEN {name} END"
        if kind == "time":
            return f"CASE WHEN {name} BETWEEN '00:00:00' AND '23:59:59.999999' THEN {name} END"
        if kind == "year":
            return f"NULLIF({name}, 0)"
        if self.type == "boolean":
            return f"({name} <> 0)"
        if kind == "bit":
            return f"({name} + 0)"
        if kind == "decimal":
            return f"({name} + 0e0)" if self.type == "number" else self._decimal(name)
        if kind in _SHAPES:
            return f"ST_ASTEXT({name})"
        if self.type == "text" and kind in _WORDS:
            return name if self.charset in _UTF8 else f"CONVERT({name} USING utf8mb4)"
        return f"CAST({name} AS CHAR)" if self.type == "text" else name

    def _decimal(self, name: str) -> str:
        # The driver takes an unsigned decimal for one digit narrower than it is.
        return f"CAST({name} AS DECIMAL({self.precision},{self.scale}))" if self.is_unsigned else name


def our_type(column: Column) -> str:
    """Our type for a native one; what has no counterpart is read as text."""
    kind = column.kind
    if kind == "tinyint" and column.native.lower().startswith("tinyint(1)") and not column.is_unsigned:
        return "boolean"
    if kind == "bit":
        return "boolean" if column.bits == 1 else "integer" if column.bits < 64 else "decimal(20,0)"
    if kind == "bigint" and column.is_unsigned:
        return "decimal(20,0)"
    if kind in _INTEGERS or kind == "year":
        return "integer"
    if kind == "decimal":
        exact = f"decimal({column.precision},{column.scale})"
        return exact if is_type(exact) else "number"
    if kind in ("float", "double", "real"):
        return "number"
    if kind in _BYTES:
        return "binary"
    return {"date": "date", "datetime": "timestamp", "timestamp": "timestamp", "time": "time"}.get(kind, "text")


def columns_of(session: Session, tables: Sequence[str]) -> dict[str, list[Column]]:
    """Columns by table, in their order."""
    found: dict[str, list[Column]] = {table: [] for table in tables}
    if not tables:
        return found
    foreign = {(row[0], row[1]) for row in session.rows(_FOREIGN, tuple(tables))}
    for (
        table,
        name,
        kind,
        native,
        nullable,
        comment,
        key,
        extra,
        default,
        charset,
        precision,
        scale,
        rule,
    ) in session.rows(_COLUMNS, tuple(tables)):
        extra = extra.lower()
        generated = "generated" in extra and "default_generated" not in extra
        found.setdefault(table, []).append(
            Column(
                name=name,
                kind=kind.lower(),
                native=native,
                nullable=nullable == "YES",
                description=comment,
                key=_key(key, (table, name) in foreign),
                has_default=bool(default) or "auto_increment" in extra or "default_generated" in extra,
                is_generated=generated,
                charset=charset.lower(),
                precision=int(precision or 0),
                scale=int(scale or 0),
                collation=rule.lower(),
            )
        )
    return found


def _key(code: str, is_foreign: bool) -> Literal["", "primary", "unique", "foreign"]:
    if code == "PRI":
        return "primary"
    if code == "UNI":
        return "unique"
    return "foreign" if is_foreign else ""


def tables_of(
    session: Session, database: str, patterns: TablePatterns, described: Collection[tuple[str, ...]] = ()
) -> Iterator[DiscoveredDataset]:
    """All wanted tables and views of the database but those ``described``, by bulk queries on its catalogue."""
    tables = [
        row
        for row in session.rows(_TABLES)
        if not row[0].startswith(OUR_PREFIX) and patterns.wants(database, row[0]) and (row[0],) not in described
    ]
    for start in range(0, len(tables), _AT_ONCE):
        part = tables[start : start + _AT_ONCE]
        columns = columns_of(session, [row[0] for row in part])
        counts = _counted(session, part)
        for name, kind, estimate, data, index, comment, _ in part:
            is_view = kind == "VIEW"
            rows = counts.get(name, None if is_view or estimate is None else int(estimate))
            yield DiscoveredDataset(
                path=(name,),
                kind="view" if is_view else "table",
                columns=tuple(
                    DiscoveredColumn(c.name, c.native[:120], c.type, c.nullable, c.key, c.description)
                    for c in columns[name]
                ),
                rows=rows,
                rows_exact=name in counts,
                size_bytes=None if is_view else int(data) + int(index),
                description="" if is_view else comment,
                warnings=() if columns[name] else (_broken(name),),
            )


def count_tables(session: Session) -> int:
    """How many datasets ``tables_of`` would find."""
    return sum(not row[0].startswith(OUR_PREFIX) for row in session.rows(_TABLES))


def _counted(session: Session, tables: Sequence[Any]) -> dict[str, int]:
    """The exact rows of the small tables among ``tables``, by name: one statement for all of them."""
    small = [name for name, kind, _, data, *_ in tables if kind != "VIEW" and int(data) < EXACT_BELOW_BYTES]
    parts = [f"select {place}, count(*) from {quoted(name)}" for place, name in enumerate(small)]
    found = session.rows(" union all ".join(parts)) if parts else ()
    return {small[int(place)]: int(rows) for place, rows in found}


def _broken(name: str) -> Any:
    return text(
        f"The view “{name}” cannot be read: what it is made of is gone, or the user may not read it.",
        f"视图“{name}”无法读取：其依据的表已不存在，或当前用户无权读取。",
    )
