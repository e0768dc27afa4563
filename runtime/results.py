"""Results for people: opened only under today's rights, paged, and downloaded as CSV or Parquet.

The web process reads Parquet with pyarrow; it never loads the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from flows.graph.plan import Plan
from node_catalog.sdk.text import text
from runtime.engine.errors import PageError
from runtime.engine.plain import in_words
from runtime.engine.results import parquet_of, read_page
from runtime.errors import ResultGoneError, RunError
from runtime.guarding import policy_of, require_open
from runtime.models import Result
from runtime.places import StoredFile, is_there
from security.access import Principal

MARK = "\ufeff"
"""Lets spreadsheet programs read the file as UTF-8."""
FORMULA = "^[=+\\-@\\t\\r]"
"""A cell that begins so would be run as a formula by a spreadsheet program."""
BATCH = 16384


def open_result(principal: Principal, result_id: Any) -> tuple[Result, StoredFile]:
    """The result and its file. Raises NotFoundError, WithheldError (rights) or ResultGoneError (retention)."""
    rows = Result.objects.select_related(
        "run__plan", "run__app", "run__flow", "run__version", "run__started_by", "task"
    )
    result: Result = rows.get_visible(principal, pk=result_id)
    plan = msgspec.convert(result.run.plan.body, Plan)
    require_open(policy_of(plan, result.task.stage), principal.user)
    if result.removed_at is not None or not is_there(result.reference):
        raise ResultGoneError(
            "result.gone",
            text(
                "These rows have been removed after their term. Run again to compute them anew.",
                "结果已超过保留期限并被清除。请重新运行以重新计算。",
            ),
        )
    return result, StoredFile(result.reference)


def rows_page(file: StoredFile, offset: int, limit: int, sort: str = "") -> dict[str, Any]:
    """``{"columns", "rows", "total"}``; ``sort`` is a column, with ``-`` in front for descending."""
    order = [(sort.removeprefix("-"), sort.startswith("-"))] if sort else []
    try:
        return read_page(file, None, offset, limit, order)
    except PageError as error:
        kind = ResultGoneError if error.code == "result.gone" else RunError
        raise kind(error.code, error.message, "/sort" if order else "") from error


def csv_chunks(stored: StoredFile) -> Iterator[bytes]:
    """The file as CSV text in UTF-8, safe against formula injection, a few thousand rows at a time."""
    is_first = True
    with parquet_of(stored) as file:
        schema = file.schema_arrow
        batches = file.iter_batches(batch_size=BATCH) if file.metadata.num_rows else iter([_empty(schema)])
        for batch in batches:
            written = _csv_of(batch, with_header=is_first)
            yield MARK.encode() + written if is_first else written
            is_first = False


def csv_text(table: Any) -> bytes:
    """A small table as CSV text, as ``csv_chunks`` writes it."""
    batches = table.to_batches() or [_empty(table.schema)]
    return b"".join(_csv_of(batch, with_header=batch is batches[0]) for batch in batches)


def _csv_of(batch: Any, *, with_header: bool) -> bytes:
    sink = pa.BufferOutputStream()
    worded = harmless(in_words(batch))
    options = arrow_csv.WriteOptions(include_header=with_header)
    with arrow_csv.CSVWriter(sink, worded.schema, write_options=options) as writer:
        writer.write_batch(worded)
    return bytes(sink.getvalue().to_pybytes())


def _empty(schema: Any) -> Any:
    return pa.RecordBatch.from_pylist([], schema=schema)


def harmless(batch: Any) -> Any:
    """The batch with an apostrophe before text cells that a spreadsheet program would take for a formula."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            marked = pc.binary_join_element_wise("'", column, "")
            column = pc.if_else(pc.match_substring_regex(column, FORMULA), marked, column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def file_chunks(stored: StoredFile, size: int = 1 << 20) -> Iterator[bytes]:
    """The file as it is, a mebibyte at a time."""
    with stored.open() as file:
        while chunk := file.read(size):
            yield chunk
