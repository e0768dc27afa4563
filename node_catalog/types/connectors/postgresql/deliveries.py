"""The fence (highest attempt seen of each delivery) and the ledger (what has been delivered) in a node's schema."""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.contract import Committed, Delivery
from node_catalog.sdk.sql_node import FENCE, LEDGER, delivery_key, quoted
from node_catalog.sdk.target_words import fenced
from node_catalog.types.connectors.postgresql.sealing import SEALED

_KEY = "sink text not null, run text not null, task text not null, attempt bigint not null"
_WHICH = "sink = %s and run = %s and task = %s"


def prepare(connection: Any, settings: Any, schema: str) -> bool:
    """Make ledger and fence where they are missing; whether ``schema`` has tables that wait for a next attempt.

    Two workers that make them at once would collide in the server's catalogue, hence the lock.
    """
    *found, sealed = connection.execute(
        "select to_regclass(%s), to_regclass(%s), to_regclass(%s)",
        (_ours(settings, LEDGER), _ours(settings, FENCE), f"{quoted(schema)}.{SEALED}"),
    ).fetchone()
    if not all(found):
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtextextended('citygo:prepare', 0))")
            connection.execute(
                f"create table if not exists {_ours(settings, LEDGER)} ({_KEY}, rows bigint not null, "
                "committed_at timestamptz not null default now(), primary key (sink, run, task))"
            )
            connection.execute(
                f"create table if not exists {_ours(settings, FENCE)} ({_KEY}, primary key (sink, run, task))"
            )
    return sealed is not None


def raise_fence(connection: Any, settings: Any, delivery: Delivery) -> None:
    """From now on no lower attempt delivers. Raises FencedError when a higher one has been here."""
    row = connection.execute(
        f"insert into {_ours(settings, FENCE)} as f (sink, run, task, attempt) values (%s, %s, %s, %s) "
        "on conflict (sink, run, task) do update set attempt = greatest(f.attempt, excluded.attempt) returning attempt",
        (*_identity(delivery), delivery.attempt),
    ).fetchone()
    if row[0] > delivery.attempt:
        raise fenced(delivery, int(row[0]))


def check_fence(connection: Any, settings: Any, delivery: Delivery) -> None:
    """Hold the fence until the transaction ends. Raises FencedError when it is not this attempt's."""
    row = connection.execute(
        f"select attempt from {_ours(settings, FENCE)} where {_WHICH} for update", _identity(delivery)
    ).fetchone()
    newest = int(row[0]) if row else 0
    if newest != delivery.attempt:
        raise fenced(delivery, newest)


def has_ledger(connection: Any, settings: Any) -> bool:
    """Whether anything has ever been delivered into the node's schema."""
    return connection.execute("select to_regclass(%s)", (_ours(settings, LEDGER),)).fetchone()[0] is not None


def ledger_row(connection: Any, settings: Any, delivery: Delivery) -> Committed | None:
    """What was delivered, by whichever attempt."""
    row = connection.execute(
        f"select rows, attempt from {_ours(settings, LEDGER)} where {_WHICH}", _identity(delivery)
    ).fetchone()
    return Committed(int(row[0]), int(row[1]), None, delivery_key(delivery)) if row else None


def write_ledger(connection: Any, settings: Any, delivery: Delivery, rows: int) -> None:
    """Note what is delivered in this transaction."""
    connection.execute(
        f"insert into {_ours(settings, LEDGER)} (sink, run, task, attempt, rows) values (%s, %s, %s, %s, %s)",
        (*_identity(delivery), delivery.attempt, rows),
    )


def _ours(settings: Any, table: str) -> str:
    return f"{quoted(settings.schema)}.{table}"


def _identity(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.sink, delivery.run, delivery.task
