"""What the engine is asked to do and what it answers: plain structs that travel over a pipe.

A *work* is complete in itself: a child process needs nothing else, no database and no plan store. Settings in it
are unsealed, so a work is never stored or logged.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from flows.graph.plan import Binding, SourceRead, Stage
from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.contract import Check, Delivery, DiscoveredDataset, Mode, SealedPart
from node_catalog.sdk.ports import Schema

MEBIBYTE = 1024 * 1024

Counted = Literal["live", "at_end", "pushed", "unknown"]
"""How a step's rows were counted: in the stream, when the stage ended, not at all because the source did the step."""

Form = Literal["arrow", "json"]
"""How rows go back to who asked."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece of work may use. Folders are absolute; ``memory_mb`` is the engine's own limit."""

    memory_mb: int = 1024
    threads: int = 2
    temp_folder: str = ""
    """Where the engine spills; empty: it may not spill."""
    file_roots: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()
    openings: tuple[tuple[str, str], ...] = ()
    """(node type, network): what administrators opened for one node type, or with "" for all."""
    statement_seconds: float = 600.0
    most_seconds: float = 0.0
    """No statement may take longer, whatever its node allows; 0: that decides."""
    connect_seconds: float = 5.0
    batch_rows: int = 65536
    span_rows: int = 2_000_000
    """A long read is cut into parts of about so many rows, each of which is kept when the work breaks off."""
    time_zone: str = "UTC"
    """Whose midnight ``today()`` means; data keep their times as they are."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a work may ask of a node (``node_catalog.sdk.load_limits``)."""

    node: str
    reads: int = 0
    """Connections that it may read over at once; 0: any number."""
    rows_per_second: int = 0
    requests_per_second: float = 0.0
    readers: int = 1
    """Works that share these two, itself among them."""
    statement_seconds: float = 0.0
    """0: as with all."""
    yields: bool = False
    """It rests while the node's own users are at work."""


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows behind one binding are reached (``alias`` is the binding's)."""

    alias: str
    kind: Literal["dataset", "exchange", "given", "iterations"] = "dataset"
    connector: str = ""
    settings: dict[str, Any] = {}
    path: tuple[str, ...] = ()
    schema: Schema = Schema()
    """The dataset's full schema as the catalogue promises it."""
    dataset_settings: dict[str, Any] = {}
    load: Load | None = None
    compared: tuple[str, ...] = ()
    """Columns whose values the source tells apart (see ``SourceRead``)."""
    bounds: tuple[Bound, ...] = ()
    """Likewise: rows that it may leave out."""
    exchange_path: str = ""
    """For all kinds but ``dataset``: a Parquet file of ours. For ``iterations`` it holds the items."""
    skip: int = 0
    take: int | None = None
    """For ``given``: which rows of the file."""
    parts: tuple[tuple[int, str], ...] = ()
    """For ``iterations``: the item's number and the file of each."""
    keys: tuple[str, ...] = ()
    """For ``iterations``: columns of the item that stand before its rows."""


def source_alias(binding: Binding, read: SourceRead) -> str:
    """The alias of the SourceSpec of one dataset of a binding: the binding's own for the first."""
    return binding.alias if read == binding.reads[0] else f"{binding.alias}.{read.name}"


class DeliverySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes: the same (sink, run, task) is one delivery; a higher attempt fences the lower ones."""

    sink: str
    run: str
    task: str
    attempt: int = 1

    def delivery(self) -> Delivery:
        return Delivery(sink=self.sink, run=self.run, task=self.task, attempt=self.attempt)


class SinkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stage's rows go: a file of ours (``path``), a node's target, or back to the caller.

    ``collect``: the first ``limit`` rows, with statistics. ``return``: all rows, of which there must not be more than
    ``limit``, nor more than ``most_bytes`` of Arrow.
    """

    kind: Literal["result", "exchange", "write", "collect", "return"]
    path: str = ""
    is_synced: bool = True
    """A file is durable when the work is done. False: whoever asked makes it durable before anybody is told, and wants
    no reports of a work that is over in a moment."""
    connector: str = ""
    settings: dict[str, Any] = {}
    target_path: tuple[str, ...] = ()
    target_settings: dict[str, Any] = {}
    mode: Mode = "append"
    create: bool = False
    key: tuple[str, ...] = ()
    delivery: DeliverySpec | None = None
    limit: int = 100
    most_bytes: int = 16 * MEBIBYTE
    form: Form = "arrow"
    """For ``return``: an Arrow stream, or ``"columns": […], "rows": [{…}], "count": n`` of a JSON object."""
    statistics: bool = True
    """For ``collect``: also the statistics of every column over all rows seen."""


def outlet_path(path: str, port: str) -> str:
    """The file of one outlet of a stage that hands on several kinds of rows to ``path``."""
    return f"{path.removesuffix('.parquet')}.{port}.parquet"


class BucketSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket that a cluster shares with us, and who asks."""

    endpoint: str
    bucket: str
    prefix: str
    access_key: str
    secret_key: str
    region: str
    path_style: bool


class ClusterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster that does a stage, and where rows are left for it."""

    url: str
    """``sc://host:port``, perhaps with a token: never shown."""
    root: str = ""
    """The folder of rows on this machine, or the one whose files go into ``bucket``."""
    root_there: str = ""
    """What the cluster calls it; empty: it cannot read there, and rows are sent along."""
    folder: str = ""
    """The attempt's own folder below both."""
    bucket: BucketSpec | None = None


class StageWork(msgspec.Struct, frozen=True, kw_only=True, tag="stage"):
    """Run one stage of a plan. → StageOutcome"""

    stage: Stage
    sources: tuple[SourceSpec, ...]
    sink: SinkSpec
    limits: Limits = Limits()
    sealed: tuple[Sealed, ...] = ()
    """What earlier attempts have told."""
    instead: StageWork | None = None
    """What is done when the stage would send too many rows from node to node: its own ``instead``."""
    cluster: ClusterSpec | None = None
    """For a stage whose engine is not ours."""
    keep: str = ""
    """Works with the same word may use each other's open connections (``runtime.engine.keeper``)."""
    values: dict[str, tuple[str, str]] = {}
    """Values that the stage's text is given when it runs (``flows.graph.given_values``)."""
    keeps_all: bool = False
    """Also those that lock something in a source, since the next work of this word follows at once."""


class PackedWork(msgspec.Struct, frozen=True, kw_only=True, tag="packed"):
    """A stage work that comes again and again, encoded once: a child keeps what it has unpacked. → StageOutcome"""

    work: bytes
    values: dict[str, tuple[str, str]] = {}
    """The values of this time: the text stays the same."""


class ProfileWork(msgspec.Struct, frozen=True, kw_only=True, tag="profile"):
    """Profile what ``binding`` reads, in one scan. → ProfileOutcome"""

    binding: Binding
    source: SourceSpec
    limits: Limits = Limits()
    sample_rows: int = 100_000


class ScanItem(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset of a scan; ``key`` is the asker's name for it."""

    key: str
    binding: Binding
    source: SourceSpec


class ScanWork(msgspec.Struct, frozen=True, kw_only=True, tag="scan"):
    """Profile several datasets of one node, one after the other over the same connections; each is told when it is
    done (``ScannedItem``). → ScanOutcome
    """

    items: tuple[ScanItem, ...]
    limits: Limits = Limits()
    sample_rows: int = 100_000


class DiscoverWork(msgspec.Struct, frozen=True, kw_only=True, tag="discover"):
    """Walk what a node offers, telling it in portions (``FoundDatasets``). → DiscoverOutcome

    ``known``: corrected dataset settings, which win over inference. ``described``: paths that are not told again.
    """

    connector: str
    settings: dict[str, Any]
    known: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = ()
    described: tuple[tuple[str, ...], ...] = ()
    limits: Limits = Limits()
    load: Load | None = None


class CheckWork(msgspec.Struct, frozen=True, kw_only=True, tag="check"):
    """Try to connect to a node. → CheckOutcome"""

    connector: str
    settings: dict[str, Any]
    limits: Limits = Limits()
    load: Load | None = None
    replica: dict[str, Any] | None = None
    """The settings with the address of its replica, which is tried as well."""


Work = StageWork | PackedWork | ProfileWork | ScanWork | DiscoverWork | CheckWork


def rated_nodes(work: Work) -> frozenset[str]:
    """The nodes of a work that may only be read so fast."""
    if isinstance(work, PackedWork):
        return frozenset()
    if isinstance(work, StageWork):
        loads = [spec.load for spec in work.sources]
    elif isinstance(work, ProfileWork):
        loads = [work.source.load]
    elif isinstance(work, ScanWork):
        loads = [item.source.load for item in work.items]
    else:
        loads = [work.load]
    return frozenset(load.node for load in loads if load and (load.rows_per_second or load.requests_per_second))


class ProfileOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="profile_done"):
    """A dataset's profile: ``columns`` maps each column to its statistics (see runtime.engine.profile)."""

    rows: int
    columns: dict[str, dict[str, Any]]
    sample_rows: int
    """Rows in the random sample behind what is marked ``approximate``; equal to ``rows`` when all were looked at."""
    seconds: float = 0.0


class ScannedItem(msgspec.Struct, frozen=True, kw_only=True, tag="scanned"):
    """A dataset of a scan that is done: its profile, or the problem (as ``errors.problem_of`` gives it)."""

    key: str
    profile: ProfileOutcome | None = None
    problem: dict[str, Any] | None = None


class FoundDatasets(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """A portion of what a discovery has found."""

    datasets: tuple[DiscoveredDataset, ...]


class Sealed(msgspec.Struct, frozen=True, kw_only=True, tag="sealed"):
    """All rows with keys below ``high`` lie durable with the target, the last of them in ``part`` (None: none came)."""

    high: int
    part: SealedPart | None = None
    is_first: bool = False
    """Nothing told before counts any more: this attempt has begun anew."""


Part = ScannedItem | FoundDatasets | Sealed
"""A part of a work's outcome that is kept at once: when the work breaks off, the next attempt need not do it again."""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report"):
    """What a running work says on the way: at most about four a second (and its ``part``s), never a row.

    ``counts`` are rows so far, by step (``""`` never occurs), for a step with several out ports also by
    ``step.port``; a discovery counts ``datasets``. ``sizes`` are the Arrow bytes of those rows that passed as batches,
    ``seconds`` for how long a step was at work itself: a source was waited for, a sink was writing. ``shares`` say how
    far the engine is (0 to 1, its own account) with steps whose rows can be counted at the end only.
    ``phase`` is one of starting, reading, writing, committing, done.
    """

    kind: Literal["progress", "log", "part"] = "progress"
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    seconds: dict[str, float] = {}
    shares: dict[str, float] = {}
    phase: str = ""
    bytes: int = 0
    level: Literal["info", "warning", "error"] = "info"
    message: dict[str, str] = {}
    step: str = ""
    part: Part | None = None


class StageOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="stage_done"):
    """A stage that is done. Every number in ``counts`` is exact unless the step is named in ``inexact``.

    ``rows_sample`` (only ``collect``): ``{"columns": [{name, type}], "rows": [[…]], "statistics": {column: {…}},
    "rows_total_seen": n, "truncated": bool}``. ``reference`` is the file or the target's own reference.
    """

    rows: int
    size_bytes: int | None = None
    counts: dict[str, int] = {}
    counted: dict[str, Counted] = {}
    inexact: tuple[str, ...] = ()
    sizes: dict[str, int] = {}
    step_seconds: dict[str, float] = {}
    """As in a Report; of a step inside of the engine its operator's time over all threads, when that is certain."""
    reference: str = ""
    seconds: float = 0.0
    rows_sample: dict[str, Any] | None = None
    answer: bytes = b""
    """All rows in the form that the sink names (only ``return``)."""
    adopted: bool = False
    """The rows had already been delivered by an earlier attempt: nothing was read or written now."""
    attempt: int = 0
    """The attempt whose delivery counts."""
    delivery_label: str = ""
    """What the output promises of the rows it has taken (a DeliveryLabel); empty for files of ours."""
    bytes_read: int = 0
    memory_bytes: int = 0
    """Highest resident memory of the process that did it."""
    verdict: dict[str, Any] = {}
    """Of a stage that ends in a step that judges: ``report`` (JSON) and ``taken`` (out ports, None: all)."""
    columns: Schema | None = None
    """The columns of the result, when only the data knew them."""

    @property
    def exact(self) -> bool:
        return not self.inexact


class ScanOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="scan_done"):
    """All datasets of a scan have been told."""

    seconds: float = 0.0


class DiscoverOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="discover_done"):
    """The walk came to its end: ``datasets`` have been told."""

    datasets: int
    seconds: float = 0.0


class CheckOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="check_done"):
    """What a connection test found; an unreachable system is an answer here, no error."""

    check: Check
    seconds: float = 0.0


Outcome = StageOutcome | ProfileOutcome | ScanOutcome | DiscoverOutcome | CheckOutcome
