"""Statistics of columns: exact for few rows, honest about estimates for many, for every type."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest

from node_catalog.sdk.ports import Schema
from runtime.engine.cancel import Cancel
from runtime.engine.reservoir import Reservoir
from runtime.engine.statistics import describe
from runtime.engine.work import Limits
from tests.unit.engine.support import NUMBERS, batches, numbers

LIMITS = Limits(memory_mb=128, threads=1)


def test_a_few_rows_are_described_exactly() -> None:
    schema = Schema.of([("n", "integer"), ("x", "number"), ("t", "text")])
    rows = batches(schema, {"n": [1, 1, 2, None], "x": [0.0, 10.0, None, float("inf")], "t": ["a", "b", "b", None]})
    found = describe(rows, schema, LIMITS, Cancel(), first=2)
    assert found.rows == found.sample_rows == 4
    n, x, t = (found.columns[name] for name in ("n", "x", "t"))
    assert (n["nulls"], n["distinct"], n["min"], n["max"], n["mean"]) == (1, 2, 1, 2, pytest.approx(4 / 3))
    assert n["top"][0] == {"value": 1, "count": 2}
    assert n["histogram"] == [{"from": 1, "to": 2, "count": 2}, {"from": 2, "to": 3, "count": 1}]
    assert (x["mean"], x["max"], sum(b["count"] for b in x["histogram"])) == (5.0, "Infinity", 2)
    assert t["top"] == [{"value": "b", "count": 2}, {"value": "a", "count": 1}]
    assert t["length"] == {"min": 1, "max": 1, "mean": 1.0}
    assert n["approximate"] == x["approximate"] == t["approximate"] == []
    assert found.beginning.to_pydict()["n"] == [1, 1]


def test_every_type_and_odd_names() -> None:
    schema = Schema.of(
        [('"; drop table x', "boolean"), ("d", "decimal(12,2)"), ("日期", "date"), ("ts", "timestamp"), ("z", "time"),
         ("bin", "binary"), ("empty", "integer")]
    )  # fmt: skip
    rows = batches(
        schema,
        {
            '"; drop table x': [True, False, True],
            "d": [Decimal("1.10"), Decimal("-3.00"), None],
            "日期": [date(2024, 1, 1), date(2024, 3, 1), None],
            "ts": [datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2024-01-02T12:00"), None],
            "z": [time(1), None, None],
            "bin": [b"abc", b"", None],
            "empty": [None, None, None],
        },
    )
    columns = describe(rows, schema, LIMITS, Cancel()).columns
    assert columns['"; drop table x']["top"][0] == {"value": True, "count": 2}
    assert (columns["d"]["min"], columns["d"]["max"]) == ("-3.00", "1.10")
    assert (columns["日期"]["min"], columns["日期"]["histogram"][0]["from"]) == ("2024-01-01", "2024-01-01")
    assert len(columns["日期"]["histogram"]) == 20
    assert columns["ts"]["histogram"][-1]["to"] == "2024-01-02T12:00:00"
    assert columns["z"]["min"] == "01:00:00" and "histogram" not in columns["z"]
    assert columns["bin"]["length"] == {"min": 0, "max": 3, "mean": 1.5}
    assert columns["empty"]["nulls"] == 3 and columns["empty"]["distinct"] == 0 and "histogram" not in columns["empty"]


@pytest.mark.parametrize("schema", [NUMBERS, Schema.of([("bin", "binary")])])
def test_no_rows(schema: Schema) -> None:
    found = describe([], schema, LIMITS, Cancel())
    assert found.rows == 0
    assert all(column["nulls"] == 0 and column["min"] is None for column in found.columns.values())


def test_many_rows_are_sampled_and_say_so() -> None:
    found = describe(numbers(60_000), NUMBERS, LIMITS, Cancel(), sample_rows=2000)
    assert (found.rows, found.sample_rows) == (60_000, 2000)
    a, b = found.columns["a"], found.columns["b"]
    assert (a["min"], a["max"], a["mean"]) == (0, 59_999, 29_999.5)
    assert a["distinct"] == pytest.approx(60_000, rel=0.1)
    assert a["approximate"] == ["distinct", "top", "histogram"]
    assert sum(bin["count"] for bin in a["histogram"]) == pytest.approx(60_000, rel=0.01)
    assert all(bin["count"] == pytest.approx(3000, rel=0.5) for bin in a["histogram"])
    assert {entry["value"] for entry in b["top"]} == set("0123456")
    assert b["top"][0]["count"] == pytest.approx(60_000 / 7, rel=0.2)


def test_long_texts_are_cut_and_counted_by_estimate() -> None:
    schema = Schema.of([("t", "text")])
    rows = batches(schema, {"t": ["x" * 100_000 + str(i) for i in range(10)]})
    column = describe(rows, schema, LIMITS, Cancel()).columns["t"]
    assert len(column["max"]) == 200 and column["length"]["max"] == 100_001
    assert column["approximate"] == ["distinct"]


def test_a_sample_is_uniform_and_bounded() -> None:
    reservoir = Reservoir(1000)
    passed = sum(batch.num_rows for batch in reservoir.pass_on(numbers(100_000)))
    sample = reservoir.sample()
    assert passed == 100_000 and sample is not None and sample.num_rows == 1000
    values = sample["c0"].to_pylist()
    assert len(set(values)) == 1000
    assert sum(values) / 1000 == pytest.approx(50_000, rel=0.1)


def test_wide_rows_shrink_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.engine.reservoir.MOST_BYTES", 4 * 1024 * 1024)
    row = {"t": ["x"] * 5000, **{f"n{i}": range(5000) for i in range(100)}}
    batch = pa.table(row).to_batches()[0]
    reservoir = Reservoir(100_000)
    for _ in reservoir.pass_on([batch] * 8):
        pass
    sample = reservoir.sample()
    assert sample is not None and 1000 <= sample.num_rows < 20_000
    assert sample.nbytes < 9 * 1024 * 1024
    assert reservoir.rows == 40_000 and not reservoir.is_complete
