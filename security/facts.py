"""What a decision was made from: read in one statement, kept as text, compared as it is.

A request that comes again need not look everything up again object by object. Equal rows, equal answer; one value that
differs, whoever has written it, and it is decided anew. Nothing is interpreted here.

SQLite says at once whether anything was written since a statement was run: as long as nothing was, its rows are the
same, and it is not run again. (PostgreSQL has no such word.)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from security import clock

Rows = frozenset[tuple[Any, ...]]
Part = tuple[str, QuerySet[Any], Sequence[str]]
"""A kind of fact, the rows that hold it, and which of their columns."""


@dataclass(frozen=True)
class Facts:
    """The statement that reads them."""

    sql: str
    values: tuple[Any, ...]

    def read(self) -> Rows:
        """The rows of this moment."""
        state = _state()
        seen = _SEEN.rows.get(self) if state is not None else None
        if seen is not None and seen[0] == state:
            return seen[1]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            rows = frozenset(map(tuple, cursor.fetchall()))
        if state is not None:  # asked for before: what was written meanwhile is read the next time
            _SEEN.keep(self, state, rows)
        return rows


@dataclass(frozen=True, eq=False)
class Standing:
    """What was decided (the fields of those that inherit it), from which facts, and until when they are enough."""

    facts: Facts
    rows: Rows
    until: datetime

    def holds(self) -> bool:
        """Whether it would be decided alike now."""
        return clock.now() < self.until and self.facts.read() == self.rows


class Quiet:
    """What an event loop knows of decisions that stand: what has held still holds as long as nothing is written.

    Facts are read by threads, which may wait. The loop only asks SQLite whether anything was written, over a connection
    of its own.
    """

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._own: BaseDatabaseWrapper | None = None
        self._held: WeakKeyDictionary[Standing, State] = WeakKeyDictionary()

    def state(self) -> State | None:
        """The same as long as nothing has been written; None: nobody can tell."""
        if self._own is None:
            return None
        try:
            with self._own.wrap_database_errors:
                return _version(self._own.connection, 0)
        except DatabaseError:
            self.close()
            return None

    def holds(self, standing: Standing, state: State | None) -> bool:
        """Whether it surely holds in this state; False: a thread has to ``look``."""
        return state is not None and self._held.get(standing) == state and clock.now() < standing.until

    def look(self, standing: Standing) -> bool:
        """Whether it holds by its facts."""
        with self._opening:
            if self._own is None and connection.vendor == "sqlite":
                own = connection.copy()
                own.connect()
                self._own = own
        return standing.holds()

    def held(self, standing: Standing, state: State | None) -> None:
        """It was found to hold when this had been the state."""
        if state is not None:
            self._held[standing] = state

    def close(self) -> None:
        """Let go of the database."""
        self._held.clear()
        own, self._own = self._own, None
        if own is not None:
            own.connection.close()


State = tuple[Any, int, int]
"""A connection, what it says of the others' writes, and how many rows it has changed itself."""
MOST_SEEN = 64


class _Seen(threading.local):
    """Rows that a thread has read over its connection, and in which state of the database."""

    def __init__(self) -> None:
        self.rows: dict[Facts, tuple[State, Rows]] = {}

    def keep(self, facts: Facts, state: State, rows: Rows) -> None:
        """Remember them; of too many, what came first is forgotten."""
        self.rows[facts] = state, rows
        if len(self.rows) > MOST_SEEN:
            del self.rows[next(iter(self.rows))]


_SEEN = _Seen()


def _state() -> State | None:
    """The same as long as nothing has been written, by whomever; None: nobody can tell.

    In a transaction nothing is told: what it has changed may be taken back.
    """
    if connection.vendor != "sqlite":
        return None
    connection.ensure_connection()
    raw: Any = connection.connection
    if raw.in_transaction:
        return None
    with connection.wrap_database_errors:
        return _version(raw, raw.total_changes)


def _version(raw: Any, changes: int) -> State:
    return raw, raw.execute("pragma data_version").fetchone()[0], changes


def facts_from(parts: Sequence[Part]) -> Facts:
    """One statement for all parts. A part that can have no rows (of no dataset, say) has no SQL either."""
    width = max(len(names) for _, _, names in parts)
    first, *others = (_texts(kind, rows, names, width) for kind, rows, names in parts)
    sql, values = first.union(*others, all=True).query.get_compiler(connection=connection).as_sql()
    return Facts(sql, tuple(values))


def every_column(model: type[Model], prefix: str = "") -> tuple[str, ...]:
    """All columns of a model: also those that a later version adds are looked at."""
    return tuple(f"{prefix}{field.attname}" for field in model._meta.concrete_fields)


def _texts(kind: str, rows: QuerySet[Any], names: Sequence[str], width: int) -> QuerySet[Any]:
    """Columns of a query as texts, all parts as wide as the widest."""
    columns = [Cast(name, TextField()) for name in names]
    padding = [Value("", output_field=TextField()) for _ in range(width - len(names))]
    return rows.order_by().values_list(Value(kind, output_field=TextField()), *columns, *padding)
