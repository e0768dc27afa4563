"""Writing to PostgreSQL exactly once: binary COPY into a staging table of the attempt, then one transaction.

Rows that are made of tables of the very same node are staged by ``create table … as select``: they never leave it.

The schema holds a fence (highest attempt seen per delivery) and a ledger (what has been delivered). A new table is
the staging table itself, renamed; an existing one takes the rows by ``insert … select`` inside the server. Where all
rows are replaced, a plain table is exchanged for a new one, filled before (``swapping``): the staging table itself when
its columns take our rows as they are. One on which something hangs is emptied by DELETE in the transaction that fills
it. Either way readers see the old rows until they see the new ones;
TRUNCATE would lock them out for the whole time, and show older snapshots an empty table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from node_catalog.sdk.contract import Committed, ConnectContext, Delivery, Output, SealedPart, Target
from node_catalog.sdk.errors import NodeTypeError, TargetError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.sql_node import (
    STAGE,
    check_keys,
    check_target,
    delivery_key,
    on_conflict,
    place_of,
    quoted,
    stage_name,
)
from node_catalog.sdk.target_words import missing_target, no_unique_key
from node_catalog.sdk.text import text
from node_catalog.types.connectors.postgresql.catalog import Column, columns_of, has_unique_key
from node_catalog.types.connectors.postgresql.connection import control, words
from node_catalog.types.connectors.postgresql.copying import CopyIn, takes_directly
from node_catalog.types.connectors.postgresql.deliveries import (
    check_fence,
    has_ledger,
    ledger_row,
    prepare,
    raise_fence,
    write_ledger,
)
from node_catalog.types.connectors.postgresql.giving import bind
from node_catalog.types.connectors.postgresql.sealing import drop_abandoned, durably, forget, seal, take_over
from node_catalog.types.connectors.postgresql.swapping import exchange, is_alike, is_plain, make_like

EXCHANGE_SECONDS, EXCHANGE_TRIES = 1, 10
"""How long readers may have to wait behind an exchange of tables that itself waits, and how often it is tried."""
NEW = "_new"
"""Ends the name of the table that is to take the target's place."""
GATHER_BYTES = 8 << 20
"""Encoded batches are gathered to about this size before they are copied in; but the first one gives the server work at
once, while the next are still read. So much again is on its way meanwhile."""
_SQL_TYPES = {
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double precision",
    "text": "text",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "binary": "bytea",
}


class PostgresqlOutput(Output):
    """Append to, replace or change by key a table, in one transaction of the server."""

    delivery_label = "exactly_once"
    modes = ("append", "replace", "upsert")
    fills = True
    resumes = True

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The ledger's row of this delivery."""
        with control(settings, context, read_only=False) as connection:
            return ledger_row(connection, settings, delivery) if has_ledger(connection, settings) else None

    @classmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> PostgresqlWriter:
        """Raise the fence, check the table, make this attempt's staging table."""
        with ExitStack() as stack:
            connection = stack.enter_context(control(settings, context, read_only=False))
            schema = place_of(target.path, settings.schema)[0]
            has_sealed = prepare(connection, settings, schema)
            failpoint("postgresql.open.before_fence")
            raise_fence(connection, settings, delivery)
            failpoint("postgresql.open.after_fence")
            if has_sealed:
                drop_abandoned(connection, schema)
            return PostgresqlWriter(connection, settings, target, delivery, stack.pop_all())

    @classmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Drop staging tables of older attempts; one that a stopped attempt still holds is left for the next time."""
        import psycopg

        if delivery.attempt <= 1:
            return
        prefix = f"{STAGE}_{delivery_key(delivery)}_"
        with control(settings, context, read_only=False) as connection:
            for schema, name in connection.execute(
                "select schemaname, tablename from pg_tables where starts_with(tablename, %s)", (prefix,)
            ).fetchall():
                attempt = name.removeprefix(prefix).removesuffix(NEW)
                if not attempt.isdigit() or int(attempt) >= delivery.attempt:
                    continue
                with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
                    connection.execute("set local lock_timeout = '2s'")
                    connection.execute(f"drop table if exists {quoted(schema)}.{quoted(name)}")


class PostgresqlWriter:
    """One attempt's staging table."""

    def __init__(self, connection: Any, settings: Any, target: Target, delivery: Delivery, held: ExitStack) -> None:
        self._connection, self._settings, self._held_open = connection, settings, held
        self._target, self._delivery = target, delivery
        self._schema, self._name = place_of(target.path, settings.schema)
        self._stage = stage_name(delivery)
        self._has_copied = False
        self._part_rows = self._part_bytes = 0
        columns = _check_table(connection, self._schema, self._name, target)
        failpoint("postgresql.stage.open")
        drop = f"drop table if exists {self._stage_table}"
        self._is_heir = (
            target.mode == "replace"
            and bool(columns)
            and takes_directly(target.schema, columns)
            and is_plain(connection, self._table)
        )
        """The staging table is made like the target, to take its place."""
        if self._is_heir:
            connection.execute(drop)
            make_like(connection, self._stage_table, self._table)
        else:
            declared = ", ".join(f"{quoted(f.name)} {_sql_type(f.type)}" for f in target.schema.fields)
            connection.execute(f"{drop}; create {self._kind(columns)} {self._stage_table} ({declared})")
        # What is staged need not be on the server's disk before the next rows come: ``durably`` waits for all of it.
        connection.execute("set synchronous_commit = off")
        sealed = target.sealed
        self.is_resumed = bool(sealed) and take_over(connection, self._schema, self._stage, delivery, sealed)
        self._is_sealed = self.is_resumed
        self._rows = sum(part.rows for part in sealed) if self.is_resumed else 0
        self._copy_in = CopyIn(connection, self._stage_table, target.schema, columns if self._is_heir else None)
        held.callback(self._copy_in.close)

    @property
    def _stage_table(self) -> str:
        return f"{quoted(self._schema)}.{quoted(self._stage)}"

    @property
    def _new_table(self) -> str:
        """What takes the place of a table whose rows are all replaced."""
        if self._is_heir:
            return self._stage_table
        return f"{quoted(self._schema)}.{quoted(self._stage + NEW)}"

    @property
    def _table(self) -> str:
        return f"{quoted(self._schema)}.{quoted(self._name)}"

    @staticmethod
    def _kind(columns: Mapping[str, Column]) -> str:
        """A new table must be logged: it stays. Rows for an existing one are logged there, so staging need not be."""
        return "unlogged table" if columns else "table"

    def fill(self, select: str, values: Mapping[str, str]) -> int:
        """Let the server stage the rows of a SELECT of its own: they never leave it."""
        with self._fenced_first(), words(self._settings, is_target=True), self._connection.transaction():
            failpoint("postgresql.fill.before")
            bind(self._connection, values)
            columns = _check_table(self._connection, self._schema, self._name, self._target)
            self._rows = self._connection.execute(self._filling(select, columns)).rowcount
            failpoint("postgresql.fill.after")
        return self._rows

    def _filling(self, select: str, columns: Mapping[str, Column]) -> str:
        listed = ", ".join(quoted(name) for name in self._target.schema.names)
        if self._is_heir:
            return f"insert into {self._stage_table} ({listed}) select {listed} from ({select}) as filling"
        # Made anew from the rows: this statement may use several processes of the server, an insert must not.
        made = ", ".join(
            f"{_in_default_order(field.name, field.type)}::{_sql_type(field.type)} as {quoted(field.name)}"
            for field in self._target.schema.fields
        )
        self._connection.execute(f"drop table {self._stage_table}")
        return f"create {self._kind(columns)} {self._stage_table} as select {made} from ({select}) as filling"

    def cancel(self) -> None:
        """Ask the server to give up what it is doing."""
        self._connection.cancel()

    def write(self, batch: Any) -> None:
        """Gather batches, and let them be copied in while the next ones come."""
        self._copy_in.add(batch)
        self._part_bytes += batch.nbytes
        self._part_rows += batch.num_rows
        self._rows += batch.num_rows
        if self._copy_in.held_bytes >= (GATHER_BYTES if self._has_copied else 0):
            self._copy()

    def seal(self) -> SealedPart | None:
        """Keep what is staged for the next attempt, should this one break off."""
        if not self._part_rows:
            return None
        self._copy_all()
        with self._fenced_first(), words(self._settings, is_target=True):
            name = seal(self._connection, self._schema, self._stage)
        self._is_sealed = True
        part = SealedPart(name, self._part_rows, self._part_bytes)
        self._part_rows = self._part_bytes = 0
        return part

    def commit(self) -> Committed:
        """Ledger, fence check and rows in one transaction; an earlier delivery is adopted."""
        self._copy_all()
        with words(self._settings, is_target=True):
            failpoint("postgresql.commit.before")
            done = self._exchange() if self._target.mode == "replace" else None
            done = done or self._deliver(self._move)
            failpoint("postgresql.commit.after_commit")
        self._drop_staged()
        self._held_open.close()
        return done

    def _deliver(self, move: Callable[[], None]) -> Committed:
        """One transaction of the target: fence, rows and ledger; an earlier delivery is adopted instead."""
        with durably(self._connection):
            earlier = ledger_row(self._connection, self._settings, self._delivery)
            if earlier is None:
                check_fence(self._connection, self._settings, self._delivery)
                move()
                failpoint("postgresql.commit.before_ledger")
                write_ledger(self._connection, self._settings, self._delivery, self._rows)
            failpoint("postgresql.commit.before_commit")
        return earlier or Committed(self._rows, self._delivery.attempt, None, f"{self._schema}.{self._name}")

    def _exchange(self) -> Committed | None:
        """Fill a table like the target and put it in its place; None where that is not right, or readers stay on it."""
        import psycopg

        connection = self._connection
        columns = _check_table(connection, self._schema, self._name, self._target)
        if not columns or not (self._is_heir or is_plain(connection, self._table)):
            return None
        with self._fenced_first(), words(self._settings, is_target=True):
            if not self._is_heir:
                connection.execute(f"drop table if exists {self._new_table}")
                make_like(connection, self._new_table, self._table)
                self._insert(self._new_table, columns)
            connection.execute(f"analyze {self._new_table}")
        failpoint("postgresql.exchange.filled")
        for _ in range(EXCHANGE_TRIES):
            try:
                return self._deliver(self._take_place)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue
            except _NotAlikeError:
                break
        return None

    def _take_place(self) -> None:
        connection = self._connection
        connection.execute(f"set local lock_timeout = '{EXCHANGE_SECONDS}s'")
        self._lock_name()
        connection.execute(f"lock table {self._table} in access exclusive mode")
        if not is_plain(connection, self._table) or not is_alike(connection, self._new_table, self._table):
            raise _NotAlikeError
        exchange(connection, self._new_table, self._table, self._schema, self._name)
        if not self._is_heir:
            connection.execute(f"drop table {self._stage_table}")

    def abort(self) -> None:
        """Drop the staging table, unless the next attempt can use what is sealed in it, and close."""
        self._copy_in.close()
        try:
            if not self._is_sealed:
                self._drop_staged()
        finally:
            with suppress(_GivenUpError), self._held_open:
                raise _GivenUpError  # the connection is not handed to anybody else

    def _drop_staged(self) -> None:
        """What is still there goes; where that fails, the next attempt's ``clean`` removes it."""
        import psycopg

        if self._connection.closed:
            return
        with suppress(psycopg.Error):
            self._connection.execute("reset synchronous_commit")
            self._connection.execute(f"drop table if exists {self._stage_table}, {self._new_table}")
            if self._is_sealed:
                forget(self._connection, self._schema, self._stage)

    def _copy(self) -> None:
        """Let the gathered batches stream into the staging table."""
        if not self._copy_in.held_bytes:
            return
        with self._fenced_first(), words(self._settings, is_target=True):
            failpoint("postgresql.stage.write")
            self._copy_in.send()
        self._has_copied = True

    def _copy_all(self) -> None:
        """Every row that was written is in the staging table afterwards."""
        self._copy()
        with self._fenced_first(), words(self._settings, is_target=True):
            self._copy_in.settle()

    @contextmanager
    def _fenced_first(self) -> Iterator[None]:
        """When staging fails because a newer attempt has dropped it, say that instead."""
        try:
            yield
        except NodeTypeError:
            with words(self._settings, is_target=True), self._connection.transaction():
                check_fence(self._connection, self._settings, self._delivery)
            raise

    def _move(self) -> None:
        """Rows from staging into the target; a table that is not there yet is the staging table, renamed."""
        connection = self._connection
        self._lock_name()
        columns = _check_table(connection, self._schema, self._name, self._target)
        if self._target.mode == "upsert":
            check_keys(connection, self._stage_table, self._name, self._target.key)
        if not columns:
            connection.execute(f"alter table {self._stage_table} set logged")
            if self._target.mode == "upsert":
                key = ", ".join(map(quoted, self._target.key))
                connection.execute(f"alter table {self._stage_table} add primary key ({key})")
            connection.execute(f"alter table {self._stage_table} rename to {quoted(self._name)}")
            return
        if self._target.mode == "replace":
            connection.execute(f"delete from {self._table}")
        self._insert(self._table, columns, on_conflict(self._target) if self._target.mode == "upsert" else "")
        connection.execute(f"drop table {self._stage_table}")

    def _insert(self, table: str, columns: dict[str, Column], rest: str = "") -> None:
        """The staged rows, as the columns' own types."""
        listed = ", ".join(quoted(name) for name in self._target.schema.names)
        values = ", ".join(_into(columns[field.name], field.type) for field in self._target.schema.fields)
        self._connection.execute(f"insert into {table} ({listed}) select {values} from {self._stage_table}{rest}")

    def _lock_name(self) -> None:
        """One delivery to this table at a time, until the transaction ends."""
        self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"citygo:{self._schema}.{self._name}",)
        )


class _NotAlikeError(Exception):
    """The target has changed since the table that should take its place was made."""


class _GivenUpError(Exception):
    """This attempt delivers nothing."""


# ── the server ────────────────────────────────────────────────────────────────────────────────────────────


def _sql_type(kind: str) -> str:
    return _SQL_TYPES.get(kind) or "numeric" + kind.removeprefix("decimal")


def _in_default_order(name: str, kind: str) -> str:
    """A column of a SELECT; a text without the collation by which the SELECT may have compared it."""
    return f'{quoted(name)} collate "default"' if kind == "text" else quoted(name)


def _into(column: Column, kind: str) -> str:
    """The staged value as the target column's own type.

    Mostly the server's own assignment, which refuses what is too long; an explicit cast would cut it off silently.
    """
    name = quoted(column.name)
    if kind == "timestamp" and column.base.startswith("timestamp") and column.base.endswith("with time zone"):
        return f"{name} at time zone 'UTC'"
    if kind == "boolean" and column.type == "integer":
        return f"{name}::integer"
    if kind == "text" and column.base != "text" and not column.base.startswith("character"):
        return f"{name}::{column.base}"
    return name


def _check_table(connection: Any, schema: str, name: str, target: Target) -> dict[str, Column]:
    """The target's columns when the rows fit it, nothing when it is to be made. Raises TargetError."""
    row = connection.execute(
        "select c.oid::bigint, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = %s and c.relname = %s",
        (schema, name),
    ).fetchone()
    if row is None:
        if not target.create:
            raise missing_target(f"{schema}.{name}")
        return {}
    if row[1] not in ("r", "p"):
        message = text(f"“{name}” is no table; rows go into tables only.", f"“{name}”不是表，只能写入表。")
        raise TargetError("target.view", message, name)
    columns = {column.name: column for column in columns_of(connection, [row[0]])[row[0]] if not column.is_generated}
    optional = [column.name for column in columns.values() if column.nullable or column.has_default]
    check_target(target, {column.name: column.type for column in columns.values()}, optional)
    if target.mode == "upsert" and not has_unique_key(connection, int(row[0]), target.key):
        raise no_unique_key(f"{schema}.{name}", target.key)
    return columns
