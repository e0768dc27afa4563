"""The only file that knows Spark: a session of a Spark Connect server that does one stage.

What a stage reads becomes temporary views of the session: files of ours that the server can read, or, where it shares
no storage with us, rows sent along in bounded messages. Its rows come back as Arrow batches, no faster than they are
taken. The session runs in ANSI mode, in UTC, with case-sensitive names; ``flows.graph.same_on_spark`` relies on that.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.ports import Schema, to_arrow
from runtime.engine.cancel import Cancel
from runtime.engine.cluster_errors import cluster_error, no_client, not_reachable, too_much_to_send
from runtime.engine.cluster_files import SharedFiles
from runtime.engine.no_pandas import let_in
from runtime.engine.work import ClusterSpec
from security.outgoing import OutgoingGuard

MESSAGE_BYTES = 8 << 20
"""Arrow bytes of rows that one message carries."""
MOST_SENT = 64 << 20
"""Most bytes that are sent along: the server keeps them in its own memory."""
PORT = 15002
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.caseSensitive": "true",
}


class ClusterSession:
    """One stage's session. Not for two threads at once; ``interrupt`` alone may come from any thread."""

    def __init__(self, spark: Any, spec: ClusterSpec, cancel: Cancel, where: str) -> None:
        self._spark, self._cancel, self._where = spark, cancel, where
        self._files = SharedFiles(spec) if spec.root_there else None
        self._host = host_of(spec.url)

    def give(self, name: str, batches: Iterable[pa.RecordBatch], schema: Schema) -> None:
        """Make all rows of a stream readable as ``name``."""
        if self._files is not None:
            address = self._files.write(name, batches, schema)
            with self._words():
                self._spark.read.parquet(address).createOrReplaceTempView(name)
        else:
            self._send(name, batches, schema)

    def give_file(self, name: str, path: str, columns: Iterable[str]) -> bool:
        """Make a file of ours readable as ``name`` without copying it; False where the server cannot read it."""
        address = self._files.address(path) if self._files is not None else None
        if address is None:
            return False
        with self._words():
            found = self._spark.read.parquet(address).select(*map(quoted, columns))
            found.createOrReplaceTempView(name)
        return True

    def _send(self, name: str, batches: Iterable[pa.RecordBatch], schema: Schema) -> None:
        sent, parts = 0, 0
        for table in _tables(batches, to_arrow(schema)):
            sent += table.nbytes
            if sent > MOST_SENT:
                raise too_much_to_send(MOST_SENT, self._where)
            failpoint("engine.cluster_rows")
            with self._words():
                self._frame(table).createOrReplaceTempView(f"{name}__{parts}")
            parts += 1
        union = " UNION ALL ".join(f"SELECT * FROM {quoted(f'{name}__{part}')}" for part in range(parts))
        with self._words():
            self._spark.sql(union).createOrReplaceTempView(name)

    def _frame(self, table: pa.Table) -> Any:
        """The client takes the types from the rows, unless there are none."""
        from pyspark.sql.pandas.types import from_arrow_schema

        if table.num_rows:
            return self._spark.createDataFrame(table)
        return self._spark.createDataFrame([], from_arrow_schema(table.schema, prefer_timestamp_ntz=True))

    @contextmanager
    def run(self, sql: str) -> Iterator[Iterator[pa.RecordBatch]]:
        """The rows of a SELECT, streamed. Raises the errors of ``cluster_errors``."""
        with self._cancel.interrupts(self.interrupt):
            with self._words():
                found = self._spark.sql(sql)
                plan = found._plan.to_proto(self._spark.client)
                answers = self._spark.client.to_table_as_iterator(plan, {})
            try:
                yield self._batches(answers)
            finally:
                with contextlib.suppress(Exception):
                    answers.close()

    def _batches(self, answers: Iterator[Any]) -> Iterator[pa.RecordBatch]:
        while True:
            with self._words():
                answer = next(answers, None)
            if answer is None:
                return
            failpoint("engine.cluster_batch")
            if isinstance(answer, pa.Table):
                yield from answer.to_batches()

    def interrupt(self) -> None:
        """Make what runs there stop soon."""
        with contextlib.suppress(Exception):
            self._spark.interruptAll()

    def close(self) -> None:
        """Forget the session and its views, and remove the files that it read."""
        with contextlib.suppress(Exception):
            self._spark.stop()
        if self._files is not None:
            self._files.remove()

    @contextmanager
    def _words(self) -> Iterator[None]:
        from grpc import RpcError
        from pyspark.errors import PySparkException

        try:
            yield
        except (PySparkException, RpcError) as error:
            self._cancel.check()
            raise cluster_error(type(error).__name__, str(error), self._host, self._where) from error


@contextmanager
def open_cluster(
    spec: ClusterSpec, cancel: Cancel, where: str = "", connect_seconds: float = 5.0
) -> Iterator[ClusterSession]:
    """A session of its own on the cluster. Raises ClusterFailedError, to be tried again, when it cannot be reached."""
    let_in()
    try:
        from pyspark.sql.connect.client.retries import DefaultPolicy
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise no_client(where, str(error)) from error
    _knock(spec.url, connect_seconds, where)
    failpoint("engine.cluster_open")
    spark: Any = SparkSession(connection=spec.url)
    spark.client.set_retry_policies([DefaultPolicy(max_retries=4, initial_backoff=200, max_backoff=2_000)])
    session = ClusterSession(spark, spec, cancel, where)
    try:
        with cancel.interrupts(session.interrupt), session._words():
            for name, value in _SETTINGS.items():
                spark.conf.set(name, value)
        yield session
    finally:
        session.close()


def quoted(name: str) -> str:
    """A name as a Spark identifier."""
    return "`" + name.replace("`", "``") + "`"


def host_of(url: str) -> str:
    """Host and port of a server's address: what may be shown of it, since the rest can hold a token."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or PORT}"


def _knock(url: str, seconds: float, where: str) -> None:
    """See whether somebody listens: the client itself would try for minutes."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORT
    guard = OutgoingGuard((f"0.0.0.0/0:{port}", f"[::/0]:{port}"))  # named by whoever starts the studio
    try:
        socket.create_connection((guard.resolve(host, port), port), seconds).close()
    except OSError as error:
        raise not_reachable(host_of(url), where, str(error)) from error


def _tables(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Rows in portions that fit into a message; one empty portion when there are none."""
    held: list[pa.RecordBatch] = []
    size, is_empty = 0, True
    for batch in batches:
        rows = max(1, batch.num_rows * MESSAGE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, rows):
            part = batch.slice(start, rows)
            held.append(part)
            size += part.nbytes
            if size >= MESSAGE_BYTES:
                yield pa.Table.from_batches(held, schema)
                held, size, is_empty = [], 0, False
    if held or is_empty:
        yield pa.Table.from_batches(held, schema)
