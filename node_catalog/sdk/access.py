"""How a dataset is reached, as a connector says it: scanned by the engine, asked in its own SQL, or read in batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.ports import Schema


@dataclass(frozen=True)
class Span:
    """A part of a dataset that is read by itself: the rows whose key is at least ``low`` and below ``high`` (None: no
    bound). ``column`` is a key that no two rows share and none lacks.
    """

    column: str
    low: int | None
    high: int | None


@dataclass(frozen=True)
class DatasetRef:
    """One dataset as the catalogue hands it to a connector. ``schema`` is what the catalogue promises."""

    path: tuple[str, ...]
    schema: Schema
    settings: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None
    """Only these rows (the connector has named the span itself, see ``Connector.spans``)."""
    compared: frozenset[str] = frozenset()
    """Columns by which the source itself groups, matches or orders: it must tell their values apart as the engine
    does (texts by code point; a value that is read as NULL is one)."""
    bounds: tuple[Bound, ...] = ()
    """Rows beyond them have no effect: they may be left out, and need not be."""


@dataclass(frozen=True)
class Attach:
    """The engine scans the source itself: SQL statements that end in a view ``src`` with the promised schema.

    ``statements`` run in a connection of their own in which only ``folders`` and ``files`` may be touched.
    """

    statements: tuple[str, ...]
    extensions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    dialect: str = "duckdb"
    rows: int | None = None
    """How many rows ``src`` has (without the dataset's bounds), when the source knows that without reading them."""
    is_light: bool = False
    """Whether a connection at rest locks nothing and sees what others write: it may stay open for the next work."""


@dataclass(frozen=True)
class Remote:
    """The SQL runs in the source: ``relation`` (a quoted name, or a subselect in parentheses) stands for ``src``.

    The engine calls ``Connector.run_sql`` with the final text in ``dialect``.
    """

    relation: str
    dialect: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Bound with the statement, as those of rows that are sent along (see Given)."""


@dataclass(frozen=True)
class Stream:
    """The connector reads Arrow batches itself (``Connector.read``); what is left of the query runs in the engine."""

    dialect: str = "duckdb"


@dataclass(frozen=True)
class Through:
    """The SQL runs in the source as with Remote, but the engine fetches the rows, through an extension of its own.

    ``statements`` attach the source as ``node`` in a connection that is locked then. The final text, between
    ``before`` and ``after`` (limits of the session, say), is handed to the extension's ``function``.
    """

    statements: tuple[str, ...]
    extensions: tuple[str, ...]
    function: Literal["mysql_query"]
    relation: str
    dialect: str
    before: str = ""
    after: str = ""


Access = Attach | Remote | Through | Stream


@dataclass(frozen=True)
class Given:
    """Rows of another node as a server takes them along with a statement.

    ``relation`` stands for them in its text and holds none of them: they are in ``values``, which are bound by name.
    """

    relation: str
    values: Mapping[str, str]
