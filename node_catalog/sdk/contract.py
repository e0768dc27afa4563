"""What a node type or step type must be: Connector (with its Output), Transform, and their data.

A type is one class in one file under ``node_catalog/types``; it is found by walking that package, so there is
no list to edit. Everything on screen (palette entry, form, help page, document schema) comes from the class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from node_catalog.sdk.access import Access, DatasetRef, Given, Span
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.ports import Port, PortList, Schema
from node_catalog.sdk.text import Text

Group = Literal["in", "shape", "combine", "summarise", "check", "flow", "spatial", "out"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every settings struct. Fields carry ``Annotated[…, msgspec.Meta(title=…, description=…,
    extra_json_schema={"x-title": Text, "x-description": Text, "x-widget": …, "x-secret": True})]``
    (``node_catalog.sdk.fields.setting`` writes that in one call).
    """

    def problems(self) -> Iterable[Problem]:
        """What is wrong between fields that are each right; ``schema.parse`` reports it."""
        return ()


class NoSettings(Settings):
    """For types without settings."""


@dataclass(frozen=True)
class Example:
    """A worked example: documentation, contract test and fixture at once.

    ``inputs`` and ``output`` are columns → types and rows as lists; ``output`` is compared regardless of order
    unless ``ordered``. A step with several out ports gives ``outputs`` by port instead.
    """

    title: Text
    settings: Mapping[str, Any]
    inputs: Mapping[str, tuple[Mapping[str, str], Sequence[Sequence[Any]]]] = field(default_factory=dict)
    output: tuple[Mapping[str, str], Sequence[Sequence[Any]]] | None = None
    ordered: bool = False
    version: int = 1
    outputs: Mapping[str, tuple[Mapping[str, str], Sequence[Sequence[Any]]]] = field(default_factory=dict)


class NodeType(ABC):
    """Common to all types: identity, words, version, settings. The class docstring is the English help text."""

    key: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[Text]
    summary: ClassVar[Text]
    help: ClassVar[Text]
    icon: ClassVar[str] = "box"
    Settings: ClassVar[type[Settings]] = NoSettings
    examples: ClassVar[Sequence[Example]] = ()

    @classmethod
    def migrate(cls, settings: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring settings written by an older version of this type to today's."""
        return settings


# ── Step types ────────────────────────────────────────────────────────────────────────────────────────────


class BuildContext(Protocol):
    """What a transform may ask for while it builds its relation."""

    def expression(self, source: str, *tables: Any, pointer: str = "", aggregate: bool = False) -> Any:
        """Compile an expression of the flow language over the columns of ``tables`` to an Ibis value.

        Raises flows.graph's ExpressionError with ``pointer`` and the position when it does not type-check.
        """

    def query(self, source: str, tables: Mapping[str, Any], pointer: str = "") -> Any:
        """Compile one SELECT over tables by name to an Ibis relation; raises ExpressionError as ``expression`` does."""

    def problem(
        self, code: str, message: Text, pointer: str = "", fix: Mapping[str, Any] | None = None, column: str = ""
    ) -> Exception:
        """Make (not raise) the error for a problem at ``pointer`` inside this step's settings.

        ``column``: the one that is missing, when that is the problem.
        """

    def warn(self, code: str, message: Text, pointer: str = "") -> None:
        """Record a warning of level L3."""


FACTS = "_facts"
"""The hidden port of a step that judges: one row about all of its input, found in the same pass as its rows."""


@dataclass(frozen=True)
class Verdict:
    """What a step that judges finds once its rows have passed.

    ``report`` is shown with the step (JSON, no data); ``failure`` stops the run with these words; ``taken`` are the
    out ports that the run goes on by (None: all); what stands only behind the others is skipped.
    """

    report: Mapping[str, Any] = field(default_factory=dict)
    failure: Text | None = None
    taken: tuple[str, ...] | None = None


class Transform(NodeType):
    """A step whose output is a relation over its inputs (read, output and write are declared here too).

    ``apply`` is called with unbound Ibis tables: the same call is the type check and the program, so the declared
    and the real schema cannot differ.
    """

    group: ClassVar[Group] = "shape"
    rank: ClassVar[int] = 100
    """Place within its group on the palette, the smallest first."""
    ports: ClassVar[Sequence[Port]] = (Port("in", "in"), Port("out", "out"))
    port_lists: ClassVar[Sequence[PortList]] = ()
    """Further ports that the settings name (the tables of ``sql``, the ways of ``switch``)."""
    takes_unbounded: ClassVar[bool] = True
    makes_bounded: ClassVar[bool] = False
    """Its rows end, also behind a stream that never does."""
    keeps_order: ClassVar[bool] = False
    keeps_rows: ClassVar[bool] = False
    """Every input row gives exactly one output row: the count of the output is that of the input."""
    role: ClassVar[Literal["transform", "source", "sink"]] = "transform"
    judges: ClassVar[bool] = False
    """The step looks at all of its rows before any step behind it starts: see ``facts`` and ``judge``."""
    chooses: ClassVar[bool] = False
    """Its verdict may leave out ports."""
    calls: ClassVar[Literal["", "once", "each"]] = ""
    """Uses another flow, which its ``flow`` setting names: its steps take this one's place (``once``), or run for
    every row or batch of items (``each``); then ``apply`` gives the items."""

    @classmethod
    @abstractmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: Any, context: BuildContext) -> Any:
        """Input relations by port (in wire order) and settings → the output relation (an Ibis table).

        A source step gets its narrowed dataset as port ``dataset``; a sink step returns what it stores. A step with
        several out ports returns a mapping of port → relation, one for every out port of ``ports_of(settings)``.
        """

    @classmethod
    def ports_of(cls, settings: Mapping[str, Any]) -> Sequence[Port]:
        """The ports of a step with these settings (plain JSON, perhaps half filled in): a pure function of them.

        Those that ``port_lists`` make come first, then ``ports``. The browser knows the same rule, so a type rather
        declares ``port_lists`` than overrides this.
        """
        listed = [port for rule in cls.port_lists for port in rule.ports(settings)]
        return [*listed, *cls.ports] if listed else cls.ports

    @classmethod
    def orders(cls, settings: Mapping[str, Any]) -> bool:
        """Whether the step gives its rows an order that steps behind it may rely on; tolerant of any settings."""
        return False

    @classmethod
    def facts(cls, inputs: Mapping[str, Sequence[Any]], settings: Any, context: BuildContext) -> Any:
        """A relation of one row from which ``judge`` makes the verdict (only for steps that judge)."""
        raise NotImplementedError

    @classmethod
    def judge(cls, settings: Any, facts: Mapping[str, Any]) -> Verdict:
        """The verdict on the row that ``facts`` gave: a pure function (only for steps that judge)."""
        raise NotImplementedError

    @classmethod
    def decides(cls, settings: Mapping[str, Any]) -> bool:
        """Whether its verdict may end the run or leave out ways, and not only be reported; tolerant of any settings."""
        return cls.judges

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """One line in words for the step's box; tolerant of half-filled settings."""
        return {"en": "", "zh-CN": ""}


# ── Connectors ────────────────────────────────────────────────────────────────────────────────────────────


class Guard(Protocol):
    """The SSRF guard: every outgoing connection asks it first."""

    def resolve(self, host: str, port: int) -> str:
        """The pinned address to connect to; raises RefusedError when no allowed address is left."""


@dataclass(frozen=True)
class ConnectContext:
    """What the platform gives a connector: allowed folders, the guard, and limits (seconds, rows, bytes)."""

    file_roots: tuple[str, ...] = ()
    guard: Guard | None = None
    connect_timeout: float = 5.0
    statement_timeout: float = 600.0
    batch_rows: int = 65536
    work_folder: str = ""
    kept: Kept | None = None
    """Where connections are kept for the next call of the same work; None: each call opens its own."""
    before_request: Callable[[], None] | None = None
    """Called before every request of an HTTP client: it waits until the node may be asked again."""
    described: frozenset[tuple[str, ...]] = frozenset()
    """Paths that a discovery which broke off has described already: ``discover`` may leave them out."""


@dataclass(frozen=True)
class Check:
    """The outcome of a connection test. ``facts`` are safe to show: product, version, number of tables."""

    ok: bool
    code: str
    message: Text
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DiscoveredColumn:
    """A column as the source describes it, with its type in our ten types."""

    name: str
    native_type: str
    type: str
    nullable: bool = True
    key: Literal["", "primary", "unique", "foreign"] = ""
    description: str = ""


@dataclass(frozen=True)
class DiscoveredDataset:
    """A table, view or file that the source offers. ``path`` is stable and unique within the node."""

    path: tuple[str, ...]
    kind: Literal["table", "view", "file"]
    columns: tuple[DiscoveredColumn, ...]
    rows: int | None = None
    rows_exact: bool = False
    size_bytes: int | None = None
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Dataset settings that discovery inferred (a file's dialect and types); people may correct them."""
    warnings: tuple[Text, ...] = ()


class Connector(NodeType):
    """Speaks to one kind of node. Stateless: every call gets the (unsealed) settings and the context."""

    kind_code: ClassVar[str] = "DB"
    """Two letters of the node number: DB MQ FL AP DE HT FW."""
    is_local: ClassVar[bool] = False
    """Its data are files that the engine scans itself: reading them twice is no other system's work."""
    limits: ClassVar[tuple[str, ...]] = ("reads", "rows_per_second")
    """Which of ``LoadLimits`` its nodes have; none for files, which the engine scans itself."""
    DatasetSettings: ClassVar[type[Settings]] = NoSettings
    takes_rows: ClassVar[bool] = False
    """``give`` lets rows of other nodes take part in a statement (only with Remote)."""
    output: ClassVar[type[Output] | None] = None
    label: ClassVar[Text | None] = None
    """An honest label, e.g. "not tested against a server"."""

    @classmethod
    @abstractmethod
    def check(cls, settings: Any, context: ConnectContext) -> Check:
        """Try to connect and say what is wrong in words; never raises for an unreachable or refusing system."""

    @classmethod
    @abstractmethod
    def discover(
        cls, settings: Any, context: ConnectContext, known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None
    ) -> Iterator[DiscoveredDataset]:
        """Walk what the node offers; ``known`` gives corrected dataset settings by path, which win over inference."""

    @classmethod
    @abstractmethod
    def access(cls, settings: Any, dataset: DatasetRef, context: ConnectContext) -> Access:
        """How this dataset is best read. Raises SourceError when it is gone or its columns have moved."""

    @classmethod
    def dialect(cls) -> str:
        """The SQL dialect of texts for this connector's ``access`` ("duckdb" for Attach and Stream)."""
        return "duckdb"

    @classmethod
    def spans(
        cls, settings: Any, dataset: DatasetRef, rows: int, after: int | None, context: ConnectContext
    ) -> Sequence[Span]:
        """Parts of about ``rows`` rows that together are the dataset (from key ``after`` on), in the order of the key.

        Empty when the dataset has no such key or is too small for parts: then it is read as a whole.
        """
        return ()

    @classmethod
    def read(cls, settings: Any, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext) -> Iterator[Any]:
        """Arrow record batches with exactly ``columns`` in our types (only for Stream)."""
        raise NotImplementedError

    @classmethod
    def run_sql(
        cls, settings: Any, sql: str, context: ConnectContext, values: Mapping[str, str] | None = None
    ) -> Iterator[Any]:
        """Arrow record batches of one read-only SELECT in the source (only for Remote).

        ``values`` are those of the rows that ``give`` has put into words.
        """
        raise NotImplementedError

    @classmethod
    def get_ready(cls, settings: Any, context: ConnectContext) -> None:
        """Open into ``context.kept`` what ``run_sql`` will need, while a target is made ready in another thread."""

    @classmethod
    def work_done(cls, settings: Any, context: ConnectContext) -> AbstractContextManager[Callable[[], int]]:
        """A question to ask now and then: how many transactions or statements the server has done for anybody so far
        (only with the limit ``when_busy``).
        """
        raise NotImplementedError

    @classmethod
    def give(cls, name: str, schema: Schema, rows: Any, compared: Collection[str] = ()) -> Given | None:
        """Rows of another node (an Arrow table with some columns of ``schema``), to be sent along with a statement.

        ``name`` is theirs alone in it; columns that are not there are NULL. ``compared`` are those by which the
        statement matches or groups. None when they cannot be said exactly.
        """
        return None


# ── Outputs ───────────────────────────────────────────────────────────────────────────────────────────────

DeliveryLabel = Literal["exactly_once", "exactly_once_by_recovery", "at_least_once"]
"""What is true of rows written by a run that is interrupted and goes on: each arrives once, by one atomic step of the
target; once, but an interruption at the last moment is mended by the next attempt; or once and perhaps again."""

Mode = Literal["append", "replace", "upsert"]
"""Add rows; put these rows in place of all others; change the rows with the same key and add those with a new one."""


@dataclass(frozen=True)
class Delivery:
    """Who writes: the same (sink, run, task) is one delivery; a higher attempt fences the lower ones."""

    sink: str
    run: str
    task: str
    attempt: int


@dataclass(frozen=True)
class SealedPart:
    """Rows of a delivery that lie durable with the target and are not visible yet."""

    name: str
    rows: int
    size_bytes: int


@dataclass(frozen=True)
class Target:
    """What is written to: a path inside the node, the schema of the rows, the mode (``key``: columns, for upsert)."""

    path: tuple[str, ...]
    schema: Schema
    mode: Mode
    create: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    sealed: tuple[SealedPart, ...] = ()
    """What earlier attempts of the delivery have sealed: the first rows, if the writer still finds all of it."""


@dataclass(frozen=True)
class Committed:
    """A delivery that is durable: rows written by the attempt that won."""

    rows: int
    attempt: int
    size_bytes: int | None = None
    reference: str = ""


class Writer(Protocol):
    """One attempt's staging area. Nothing is visible to readers before ``commit``."""

    def write(self, batch: Any) -> None:
        """Stage one Arrow record batch."""

    def commit(self) -> Committed:
        """Make the staged rows visible, once per delivery, in one atomic step of the target.

        When an earlier attempt has already committed, adopt its result. Raises FencedError when a newer attempt
        has raised the fence.
        """

    def abort(self) -> None:
        """Remove the staging area; safe to call at any time, also after a failed commit."""


class ResumableWriter(Writer, Protocol):
    """A writer whose next attempt need not begin anew."""

    is_resumed: bool
    """All of the target's ``sealed`` parts were found: they belong to this attempt's rows."""

    def seal(self) -> SealedPart | None:
        """Make the rows since the last call durable, so that another attempt can take them over; None without rows."""


class FillingWriter(Writer, Protocol):
    """A writer whose server can make the rows itself."""

    def fill(self, select: str, values: Mapping[str, str]) -> int:
        """Stage the rows of one SELECT over tables of the target's own node; how many they are.

        ``values`` are bound as with ``Connector.run_sql``. Nothing else is written by this attempt.
        """

    def cancel(self) -> None:
        """Ask the server to give up what it is doing; from any thread."""


class Output(ABC):
    """Writes to one kind of node. ``delivery_label`` is the honest promise shown on screen, each output's own."""

    delivery_label: ClassVar[DeliveryLabel]
    modes: ClassVar[Sequence[Mode]] = ("append", "replace")
    resumes: ClassVar[bool] = False
    """``open`` gives a ResumableWriter."""
    fills: ClassVar[bool] = False
    """``open`` gives a FillingWriter."""

    @classmethod
    @abstractmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The result of an earlier attempt of this delivery, if one has committed."""

    @classmethod
    @abstractmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> Writer:
        """Check the target, raise the fence to ``delivery.attempt``, make the staging area."""

    @classmethod
    @abstractmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Remove staging left behind by attempts of this delivery older than ``delivery.attempt``."""
