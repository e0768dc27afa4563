"""Rows that go back to who asked, whole or not at all: gathered in memory within bounds, as Arrow or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from node_catalog.sdk.contract import Committed
from node_catalog.sdk.ports import to_arrow
from node_catalog.sdk.text import text
from runtime.engine.errors import TooMuchError
from runtime.engine.plain import columns_of, in_words, rows_of
from runtime.engine.work import MEBIBYTE, StageWork

WHOLE = 2**31
"""Characters of a text: nothing is cut in an answer to a program."""


class ReturnSink:
    """Holds all rows of a stage until it is done. Raises TooMuchError beyond the bounds of the work's sink."""

    def __init__(self, work: StageWork) -> None:
        self._schema = to_arrow(work.stage.schema)
        self._limit, self._most_bytes = work.sink.limit, work.sink.most_bytes
        self._form = work.sink.form
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self.answer = b""
        """The rows in the form that was asked for, once committed."""

    def write(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows > self._limit:
            raise _too_much(f"{self._limit} rows", f"{self._limit} 行")
        if self._bytes > self._most_bytes:
            raise _too_much(f"{self._most_bytes // MEBIBYTE} MiB", f"{self._most_bytes // MEBIBYTE} MiB")
        self._batches.append(batch)

    def commit(self) -> Committed:
        self.answer = self._as_json() if self._form == "json" else self._as_arrow()
        return Committed(self._rows, 0, self._bytes)

    def abort(self) -> None:
        self._batches.clear()

    def _as_arrow(self) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as writer:
            for batch in self._batches:
                writer.write_batch(batch)
        return bytes(sink.getvalue().to_pybytes())

    def _as_json(self) -> bytes:
        rows = (row for batch in self._batches for row in rows_of(in_words(batch), WHOLE))
        return as_json(columns_of(self._schema), rows)


def as_json(columns: Sequence[dict[str, str]], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of plain values, without the braces around: who answers has more to say in the same object."""
    names = [column["name"] for column in columns]
    named = [dict(zip(names, row)) for row in rows]
    return msgspec.json.encode({"columns": columns, "rows": named, "count": len(named)})[1:-1]


def _too_much(most: str, most_zh: str) -> TooMuchError:
    return TooMuchError(
        "call.too_much",
        text(
            f"The flow gives more than {most}, which is the most that one answer may hold. Filter or limit its "
            "rows, or start a run instead and fetch its result.",
            f"流程的结果超过 {most_zh}，超出一次调用的上限。请筛选或限制行数，或改为启动一次运行再读取结果。",
        ),
    )
