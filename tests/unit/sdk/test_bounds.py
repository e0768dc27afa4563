"""What connectors make of bounds: conditions on a column as it is, and only where its values are made into others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.parquet_read import parquet_view
from node_catalog.sdk.ports import Schema
from node_catalog.types.connectors.postgresql.catalog import Column

ABOVE, BELOW = Bound("x", ">", ("3.5",)), Bound("x", "<=", ("9.0",))
NAN = float("nan")


def read(base: str, *bounds: Bound, is_compared: bool = False) -> tuple[str, list[str]]:
    column = Column("x", base, base, True, "", "", has_default=False, is_generated=False)
    return column.read(bounds, is_compared=is_compared)


@pytest.mark.parametrize(
    ("base", "kind"),
    [("double precision", "double precision"), ("real", "double precision"), ("numeric(9,2)", "numeric")],
)
def test_postgresql_reads_a_bounded_number_as_it_is_and_leaves_nan_out(base: str, kind: str) -> None:
    assert read(base) == ("nullif(\"x\", 'NaN')", [])
    above, below = f"\"x\" > CAST('3.5' AS {kind})", f"\"x\" <= CAST('9.0' AS {kind})"
    assert read(base, ABOVE) == ('"x"', [above, "\"x\" < 'NaN'"])
    assert read(base, BELOW) == ('"x"', [below])
    assert read(base, ABOVE, BELOW) == ('"x"', [above, below])
    assert read(base, Bound("x", "is not null")) == ('"x"', ["\"x\" < 'NaN'"])
    listed = f"\"x\" IN (CAST('1' AS {kind}), CAST('2' AS {kind}))"
    assert read(base, Bound("x", "in", ("1", "2"))) == ('"x"', [listed])


@pytest.mark.parametrize(
    ("base", "kind"),
    [("date", "date"), ("timestamp without time zone", "timestamp"), ("timestamp(3) without time zone", "timestamp")],
)
def test_postgresql_leaves_out_what_is_infinite_where_it_would_be_null(base: str, kind: str) -> None:
    since = Bound("x", ">=", ("2024-01-02",))
    assert read(base, since) == ('"x"', [])
    found = [f"\"x\" >= CAST('2024-01-02' AS {kind})", "\"x\" < 'infinity'"]
    assert read(base, since, is_compared=True) == ('"x"', found)
    both = Bound("x", "is not null")
    assert read(base, both, is_compared=True) == ('"x"', ["\"x\" < 'infinity'", "\"x\" > '-infinity'"])


@pytest.mark.parametrize("base", ["bigint", "numeric", "money", "timestamp with time zone", "text", "numeric(60,2)"])
def test_postgresql_keeps_to_the_text_where_a_column_means_something_else(base: str) -> None:
    for is_compared in (False, True):
        column = read(base, ABOVE, is_compared=is_compared)
        assert column == read(base, is_compared=is_compared) and not column[1]


def view(folder: Path, columns: dict[str, pa.Array], *bounds: Bound, types: str = "number") -> str:
    table = pa.table(columns)
    pq.write_table(table, folder / "x.parquet", row_group_size=3)
    return parquet_view([folder / "x.parquet"], table.schema, Schema.of([(name, types) for name in columns]), bounds)


def test_a_parquet_view_compares_the_column_as_it_is(tmp_path: Path) -> None:
    made = view(tmp_path, {"x": pa.array([1.0]), "y": pa.array([1.0], pa.float32())}, ABOVE, Bound("y", "<", ("2.0",)))
    x, y = 'CAST("x" AS DOUBLE)', 'CAST("y" AS DOUBLE)'
    assert made.startswith(f'CREATE VIEW src AS SELECT {x} AS "x", {y} AS "y" FROM read_parquet([')
    tests = f"{x} > CAST('3.5' AS DOUBLE) AND NOT isnan({x}) AND {y} < CAST('2.0' AS DOUBLE) AND NOT isnan({y})"
    assert made.endswith(f") WHERE {tests}")
    assert "WHERE" not in view(tmp_path, {"x": pa.array([1])}, ABOVE)
    assert "WHERE" not in view(tmp_path, {"x": pa.array([1])}, ABOVE, types="integer")
    assert "WHERE" not in view(tmp_path, {"x": pa.array([1.0])}, Bound("z", ">", ("1.0",)))


@pytest.mark.parametrize("native", [pa.float64(), pa.float32()])
@pytest.mark.parametrize(("bound", "wanted"), [(ABOVE, [4.0, 5.0]), (BELOW, [1.0, 2.0, 4.0, 5.0])])
def test_statistics_that_leave_nan_out_let_none_through(
    bound: Bound, wanted: list[float], native: Any, tmp_path: Path
) -> None:
    """Of the second row group the least value alone says that all are above; of all of them the greatest, below."""
    made = view(tmp_path, {"x": pa.array([1.0, NAN, 2.0, 4.0, NAN, 5.0, None, NAN, NAN], native)}, bound)
    with duckdb.connect() as connection:
        connection.execute(made)
        for text in ("select x from src", f"select x from src where x {bound.sign} {bound.values[0]}"):
            assert connection.execute(f"{text} order by x").fetchall() == [(value,) for value in wanted]


def test_duckdb_asks_the_statistics_of_row_groups(tmp_path: Path) -> None:
    made = view(tmp_path, {"x": pa.array([float(number) for number in range(30)])}, Bound("x", ">", ("25.0",)))
    with duckdb.connect() as connection:
        connection.execute(made)
        ((_, plan),) = connection.execute("explain select x from src where x > 25.0").fetchall()
    scan = plan[plan.index("READ_PARQUET") :]
    assert "Filters:" in scan and "x>25.0" in scan.replace(" ", "")
