"""Writing to MySQL and MariaDB exactly once: a staging table of the attempt, filled in bulk, then one step.

The database holds a fence (highest attempt seen per delivery) and a ledger (what has been delivered). Rows for an
existing table are moved in one transaction with the ledger's row. A new table, and all rows of a replaced one, appear
by RENAME, which the server does at once but commits by itself: a marker table is renamed in the same statement, so that
the next attempt sees whether it happened and writes the ledger's row after it ("exactly once, by recovery").
"""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.contract import Committed, ConnectContext, Delivery, Output, Target
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.sql_node import stage_name
from node_catalog.sdk.target_words import fenced
from node_catalog.types.connectors.mysql.catalog import quoted
from node_catalog.types.connectors.mysql.connection import Session, connect, control, words
from node_catalog.types.connectors.mysql.deliveries import Deliveries
from node_catalog.types.connectors.mysql.loading import Loader
from node_catalog.types.connectors.mysql.table import look_at

GATHER_BYTES = 8 << 20
"""Batches are gathered to about this size before they are sent."""


class MysqlOutput(Output):
    """Append to, replace or change by key a table."""

    delivery_label = "exactly_once_by_recovery"
    modes = ("append", "replace", "upsert")

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The ledger's row of this delivery; what an attempt left behind between its steps is finished first."""
        with control(settings, context, read_only=False) as session:
            deliveries = Deliveries(session, delivery)
            return deliveries.finish() if deliveries.are_prepared() else None

    @classmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> MysqlWriter:
        """Raise the fence, take the staging of older attempts away, check the table, make this attempt's staging."""
        with words(settings, is_target=True):
            session = connect(settings, context, read_only=False)
            try:
                deliveries = Deliveries(session, delivery)
                deliveries.prepare()
                failpoint("mysql.open.before_fence")
                deliveries.raise_fence()
                deliveries.drop_older()
                failpoint("mysql.open.after_fence")
                return MysqlWriter(session, settings, target, deliveries, context)
            except BaseException:
                session.close()
                raise

    @classmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Drop what attempts before this one left behind."""
        with control(settings, context, read_only=False) as session:
            Deliveries(session, delivery).drop_older()


class MysqlWriter:
    """One attempt's staging table."""

    def __init__(
        self, session: Session, settings: Any, target: Target, deliveries: Deliveries, context: ConnectContext
    ) -> None:
        self._session, self._settings, self._target = session, settings, target
        self._deliveries, self._delivery = deliveries, deliveries.delivery
        self._stage = stage_name(self._delivery)
        self._table = look_at(session, target)
        self._held: list[Any] = []
        self._held_bytes = self._rows = 0
        failpoint("mysql.stage.open")
        session.run(f"drop table if exists {quoted(self._stage)}")
        session.run(self._table.create_stage(self._stage))
        self._loader = Loader(settings, context, self._stage, self._table)

    def write(self, batch: Any) -> None:
        """Gather batches and send them."""
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        self._rows += batch.num_rows
        if self._held_bytes >= GATHER_BYTES:
            self._send()

    def commit(self) -> Committed:
        """Make the rows visible, once; an earlier delivery is adopted."""
        with words(self._settings, is_target=True):
            self._send()
            failpoint("mysql.commit.before")
            done = self._deliveries.finish() or self._deliver()
            failpoint("mysql.commit.after_commit")
        self.abort()
        return done

    def abort(self) -> None:
        """Drop the staging table and close."""
        import pymysql

        try:
            self._loader.close()
            if self._session.is_open:
                self._session.run(f"drop table if exists {quoted(self._stage)}")
        except (pymysql.Error, OSError):
            pass  # the next attempt's clean() removes it
        finally:
            self._session.close()

    def _send(self) -> None:
        import pymysql

        if not self._held:
            return
        batches, self._held, self._held_bytes = self._held, [], 0
        with words(self._settings, is_target=True):
            failpoint("mysql.stage.write")
            try:
                self._loader.send(batches)
            except (NodeTypeError, pymysql.Error):
                self._deliveries.check_fence()  # a newer attempt has dropped the staging table: say that instead
                raise

    def _deliver(self) -> Committed:
        staged_for, self._table = self._table, look_at(self._session, self._target)
        if self._table.is_swapped and bool(staged_for.columns) == bool(self._table.columns):
            return self._swap()
        with self._session.transaction():
            self._deliveries.check_fence()
            for statement in self._table.move(self._stage):
                self._session.run(statement)
            failpoint("mysql.commit.before_ledger")
            self._deliveries.write_ledger(self._rows)
            failpoint("mysql.commit.before_commit")
        return Committed(self._rows, self._delivery.attempt, None, self._table.name)

    def _swap(self) -> Committed:
        """The staging table takes the target's place. Dropping it is what stops an attempt that comes too late."""
        import pymysql

        with self._session.transaction():
            self._deliveries.check_fence()
        marker = self._deliveries.make_marker(self._rows)
        failpoint("mysql.swap.before")
        moves = [f"{quoted(self._stage)} to {quoted(self._table.name)}", marker]
        if self._table.columns:
            moves.insert(0, f"{quoted(self._table.name)} to {quoted(f'{self._stage}_old')}")
        try:
            self._session.run(f"rename table {', '.join(moves)}")
        except pymysql.Error:
            self._deliveries.check_fence()
            raise
        failpoint("mysql.swap.after")
        done = self._deliveries.finish()
        if done is None:
            raise fenced(self._delivery)
        return done
