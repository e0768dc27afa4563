"""Hand-written stages over real files and servers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from flows.graph.plan import Binding, Probe, Sink, Stage
from node_catalog.sdk.ports import Schema
from runtime.engine.work import DeliverySpec, Limits, Report, SinkSpec, SourceSpec, StageWork

AIR = Schema.of([("id", "integer"), ("station", "text"), ("pm25", "number")])
STATIONS = Schema.of([("name", "text"), ("district", "text")])
STATION_COUNT = 30


def air_table(rows: int) -> pa.Table:
    """Row i: station s(i mod 30), pm25 = i·7919 mod 1000."""
    numbers = range(rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "station": [f"s{i % STATION_COUNT}" for i in numbers],
            "pm25": pa.array([float(i * 7919 % 1000) for i in numbers]),
        }
    )


def write_air(folder: Path, rows: int) -> None:
    """The same rows as air.csv, air.parquet and table air of air.sqlite."""
    table = air_table(rows)
    pa_csv.write_csv(table, folder / "air.csv")
    pq.write_table(table, folder / "air.parquet", row_group_size=10_000)
    with closing(sqlite3.connect(folder / "air.sqlite")) as database:
        database.execute("create table air (id integer primary key, station text, pm25 real)")
        database.executemany("insert into air values (?, ?, ?)", zip(*table.to_pydict().values()))
        database.execute("create table stations (name text, district text)")
        database.executemany(
            "insert into stations values (?, ?)", [(f"s{i}", f"d{i % 3}") for i in range(STATION_COUNT)]
        )
        database.commit()


def source(folder: Path, kind: str, alias: str = "air") -> SourceSpec:
    """The air (or stations) table in one of its three forms."""
    if alias == "stations":
        return SourceSpec(
            alias="stations", connector="sqlite", settings={"path": str(folder / "air.sqlite")}, path=("stations",),
            schema=STATIONS,
        )  # fmt: skip
    if kind == "sqlite":
        settings, path = {"path": str(folder / "air.sqlite")}, ("air",)
    else:
        settings, path = {"folder": str(folder)}, (f"air.{kind}",)
    connector = "sqlite" if kind == "sqlite" else "files"
    return SourceSpec(alias="air", connector=connector, settings=settings, path=path, schema=AIR)


def binding(
    text: str = 'select "id", "station", "pm25" from "src"', schema: Schema = AIR, alias: str = "air", **more: Any
) -> Binding:
    """A dataset binding whose rows are the output of step ``read_<alias>``."""
    given = {"step": f"read_{alias}", "counts_step": f"read_{alias}", "columns": schema.names, **more}
    return Binding(alias=alias, kind="dataset", schema=schema, text=text, **given)


def stage(
    text: str,
    schema: Schema,
    bindings: Sequence[Binding],
    kind: Any = "result",
    probes: Sequence[Probe] = (),
    steps: Sequence[str] = ("read_air", "out"),
    *,
    ordered: bool = False,
) -> Stage:
    """A stage that ends in step ``out``."""
    return Stage(
        key="stage1", steps=tuple(steps), bindings=tuple(bindings), text=text, schema=schema, ordered=ordered,
        sink=Sink(kind=kind, step="out", schema=schema), probes=tuple(probes),
    )  # fmt: skip


def limits(folder: Path, **more: Any) -> Limits:
    """Small limits; only ``folder`` may be read."""
    given = {"memory_mb": 256, "temp_folder": str(folder / "spill"), "file_roots": (str(folder),), **more}
    return Limits(**given)


def sink(folder: Path, kind: Any = "result", attempt: int = 1, **more: Any) -> SinkSpec:
    """A sink that writes ``out.parquet`` or whatever ``more`` says."""
    delivery = DeliverySpec(sink="stage1", run="run1", task="task1", attempt=attempt)
    return SinkSpec(kind=kind, path=str(folder / "out.parquet"), delivery=delivery, **more)


def work(folder: Path, made: Stage, sources: Sequence[SourceSpec], **more: Any) -> StageWork:
    """The stage with its sources; the sink follows the stage's kind."""
    given = {"sink": sink(folder, made.sink.kind), "limits": limits(folder), **more}
    return StageWork(stage=made, sources=tuple(sources), **given)


BY_STATION = Schema.of([("station", "text"), ("n", "integer"), ("worst", "number")])
BY_STATION_TEXT = (
    'select "station", count(*) as "n", max("pm25") as "worst" from "air" where "pm25" >= 500 group by "station"'
)


def by_station(rows: int) -> dict[str, tuple[int, float]]:
    """The right answer to BY_STATION_TEXT, by hand."""
    found: dict[str, list[float]] = {}
    for i in range(rows):
        value = float(i * 7919 % 1000)
        if value >= 500:
            found.setdefault(f"s{i % STATION_COUNT}", []).append(value)
    return {station: (len(values), max(values)) for station, values in found.items()}


def quiet(report: Report) -> None:
    """Nobody listens."""
