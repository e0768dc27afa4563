"""What a PostgreSQL database holds: tables, columns, keys, sizes; and how each native type is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.geometry import crs_of, geometry_type
from node_catalog.sdk.ports import is_type
from node_catalog.sdk.sql_node import OUR_PREFIX, conditions, quoted
from node_catalog.sdk.table_patterns import TablePatterns

EXACT_BELOW_BYTES = 64 << 20
"""Tables smaller than this are counted; of larger ones the server's own estimate is shown."""
_AT_ONCE = 200
"""Tables whose columns and rows are asked for in one statement each."""

_RELATIONS = """
select c.oid, n.nspname, c.relname, c.relkind, c.reltuples, pg_total_relation_size(c.oid),
       coalesce(obj_description(c.oid, 'pg_class'), '')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and has_table_privilege(c.oid, 'select') and left(c.relname, %(ours)s) <> %(prefix)s
  and (%(name)s::text is null or c.relname = %(name)s)
order by c.relname
"""
_COLUMNS = """
select a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod),
       case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod)
            else format_type(a.atttypid, a.atttypmod) end,
       not a.attnotnull,
       coalesce(col_description(a.attrelid, a.attnum), ''),
       coalesce((select case min(strpos('puf', k.contype::text)) when 1 then 'primary' when 2 then 'unique'
                        when 3 then 'foreign' end
                 from pg_constraint k
                 where k.conrelid = a.attrelid and a.attnum = any(k.conkey)
                   and (k.contype in ('p', 'f') or (k.contype = 'u' and cardinality(k.conkey) = 1))), ''),
       a.atthasdef or a.attidentity <> '' or a.attgenerated <> '',
       a.attgenerated <> '', n.nspname
from pg_attribute a join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
join pg_namespace n on n.oid = b.typnamespace
where a.attrelid = any(%(oids)s) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""
_UNIQUE = """
select array_agg(a.attname::text) from pg_index i
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey[0:i.indnkeyatts - 1])
where i.indrelid = %(oid)s and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
group by i.indexrelid
"""
_NUMERIC = re.compile(r"^numeric\((\d+),(-?\d+)\)$")
_GEOMETRY = re.compile(r'^(?:(?:"[^"]+"|\w+)\.)?(geometry|geography)(?:\((\w+)(?:,(\d+))?\))?$')
"""PostGIS' types as the server writes them: ``geometry(Point,4326)``, perhaps with the extension's schema before."""
_SYSTEMS = {"4326": "WGS84", "4490": "CGCS2000"}
_PLAIN = {
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "oid": "integer",
    "real": "number",
    "double precision": "number",
    "numeric": "number",
    "money": "decimal(19,2)",
    "text": "text",
    "date": "date",
    "bytea": "binary",
}


@dataclass(frozen=True)
class Column:
    """A column: its declared type, the type under a domain, and what a writer must know."""

    name: str
    native: str
    base: str
    nullable: bool
    description: str
    key: Literal["", "primary", "unique", "foreign"]
    has_default: bool
    is_generated: bool
    type_schema: str = ""
    """Where the native type is defined: PostGIS' functions lie beside its types."""

    @property
    def type(self) -> str:
        """Our type."""
        return our_type(self.base)

    @property
    def expression(self) -> str:
        """SQL that reads it in our type. Plain columns stay plain, so that the server can use their indexes."""
        name, base = quoted(self.name), self.base
        if base in ("real", "double precision"):
            return f"nullif({name}, 'NaN')"
        if base == "numeric":
            return f"nullif({name}, 'NaN')::double precision"
        if base.startswith("numeric"):
            return (
                f"nullif({name}, 'NaN')"
                if self.type.startswith("decimal")
                else f"nullif({name}, 'NaN')::double precision"
            )
        if base == "money":
            return f"{name}::numeric(19,2)"
        if base == "oid":
            return f"{name}::bigint"
        if crs_of(self.type) is not None:
            place = quoted(self.type_schema)
            plain = f"{name}::{place}.geometry" if "geography" in base else name
            return f"{place}.ST_AsBinary({place}.ST_Force2D({plain}), 'NDR')"
        if self.type != "text" or base == "text" or base.startswith("character varying"):
            return name
        return f"{name}::text"

    @property
    def compared(self) -> str:
        """``expression`` for a column by which rows are grouped, matched or ordered here, as the engine does it: texts
        by code point, and ``infinity`` is NULL before anything looks at it (see ``plain_batch``).
        """
        if self.type == "text":
            return f'({self.expression}) COLLATE "C"'
        if self.type in ("date", "timestamp"):
            return f"CASE WHEN isfinite({quoted(self.name)}) THEN {self.expression} END"
        return self.expression

    def read(self, bounds: Sequence[Bound], *, is_compared: bool) -> tuple[str, list[str]]:
        """The SQL that reads it, and conditions on the column itself that leave out what is beyond ``bounds``.

        An index and the server's statistics know the column, not what is made of it. Where its conditions let no value
        through that is read as NULL, it is read as it is.
        """
        name, expression = quoted(self.name), self.compared if is_compared else self.expression
        kind, least, most = self._ends
        if not bounds or not kind or expression == name:
            return expression, []
        found = conditions(bounds, name, kind)
        if not any(one.is_from_above for one in bounds):
            found.append(f"{name} < '{most}'")
        if least and not any(one.is_from_below for one in bounds):
            found.append(f"{name} > '{least}'")
        return name, found

    @property
    def _ends(self) -> tuple[str, str, str]:
        """For a type whose values are ours but for those at its ends: the type to compare in, and these values."""
        if self.base in ("real", "double precision"):
            return "double precision", "", "NaN"
        if self.base.startswith("numeric") and self.type.startswith("decimal"):
            return "numeric", "", "NaN"
        if self.base == "date" or (self.type == "timestamp" and "with time zone" not in self.base):
            return self.type, "-infinity", "infinity"
        return "", "", ""


def our_type(base: str) -> str:
    """Our type for a native one; what has no counterpart is read as text."""
    found = _PLAIN.get(base)
    if found:
        return found
    match = _NUMERIC.match(base)
    if match:
        kind = f"decimal({match[1]},{match[2]})"
        return kind if is_type(kind) else "number"
    spatial = _GEOMETRY.match(base)
    if spatial:
        srid = spatial[3] or ("4326" if spatial[1] == "geography" else "")
        return geometry_type(_SYSTEMS[srid]) if srid in _SYSTEMS else "text"
    if base.startswith("timestamp"):
        return "timestamp"
    if base.startswith("time") and "with time zone" not in base:
        return "time"
    return "text"


def columns_of(connection: Any, oids: list[int]) -> dict[int, list[Column]]:
    """Columns by table, in their order."""
    found: dict[int, list[Column]] = {oid: [] for oid in oids}
    for oid, *facts in connection.execute(_COLUMNS, {"oids": oids}).fetchall():
        found[oid].append(Column(*facts))
    return found


def find_table(connection: Any, schema: str, name: str) -> tuple[int, str] | None:
    """The oid and kind of one table, or None when it is gone or may not be read."""
    rows = connection.execute(_RELATIONS, _arguments(schema, name)).fetchall()
    return (rows[0][0], rows[0][3]) if rows else None


def tables_of(
    connection: Any, schema: str, patterns: TablePatterns, described: Collection[tuple[str, ...]] = ()
) -> Iterator[DiscoveredDataset]:
    """All wanted tables and views of a schema but those ``described``, by bulk queries on the server's catalogue."""
    found = connection.execute(_RELATIONS, _arguments(schema, None)).fetchall()
    relations = [row for row in found if patterns.wants(row[1], row[2]) and (row[1], row[2]) not in described]
    for start in range(0, len(relations), _AT_ONCE):
        part = relations[start : start + _AT_ONCE]
        columns = columns_of(connection, [row[0] for row in part])
        counts = _counted(connection, part)
        for oid, namespace, name, kind, estimate, size, description in part:
            rows, exact = (counts[oid], True) if oid in counts else (_estimate(kind, estimate), False)
            yield DiscoveredDataset(
                path=(namespace, name),
                kind="view" if kind in ("v", "m") else "table",
                columns=tuple(
                    DiscoveredColumn(c.name, c.native[:120], c.type, c.nullable, c.key, c.description)
                    for c in columns[oid]
                ),
                rows=rows,
                rows_exact=exact,
                size_bytes=size if kind in ("r", "m") else None,
                description=description,
            )


def count_tables(connection: Any, schema: str) -> int:
    """How many datasets ``tables_of`` would find."""
    return len(connection.execute(_RELATIONS, _arguments(schema, None)).fetchall())


def _arguments(schema: str, name: str | None) -> dict[str, Any]:
    return {"schema": schema, "name": name, "prefix": OUR_PREFIX, "ours": len(OUR_PREFIX)}


def _counted(connection: Any, relations: Sequence[Any]) -> dict[int, int]:
    """The exact rows of the small tables among ``relations``, by oid: one statement for all of them."""
    parts = [
        f"select {oid}, count(*) from {quoted(schema)}.{quoted(name)}"
        for oid, schema, name, kind, _, size, _ in relations
        if kind in ("r", "m") and size < EXACT_BELOW_BYTES
    ]
    return dict(connection.execute(" union all ".join(parts)).fetchall()) if parts else {}


def _estimate(kind: str, estimate: float) -> int | None:
    return int(estimate) if estimate >= 0 and kind in ("r", "m", "p") else None


def has_unique_key(connection: Any, oid: int, key: Sequence[str]) -> bool:
    """Whether a primary key or unique index is on exactly these columns, for all rows."""
    rows = connection.execute(_UNIQUE, {"oid": oid}).fetchall()
    return any(set(row[0]) == set(key) for row in rows)
