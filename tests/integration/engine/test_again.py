"""Small stages that come again: texts stand prepared, few rows stay beside their file, and answers are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Probe
from node_catalog.sdk.registry import Registry
from runtime.engine import duck, texts
from runtime.engine.errors import ValueFailedError
from runtime.engine.keeper import KEEPER
from runtime.engine.stage import run_stage
from runtime.engine.work import SourceSpec, StageOutcome, StageWork
from tests.integration.engine.support import AIR, binding, limits, quiet, sink, source, stage, work, write_air

FIRST = 'select * from "air" where "id" < 40 limit 30'
COUNTED = [Probe("few", ("LIMIT", "STREAMING_LIMIT"))]
THEN = 'select * from "air" where "pm25" >= 0 limit 20'


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement over a stream, while works of one plan follow each other."""
    found: list[str] = []

    class Watched:
        def __init__(self, raw: duckdb.DuckDBPyConnection) -> None:
            self._raw = raw

        def execute(self, sql: str, *more: object) -> duckdb.DuckDBPyConnection:
            found.extend(word for word in ("prepare", "execute", "select") if sql.startswith(word + " "))
            return self._raw.execute(sql, *more)

        def __getattr__(self, name: str) -> object:
            return getattr(self._raw, name)

    connect = duck._connect
    monkeypatch.setattr(duck, "_connect", lambda *given, **options: Watched(connect(*given, **options)))
    texts.SEEN.clear()
    KEEPER.begin("plan/person")
    yield found
    KEEPER.close()


def first(air: Path, folder: Path, text: str = FIRST) -> StageWork:
    made = stage(text, AIR, [binding()], "exchange", COUNTED, ("read_air", "few", "out"))
    return work(air, made, [source(air, "parquet")], sink=sink(folder, "exchange"))


def follower(air: Path, folder: Path, text: str = THEN) -> StageWork:
    """Reads what ``first`` has left."""
    fed = msgspec.structs.replace(binding(""), kind="exchange", stage="stage1", counts_step="", step="")
    made = stage(text, AIR, [fed], steps=("out",))
    given = SourceSpec(alias="air", kind="exchange", schema=AIR, exchange_path=str(folder / "out.parquet"))
    target = msgspec.structs.replace(sink(folder), path=str(folder / "then.parquet"))
    return work(air, made, [given], sink=target, limits=limits(air))


def run(made: StageWork, registry: Registry) -> StageOutcome:
    return run_stage(made, quiet, registry)


def test_a_text_that_comes_again_is_prepared_and_sees_new_rows(
    tmp_path: Path, registry: Registry, asked: list[str]
) -> None:
    for turn, rows in enumerate((100, 10, 25)):
        (tmp_path / str(rows)).mkdir()
        write_air(tmp_path / str(rows), rows)
        # The same plan each time; what it reads has other rows by then.
        again = msgspec.structs.replace(first(tmp_path / str(rows), tmp_path), limits=limits(tmp_path))
        outcome = run(again, registry)
        assert (outcome.rows, outcome.counts["few"]) == (min(rows, 30), min(rows, 30)), turn
        assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == list(range(min(rows, 30)))
    assert [word for word in asked if word != "select"] == ["prepare", "execute", "execute"]


def test_few_rows_are_not_read_back(air: Path, tmp_path: Path, registry: Registry, asked: list[str]) -> None:
    run(first(air, tmp_path), registry)
    (tmp_path / "out.parquet").rename(tmp_path / "elsewhere.parquet")
    outcome = run(follower(air, tmp_path), registry)
    assert outcome.rows == 20
    assert pq.read_table(tmp_path / "then.parquet")["id"].to_pylist() == list(range(20))
    (tmp_path / "elsewhere.parquet").rename(tmp_path / "out.parquet")
    for _ in range(2):
        KEEPER.begin("another plan/person")
        assert KEEPER.rows_of(str(tmp_path / "out.parquet")) is None
        assert run(follower(air, tmp_path), registry).rows == 20


def test_many_rows_lie_in_their_file_alone(air: Path, tmp_path: Path, registry: Registry, asked: list[str]) -> None:
    path = str(tmp_path / "out.parquet")
    run(first(air, tmp_path), registry)
    assert KEEPER.rows_of(path) is not None
    run(first(air, tmp_path, 'select * from "air"'), registry)
    assert KEEPER.rows_of(path) is None, "the file was written anew"
    assert run(follower(air, tmp_path, 'select * from "air"'), registry).rows == pq.read_table(path).num_rows


def test_what_breaks_is_told_as_ever_and_prepared_anew(
    air: Path, tmp_path: Path, registry: Registry, asked: list[str]
) -> None:
    text = 'select "id", "station", cast("station" as double) as "pm25" from "air"'
    for _ in range(3):
        with pytest.raises(ValueFailedError):
            run(first(air, tmp_path, text), registry)
    assert run(first(air, tmp_path), registry).rows == 30
    assert run(first(air, tmp_path), registry).rows == 30


def test_an_input_with_other_columns_is_not_taken_for_one_that_stands(
    air: Path, tmp_path: Path, registry: Registry, asked: list[str]
) -> None:
    for _ in range(2):
        assert run(first(air, tmp_path), registry).rows == 30
    narrow = msgspec.structs.replace(AIR, fields=AIR.fields[:1])
    reads = [binding('select "id" from "src"', narrow)]
    made = stage('select * from "air" limit 7', narrow, reads, "exchange", COUNTED)
    for _ in range(3):
        assert run(work(air, made, [source(air, "parquet")], sink=sink(tmp_path, "exchange")), registry).rows == 7
    assert run(first(air, tmp_path), registry).rows == 30
    assert asked.count("prepare") == 1
