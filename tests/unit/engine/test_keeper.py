"""Open connections that one small work leaves to the next: the same for the same, and nothing of the work before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from node_catalog.sdk.access import Attach
from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_main, open_source
from runtime.engine.errors import EngineError
from runtime.engine.keeper import KEEPER
from runtime.engine.work import Limits

READ = "select * from src"
ROWS = pa.table({"n": [1, 2, 3]})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Every database that was opened, while works of one kind follow each other."""
    found: list[object] = []
    connect = duckdb.connect

    def counted(*arguments: object, **options: object) -> object:
        found.append(connect(*arguments, **options))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(duckdb, "connect", counted)
    KEEPER.begin("run/loop")
    yield found
    KEEPER.close()


def limits(folder: Path, memory_mb: int = 100) -> Limits:
    return Limits(memory_mb=memory_mb, threads=1, temp_folder=str(folder))


def total(connection: Connection) -> int:
    connection.register("b_in", pa.RecordBatchReader.from_batches(ROWS.schema, ROWS.to_batches()))
    with connection.run("select sum(n)::bigint as n from b_in", ("b_in",), 1024) as rows:
        answer: int = rows.read_all()["n"][0].as_py()
        return answer


def test_the_next_work_uses_the_connection_and_sees_nothing_of_the_last(opened: list[object], tmp_path: Path) -> None:
    for turn in range(3):
        with open_main(limits(tmp_path / str(turn)), Cancel()) as connection:
            with pytest.raises(EngineError), connection.run("select * from b_in", ("b_in",), 1024):
                pass
            assert total(connection) == 6
    assert len(opened) == 1


def test_other_limits_or_another_kind_of_work_open_their_own(opened: list[object], tmp_path: Path) -> None:
    for memory_mb in (100, 101):
        with open_main(limits(tmp_path, memory_mb), Cancel()) as connection:
            assert total(connection) == 6
    assert len(opened) == 2
    KEEPER.begin("another run/loop")
    with open_main(limits(tmp_path), Cancel()) as connection:
        assert total(connection) == 6
    assert len(opened) == 2, "a connection without a source holds nothing of the last work"


def test_a_source_stays_open_for_the_same_work_alone(opened: list[object], tmp_path: Path) -> None:
    file = tmp_path / "numbers.sqlite3"
    with sqlite3.connect(file) as made:
        made.execute("create table numbers (n integer)")
    made.close()
    light = Attach(("create view src as select 1 as n",), files=(str(file),), is_light=True)
    heavy = Attach(("create view src as select 2 as n",))

    def opens(attach: Attach) -> int:
        before = len(opened)
        with open_source(limits(tmp_path), Cancel(), attach) as source, source.run(READ, ("src",), 1024) as rows:
            assert rows.read_all().num_rows == 1
        return len(opened) - before

    assert [opens(light), opens(light), opens(heavy), opens(heavy)] == [1, 0, 1, 1]
    file.rename(tmp_path / "older.sqlite3")
    (tmp_path / "numbers.sqlite3").touch()
    assert opens(light) == 1, "another file lies there now"
    KEEPER.begin("another plan")
    assert not KEEPER.has_sources
    assert opens(light) == 1
    KEEPER.begin("run/loop", keeps_all=True)
    assert [opens(heavy), opens(heavy)] == [1, 0]
    KEEPER.begin("")
    assert [opens(light), opens(light)] == [1, 1]


def test_what_broke_or_spilled_is_closed(opened: list[object], tmp_path: Path) -> None:
    with (
        pytest.raises(EngineError),
        open_main(limits(tmp_path), Cancel()) as connection,
        connection.run("select 'x'::integer as n", (), 1024) as rows,
    ):
        rows.read_all()
    assert len(opened) == 1
    with open_main(limits(tmp_path), Cancel()) as connection:
        assert total(connection) == 6
    assert len(opened) == 2
    with open_main(limits(tmp_path / "spilling", 64), Cancel(), ordered=True) as connection:
        sorted_ = "select * from range(12000000) t(n) order by hash(n)"
        with connection.run(sorted_, (), 65536) as rows:
            assert sum(batch.num_rows for batch in rows) == 12_000_000
        assert any((tmp_path / "spilling").iterdir())
    with open_main(limits(tmp_path / "again", 64), Cancel(), ordered=True) as connection:
        assert total(connection) == 6
    assert len(opened) == 4
    assert not (tmp_path / "spilling").exists()
