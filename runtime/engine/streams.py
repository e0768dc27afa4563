"""Arrow batches on their way: counted, cast, cut to size, stopped when asked.

Everything is pulled: a slow reader holds back its source, so no more than a few batches are ever in flight.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.geometry import has_geometry
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.text import text
from runtime.engine.cancel import Cancel
from runtime.engine.errors import ColumnsMovedError

Item = TypeVar("Item")
Batches = Iterable[pa.RecordBatch]
Tell = Callable[[str, int, int, float], None]
_DETAIL = 500
STUCK_SECONDS = 20.0


class Flow:
    """One stream's account: rows and bytes that passed, whether it ran dry, and what went wrong in it.

    An error inside a stream reaches the reader through DuckDB as a mere remark; ``failure`` keeps the error itself.
    """

    def __init__(self, alias: str, step: str = "") -> None:
        self.alias = alias
        self.step = step
        self.rows = 0
        self.bytes = 0
        self.is_exhausted = False
        self.is_stopped = False
        """Set by a reader that needs no more: the stream ends at its next batch, and an interrupt is no failure."""
        self.failure: BaseException | None = None

    def count(self, batches: Batches, cancel: Cancel, tell: Tell | None = None) -> Iterator[pa.RecordBatch]:
        """Pass batches on, counting each and telling ``tell(step, rows, bytes, seconds)``; stops when asked to.

        The seconds are those for which the batch was waited for: what the source and the way from it took.
        """
        try:
            if tell is not None:
                tell(self.step, 0, 0, 0.0)
            asked = time.perf_counter()
            for batch in batches:
                waited = time.perf_counter() - asked
                cancel.check()
                if self.is_stopped:
                    return
                size = batch.nbytes
                self.rows += batch.num_rows
                self.bytes += size
                if tell is not None:
                    tell(self.step, batch.num_rows, size, waited)
                yield batch
                asked = time.perf_counter()
            self.is_exhausted = True
        except Exception as error:
            if self.is_stopped:
                return
            self.failure = error
            raise


def stop_all(flows: Iterable[Flow], cancel: Cancel) -> None:
    """Nobody wants more rows: end the streams, and interrupt whatever computes their next batch."""
    for flow in flows:
        flow.is_stopped = True
    cancel.interrupt()


def raise_failures(flows: Iterable[Flow]) -> None:
    """An error in a stream that the engine had no need to read to its end is an error all the same."""
    for flow in flows:
        if flow.failure is not None:
            raise flow.failure


def reader_of(batches: Batches, schema: Schema) -> pa.RecordBatchReader:
    """Batches of our types as a reader with exactly that schema."""
    return pa.RecordBatchReader.from_batches(to_arrow(schema), iter(batches))


def cast(batches: Batches, schema: Schema, where: str = "") -> Iterator[pa.RecordBatch]:
    """Bring batches to ``schema``: columns by name and in its order, values safely cast.

    Raises ColumnsMovedError when a column is missing and DataError, naming the column, when a value does not fit.
    """
    wanted = to_arrow(schema)
    is_marked = has_geometry(wanted)
    for batch in batches:
        yield batch if batch.schema.equals(wanted, check_metadata=is_marked) else cast_batch(batch, wanted, where)


def cast_batch(batch: pa.RecordBatch, wanted: pa.Schema, where: str = "") -> pa.RecordBatch:
    """One batch with the columns and types of ``wanted``."""
    missing = [name for name in wanted.names if batch.schema.get_field_index(name) < 0]
    if missing:
        raise _moved(missing, where)
    columns = [_cast_column(batch.column(field.name), field, where) for field in wanted]
    if not columns:
        return batch.select([])
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


def _cast_column(column: pa.Array, field: pa.Field, where: str) -> pa.Array:
    if column.type.equals(field.type):
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            "data.type",
            text(
                f'The column "{field.name}" holds a value that does not fit its type {_words(field.type)}. Correct '
                "the column's type in the dataset, or cast it in the flow.",
                f"列“{field.name}”中有值不符合类型 {_words(field.type)}。请修正数据集的列类型，或在流程中转换类型。",
            ),
            where or field.name,
            f"{field.name}: {error}"[:_DETAIL],
        ) from error


def _words(kind: pa.DataType) -> str:
    return {"int64": "integer", "double": "number", "string": "text", "date32[day]": "date"}.get(str(kind), str(kind))


def _moved(missing: list[str], where: str) -> ColumnsMovedError:
    names = ", ".join(f'"{name}"' for name in missing[:5])
    return ColumnsMovedError(
        "source.columns_moved",
        text(
            f"The source no longer has the column {names}. Discover the node again, then correct the steps that "
            "use it.",
            f"来源中已没有列 {names}。请重新发现该节点，再修正用到它的步骤。",
        ),
        where,
    )


def rechunk(batches: Batches, rows: int) -> Iterator[pa.RecordBatch]:
    """Cut batches larger than ``rows`` (without copying) and gather those far smaller; keeps the order."""
    small: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        if batch.num_rows < rows // 4:
            small.append(batch)
            held += batch.num_rows
            if held < rows // 2:
                continue
        if small:
            gathered = small if small[-1] is batch else [*small, batch]
            yield from _cut(_gather(gathered), rows)
            small, held = [], 0
        else:
            yield from _cut(batch, rows)
    if small:
        yield _gather(small)


def _gather(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _cut(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    if batch.num_rows <= rows + rows // 2:
        yield batch
        return
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def straight(batches: Batches, stop: Callable[[], None]) -> Generator[pa.RecordBatch]:
    """Pull batches in the reader's own thread; ``stop`` is called when it gives up early."""
    try:
        yield from batches
    except GeneratorExit:
        stop()
        raise


def ahead(batches: Iterable[Item], stop: Callable[[], None], depth: int = 2) -> Generator[Item]:
    """Pull batches (or marks between them) in a thread of their own, at most ``depth`` ahead: making rows and writing
    them overlap.

    ``stop`` is called when the reader gives up early; it must make a blocked ``batches`` return soon. A source that
    does not return within STUCK_SECONDS even so is left behind (its process is thrown away then).
    """
    waiting: queue.Queue[Item | BaseException | None] = queue.Queue(maxsize=depth)
    gone = threading.Event()

    def put(item: Item | BaseException | None) -> bool:
        while not gone.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def pull() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:
            put(error)

    puller = threading.Thread(target=pull, name="ahead", daemon=True)
    puller.start()
    finished = False
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
        finished = True
    finally:
        gone.set()
        if not finished and puller.is_alive():
            stop()
        puller.join(STUCK_SECONDS)
