"""Streams: cast with words, cut to size, counted, stopped, pulled ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.ports import Schema
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError, ColumnsMovedError
from runtime.engine.streams import Flow, ahead, cast, reader_of, rechunk
from tests.unit.engine.support import NUMBERS, numbers


def test_columns_are_taken_by_name_and_cast() -> None:
    source = pa.record_batch({"b": pa.array(["x"]), "more": pa.array([1]), "a": pa.array([7], pa.int16())})
    (batch,) = cast([source], NUMBERS)
    assert batch.schema.names == ["a", "b"]
    assert batch.to_pydict() == {"a": [7], "b": ["x"]}


def test_a_timestamp_with_zone_becomes_naive_utc() -> None:
    zoned = pa.array([0], pa.timestamp("s", tz="Asia/Shanghai"))
    (batch,) = cast([pa.record_batch({"t": zoned})], Schema.of([("t", "timestamp")]))
    assert batch.column(0).cast(pa.string()).to_pylist() == ["1970-01-01 00:00:00.000000"]


@pytest.mark.parametrize(
    "kind, value",
    [("integer", pa.array([2**64 - 1], pa.uint64())), ("integer", pa.array(["x"])),
     ("decimal(4,2)", pa.array(["123.45"])),
     ("date", pa.array(["2024-13-01"])), ("integer", pa.array([1.5]))],
)  # fmt: skip
def test_a_value_that_does_not_fit_names_its_column(kind: str, value: pa.Array) -> None:
    with pytest.raises(DataError) as caught:
        list(cast([pa.record_batch({"日均": value})], Schema.of([("日均", kind)]), "read1"))
    error = caught.value
    assert "日均" in error.message["en"] and "日均" in error.message["zh-CN"]
    assert error.where == "read1"
    assert str(value[0]) not in error.message["en"]
    assert error.detail.startswith("日均: ")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ColumnsMovedError, match="b"):
        list(cast([pa.record_batch({"a": pa.array([1])})], NUMBERS))


@pytest.mark.parametrize("sizes", [[10_000], [1, 1, 1], [100] * 90, [0, 5, 0], [2500, 1, 1, 2500], []])
def test_rechunk_keeps_rows_and_order(sizes: list[int]) -> None:
    start, source = 0, []
    for size in sizes:
        source.append(pa.record_batch({"a": pa.arange(start, start + size)}))
        start += size
    made = list(rechunk(source, 1000))
    assert [value for batch in made for value in batch.column(0).to_pylist()] == list(range(start))
    assert all(0 < batch.num_rows <= 1500 for batch in made)
    assert len(made) <= start / 250 + 1


def test_a_flow_counts_and_keeps_the_error_itself() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from numbers(2000)
        raise ZeroDivisionError("in the middle")

    told: list[tuple[str, int]] = []
    flow = Flow("air", "read1")
    with pytest.raises(ZeroDivisionError):
        list(flow.count(broken(), Cancel(), lambda step, rows, size, seconds: told.append((step, rows))))
    assert told == [("read1", 0), ("read1", 1000), ("read1", 1000)]
    assert flow.rows == 2000 and not flow.is_exhausted
    assert isinstance(flow.failure, ZeroDivisionError)


def test_a_stopped_flow_ends_at_the_next_batch() -> None:
    cancel, flow = Cancel(), Flow("air")
    stream = flow.count(numbers(10_000), cancel)
    next(stream)
    cancel.stop()
    with pytest.raises(CancelledError):
        next(stream)
    assert flow.rows == 1000


def test_ahead_keeps_order_and_passes_errors_on() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from numbers(5000)
        raise ValueError("late")

    rows = 0
    with pytest.raises(ValueError, match="late"):
        for batch in ahead(broken(), lambda: None):
            rows += batch.num_rows
    assert rows == 5000


def test_ahead_holds_back_its_source_and_stops_it() -> None:
    made: list[int] = []
    stopped = threading.Event()

    def source() -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(numbers(100_000)):
            made.append(number)
            yield batch
            if stopped.is_set():
                return

    before = threading.active_count()
    stream = ahead(source(), stopped.set, depth=2)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(made) <= 5
    assert threading.active_count() <= before


def test_a_reader_has_exactly_our_types() -> None:
    reader = reader_of(numbers(10), NUMBERS)
    assert reader.schema == pa.schema([("a", pa.int64()), ("b", pa.string())])
    assert reader.read_all().num_rows == 10
