"""SQLite: a database file is the node; its tables and views are the datasets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from node_catalog.sdk.access import Access, Attach, DatasetRef
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.errors import ConnectError, NodeTypeError, Problem, SourceBusyError, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.parquet_read import sql_type
from node_catalog.sdk.paths import allowed_path
from node_catalog.sdk.ports import DECIMAL, is_type
from node_catalog.sdk.sql_node import OUR_PREFIX, check_promised, literal, missing_table, quoted
from node_catalog.sdk.table_patterns import EXCLUDE, INCLUDE, TablePatterns, pattern_problems
from node_catalog.sdk.text import text
from node_catalog.types.connectors.sqlite.connection import connect
from node_catalog.types.connectors.sqlite.writing import SqliteOutput

LOOKED_AT = 1_000_000
"""So many rows of a table are looked at to see what its columns really hold (SQLite does not enforce types)."""
LOOKED_AT_VIEW = 10_000


class SqliteSettings(Settings):
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
    include: Annotated[tuple[str, ...], INCLUDE] = ()
    exclude: Annotated[tuple[str, ...], EXCLUDE] = ()

    def problems(self) -> Iterable[Problem]:
        """Patterns that match nothing."""
        yield from pattern_problems(self.include, self.exclude)


class SqliteDatasetSettings(Settings):
    """Corrections for one table."""

    types: Annotated[
        dict[str, str],
        setting(
            text("Types of columns", "列的类型"),
            text("Column → type, where what was found is not what is meant.", "列 → 类型，用于修正自动识别的结果。"),
            widget="types",
        ),
    ] = {}


class Sqlite(Connector):
    """A SQLite database file. The engine reads it directly; writing is exactly once."""

    key = "sqlite"
    title = text("SQLite", "SQLite")
    summary = text("Tables of a SQLite database file", "SQLite 数据库文件中的表")
    help = text(
        "Reads tables and views of a SQLite file. SQLite does not enforce column types, so discovery looks at "
        "the values: "
        "a number column that also holds words is offered as text and can be converted with “Change types”. "
        "Replacing all rows puts a new table, filled beside the old one, in its place, with the same indexes; a table "
        "with triggers is emptied and filled instead, so that they see the rows.",
        "读取 SQLite 文件中的表和视图。SQLite 不强制列类型，因此发现时会检查实际取值："
        "混有文字的数字列按文本提供，可用“转换类型”步骤处理。"
        "全部替换时，先在旁边写好一张带有相同索引的新表，再接替旧表；带触发器的表则改为清空后写入，使触发器能够执行。",
    )
    icon = "DatabaseOutlined"
    Settings = SqliteSettings
    is_local = True
    limits = ()
    DatasetSettings = SqliteDatasetSettings
    output = SqliteOutput

    @classmethod
    def check(cls, settings: SqliteSettings, context: ConnectContext) -> Check:
        """Open the file and count its tables."""
        import sqlite3

        try:
            path = _path(settings, context)
            with closing(_open(path, context)) as connection:
                tables = len(_tables(connection))
                version = connection.execute("select sqlite_version()").fetchone()[0]
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        except sqlite3.Error as error:
            problem = _of_sqlite(error, settings.path)
            return Check(False, problem.code, problem.message)
        facts = {"product": "SQLite", "version": version, "tables": tables}
        return Check(
            True, "ok", text(f"The database opens; it has {tables} tables.", f"数据库可用，共 {tables} 张表。"), facts
        )

    @classmethod
    def discover(
        cls,
        settings: SqliteSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables and views with exact row counts; types from declarations and from what is really there."""
        import sqlite3

        path = _path(settings, context)
        try:
            with closing(_open(path, context)) as connection:
                patterns = TablePatterns(settings.include, settings.exclude)
                for name, kind in _tables(connection):
                    if not patterns.wants("main", name):
                        continue
                    yield _described(connection, name, kind, (known or {}).get((name,), {}))
        except sqlite3.Error as error:
            raise _of_sqlite(error, path.name) from error

    @classmethod
    def access(cls, settings: SqliteSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """A scan by the engine; columns that need it are read as text through SQLite itself."""
        import sqlite3

        path = _path(settings, context)
        name = dataset.path[-1]
        try:
            with closing(_open(path, context)) as connection:
                kind = dict(_tables(connection)).get(name)
                declared = _declared(connection, name)
        except sqlite3.Error as error:
            raise _of_sqlite(error, path.name) from error
        if kind is None:
            raise missing_table(name)
        check_promised(dataset.schema, list(declared), name)
        natural = kind == "table" and all(
            _scans_as(declared[field.name].type, field.type) for field in dataset.schema.fields
        )
        view = _typed_view(name, dataset) if natural else _text_view(name, dataset)
        attach = f"ATTACH {literal(str(path))} AS node (TYPE sqlite, READ_ONLY)"
        folder, file = str(path.parent), str(path)
        return Attach((attach, view), extensions=("sqlite",), folders=(folder,), files=(file,), is_light=True)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────


def _scans_as(declared: str, promised: str) -> bool:
    """Whether the scanner's own type for a declared type can be cast to ``promised`` without looking at values."""
    scanned = _scanner_type(declared)
    base = promised.partition("(")[0]
    return {
        "BIGINT": base in ("integer", "boolean"),
        "DOUBLE": base in ("number", "decimal"),
        "VARCHAR": base == "text",
        "BLOB": base == "binary",
        "DATE": base == "date",
        "TIMESTAMP": base == "timestamp" and "time zone" not in declared.lower(),
    }.get(scanned, False)


def _scanner_type(declared: str) -> str:
    """The type that the engine's scanner gives a declared type (tried on its version 1.5.5)."""
    word = declared.lower()
    if "int" in word or word.startswith("bool"):
        return "BIGINT"
    if any(part in word for part in ("char", "clob", "text")):
        return "VARCHAR"
    if word in ("blob", ""):
        return "BLOB"
    if any(part in word for part in ("real", "floa", "doub")) or word.startswith(("decimal", "numeric")):
        return "DOUBLE"
    if word == "date":
        return "DATE"
    if word.startswith(("datetime", "timestamp")):
        return "TIMESTAMP"
    return ""


def _typed_view(name: str, dataset: DatasetRef) -> str:
    columns = ", ".join(f"{_cast(quoted(f.name), f.type)} AS {quoted(f.name)}" for f in dataset.schema.fields)
    return f"CREATE VIEW src AS SELECT {columns} FROM node.{quoted(name)}"


def _cast(value: str, kind: str) -> str:
    return value if kind in ("integer", "number", "text", "binary") else f"CAST({value} AS {sql_type(kind)})"


def _text_view(name: str, dataset: DatasetRef) -> str:
    """Every column as text out of SQLite, then cast: for views, and for tables whose values are not as declared."""
    inner = ", ".join(f"{_as_text(quoted(f.name), f.type)} AS {quoted(f.name)}" for f in dataset.schema.fields)
    outer = ", ".join(
        f"from_hex({quoted(f.name)}) AS {quoted(f.name)}"
        if f.type == "binary"
        else f"CAST({quoted(f.name)} AS {sql_type(f.type)}) AS {quoted(f.name)}"
        for f in dataset.schema.fields
    )
    query = literal(f"SELECT {inner} FROM main.{quoted(name)}")
    return f"CREATE VIEW src AS SELECT {outer} FROM sqlite_query('node', {query})"


def _as_text(column: str, kind: str) -> str:
    if kind == "binary":
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE hex({column}) END"
    full = f"CASE typeof({column}) WHEN 'real' THEN printf('%!.17g', {column}) WHEN 'blob' THEN hex({column})"
    return f"{full} ELSE CAST({column} AS TEXT) END"


# ── describing ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Column:
    type: str
    nullable: bool
    is_key: bool


def _path(settings: SqliteSettings, context: ConnectContext) -> Path:
    path = allowed_path(settings.path, context.file_roots)
    if path.is_dir():
        message = text(f"“{path.name}” is a folder, not a database file.", f"“{path.name}”是文件夹，不是数据库文件。")
        raise SourceError("sqlite.folder", message, path.name)
    return path


def _open(path: Path, context: ConnectContext) -> Any:
    return connect(path, context.connect_timeout, context.statement_timeout, read_only=True)


def _tables(connection: Any) -> list[tuple[str, str]]:
    found = connection.execute(
        "select name, type from sqlite_master where type in ('table', 'view') and name not like 'sqlite\\_%' "
        "escape '\\' "
        "order by name"
    ).fetchall()
    return [(name, kind) for name, kind in found if not name.startswith(OUR_PREFIX)]


def _declared(connection: Any, name: str) -> dict[str, _Column]:
    rows = connection.execute('select name, type, "notnull", pk from pragma_table_xinfo(?) where hidden <> 1', (name,))
    return {row[0]: _Column(row[1] or "", not row[2] and not row[3], bool(row[3])) for row in rows.fetchall()}


def _described(connection: Any, name: str, kind: str, known: Mapping[str, Any]) -> DiscoveredDataset:
    declared = _declared(connection, name)
    found, rows = _looked_at(connection, name, kind, declared)
    corrected = known.get("types", {})
    foreign = {
        row[0] for row in connection.execute('select "from" from pragma_foreign_key_list(?)', (name,)).fetchall()
    }
    columns, warnings = [], []
    for column, info in declared.items():
        wanted = _declared_type(info.type)
        held = _held_type(wanted, found.get(column, {}))
        given = corrected.get(column, "")
        if wanted and held != wanted and not given:
            warnings.append(
                text(
                    f"Column “{column}” is declared {info.type} but holds other values; it is read as {held}.",
                    f"列“{column}”声明为 {info.type}，但含有其他类型的值，因此按 {held} 读取。",
                )
            )
        key = "primary" if info.is_key else "foreign" if column in foreign else ""
        columns.append(
            DiscoveredColumn(column, info.type or "any", given if is_type(given) else held, info.nullable, key)  # type: ignore[arg-type]
        )
    return DiscoveredDataset(
        (name,),
        "view" if kind == "view" else "table",
        tuple(columns),
        rows,
        True,
        settings={"types": dict(corrected)} if corrected else {},
        warnings=tuple(warnings),
    )


def _looked_at(
    connection: Any, name: str, kind: str, declared: Mapping[str, _Column]
) -> tuple[dict[str, dict[str, int]], int]:
    """Per column how many values of each storage class (and of odd dates and booleans) there are; all rows' number."""
    rows = int(connection.execute(f"select count(*) from {quoted(name)}").fetchone()[0])
    limit = LOOKED_AT_VIEW if kind == "view" else LOOKED_AT
    found: dict[str, dict[str, int]] = {}
    names = list(declared)
    for start in range(0, len(names), 200):
        part = names[start : start + 200]
        figures = ", ".join(
            f"sum(typeof({c}) = 'integer'), sum(typeof({c}) = 'real'), sum(typeof({c}) = 'text'), "
            f"sum(typeof({c}) = 'blob'), "
            f"sum(typeof({c}) = 'text' and julianday({c}) is null), sum({c} not in (0, 1))"
            for c in map(quoted, part)
        )
        row = connection.execute(f"select {figures} from (select * from {quoted(name)} limit {limit})").fetchone()
        for index, column in enumerate(part):
            counts = [count or 0 for count in row[index * 6 : index * 6 + 6]]
            found[column] = dict(zip(("integer", "real", "text", "blob", "no_date", "no_flag"), counts, strict=True))
    return found, rows


def _declared_type(declared: str) -> str:
    """Our type for a declared one; nothing when the declaration says nothing."""
    word = re.sub(r"\s+", "", declared.lower())
    match = DECIMAL.match(word.replace("numeric", "decimal"))
    if match and is_type(match[0]):
        # SQLite keeps decimals as floats: beyond 15 digits they are not exact anyway.
        return match[0] if int(match[1]) <= 15 else "number"
    if word.startswith("bool"):
        return "boolean"
    if "int" in word:
        return "integer"
    if any(part in word for part in ("char", "clob", "text", "json", "uuid", "string")):
        return "text"
    if "blob" in word:
        return "binary"
    if any(part in word for part in ("real", "floa", "doub", "numeric", "decimal", "number")):
        return "number"
    if word == "date":
        return "date"
    if word.startswith(("datetime", "timestamp")):
        return "timestamp"
    return "time" if word == "time" else ""


def _held_type(wanted: str, counts: Mapping[str, int]) -> str:
    """``wanted`` when all values fit it, else the narrowest type that holds them."""
    integers, reals, words, blobs = (counts.get(key, 0) for key in ("integer", "real", "text", "blob"))
    numbers_only = not words and not blobs
    fits: dict[str, bool] = {
        "integer": numbers_only and not reals,
        "boolean": numbers_only and not reals and not counts.get("no_flag"),
        "number": numbers_only,
        "decimal": numbers_only,
        "text": not blobs,
        "binary": not (integers or reals or words),
        "date": not (integers or reals or blobs or counts.get("no_date")),
        "timestamp": not (integers or reals or blobs or counts.get("no_date")),
        "time": not (integers or reals or blobs or counts.get("no_date")),
    }
    if wanted and fits.get(wanted.partition("(")[0]):
        return wanted
    if not (integers or reals or words or blobs):
        return "text"
    return next((kind for kind in ("integer", "number", "binary") if fits[kind]), "text")


def _of_sqlite(error: Exception, name: str) -> NodeTypeError:
    """What SQLite said, in words."""
    shown = Path(name).name
    said = str(error).lower()
    if "locked" in said or "busy" in said or "interrupted" in said:
        message = text(
            f"“{shown}” is busy or did not answer in time. Try again in a moment.",
            f"“{shown}”正忙或响应超时，请稍后重试。",
        )
        return SourceBusyError("sqlite.busy", message, shown)
    if "not a database" in said or "malformed" in said or "encrypted" in said:
        message = text(
            f"“{shown}” is no SQLite database, or it is damaged.", f"“{shown}”不是 SQLite 数据库，或文件已损坏。"
        )
        return SourceError("sqlite.broken", message, shown)
    if "readonly database" in said:
        message = text(
            f"“{shown}” holds a change that was broken off; the program that writes it has to open it once to take the "
            "change back. The studio only reads here.",
            f"“{shown}”中有一次中断的写入，需由写入它的程序重新打开一次以撤销该写入；平台在此只读取数据。",
        )
        return SourceBusyError("sqlite.unfinished", message, shown)
    message = text(f"“{shown}” cannot be opened as a SQLite database.", f"“{shown}”无法作为 SQLite 数据库打开。")
    return ConnectError("sqlite.cannot_open", message, shown, str(error))
