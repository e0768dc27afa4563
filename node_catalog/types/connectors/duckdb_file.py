"""DuckDB: a database file is the node; its tables and views are the datasets. It is only ever read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from node_catalog.sdk.access import Access, Attach, DatasetRef
from node_catalog.sdk.bounds import by_column
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.errors import NodeTypeError, SourceBusyError, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.parquet_read import bounded_number, sql_type
from node_catalog.sdk.paths import allowed_path
from node_catalog.sdk.ports import DECIMAL
from node_catalog.sdk.sql_node import check_promised, literal, missing_table, quoted
from node_catalog.sdk.text import Text, text

_PLAIN = {
    "BOOLEAN": "boolean", "TINYINT": "integer", "SMALLINT": "integer", "INTEGER": "integer", "BIGINT": "integer",
    "UTINYINT": "integer", "USMALLINT": "integer", "UINTEGER": "integer", "UBIGINT": "decimal(20,0)",
    "HUGEINT": "number", "UHUGEINT": "number", "BIGNUM": "number", "FLOAT": "number", "DOUBLE": "number",
    "DATE": "date", "TIME": "time", "BLOB": "binary",
}  # fmt: skip
_OPEN: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "python_scan_all_frames": False,
    "memory_limit": "256MiB",
    "threads": 1,
}


class DuckdbSettings(Settings):
    """The database file."""

    path: Annotated[
        str,
        setting(
            text("Database file", "数据库文件"),
            text(
                "Full path; it must lie under a file root of the studio.",
                "完整路径，必须位于平台允许的文件根目录之下。",
            ),
            widget="file",
            min_length=1,
            max_length=1000,
        ),
    ]


class DuckdbFile(Connector):
    """A DuckDB database file, attached read-only by the engine. Its views may read nothing but this file."""

    key = "duckdb"
    title = text("DuckDB file", "DuckDB 文件")
    summary = text("Tables and views of a DuckDB database file", "DuckDB 数据库文件中的表和视图")
    help = text(
        "Reads tables and views of a DuckDB file; nothing is ever written to it. Lists, structs and other nested types "
        "are read as their text, moments with a zone in UTC. A view that reads other files or needs an extension is "
        "shown with the reason and cannot be read.",
        "读取 DuckDB 文件中的表和视图，不会写入该文件。列表、结构等嵌套类型读作文本，带时区的时间统一为 UTC。"
        "若视图要读取其他文件或依赖扩展，会注明原因且不可读取。",
    )
    icon = "DatabaseOutlined"
    Settings = DuckdbSettings
    is_local = True
    limits = ()

    @classmethod
    def check(cls, settings: DuckdbSettings, context: ConnectContext) -> Check:
        """Open the file and count its tables."""
        try:
            with _opened(_path(settings, context)) as connection:
                tables = len(_relations(connection))
                version = connection.execute("select version()").fetchone()[0]
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        facts = {"product": "DuckDB", "version": version, "tables": tables}
        message = text(
            f"The database opens; it has {tables} tables and views.", f"数据库可用，共 {tables} 张表和视图。"
        )
        return Check(True, "ok", message, facts)

    @classmethod
    def discover(
        cls,
        settings: DuckdbSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables with exact row counts, views without."""
        with _opened(_path(settings, context)) as connection:
            keys = _keys(connection)
            for (schema, name), kind in _relations(connection).items():
                yield _described(connection, schema, name, kind, keys)

    @classmethod
    def access(cls, settings: DuckdbSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """The engine attaches the file; only the file itself (and its log) may be touched."""
        path = _path(settings, context)
        schema, name = dataset.path[-2:] if len(dataset.path) > 1 else ("main", dataset.path[-1])
        with _opened(path) as connection:
            if (schema, name) not in _relations(connection):
                raise missing_table(name)
            native = {column: kind for column, kind, _ in _columns(connection, schema, name)}
        check_promised(dataset.schema, list(native), name)
        columns, tests, bounded = [], [], by_column(dataset.bounds)
        for one in dataset.schema.fields:
            column, kind = quoted(one.name), native[one.name]
            value = _value(column, kind, one.type)
            if one.type == "number" and kind in ("FLOAT", "DOUBLE"):
                value, more = bounded_number(column, bounded.get(one.name, ()), may_be_nan=True)
                tests += more
            columns.append(f"{value} AS {column}")
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        view = f"CREATE VIEW src AS SELECT {', '.join(columns)} FROM node.{quoted(schema)}.{quoted(name)}{where}"
        return Attach((_attach(path), view), files=_files(path))


# ── opening ───────────────────────────────────────────────────────────────────────────────────────────────


def _path(settings: DuckdbSettings, context: ConnectContext) -> Path:
    path = allowed_path(settings.path, context.file_roots)
    if path.is_dir():
        message = text(f"“{path.name}” is a folder, not a database file.", f"“{path.name}”是文件夹，不是数据库文件。")
        raise SourceError("duckdb.folder", message, path.name)
    return path


def _files(path: Path) -> tuple[str, ...]:
    return (str(path), f"{path}.wal")


def _attach(path: Path) -> str:
    return f"ATTACH {literal(str(path))} AS node (TYPE duckdb, READ_ONLY)"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A connection of its own that may touch this file alone: a view in it cannot reach for others."""
    import duckdb

    connection = duckdb.connect(":memory:", config=_OPEN)
    try:
        allowed = ", ".join(map(literal, _files(path)))
        connection.execute("set temp_directory = ''")
        connection.execute(f"set allowed_paths = [{allowed}]")
        connection.execute("set enable_external_access = false")
        connection.execute(_attach(path))
        connection.execute("set lock_configuration = true")
        yield connection
    except duckdb.Error as error:
        raise _of_duckdb(error, path) from error
    finally:
        connection.close()


def _of_duckdb(error: Exception, path: Path) -> NodeTypeError:
    """What the file or the engine said, in words."""
    said = str(error)
    low = said.lower()
    if "could not set lock" in low:
        message = text(
            f"“{path.name}” is open for writing in another program. Try again when that has closed it.",
            f"“{path.name}”正被其他程序打开写入，请在其关闭后重试。",
        )
        return SourceBusyError("duckdb.busy", message, path.name, said[:400])
    if "encrypt" in low:
        message = text(
            f"“{path.name}” is encrypted. Give out a copy without encryption.",
            f"“{path.name}”已加密，请提供未加密的副本。",
        )
        return SourceError("duckdb.encrypted", message, path.name, said[:400])
    if "newer version" in low or "version number" in low:
        message = text(
            f"“{path.name}” was written by a newer DuckDB. Export it again with “storage_compatibility_version”.",
            f"“{path.name}”由更新版本的 DuckDB 写入。请指定 storage_compatibility_version 重新导出。",
        )
        return SourceError("duckdb.newer", message, path.name, said[:400])
    message = text(
        f"“{path.name}” is no DuckDB database, or it is damaged.", f"“{path.name}”不是 DuckDB 数据库，或文件已损坏。"
    )
    return SourceError("duckdb.broken", message, path.name, said[:400])


# ── describing ────────────────────────────────────────────────────────────────────────────────────────────


def _relations(connection: Any) -> dict[tuple[str, str], Literal["table", "view"]]:
    found = connection.execute(
        "select schema_name, table_name, 'table' from duckdb_tables() where database_name = 'node' and not internal "
        "union all "
        "select schema_name, view_name, 'view' from duckdb_views() where database_name = 'node' and not internal "
        "order by 1, 2"
    ).fetchall()
    return {(schema, name): kind for schema, name, kind in found}


def _columns(connection: Any, schema: str, name: str) -> list[tuple[str, str, bool]]:
    """Name, type as the engine writes it, whether it may be empty."""
    found: list[tuple[str, str, bool]] = connection.execute(
        "select column_name, data_type, is_nullable from duckdb_columns() "
        "where database_name = 'node' and schema_name = ? and table_name = ? order by column_index",
        [schema, name],
    ).fetchall()
    return found


def _keys(connection: Any) -> dict[tuple[str, str, str], str]:
    """(schema, table, column) → primary, unique or foreign, for constraints over one column."""
    found: dict[tuple[str, str, str], str] = {}
    rows = connection.execute(
        "select schema_name, table_name, constraint_column_names, constraint_type from duckdb_constraints() "
        "where database_name = 'node' and constraint_type in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') "
        "order by constraint_type = 'PRIMARY KEY'"
    ).fetchall()
    for schema, table, columns, kind in rows:
        for column in columns if kind == "PRIMARY KEY" or len(columns) == 1 else ():
            found[schema, table, column] = kind.split()[0].lower()
    return found


def _described(
    connection: Any, schema: str, name: str, kind: Literal["table", "view"], keys: Mapping[tuple[str, str, str], str]
) -> DiscoveredDataset:
    import duckdb

    path = (schema, name)
    relation = f"node.{quoted(schema)}.{quoted(name)}"
    rows = None
    try:
        if kind == "table":
            rows = int(connection.execute(f"select count(*) from {relation}").fetchone()[0])
        else:
            connection.execute(f"select * from {relation} limit 0")
    except duckdb.Error as error:
        return DiscoveredDataset(path, kind, (), warnings=(_unreadable(name, error),))
    columns = tuple(
        DiscoveredColumn(column, native[:120], _our_type(native), is_nullable, keys.get((schema, name, column), ""))  # type: ignore[arg-type]
        for column, native, is_nullable in _columns(connection, schema, name)
    )
    return DiscoveredDataset(path, kind, columns, rows, rows is not None)


def _unreadable(name: str, error: Exception) -> Text:
    if "permission" in str(error).lower():
        return text(
            f"The view “{name}” reads other files, which is not allowed. Make a table of it in the database.",
            f"视图“{name}”要读取其他文件，平台不允许。请在数据库中把它保存为表。",
        )
    return text(
        f"“{name}” cannot be read: it may need an extension or a table that is not there.",
        f"“{name}”无法读取：可能依赖未安装的扩展，或引用了不存在的表。",
    )


def _our_type(native: str) -> str:
    decimal = DECIMAL.match(native.lower())
    if decimal:
        return decimal[0]
    if native.startswith("TIMESTAMP"):
        return "timestamp"
    return _PLAIN.get(native, "text")


def _value(column: str, native: str, kind: str) -> str:
    """The SQL that brings a column of type ``native`` to our type: no NaN, no infinity, no zone."""
    if native == "TIMESTAMP WITH TIME ZONE":
        column = f"make_timestamp(epoch_us(CASE WHEN isfinite({column}) THEN {column} END))"
    elif re.match(r"DATE$|TIMESTAMP", native):
        column = f"CASE WHEN isfinite({column}) THEN {column} END"
    elif _is_nested(native):
        return f"CAST(to_json({column}) AS {sql_type(kind)})"
    return f"CAST({column} AS {sql_type(kind)})"


def _is_nested(native: str) -> bool:
    return native.endswith("]") or native.startswith(("STRUCT", "MAP", "UNION"))
