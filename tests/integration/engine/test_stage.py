"""Stages over real sources into real sinks: right rows, right counts, nothing half-written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Outlet, Probe
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.failpoint import FailpointError, arm
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry
from runtime.engine import events
from runtime.engine.cancel import Cancel
from runtime.engine.errors import (
    CancelledError,
    ColumnsMovedError,
    DiskFullError,
    EngineError,
    TextRefusedError,
    ValueFailedError,
    WorkError,
)
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, Report, SinkSpec, SourceSpec, StageOutcome, StageWork, outlet_path
from tests.integration.engine.conftest import ROWS
from tests.integration.engine.support import (
    AIR,
    BY_STATION,
    BY_STATION_TEXT,
    STATIONS,
    binding,
    by_station,
    limits,
    quiet,
    sink,
    source,
    stage,
    work,
)


def run(made: StageWork, registry: Registry, tell: Any = quiet, cancel: Cancel | None = None) -> StageOutcome:
    return run_stage(made, tell, registry, cancel)


def rows_of(path: Path) -> dict[str, tuple[int, float]]:
    table = pq.read_table(path).to_pydict()
    return {s: (n, w) for s, n, w in zip(table["station"], table["n"], table["worst"])}


@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite"])
def test_every_source_gives_the_same_rows(air: Path, tmp_path: Path, registry: Registry, kind: str) -> None:
    told: list[Report] = []
    made = stage(BY_STATION_TEXT, BY_STATION, [binding()], probes=[Probe("sum", ("HASH_GROUP_BY",))],
                 steps=["read_air", "sum", "out"])  # fmt: skip
    outcome = run(work(air, made, [source(air, kind)], sink=sink(tmp_path)), registry, told.append)
    assert rows_of(tmp_path / "out.parquet") == by_station(ROWS)
    assert outcome.counts == {"read_air": ROWS, "sum": 30, "out": 30}
    assert outcome.counted == {"read_air": "live", "sum": "at_end", "out": "live"}
    assert outcome.exact and outcome.rows == 30 and outcome.size_bytes
    assert outcome.sizes["read_air"] > ROWS * 16 and set(outcome.sizes) == {"read_air", "out"}
    assert set(outcome.step_seconds) == {"read_air", "sum", "out"} and outcome.step_seconds["read_air"] > 0
    assert told[-1].phase == "done" and told[-1].counts == outcome.counts
    assert os.listdir(tmp_path) == ["out.parquet"]


def test_two_sources_join_and_the_join_is_counted_at_the_end(air: Path, tmp_path: Path, registry: Registry) -> None:
    schema = Schema.of([("district", "text"), ("n", "integer")])
    made = stage(
        'select "district", count(*) as "n" from (select * from "air" join "stations" on "station" = "name") as "j" '
        "group by 1", schema,
        [binding('select "station" from "src" where "pm25" > 900', Schema.of([("station", "text")]),
                 columns=("station", "pm25")),
         binding('select "name", "district" from "src"', STATIONS, "stations")],
        probes=[Probe("join", ("HASH_JOIN",)), Probe("sum", ("HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY"))],
        steps=["read_air", "read_stations", "join", "sum", "out"],
    )  # fmt: skip
    outcome = run(work(air, made, [source(air, "csv"), source(air, "", "stations")], sink=sink(tmp_path)), registry)
    high = sum(1 for i in range(ROWS) if i * 7919 % 1000 > 900)
    assert outcome.counts == {"read_air": high, "read_stations": 30, "join": high, "sum": 3, "out": 3}


def test_a_stage_hands_on_several_kinds_of_rows(air: Path, tmp_path: Path, registry: Registry) -> None:
    wide = Schema.of([("port", "integer"), ("c1", "integer"), ("c2", "text")])
    made = msgspec.structs.replace(
        stage('select case when "pm25" < 100 then 1 else 0 end::bigint as "port", "id" as "c1", "station" as "c2" '
              'from "air"', wide, [binding()], "exchange"),
        outlets=(
            Outlet("out", Schema.of([("station", "text"), ("id", "integer")]), (2, 1)),
            Outlet("failed", Schema.of([("id", "integer")]), (1,)),
        ),
    )  # fmt: skip
    outcome = run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path, "exchange")), registry)
    low = [i for i in range(ROWS) if i * 7919 % 1000 < 100]
    assert outcome.counts == {
        "read_air": ROWS, "out": ROWS - len(low), "out.out": ROWS - len(low), "out.failed": len(low),
    }  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == ["out.failed.parquet", "out.out.parquet"]
    assert sorted(pq.read_table(outlet_path(outcome.reference, "failed"))["id"].to_pylist()) == low
    passed = pq.read_table(outlet_path(outcome.reference, "out"))
    assert passed.column_names == ["station", "id"] and passed.num_rows == ROWS - len(low)


def test_several_kinds_of_rows_are_there_all_or_none(air: Path, tmp_path: Path, registry: Registry) -> None:
    wide = Schema.of([("port", "integer"), ("c1", "integer")])
    one = Schema.of([("id", "integer")])
    made = msgspec.structs.replace(
        stage('select "id" % 2 as "port", cast("station" as bigint) as "c1" from "air"', wide, [binding()], "exchange"),
        outlets=(Outlet("a", one, (1,)), Outlet("b", one, (1,))),
    )
    with pytest.raises(EngineError):
        run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path, "exchange")), registry)
    assert os.listdir(tmp_path) == []


def _two_files(text: str, first: str) -> tuple[Any, Any]:
    """Two bindings of the same Parquet file that meet in one text."""
    schema = Schema.of([("n", "integer")])
    made = stage(
        text, schema, [binding(first), binding(alias="more", step="read_more", counts_step="read_more")],
        probes=[Probe("join", ("HASH_JOIN",)), Probe("some", ("FILTER",))],
        steps=["read_air", "read_more", "join", "some", "out"],
    )  # fmt: skip
    return made, schema


@pytest.mark.parametrize(
    "first, counted",
    [('SELECT "id", "station", "pm25" FROM "src" AS "t0"', ROWS), ('select * from "src" where "pm25" > 500', None)],
)
def test_files_that_meet_are_scanned_and_counted_where_that_is_certain(
    air: Path, tmp_path: Path, registry: Registry, first: str, counted: int | None
) -> None:
    made, _ = _two_files('select a."id" as "n" from "air" a join "more" b on a."id" = b."id"', first)
    given = [source(air, "parquet"), msgspec.structs.replace(source(air, "parquet"), alias="more")]
    outcome = run(work(air, made, given, sink=sink(tmp_path)), registry)
    expected = ROWS if counted else sum(1 for i in range(ROWS) if i * 7919 % 1000 > 500)
    assert outcome.rows == expected and outcome.counts["out"] == expected
    assert outcome.counts.get("read_air") == counted and "some" not in outcome.counts
    assert outcome.counted["read_air"] == ("at_end" if counted else "unknown")


@pytest.mark.parametrize(
    "text", ["select 1 as n from read_parquet('{air}/air.parquet')", "select 1 as n from '{air}/air.parquet'",
             'select 1 as n from source_0."rows"', "select 1 as n from src"],
)  # fmt: skip
def test_a_text_reaches_its_scans_by_their_names_alone(
    air: Path, tmp_path: Path, registry: Registry, text: str
) -> None:
    made, _ = _two_files(text.format(air=air), 'select * from "src"')
    given = [source(air, "parquet"), msgspec.structs.replace(source(air, "parquet"), alias="more")]
    with pytest.raises(TextRefusedError):
        run(work(air, made, given, sink=sink(tmp_path)), registry)


def test_a_damaged_file_that_is_scanned_leaves_nothing(air: Path, tmp_path: Path, registry: Registry) -> None:
    whole = (air / "air.parquet").read_bytes()
    (tmp_path / "air.parquet").write_bytes(whole[:4] + bytes(len(whole) - 40_000) + whole[-39_996:])
    made, _ = _two_files(
        'select a."id" as "n" from "air" a join "more" b using ("id", "station")', 'select * from "src"'
    )
    given = [source(tmp_path, "parquet"), msgspec.structs.replace(source(tmp_path, "parquet"), alias="more")]
    with pytest.raises(EngineError):
        run(work(tmp_path, made, given, sink=sink(tmp_path / "out")), registry)
    assert os.listdir(tmp_path / "out") == []


def test_an_ordered_stage_keeps_its_order_and_an_exchange_feeds_the_next(
    air: Path, tmp_path: Path, registry: Registry
) -> None:
    first = stage('select * from "air" order by "pm25" desc, "id"', AIR, [binding()], "exchange", ordered=True)
    run(work(air, first, [source(air, "parquet")], sink=sink(tmp_path, "exchange")), registry)
    path = tmp_path / "out.parquet"
    order = pq.read_table(path)["pm25"].to_pylist()
    assert order == sorted(order, reverse=True)
    fed = msgspec.structs.replace(binding(""), kind="exchange", stage="stage1")
    second = stage(BY_STATION_TEXT, BY_STATION, [fed])
    other = msgspec.structs.replace(sink(tmp_path), path=str(tmp_path / "b.parquet"))
    given = SourceSpec(alias="air", kind="exchange", exchange_path=str(path))
    run(
        work(air, second, [given], sink=other),
        registry,
    )
    assert rows_of(tmp_path / "b.parquet") == by_station(ROWS)
    path.unlink()
    with pytest.raises(EngineError) as caught:
        run(work(air, second, [given], sink=sink(tmp_path)), registry)
    assert caught.value.code == "engine.exchange_gone"


def test_a_sample_has_rows_statistics_and_says_what_it_left_out(air: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding('select * from "src" limit 5000')], "collect", ordered=True)
    outcome = run(work(air, made, [source(air, "parquet")], sink=SinkSpec(kind="collect", limit=7)), registry)
    sample = outcome.rows_sample
    assert sample is not None
    assert sample["columns"] == [{"name": f.name, "type": f.type} for f in AIR.fields]
    assert [row[0] for row in sample["rows"]] == list(range(7))
    assert (sample["rows_total_seen"], sample["truncated"]) == (5000, True)
    assert sample["statistics"]["id"]["max"] == 4999
    assert sample["statistics"]["station"]["distinct"] == 30


def test_a_sample_without_statistics_may_stop_its_source(air: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding()], "collect")
    wanted = SinkSpec(kind="collect", limit=7, statistics=False)
    small = limits(air, batch_rows=1024)
    for kind in ("csv", "parquet", "sqlite"):
        outcome = run(work(air, made, [source(air, kind)], sink=wanted, limits=small), registry)
        assert outcome.rows_sample is not None and len(outcome.rows_sample["rows"]) == 7
        assert outcome.rows_sample["rows_total_seen"] == 7 and outcome.rows_sample["statistics"] == {}
        assert (outcome.counts["read_air"] == ROWS) is outcome.exact


def test_a_limit_stops_the_source_early_and_the_count_says_so(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air" limit 10', AIR, [binding()])
    small = limits(tmp_path, batch_rows=64, file_roots=(str(air),))
    outcome = run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path), limits=small), registry)
    assert outcome.rows == 10 and outcome.counts["out"] == 10
    assert outcome.inexact == ("read_air",) and not outcome.exact
    assert outcome.counts["read_air"] < ROWS


def test_a_read_that_is_also_the_sink_is_counted_once(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding(counts_step="out")], "exchange", steps=["out"])
    outcome = run(work(air, made, [source(air, "csv")], sink=sink(tmp_path, "exchange")), registry)
    assert outcome.counts == {"out": ROWS}


def test_no_rows_still_give_a_file_and_zero_counts(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding('select * from "src" where "id" < 0')])
    outcome = run(work(air, made, [source(air, "csv")], sink=sink(tmp_path)), registry)
    assert outcome.counts == {"read_air": 0, "out": 0}
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


# ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    ["engine.source_batch=raise@3", "engine.rows_read=raise", "engine.before_commit=raise", "engine.file_rename=raise",
     "engine.sink_write=raise", "engine.source_open=raise", "engine.sources_open=raise"],
)  # fmt: skip
def test_a_break_anywhere_leaves_nothing(air: Path, tmp_path: Path, registry: Registry, fault: str) -> None:
    made = stage('select * from "air"', AIR, [binding()])
    small = limits(air, batch_rows=4096)
    arm(fault)
    try:
        with pytest.raises(FailpointError):
            run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path), limits=small), registry)
    finally:
        arm("")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_at_the_sink_is_not_blamed_on_the_sql(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding()])
    arm("engine.file_write=enospc")
    try:
        with pytest.raises(DiskFullError):
            run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path)), registry)
    finally:
        arm("")
    assert os.listdir(tmp_path) == []


def test_a_value_that_does_not_convert_is_told_without_the_value(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select cast("station" as integer) as "n" from "air"', Schema.of([("n", "integer")]), [binding()])
    with pytest.raises(ValueFailedError) as caught:
        run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path)), registry)
    error = caught.value
    assert error.code == "engine.conversion" and error.where == "out"
    assert "station" in error.detail and "'s" in error.detail
    assert "'s" not in str(error.message)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ['select 9223372036854775807 + "id" as "n" from "air"',
                                  'select sum("id" * 1000000000000000) as "n" from "air"'])  # fmt: skip
def test_an_overflow_is_an_error(air: Path, tmp_path: Path, registry: Registry, text: str) -> None:
    made = stage(text, Schema.of([("n", "integer")]), [binding()])
    with pytest.raises((ValueFailedError, NodeTypeError)) as caught:
        run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path)), registry)
    assert caught.value.retry == "fatal"


def test_a_figure_over_a_whole_partition_scans_its_stream_once(air: Path, tmp_path: Path, registry: Registry) -> None:
    """DuckDB's optimiser would join the stream with itself."""
    text = 'select "station", count(*) over (partition by "station") as "n", 1.0::double as "worst" from "air"'
    made = stage(text, BY_STATION, [binding()])
    outcome = run(work(air, made, [source(air, "sqlite")], sink=sink(tmp_path)), registry)
    assert outcome.rows == ROWS
    assert set(rows_of(tmp_path / "out.parquet").values()) == {(ROWS // 30, 1.0)}


def test_a_stream_scanned_twice_is_an_error_not_an_empty_answer(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select a."id" from "air" as a join "air" as b on a."id" = b."id"', Schema.of([("id", "integer")]),
                 [binding()])  # fmt: skip
    with pytest.raises(WorkError) as caught:
        run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path)), registry)
    assert caught.value.code == "engine.scanned_twice"


@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite"])
def test_a_vanished_source_is_told_in_words(tmp_path: Path, registry: Registry, kind: str) -> None:
    made = stage('select * from "air"', AIR, [binding()])
    with pytest.raises((EngineError, NodeTypeError)) as caught:
        run(work(tmp_path, made, [source(tmp_path, kind)]), registry)
    assert caught.value.code != "engine.unexpected"
    assert caught.value.message["zh-CN"] and not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite"])
def test_a_column_that_has_gone_is_named(air: Path, tmp_path: Path, registry: Registry, kind: str) -> None:
    wider = Schema.of([*((f.name, f.type) for f in AIR.fields), ("so2", "number")])
    made = stage('select "so2" from "air"', Schema.of([("so2", "number")]),
                 [binding('select "so2" from "src"', Schema.of([("so2", "number")]))])  # fmt: skip
    given = msgspec.structs.replace(source(air, kind), schema=wider)
    with pytest.raises((EngineError, NodeTypeError)) as caught:
        run(work(air, made, [given], sink=sink(tmp_path)), registry)
    assert "so2" in str(caught.value.message)
    assert os.listdir(tmp_path) == []


def test_a_planned_column_that_the_text_does_not_give_is_named(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding('select "id", "station" from "src"')])
    with pytest.raises(ColumnsMovedError, match="pm25"):
        run(work(air, made, [source(air, "csv")], sink=sink(tmp_path)), registry)


def test_an_unknown_connector_is_named(air: Path, tmp_path: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding()])
    given = msgspec.structs.replace(source(air, "csv"), connector="abacus")
    with pytest.raises(WorkError, match="abacus"):
        run(work(air, made, [given], sink=sink(tmp_path)), registry)


def test_a_stage_stops_when_asked(
    air: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOMENT", 0.0)  # each phase is told at once
    cancel = Cancel()
    made = stage('select * from "air"', AIR, [binding()])

    def tell(report: Report) -> None:
        if report.phase == "writing":
            cancel.stop()

    with pytest.raises(CancelledError):
        given = work(air, made, [source(air, "sqlite")], sink=sink(tmp_path), limits=limits(air, batch_rows=1024))
        run(given, registry, tell, cancel)
    assert os.listdir(tmp_path) == []


# ── Writing to nodes ──────────────────────────────────────────────────────────────────────────────────────


def write_sink(target: Path, attempt: int = 1) -> SinkSpec:
    return SinkSpec(
        kind="write", connector="sqlite", settings={"path": str(target)}, target_path=("copy",), create=True,
        delivery=DeliverySpec(sink="stage1", run="run1", task="task1", attempt=attempt),
    )  # fmt: skip


def count_rows(target: Path) -> int:
    with closing(sqlite3.connect(target)) as database:
        names = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        return database.execute("select count(*) from copy").fetchone()[0] if "copy" in names else 0


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.sqlite"
    sqlite3.connect(path).close()
    return path


def test_rows_are_delivered_once_whoever_commits(air: Path, target: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding()], "write")
    both = limits(air, file_roots=(str(air), str(target.parent)))
    first = run(work(air, made, [source(air, "parquet")], sink=write_sink(target), limits=both), registry)
    again = run(work(air, made, [source(air, "parquet")], sink=write_sink(target, 2), limits=both), registry)
    assert (first.rows, first.adopted) == (ROWS, False)
    assert (again.rows, again.adopted, again.attempt) == (ROWS, True, 1)
    assert count_rows(target) == ROWS


@pytest.mark.parametrize(
    "fault", ["engine.source_batch=raise@3", "engine.sink_write=raise@2", "engine.before_commit=raise"]
)
def test_a_broken_attempt_writes_nothing_and_the_next_one_everything(
    air: Path, target: Path, registry: Registry, fault: str
) -> None:
    made = stage('select * from "air"', AIR, [binding()], "write")
    both = limits(air, file_roots=(str(air), str(target.parent)), batch_rows=8192)
    arm(fault)
    try:
        with pytest.raises(FailpointError):
            run(work(air, made, [source(air, "parquet")], sink=write_sink(target), limits=both), registry)
    finally:
        arm("")
    assert count_rows(target) == 0
    run(work(air, made, [source(air, "parquet")], sink=write_sink(target, 2), limits=both), registry)
    assert count_rows(target) == ROWS


def test_a_commit_that_was_not_heard_of_is_adopted(air: Path, target: Path, registry: Registry) -> None:
    made = stage('select * from "air"', AIR, [binding()], "write")
    both = limits(air, file_roots=(str(air), str(target.parent)))
    arm("engine.after_commit=raise")
    try:
        with pytest.raises(FailpointError):
            run(work(air, made, [source(air, "parquet")], sink=write_sink(target), limits=both), registry)
    finally:
        arm("")
    again = run(work(air, made, [source(air, "parquet")], sink=write_sink(target, 2), limits=both), registry)
    assert again.adopted and count_rows(target) == ROWS


def test_a_stage_with_all_types_keeps_every_value(tmp_path: Path, registry: Registry) -> None:
    schema = Schema.of([("b", "boolean"), ("d", "decimal(10,2)"), ("day", "date"), ("t", "time"), ("ts", "timestamp"),
                        ("bin", "binary"), ("日均", "text")])  # fmt: skip
    values = pa.table(
        {"b": [True, None], "d": pa.array(["1.10", None]).cast(pa.decimal128(10, 2)),
         "day": pa.array([19000, None], pa.int32()).cast(pa.date32()), "t": pa.array([1, None], pa.time64("us")),
         "ts": pa.array([1, None], pa.timestamp("us")), "bin": pa.array([b"\x00", None]), "日均": ["中文", None]}
    )  # fmt: skip
    pq.write_table(values, tmp_path / "types.parquet")
    made = stage('select * from "air"', schema, [binding('select * from "src"', schema)])
    given = SourceSpec(
        alias="air", connector="files", settings={"folder": str(tmp_path)}, path=("types.parquet",), schema=schema
    )
    run(work(tmp_path, made, [given]), registry)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == values.to_pydict()
