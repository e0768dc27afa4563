"""Staging tables that outlive their attempt: rows that have been sealed in one are taken over by the next attempt.

Rows are copied in by many short transactions. A part is sealed by taking one more transaction number: the rows of all
parts so far have smaller ones, and what an attempt copied in after its last seal has greater ones and is deleted. An
unlogged table that the server has emptied after a crash of its own has too few rows; it is not taken over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from node_catalog.sdk.contract import Delivery, SealedPart
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.sql_node import OUR_PREFIX, STAGE, delivery_key, quoted

SEALED = f"{OUR_PREFIX}sealed"
"""Staging tables that wait for the next attempt, and since when."""
ABANDONED = "7 days"
"""After this nobody comes for a staging table any more."""
LOCK_SECONDS = 5
"""How long a stopped attempt may hold its table before the next one begins anew."""
_MAKE = """
select c.relpersistence::text, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.oid = %s::regclass group by 1
"""


class _NotWholeError(Exception):
    """Sealed rows are missing."""


@contextmanager
def durably(connection: Any) -> Iterator[None]:
    """A transaction that is on the server's disk when it ends, as far as the server is set so; and with it all that was
    committed before without waiting for that: the server's log is one.
    """
    with connection.transaction():
        connection.execute("set local synchronous_commit to default")
        yield


def seal(connection: Any, schema: str, stage: str) -> str:
    """Keep the staging table with all rows copied in so far; the name by which the next attempt finds them."""
    failpoint("postgresql.seal.before")
    kept = _kept(schema)
    with durably(connection):
        connection.execute(
            f"create table if not exists {kept} (stage text primary key, sealed_at timestamptz not null default now())"
        )
        connection.execute(
            f"insert into {kept} (stage) values (%s) on conflict (stage) do update set sealed_at = now()", (stage,)
        )
        number = connection.execute("select txid_current() % 4294967296").fetchone()[0]
    failpoint("postgresql.seal.after")
    return f"{stage}#{number}"


def take_over(connection: Any, schema: str, stage: str, delivery: Delivery, parts: Sequence[SealedPart]) -> bool:
    """Let the table in which earlier attempts have sealed ``parts`` be this attempt's ``stage``, made and still empty.

    False when it is gone, made otherwise or still held: then nothing has happened.
    """
    import psycopg

    number = parts[-1].name.rpartition("#")[2]
    wanted = sum(part.rows for part in parts)
    make = connection.execute(_MAKE, (_name(schema, stage),)).fetchone()
    for earlier in _earlier(connection, schema, delivery):
        if connection.execute(_MAKE, (_name(schema, earlier),)).fetchone() != make:
            continue
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
                _rename(connection, schema, earlier, stage, number, wanted)
            return True
        except (psycopg.errors.LockNotAvailable, _NotWholeError):
            continue
    return False


def _rename(connection: Any, schema: str, earlier: str, stage: str, number: str, wanted: int) -> None:
    old, new = _name(schema, earlier), _name(schema, stage)
    connection.execute(f"lock table {old} in access exclusive mode")
    connection.execute(f"delete from {old} where age(xmin) < age(%s::text::xid)", (number,))
    if connection.execute(f"select count(*) from {old}").fetchone()[0] != wanted:
        raise _NotWholeError
    connection.execute(f"drop table {new}")
    connection.execute(f"alter table {old} rename to {quoted(stage)}")
    connection.execute(f"update {_kept(schema)} set stage = %s where stage = %s", (stage, earlier))


def forget(connection: Any, schema: str, stage: str) -> None:
    """Nobody needs the staging table any more."""
    if _is_there(connection, schema):
        connection.execute(f"delete from {_kept(schema)} where stage = %s", (stage,))


def drop_abandoned(connection: Any, schema: str) -> None:
    """Drop what was sealed for attempts that have not come for so long that none will; ``SEALED`` is there."""
    found = connection.execute(
        f"delete from {_kept(schema)} where sealed_at < now() - interval '{ABANDONED}' returning stage"
    ).fetchall()
    for (stage,) in found:
        connection.execute(f"drop table if exists {_name(schema, stage)}")


def _earlier(connection: Any, schema: str, delivery: Delivery) -> Iterator[str]:
    """Staging tables of earlier attempts of a delivery, the newest first."""
    prefix = f"{STAGE}_{delivery_key(delivery)}_"
    rows = connection.execute(
        "select tablename from pg_tables where schemaname = %s and starts_with(tablename, %s)", (schema, prefix)
    ).fetchall()
    attempts = (int(name.removeprefix(prefix)) for (name,) in rows if name.removeprefix(prefix).isdigit())
    return (f"{prefix}{attempt}" for attempt in sorted(attempts, reverse=True) if attempt < delivery.attempt)


def _is_there(connection: Any, schema: str) -> bool:
    return connection.execute("select to_regclass(%s)", (_kept(schema),)).fetchone()[0] is not None


def _kept(schema: str) -> str:
    return _name(schema, SEALED)


def _name(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"
