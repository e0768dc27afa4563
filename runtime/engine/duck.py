"""The only file that knows DuckDB. Two kinds of connection, each with an in-memory database of its own:

*main*: runs a stage's text over Arrow streams and the Parquet files it was opened with; it sees nothing else and no
network. It has no extension but ``spatial``, and that only when the text calls its functions.
*source*: reads one dataset by a connector's statements, then is locked; only the connector's folders stay open.

Every text is checked against DuckDB's own syntax tree before it runs: one SELECT over the given names, nothing else.
(With a scanner extension loaded, ``sqlite_scan`` or ATTACH would reach files and hosts in spite of all locks.)
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from node_catalog.sdk.access import Attach, Through
from node_catalog.sdk.geometry import has_geometry, without_crs
from node_catalog.sdk.sql_node import literal
from node_catalog.sdk.text import text
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError, EngineError, WorkError
from runtime.engine.extensions import has_extension, identity, is_verified, load
from runtime.engine.folders import make_folder
from runtime.engine.given import Values, words_of
from runtime.engine.keeper import KEEPER, Kept
from runtime.engine.one_scan import OneScan
from runtime.engine.scans import SOURCE, Scan, scan_statements
from runtime.engine.streams import Flow
from runtime.engine.text_check import LONGEST, PASSED, Tree, check_tree, names_given
from runtime.engine.texts import Texts
from runtime.engine.translate import memory_error, refused_error, translate
from runtime.engine.work import Limits

SOURCE_MEMORY_SHARE = 0.25
"""Part of the memory limit that each source connection may use (the main one has the limit itself)."""
LEAST_MEMORY_MB = 64

_CLOSED: dict[str, Any] = {
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "python_scan_all_frames": False,
    "enable_object_cache": False,
}


BYTES_STAY_BYTES = "set enable_geoparquet_conversion = false"
"""We read GeoParquet's marks ourselves: one that DuckDB does not like must not close the file."""
ONE_SCAN: dict[str, Any] = {"disabled_optimizers": "window_self_join"}
"""A stream can be scanned once; DuckDB would make a figure over a whole partition a join of the stream with itself."""


class Connection:
    """A locked connection. Not for two threads at once; ``interrupt`` alone may come from any thread."""

    def __init__(
        self,
        raw: duckdb.DuckDBPyConnection,
        cancel: Cancel,
        where: str = "",
        *,
        is_source: bool,
        texts: Texts | None = None,
    ) -> None:
        self._raw = raw
        self._texts = Texts() if texts is None else texts
        self._cancel = cancel
        self._where = where
        self._is_source = is_source
        self._streams: list[OneScan] = []
        self._scans: list[Scan] = []
        self._last: tuple[str, duckdb.Statement] | None = None

    def add_scan(self, scan: Scan) -> None:
        """Make a source readable as its alias, before the connection is locked; raises TextRefusedError."""
        self.check(scan.text, (SOURCE,))
        with self._words():
            for statement in scan_statements(scan, f"source_{len(self._scans)}"):
                self._raw.execute(statement)
        self._scans.append(scan)

    def register(self, name: str, reader: pa.RecordBatchReader, flow: Flow | None = None) -> None:
        """Make a stream readable as ``name``, once: a second scan is an error instead of silently empty.

        ``flow`` is asked for the error itself when the stream breaks.
        """
        stream = OneScan(_native(reader), name, flow)
        with self._words():
            self._raw.register(name, stream)
        self._streams.append(stream)

    def forget(self, name: str) -> None:
        """Let go of a stream that was registered: another one may take its name."""
        with self._words():
            self._raw.unregister(name)
        self._streams = [stream for stream in self._streams if stream.name != name]

    def forget_streams(self) -> None:
        """Nothing of this work is left for the next one that uses the connection."""
        for stream in tuple(self._streams):
            self.forget(stream.name)

    def check(self, sql: str, relations: Collection[str]) -> Tree:
        """The syntax tree of ``sql`` when it is one SELECT over ``relations``; raises TextRefusedError."""
        if "\x00" in sql:
            raise refused_error("a NUL character", self._where)
        asked = (sql, frozenset(relations))
        tree = PASSED.find(asked)
        if tree is None:
            with self._words():
                row = self._raw.execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()[0]
            tree = check_tree(str(row[0]), relations, self._where)
            if len(sql) <= LONGEST:
                PASSED.keep(asked, tree)
        return tree

    @contextmanager
    def run(
        self, sql: str, relations: Collection[str], batch_rows: int, values: Values | None = None
    ) -> Iterator[Rows]:
        """Check and run a text, with ``values`` for the names in it; its rows in batches of about ``batch_rows``,
        streamed.

        Errors of the text are told in words; the cause inside a registered stream wins over DuckDB's remark.
        """
        tree = self.check(sql, relations)
        given = words_of(names_given(tree), values, self._where) if values else None
        with self._cancel.interrupts(self._raw.interrupt):
            with self._words():
                reader = self._raw.execute(sql, given).to_arrow_reader(batch_rows)
            yield Rows(reader, self._words)

    @contextmanager
    def run_there(self, access: Through, sql: str, batch_rows: int) -> Iterator[Rows]:
        """Run a text of our planner's (never a user's own) in the attached source; its rows as ``run`` gives them."""
        if "\x00" in sql:
            raise refused_error("a NUL character", self._where)
        text_there = literal(f"{access.before}{sql}{access.after}")
        with self._cancel.interrupts(self._raw.interrupt):
            with self._words():
                query = f"select * from {access.function}('node', {text_there})"
                reader = self._raw.execute(query).to_arrow_reader(batch_rows)
            yield Rows(reader, self._words)

    def prepare(self, sql: str, inputs: Mapping[str, pa.Schema]) -> bool:
        """Check a text and make it ready to ``run_again`` over streams with these columns. False: there is no room."""
        texts = self._texts
        if sql in texts:
            return True
        if not texts.has_room(inputs):
            return False
        names = names_given(self.check(sql, inputs))
        with self._words():
            for feed in texts.new_feeds(inputs):
                self._raw.register(feed.name, feed)
            self._raw.execute(f"prepare {texts.next_name()} as {sql}")
        texts.add(sql, names)
        return True

    @contextmanager
    def run_again(
        self,
        sql: str,
        streams: Iterable[tuple[str, pa.RecordBatchReader, Flow]],
        cancel: Cancel,
        batch_rows: int,
        values: Values | None = None,
    ) -> Iterator[Rows]:
        """Run a prepared text over new streams, one for each of its inputs; its rows as ``run`` gives them."""
        self._cancel = cancel
        feeds = self._texts.feeds
        self._streams = [feeds[name].give(reader, flow) for name, reader, flow in streams]
        try:
            with cancel.interrupts(self._raw.interrupt):
                with self._words():
                    query = self._texts.execution(sql, values, self._where)
                    reader = self._raw.execute(query).to_arrow_reader(batch_rows)
                yield Rows(reader, self._words)
        finally:
            for stream in self._streams:
                feeds[stream.name].clear()
            self._streams = []

    def few_again(self, sql: str, cancel: Cancel, most: int, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Run a prepared text that has no inputs; its first rows as Python values."""
        self._cancel = cancel
        with cancel.interrupts(self._raw.interrupt), self._words():
            query = self._texts.execution(sql, values, self._where)
            rows: list[tuple[Any, ...]] = self._raw.execute(self._parsed(query)).fetchmany(most)
        return rows

    def _parsed(self, query: str) -> duckdb.Statement:
        """One of our own statements as DuckDB has parsed it. The last one is kept: a third of running it is that."""
        if self._last is None or self._last[0] != query:
            (statement,) = self._raw.extract_statements(query)
            self._last = query, statement
        return self._last[1]

    def script(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement of our own (never one with a user's words in it) and fetch all its rows."""
        with self._words(), self._cancel.interrupts(self._raw.interrupt):
            return self._raw.execute(sql).fetchall()

    def operators(self) -> dict[str, Any]:
        """The profile of the statement that ran last: a tree of operators with their row counts; {} without one.

        Ask before anything else runs here (``check`` runs a statement, too).
        """
        try:
            profile: dict[str, Any] = json.loads(self._raw.get_profiling_information(format="json"))
        except (duckdb.Error, ValueError):
            return {}
        return profile

    def share(self) -> float | None:
        """How far the statement at work is by the engine's own account, from 0 to 1; None when it cannot tell.

        Only where the connection scans its sources itself. From any thread.
        """
        percent = float(self._raw.query_progress())
        return None if percent < 0 else min(percent / 100, 1.0)

    def interrupt(self) -> None:
        """Make what runs here stop soon; from any thread."""
        self._raw.interrupt()

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            self._cancel.check()
            for stream in self._streams:
                if stream.flow is not None and stream.flow.failure is not None:
                    raise stream.flow.failure from None
            raise self._cause(error) from error
        except MemoryError as error:
            self._cancel.check()
            raise memory_error(self._where) from error

    def _cause(self, error: Exception) -> EngineError:
        for stream in self._streams:
            if stream.is_scanned_twice:
                return _scanned_twice(stream.name, self._where)
        message = str(error)
        if isinstance(error, pa.ArrowMemoryError | duckdb.OutOfMemoryException):
            return memory_error(self._where, message.split("\n")[0])
        if isinstance(error, duckdb.InterruptException) and not self._is_source:
            return CancelledError(where=self._where)
        is_file = bool(self._scans) and message.startswith(("IO Error", "Invalid Input Error: File"))
        return translate(message, self._where, source=self._is_source or is_file)


class Rows:
    """The rows of a running text: iterate over its batches, once."""

    def __init__(self, reader: pa.RecordBatchReader, words: Callable[[], AbstractContextManager[None]]) -> None:
        self._reader = reader
        self._words = words
        self.schema: pa.Schema = reader.schema
        """The columns as the engine itself has typed them."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while True:
            with self._words():
                try:
                    batch = self._reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    def read_all(self) -> pa.Table:
        """All rows that are left."""
        return pa.Table.from_batches(list(self), self._reader.schema)


@contextmanager
def open_main(
    limits: Limits,
    cancel: Cancel,
    *,
    ordered: bool = False,
    where: str = "",
    scans: Sequence[Scan] = (),
    extensions: Sequence[str] = (),
    is_profiled: bool = True,
    again: str = "",
) -> Iterator[Connection]:
    """A connection for a stage's own text: spills to ``limits.temp_folder``, reaches nothing but ``scans``.

    ``extensions`` bring functions; whatever in them reads files or hosts is refused by ``check`` all the same.
    ``is_profiled``: somebody asks for its ``operators`` (a statement of few rows takes a sixth longer). ``again``: the
    works with this word find what an earlier one has prepared there.
    """
    are_verified = all(map(is_verified, extensions))
    key = None if scans else ("main", _bounds(limits), ordered, tuple(extensions), is_profiled, again)
    with _kept(key, limits, limits.memory_mb, ordered, are_verified=are_verified) as (kept, raw, is_new):
        if again and is_new:
            kept.texts = Texts()
        connection = Connection(raw, cancel, where, is_source=False, texts=kept.texts)
        if is_new:
            with connection._words():
                for extension in extensions:
                    load(raw, extension)
            _shut(raw, sorted({folder for scan in scans for folder in scan.attach.folders}))
            for scan in scans:
                connection.add_scan(scan)
            if is_profiled:
                raw.execute("pragma enable_profiling = 'no_output'")
            if scans:
                raw.execute("set enable_progress_bar = true")
                raw.execute("set enable_progress_bar_print = false")
            _lock(raw, limits.time_zone, is_shut=True)
        yield connection
        connection.forget_streams()


@contextmanager
def open_standing(
    limits: Limits, sql: str, inputs: Mapping[str, pa.Schema], *, ordered: bool = False, where: str = ""
) -> Iterator[Connection]:
    """A connection of its own in which one text is prepared, to run again and again; it reaches nothing else."""
    with _kept(None, limits, limits.memory_mb, ordered) as (_, raw, _):
        connection = Connection(raw, Cancel(), where, is_source=False)
        with connection._words():
            _shut(raw)
            _lock(raw, limits.time_zone, is_shut=True)
        connection.prepare(sql, inputs)
        yield connection


@contextmanager
def open_source(
    limits: Limits, cancel: Cancel, attach: Attach | Through | None = None, *, where: str = ""
) -> Iterator[Connection]:
    """A connection that reads one dataset: by ``attach``'s statements, or over a stream registered as ``src``."""
    memory_mb = max(LEAST_MEMORY_MB, int(limits.memory_mb * SOURCE_MEMORY_SHARE))
    extensions = attach.extensions if attach else ()
    is_light = isinstance(attach, Attach) and attach.is_light
    is_kept = attach is not None and KEEPER.may_keep(is_light=is_light)
    key = ("source", _bounds(limits), memory_mb, attach, _seen(attach)) if is_kept else None
    are_verified = all(map(is_verified, extensions))
    with _kept(key, limits, memory_mb, ordered=True, are_verified=are_verified) as (_, raw, is_new):
        connection = Connection(raw, cancel, where, is_source=True)
        if is_new:
            with connection._words(), cancel.interrupts(raw.interrupt):
                for extension in extensions:
                    load(raw, extension)
                if isinstance(attach, Attach):
                    _shut(raw, attach.folders, attach.files)
                for statement in attach.statements if attach else ():
                    raw.execute(statement)
                _lock(raw, is_shut=isinstance(attach, Attach))
        yield connection
        connection.forget_streams()


def _seen(attach: Attach | Through | None) -> tuple[Any, ...]:
    """The files behind a source: one that is put in another's place has another number."""
    files = attach.files if isinstance(attach, Attach) else ()
    return tuple(identity(file)[:2] for file in files if os.path.exists(file))


def _bounds(limits: Limits) -> Limits:
    """What a connection is opened with, but for the folder into which it may spill."""
    return msgspec.structs.replace(limits, temp_folder="")


@contextmanager
def _kept(
    key: Hashable | None, limits: Limits, memory_mb: int, ordered: bool, *, are_verified: bool = False
) -> Iterator[tuple[Kept, duckdb.DuckDBPyConnection, bool]]:
    """A connection that an earlier work has left for the same ``key``, or a new one (True)."""
    found = KEEPER.take(key) if key is not None else None
    if found is None:
        spill = _spill_folder(limits)
        raw = _connect(limits, memory_mb, ordered, spill, are_verified=are_verified)
        has_source = isinstance(key, tuple) and key[0] == "source"
        kept, is_new = Kept(raw, key, spill if key is not None else "", has_source), True
    else:
        kept, raw, is_new = found, found.raw, False  # type: ignore[assignment]
    try:
        yield kept, raw, is_new
    except BaseException:
        kept.drop()
        raise
    if key is None:
        kept.drop()
    else:
        KEEPER.give(kept)


def _connect(
    limits: Limits, memory_mb: int, ordered: bool, spill: str, *, are_verified: bool = False
) -> duckdb.DuckDBPyConnection:
    """``are_verified``: every extension to be loaded has passed DuckDB's check of signatures in this process."""
    raw = duckdb.connect(
        ":memory:",
        config={
            **_CLOSED,
            **ONE_SCAN,
            "allow_unsigned_extensions": are_verified,
            "memory_limit": f"{memory_mb}MiB",
            "threads": max(1, limits.threads),
            "temp_directory": spill,
            "preserve_insertion_order": ordered,
        },
    )
    raw.execute(BYTES_STAY_BYTES)
    return raw


def _spill_folder(limits: Limits) -> str:
    """A folder of its own for each database: two in one folder would write the same file names."""
    if not limits.temp_folder:
        return ""
    make_folder(limits.temp_folder)
    return os.path.join(limits.temp_folder, f"spill-{os.getpid()}-{next(_numbers)}")


_numbers = itertools.count(1)


def _shut(raw: duckdb.DuckDBPyConnection, folders: Sequence[str] = (), files: Sequence[str] = ()) -> None:
    """Close files and network but for these: before a source's own views are bound, so that none looks elsewhere."""
    for setting, allowed in (("allowed_directories", folders), ("allowed_paths", files)):
        if allowed:
            raw.execute(f"set {setting} = [{', '.join(map(literal, allowed))}]")
    raw.execute("set enable_external_access = false")


def _lock(raw: duckdb.DuckDBPyConnection, time_zone: str = "UTC", *, is_shut: bool) -> None:
    raw.execute(f"set TimeZone = {literal(time_zone)}")
    if not is_shut:
        _shut(raw)
    raw.execute("set lock_configuration = true")


def _native(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The reader as DuckDB takes it: its geometries become GEOMETRY, all of one kind (see ``without_crs``)."""
    if not has_geometry(reader.schema):
        return reader
    schema = without_crs(reader.schema)
    marked = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
    return pa.RecordBatchReader.from_batches(schema, marked)


def _scanned_twice(name: str, where: str) -> WorkError:
    return WorkError(
        "engine.scanned_twice",
        text(
            f'The plan reads the input "{name}" twice in one stage. Please report it together with the run\'s number.',
            f"计划在同一阶段中两次读取输入“{name}”。请连同运行编号一起反馈。",
        ),
        where,
    )


def warm_up() -> None:
    """Pay DuckDB's first-time costs (its functions, its Arrow bridge) before a work is waiting."""
    limits = Limits(memory_mb=LEAST_MEMORY_MB, threads=1)
    with open_main(limits, Cancel()) as connection, connection.run("select 1 as one", (), 1024) as reader:
        reader.read_all()
    for extension in filter(has_extension, _USUAL):
        raw = _connect(limits, LEAST_MEMORY_MB, ordered=True, spill="")
        try:
            load(raw, extension)
        finally:
            raw.close()


_USUAL = ("sqlite_scanner",)
"""Extensions that every installation uses: their signatures are checked before a work is waiting."""
