"""Writing to SQLite exactly once: rows are staged in a file beside the database, then moved in one transaction.

The database holds a fence (highest attempt seen per delivery) and a ledger (what has been delivered). All rows are
replaced by a table that takes the old one's name (``swapping``), or, where that has triggers, by DELETE and INSERT. See
docs/adr/sqlite-sink.md for why rows travel as Python columns here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from node_catalog.sdk.contract import Committed, ConnectContext, Delivery, Output, Target
from node_catalog.sdk.errors import TargetBusyError, TargetError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.paths import allowed_path
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.sql_node import (
    FENCE,
    LEDGER,
    check_keys,
    check_target,
    delivery_key,
    literal,
    on_conflict,
    quoted,
    stage_name,
)
from node_catalog.sdk.target_words import fenced, missing_target, no_unique_key, of_system
from node_catalog.sdk.text import text
from node_catalog.types.connectors.sqlite.connection import connect
from node_catalog.types.connectors.sqlite.swapping import Definition, definition_of, exchange, make_like, prepare

PORTION_ROWS = 20_000
"""Rows that go into the new table in one transaction: readers wait for its end at most."""
LOCK_SECONDS = 60.0
"""How long a writer waits for another one of the same file."""
_SQL_TYPES = {
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "number": "REAL",
    "text": "TEXT",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}
_KEY = "sink text not null, run text not null, task text not null, attempt integer not null"
_LEDGER_COLUMNS = f"{_KEY}, rows integer not null, committed_at text not null default (datetime('now'))"
_OUR_TABLES = (
    f"create table if not exists {LEDGER} ({_LEDGER_COLUMNS}, primary key (sink, run, task))",
    f"create table if not exists {FENCE} ({_KEY}, primary key (sink, run, task))",
)


class SqliteOutput(Output):
    """Append to, replace or change by key a table, in one transaction of the database."""

    delivery_label = "exactly_once"
    modes = ("append", "replace", "upsert")

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The ledger's row of this delivery. Opened for writing: so SQLite takes back what a killed writer has left."""
        path = allowed_path(settings.path, context.file_roots)
        with _words(path), closing(connect(path, LOCK_SECONDS, context.statement_timeout)) as connection:
            return _ledger_row(connection, delivery) if _has_table(connection, LEDGER) else None

    @classmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> SqliteWriter:
        """Raise the fence, check (or make) the table, make this attempt's staging file."""
        path = allowed_path(settings.path, context.file_roots)
        with _words(path):
            connection = connect(path, LOCK_SECONDS, context.statement_timeout)
            try:
                failpoint("sqlite.open.before_fence")
                with _transaction(connection):
                    for statement in _OUR_TABLES:
                        connection.execute(statement)
                    _raise_fence(connection, delivery)
                    _check_table(connection, target)
                failpoint("sqlite.open.after_fence")
                return SqliteWriter(connection, path, target, delivery)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Remove staging files and tables of older attempts of this delivery."""
        path = allowed_path(settings.path, context.file_roots)
        staged = stage_name(delivery).rpartition("_")[0] + "_"
        prefix = f".{path.name}.{staged}"
        for file in path.parent.glob(f"{prefix}*"):
            if _is_older(file.name.removeprefix(prefix), delivery):
                file.unlink(missing_ok=True)
        with _words(path), closing(connect(path, LOCK_SECONDS, context.statement_timeout)) as connection:
            for (name,) in connection.execute("select name from main.sqlite_master where type = 'table'").fetchall():
                if name.startswith(staged) and _is_older(name.removeprefix(staged), delivery):
                    connection.execute(f"drop table if exists main.{quoted(name)}")


class SqliteWriter:
    """One attempt's staging file, attached to the target database."""

    def __init__(self, connection: Any, path: Path, target: Target, delivery: Delivery) -> None:
        self._connection, self._path = connection, path
        self._target, self._delivery = target, delivery
        self._stage = path.with_name(f".{path.name}.{stage_name(delivery)}")
        self._name, self._new = target.path[-1], stage_name(delivery)
        self._table = quoted(self._name)
        self._rows = 0
        self._has_filled = False
        columns = ", ".join(quoted(name) for name in target.schema.names)
        marks = ", ".join("?" * len(target.schema.names))
        self._insert = f"insert into stage.rows ({columns}) values ({marks})"
        self._columns = columns
        failpoint("sqlite.stage.open")
        self._stage.unlink(missing_ok=True)
        connection.execute(f"attach {literal(str(self._stage))} as stage")
        # The staging file is worthless after a crash, so it needs no journal; the target's own stays as it is.
        connection.execute("pragma stage.journal_mode = off")
        connection.execute("pragma stage.synchronous = off")
        connection.execute(f"create table stage.rows ({columns})")

    def write(self, batch: Any) -> None:
        """Stage one batch in one bulk call."""
        with _words(self._path):
            failpoint("sqlite.stage.write")
            columns = [_plain_column(column).to_pylist() for column in batch.columns]
            with _transaction(self._connection, "begin"):
                self._connection.executemany(self._insert, zip(*columns, strict=True))
            self._rows += batch.num_rows

    def commit(self) -> Committed:
        """Ledger, fence check and rows in one transaction; an earlier delivery is adopted."""
        with _words(self._path):
            failpoint("sqlite.commit.before")
            made_from = self._fill() if self._target.mode == "replace" else None
            with _transaction(self._connection):
                earlier = _ledger_row(self._connection, self._delivery)
                if earlier is None:
                    self._check_fence()
                    if made_from is not None and made_from == definition_of(self._connection, self._name):
                        exchange(self._connection, made_from, self._new)
                    else:
                        self._move()
                    failpoint("sqlite.commit.before_ledger")
                    self._connection.execute(
                        f"insert into {LEDGER} (sink, run, task, attempt, rows) values (?, ?, ?, ?, ?)",
                        (*_identity(self._delivery), self._delivery.attempt, self._rows),
                    )
                    failpoint("sqlite.commit.before_commit")
            failpoint("sqlite.commit.after_commit")
            done = earlier or Committed(self._rows, self._delivery.attempt, None, self._target.path[-1])
        self.abort()
        return done

    def abort(self) -> None:
        """Close and remove what was staged."""
        import sqlite3

        try:
            if self._has_filled:
                self._has_filled = False
                self._connection.execute(f"drop table if exists main.{quoted(self._new)}")
        except sqlite3.Error:
            pass  # the next attempt's clean() removes it
        finally:
            self._connection.close()
            self._stage.unlink(missing_ok=True)

    def _fill(self) -> Definition | None:
        """Make and fill the table that is to take the target's place; None where it must stay the same table."""
        connection = self._connection
        definition = definition_of(connection, self._name)
        if definition is None or _ledger_row(connection, self._delivery) is not None:
            return None
        prepare(connection)
        self._has_filled = True
        with _transaction(connection):
            self._check_fence()
            make_like(connection, definition, self._new)
        for start in range(0, self._rows, PORTION_ROWS):
            failpoint("sqlite.swap.fill")
            with _transaction(connection):
                self._check_fence()
                connection.execute(
                    f"insert into main.{quoted(self._new)} ({self._columns}) select {self._columns} from stage.rows "
                    "where rowid > ? and rowid <= ? order by rowid",
                    (start, start + PORTION_ROWS),
                )
        failpoint("sqlite.swap.filled")
        return definition

    def _check_fence(self) -> None:
        newest = _fence(self._connection, self._delivery)
        if newest != self._delivery.attempt:
            raise fenced(self._delivery, newest)

    def _move(self) -> None:
        if not _has_table(self._connection, self._target.path[-1]):
            if not self._target.create:
                raise missing_target(self._target.path[-1])
            self._connection.execute(_create_table(self._target))
        rest = " order by rowid"
        if self._target.mode == "replace":
            self._connection.execute(f"delete from main.{self._table}")
        elif self._target.mode == "upsert":
            check_keys(self._connection, "stage.rows", self._target.path[-1], self._target.key)
            rest = f" where true{rest}{on_conflict(self._target)}"  # without a WHERE, SQLite takes ON for a join's
        self._connection.execute(
            f"insert into main.{self._table} ({self._columns}) select {self._columns} from stage.rows{rest}"
        )


# ── the database ──────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _transaction(connection: Any, begin: str = "begin immediate") -> Iterator[None]:
    """``begin immediate`` takes the target's write lock at once; a plain ``begin`` locks only what it touches."""
    connection.execute(begin)
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    connection.execute("commit")


def _is_older(attempt: str, delivery: Delivery) -> bool:
    return attempt.isdigit() and int(attempt) < delivery.attempt


def _identity(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.sink, delivery.run, delivery.task


def _has_table(connection: Any, name: str) -> bool:
    found = connection.execute("select 1 from main.sqlite_master where type = 'table' and name = ?", (name,)).fetchone()
    return found is not None


def _ledger_row(connection: Any, delivery: Delivery) -> Committed | None:
    row = connection.execute(
        f"select rows, attempt from main.{LEDGER} where sink = ? and run = ? and task = ?", _identity(delivery)
    ).fetchone()
    return Committed(row[0], row[1], None, delivery_key(delivery)) if row else None


def _fence(connection: Any, delivery: Delivery) -> int:
    row = connection.execute(
        f"select attempt from main.{FENCE} where sink = ? and run = ? and task = ?", _identity(delivery)
    ).fetchone()
    return int(row[0]) if row else 0


def _raise_fence(connection: Any, delivery: Delivery) -> None:
    newest = _fence(connection, delivery)
    if newest > delivery.attempt:
        raise fenced(delivery, newest)
    connection.execute(
        f"insert into {FENCE} (sink, run, task, attempt) values (?, ?, ?, ?) "
        "on conflict (sink, run, task) do update set attempt = excluded.attempt",
        (*_identity(delivery), delivery.attempt),
    )


def _check_table(connection: Any, target: Target) -> None:
    name = target.path[-1]
    if not _has_table(connection, name):
        view = connection.execute("select 1 from sqlite_master where type = 'view' and name = ?", (name,)).fetchone()
        if view:
            message = text(f"“{name}” is a view; rows go into tables only.", f"“{name}”是视图，只能写入表。")
            raise TargetError("target.view", message, name)
        if not target.create:
            raise missing_target(name)
        return
    rows = connection.execute(
        "select name, \"notnull\" or pk, dflt_value is not null or (pk and lower(type) = 'integer') "
        "from pragma_table_info(?)",
        (name,),
    ).fetchall()
    # SQLite takes any value into any column, so only names can be held against the rows.
    kept = {row[0]: _type_of(target.schema, row[0]) for row in rows}
    check_target(target, kept, [row[0] for row in rows if not row[1] or row[2]])
    if target.mode == "upsert" and not _has_unique_key(connection, name, target.key):
        raise no_unique_key(name, target.key)


def _has_unique_key(connection: Any, name: str, key: Sequence[str]) -> bool:
    """Whether a primary key or unique index is on exactly these columns, for all rows."""
    primary = connection.execute("select name from pragma_table_info(?) where pk", (name,)).fetchall()
    unique = connection.execute('select name from pragma_index_list(?) where "unique" and not partial', (name,))
    indexes = [connection.execute("select name from pragma_index_info(?)", row) for row in unique.fetchall()]
    return any({row[0] for row in found} == set(key) for found in (primary, *(each.fetchall() for each in indexes)))


def _type_of(schema: Schema, name: str) -> str:
    field = schema.get(name)
    return field.type if field else "text"


def _create_table(target: Target) -> str:
    columns = ", ".join(
        f"{quoted(field.name)} {_SQL_TYPES.get(field.type, field.type.upper())}" for field in target.schema.fields
    )
    key = ", ".join(map(quoted, target.key)) if target.mode == "upsert" else ""
    return f"create table main.{quoted(target.path[-1])} ({columns}{f', primary key ({key})' if key else ''})"


def _plain_column(column: Any) -> Any:
    """Types that sqlite3 does not know, as the text that SQLite's own functions understand (vectorised)."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8())
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    return column


@contextmanager
def _words(path: Path) -> Iterator[None]:
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        raise _of_sqlite(error, path) from error
    except OSError as error:
        raise of_system(error, path.name) from error


def _of_sqlite(error: Exception, path: Path) -> TargetError:
    import sqlite3

    name, said = path.name, str(error).lower()
    if "disk is full" in said:
        message = text(
            f"There is no room left where “{name}” is written. Nothing was changed; free space, then run again.",
            f"写入“{name}”的磁盘空间不足，目标未被改动。请清理空间后重新运行。",
        )
        return TargetBusyError("target.disk_full", message, name)
    is_readonly = "readonly" in said or "read-only" in said
    # Another file has taken its place meanwhile: the next attempt opens that one.
    is_replaced = is_readonly and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if "locked" in said or "busy" in said or is_replaced:
        message = text(f"“{name}” is locked by another program.", f"“{name}”正被其他程序锁定。")
        return TargetBusyError("target.locked", message, name)
    if is_readonly:
        message = text(f"The studio may not write to “{name}”.", f"平台没有写入“{name}”的权限。")
        return TargetError("target.forbidden", message, name)
    if isinstance(error, sqlite3.IntegrityError):
        message = text(
            f"“{name}” refuses the rows: a value is missing where one is required, or a key occurs twice. Nothing was "
            "changed.",
            f"“{name}”拒绝写入：必填列有空值，或键重复。目标未被改动。",
        )
        return TargetError("target.constraint", message, name, str(error))
    message = text(f"“{name}” could not be written. Nothing was changed.", f"写入“{name}”失败，目标未被改动。")
    return TargetError("target.failed", message, name, str(error))
