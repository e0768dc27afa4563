"""The table that rows go to: what it is made of, how its staging must look, and how rows get from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node_catalog.sdk.contract import Target
from node_catalog.sdk.errors import TargetError
from node_catalog.sdk.sql_node import check_target
from node_catalog.sdk.target_words import missing_target, no_unique_key
from node_catalog.sdk.text import text
from node_catalog.types.connectors.mysql.catalog import Column, columns_of, quoted
from node_catalog.types.connectors.mysql.connection import Session

_SQL_TYPES = {
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double",
    "text": "longtext",
    "date": "date",
    "time": "time(6)",
    "timestamp": "datetime(6)",
    "binary": "longblob",
}
_KEY_TYPES = {"text": "varchar(255)", "binary": "varbinary(255)"}
_END = "engine = InnoDB default character set utf8mb4"
_TABLE = """
select t.table_type, coalesce(t.create_options, ''), coalesce(e.transactions, '') = 'YES'
from information_schema.tables t left join information_schema.engines e on e.engine = t.engine
where t.table_schema = database() and t.table_name = %s
"""
_UNIQUE = """
select index_name, column_name from information_schema.statistics
where table_schema = database() and table_name = %s and non_unique = 0 and sub_part is null
"""
_TIED = """
select (select count(*) from information_schema.triggers
        where event_object_schema = database() and event_object_table = %s)
     + (select count(*) from information_schema.key_column_usage where referenced_table_name is not null
        and (table_schema = database() and table_name = %s
             or referenced_table_schema = database() and referenced_table_name = %s))
"""
_SEES_TRIGGERS = """
select count(*) from (
  select grantee, privilege_type from information_schema.user_privileges
  union all
  select grantee, privilege_type from information_schema.schema_privileges where table_schema = database()
) as rights
where privilege_type = 'TRIGGER' and grantee = concat('''', replace(current_user(), '@', '''@'''), '''')
"""


@dataclass(frozen=True)
class TargetTable:
    """A table as it is now; without ``columns`` it is still to be made."""

    name: str
    target: Target
    columns: Mapping[str, Column]
    is_swapped: bool
    """Whether its rows arrive by RENAME: when it is new, or replaced and nothing else hangs on it."""

    def create_stage(self, stage: str) -> str:
        """The statement that makes the staging table."""
        if self.columns and self.is_swapped:
            return f"create table {quoted(stage)} like {quoted(self.name)}"
        key = self.target.key if self.target.mode == "upsert" else ()
        parts = [self._declared(field.name, field.type, field.name in key) for field in self.target.schema.fields]
        if key:
            parts.append(f"primary key ({', '.join(map(quoted, key))})")
        return f"create table {quoted(stage)} ({', '.join(parts)}) {_END}"

    def _declared(self, name: str, kind: str, is_key: bool) -> str:
        column = self.columns.get(name)
        if not is_key:
            return f"{quoted(name)} {_SQL_TYPES.get(kind, kind)}"
        if column is None:
            return f"{quoted(name)} {_KEY_TYPES.get(kind) or _SQL_TYPES.get(kind, kind)} not null"
        # As in the target, so that both agree on which keys are equal, and its index helps.
        rule = f" character set {column.charset} collate {column.collation}" if column.collation else ""
        return f"{quoted(name)} {column.native}{rule} not null"

    def move(self, stage: str) -> Iterator[str]:
        """The statements that bring staged rows into the table, for one transaction."""
        names = self.target.schema.names
        listed = ", ".join(map(quoted, names))
        values = ", ".join(f"s.{quoted(name)}" for name in names)
        insert = f"insert into {quoted(self.name)} ({listed}) select {values} from {quoted(stage)} as s"
        if self.target.mode == "replace":
            yield f"delete from {quoted(self.name)}"
        if self.target.mode != "upsert":
            yield insert
            return
        same = " and ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in self.target.key)
        changes = ", ".join(f"t.{quoted(n)} = s.{quoted(n)}" for n in names if n not in self.target.key)
        if changes:
            yield f"update {quoted(self.name)} as t join {quoted(stage)} as s on {same} set {changes}"
        yield f"{insert} left join {quoted(self.name)} as t on {same} where t.{quoted(self.target.key[0])} is null"


def look_at(session: Session, target: Target) -> TargetTable:
    """The target's table when the rows fit it, or one to be made. Raises TargetError."""
    name = target.path[-1]
    rows = session.rows(_TABLE, name)
    if not rows:
        if not target.create:
            raise missing_target(name)
        return TargetTable(name, target, {}, is_swapped=True)
    kind, options, has_transactions = rows[0]
    if kind != "BASE TABLE":
        message = text(f"“{name}” is no plain table; rows go into tables only.", f"“{name}”不是普通表，只能写入表。")
        raise TargetError("target.view", message, name)
    columns = {column.name: column for column in columns_of(session, [name])[name] if not column.is_generated}
    optional = [column.name for column in columns.values() if column.nullable or column.has_default]
    check_target(target, {column.name: column.type for column in columns.values()}, optional)
    if target.mode == "upsert" and not _has_unique_key(session, target):
        raise no_unique_key(name, target.key)
    is_swapped = target.mode == "replace" and "partitioned" not in options and _stands_alone(session, name)
    if not is_swapped and not has_transactions:
        message = text(
            f"“{name}” is kept by an engine without transactions, so rows could arrive by halves. Have it changed to "
            "InnoDB, or replace all its rows.",
            f"“{name}”使用的存储引擎不支持事务，写入可能只完成一半。请改为 InnoDB，或选择全部替换。",
        )
        raise TargetError("target.engine", message, name)
    return TargetTable(name, target, columns, is_swapped)


def _has_unique_key(session: Session, target: Target) -> bool:
    """Whether a primary key or unique index is on exactly the key's columns."""
    found: dict[str, set[str]] = {}
    for index, column in session.rows(_UNIQUE, target.path[-1]):
        found.setdefault(index, set()).add(column)
    return any(columns == set(target.key) for columns in found.values())


def _stands_alone(session: Session, name: str) -> bool:
    """Whether a new table may take this one's name: no trigger and no foreign key would be lost with the old one."""
    return not session.value(_TIED, name, name, name) and bool(session.value(_SEES_TRIGGERS))
