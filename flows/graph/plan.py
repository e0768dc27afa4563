"""The plan: what a run executes. Stages with SQL text, input bindings, expected schemas and sinks.

A plan is plain data (JSON through msgspec), kept under the hash of document, schemas, grants and type versions.
Workers execute it without compiling anything.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.ports import Schema

LEVEL = 4
"""The newest plan that this version understands: raised, with ``Stage.level``, when a plan says something that a worker
of the version before would pass over. 1: version 0.3.0. 3: rows of one node that are sent into another. 4: stages that
Spark does."""

HERE, SPARK = "duckdb", "spark"
"""The engines: the one in the worker's own process, and a cluster that it sends a stage to."""


class SourceRead(msgspec.Struct, frozen=True):
    """One dataset that a binding reads: ``name`` stands for it in the text; ``schema`` are the columns it needs."""

    name: str
    step: str
    dataset: str
    schema: Schema
    columns: tuple[str, ...] = ()
    grant_digest: str = ""
    grant: str = ""
    epoch: int = 0
    compared: tuple[str, ...] = ()
    """Columns whose values the source tells apart: there texts must be compared by code point."""
    bounds: tuple[Bound, ...] = ()
    """What the text demands of columns, see ``node_catalog.sdk.bounds``."""
    shipped: Shipped | None = None
    """For a dataset of another node: how its rows are fetched, to be sent along with the text."""


class Shipped(msgspec.Struct, frozen=True):
    """Rows that are read from one node and sent into another with a question: ``schema`` is what the question knows
    of them, ``binding`` brings the columns of it that are needed.
    """

    binding: Binding
    schema: Schema


class Binding(msgspec.Struct, frozen=True):
    """One input of a stage, named once in its SQL.

    ``dataset``: read from a node with ``text`` (a SELECT over the relation ``src``, in ``dialect``; the grant, the
    pushed filters and the column list are already inside). ``exchange``: rows of an earlier stage's output.
    ``given``: the same text over rows that the platform holds already (a pinned sample, a kept result, a batch).
    """

    alias: str
    kind: Literal["dataset", "exchange", "given"]
    schema: Schema
    step: str = ""
    counts_step: str = ""
    """The step whose output the rows of this binding are: the read itself, or the last filter pushed into it; none
    when a condition of a later step runs in the source and the rows are nobody's (see ``thinned``)."""
    dataset: str = ""
    columns: tuple[str, ...] = ()
    """Columns of the dataset that ``text`` needs."""
    text: str = ""
    dialect: str = "duckdb"
    grant_digest: str = ""
    grant: str = ""
    epoch: int = 0
    pushed: tuple[str, ...] = ()
    """Step ids computed inside the source (read, and filters or limits pushed there)."""
    thinned: tuple[str, ...] = ()
    """Steps that see fewer rows because the source tests a condition of a later step: their rows are not counted."""
    stage: str = ""
    """For ``exchange``: the key of the stage that made it."""
    port: str = ""
    """For ``exchange``: which of the stage's outlets, when it has several."""
    bounds: tuple[Bound, ...] = ()
    """As of a SourceRead, for a text that reads one table."""
    sources: tuple[SourceRead, ...] = ()
    """For a text that does more than read one table: all datasets in it, the first one as in ``dataset``."""

    @property
    def reads(self) -> tuple[SourceRead, ...]:
        """The datasets that are read, whatever the text: none but for ``dataset``."""
        if self.sources or self.kind == "exchange":
            return self.sources
        rights = (self.grant_digest, self.grant, self.epoch)
        return (SourceRead("src", self.step, self.dataset, self.schema, self.columns, *rights, bounds=self.bounds),)


class Sink(msgspec.Struct, frozen=True):
    """Where a stage's rows go.

    ``result``: a named output kept by the platform. ``exchange``: input of later stages. ``write``: a node's Output.
    ``collect``: at most ``limit`` rows returned to the caller (previews).
    """

    kind: Literal["result", "exchange", "write", "collect"]
    step: str
    schema: Schema
    name: str = ""
    dataset: str = ""
    node: str = ""
    path: tuple[str, ...] = ()
    mode: str = "append"
    create: bool = False
    limit: int = 0
    key: tuple[str, ...] = ()
    """For mode upsert: the columns by which rows are told apart."""


class Probe(msgspec.Struct, frozen=True):
    """How the row count of an inner step may be found once the stage has ended."""

    step: str
    operators: tuple[str, ...] = ()
    """Engine operators whose cardinality is this step's output, e.g. HASH_JOIN."""
    same_as: str = ""
    """Another step with, by definition, as many rows."""
    rows: int | None = None
    """So many, whatever happens: the rows stand in the step itself."""


class Outlet(msgspec.Struct, frozen=True):
    """One out port of a stage that hands on several kinds of rows.

    Its text gives all of them in one pass: column 0 says by number which outlet a row belongs to, ``columns`` are the
    places of the outlet's own columns (several outlets share a column that is the same in both).
    """

    port: str
    schema: Schema
    columns: tuple[int, ...]


class Judge(msgspec.Struct, frozen=True):
    """The step type, and its settings, whose verdict on the stage's facts decides how the run goes on."""

    type: str
    settings: dict[str, Any]


class Stage(msgspec.Struct, frozen=True):
    """Fused steps that run as one task, in one engine."""

    key: str
    steps: tuple[str, ...]
    bindings: tuple[Binding, ...]
    text: str
    """One SELECT in the engine's dialect over the bindings' aliases."""
    schema: Schema
    sink: Sink
    engine: str = HERE
    extensions: tuple[str, ...] = ()
    """Extensions of the engine whose functions the text calls."""
    probes: tuple[Probe, ...] = ()
    ordered: bool = False
    outlets: tuple[Outlet, ...] = ()
    """The kinds of rows that an exchange keeps apart; empty: one kind."""
    judge: Judge | None = None
    needs: Any = None
    """When the stage runs at all: ``[stage, port]`` (that port was taken), ``{"all": […]}``, ``{"any": […]}`` or None
    (always). A stage whose needs do not hold is skipped."""

    instead: Stage | None = None
    """The same with nothing sent from node to node: for when more rows than expected would have to be."""

    @property
    def level(self) -> int:
        """What a worker must understand to do this stage: see ``LEVEL``."""
        if self.engine != HERE:
            return 4
        return 3 if any(read.shipped for binding in self.bindings for read in binding.sources) else 1

    @property
    def after(self) -> tuple[str, ...]:
        """Keys of the stages that must be done first."""
        return tuple(dict.fromkeys(b.stage for b in self.bindings if b.kind == "exchange"))


class Iterations(msgspec.Struct, frozen=True):
    """A for-each: once ``items`` is done, one task per item; who reads ``key`` reads the rows of all of them."""

    key: str
    items: str
    """The stage whose rows are the items."""
    step: str
    """The step that people see."""
    flow: tuple[str, int, str]
    """App, version number and key of the sub-flow."""
    output: str
    """The step of the sub-flow whose rows are collected."""
    schema: Schema
    """What comes out: the key columns, then the sub-flow's."""
    constants: dict[str, Any] = {}
    columns: dict[str, str] = {}
    """Parameter of the sub-flow → column of the item."""
    keys: tuple[str, ...] = ()
    items_schema: Schema | None = None
    batch: str = ""
    """Alias of the sub-flow that a batch of items is bound to; empty: one row at a time."""
    batch_rows: int = 1
    concurrency: int = 1
    most: int = 1000
    on_error: Literal["stop", "continue"] = "stop"
    datasets: dict[str, str] = {}
    """Dataset that the sub-flow reads → digest of the grant, as the plan was made."""


class Plan(msgspec.Struct, frozen=True):
    """All stages of one flow of one version, in an order in which they may run."""

    stages: tuple[Stage, ...]
    digest: str = ""
    datasets: tuple[str, ...] = ()
    grants: dict[str, str] = {}
    """Dataset number → digest of the grant it was compiled with."""
    schemas: dict[str, Schema] = {}
    """``step.port`` → schema of every out port."""
    notes: tuple[dict[str, Any], ...] = ()
    """Why something was not pushed, in words."""
    inside: dict[str, tuple[str, ...]] = {}
    """Step of a called flow → the calls that lead to it, outermost first, and its id there."""
    loops: tuple[Iterations, ...] = ()

    def stage(self, key: str) -> Stage:
        return next(stage for stage in self.stages if stage.key == key)


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
