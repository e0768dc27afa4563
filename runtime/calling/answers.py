"""The rows of a call as JSON, CSV or Arrow, as the caller's Accept header asks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa

from runtime.calling.call_flow import Called
from runtime.engine.plain import columns_of, rows_of
from runtime.results import csv_text, in_words

JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
WHOLE = 2**31
"""Characters of a text: nothing is cut in an answer to a program."""


def chosen(accept: str) -> str | None:
    """The first form in an Accept header that there is; JSON when anything will do, None when nothing fits."""
    for part in accept.split(","):
        name = part.partition(";")[0].strip().lower()
        if name in _FORMS:
            return name
        if name in ("", "*/*", "application/*"):
            return JSON
    return None


def body_of(called: Called, form: str) -> bytes:
    """The answer's body."""
    return _FORMS[form](called)


def _json(called: Called) -> bytes:
    batches = [in_words(batch) for batch in called.table.to_batches()]
    names = called.table.schema.names
    rows = [dict(zip(names, row)) for batch in batches for row in rows_of(batch, WHOLE)]
    return msgspec.json.encode(
        {
            "columns": columns_of(called.table.schema),
            "rows": rows,
            "count": len(rows),
            "seconds": round(called.seconds, 4),
            "durable": False,
        }
    )


def _csv(called: Called) -> bytes:
    return csv_text(called.table)


def _arrow(called: Called) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, called.table.schema) as writer:
        writer.write_table(called.table)
    return bytes(sink.getvalue().to_pybytes())


_FORMS: dict[str, Callable[[Called], bytes]] = {JSON: _json, CSV: _csv, ARROW: _arrow}
