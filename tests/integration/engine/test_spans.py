"""A long read in parts: an attempt that is killed leaves what it has read to the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.manifest import read_manifest
from node_catalog.sdk.registry import Registry
from runtime.engine.errors import ChildDiedError
from runtime.engine.pool import ChildPool
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, Report, Sealed, SinkSpec, StageOutcome, StageWork
from tests.integration.engine.support import AIR, stage, work
from tests.integration.engine.test_postgresql import air_source, open_limits, remote
from tests.services import PostgresServer, wait_until

pytestmark = pytest.mark.services
ROWS, EACH = 60_000, 10_000
ALL = 'SELECT "t0"."id", "t0"."station", "t0"."pm25" FROM "src" AS "t0"'
AS_PLANNED = 'WITH "s_read" AS NOT MATERIALIZED (SELECT "id", "station", "pm25" FROM "air") SELECT * FROM "s_read"'
WANTED = [number * 2 + 1 for number in range(ROWS)]


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """A database with table air, 60,000 rows of odd numbers, whose statistics are known."""
    found = postgres_server.create_database("engine_spans")
    with psycopg.connect(found) as connection:
        connection.execute("create table air (id bigint primary key, station text, pm25 double precision)")
        connection.execute(
            f"insert into air select i * 2 + 1, 's' || i % 30, i % 1000 from generate_series(0, {ROWS - 1}) i"
        )
        connection.execute("analyze air")
    return found


class Reading:
    """One delivery into a folder, attempt after attempt; ``told`` is what the platform would have kept."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.attempt = url, folder, 0
        self.told: list[Sealed] = []
        self.target = folder / "copied"

    def work(self, mode: Any = "append", text: str = ALL, each: int = EACH) -> StageWork:
        """The next attempt."""
        self.attempt += 1
        sink = SinkSpec(
            kind="write", connector="files", settings={"folder": str(self.folder)}, target_path=("copied",), mode=mode,
            create=True, delivery=DeliverySpec(sink="files", run="run1", task="task1", attempt=self.attempt),
        )  # fmt: skip
        copied = stage(AS_PLANNED, AIR, [remote(text)], kind="write")
        limits = open_limits(self.folder, span_rows=each)
        return work(self.folder, copied, [air_source(self.url)], sink=sink, limits=limits, sealed=tuple(self.told))

    def note(self, report: Report) -> None:
        if isinstance(report.part, Sealed):
            self.told = [*([] if report.part.is_first else self.told), report.part]

    def rows(self) -> list[int]:
        manifest = read_manifest(self.target)
        assert manifest is not None
        assert {part.name for part in manifest.parts} == {file.name for file in self.target.glob("part-*")}
        return sorted(n for part in manifest.parts for n in pq.read_table(self.target / part.name)["id"].to_pylist())


@pytest.fixture
def reading(url: str, tmp_path: Path) -> Reading:
    return Reading(url, tmp_path)


def check(reading: Reading, outcome: StageOutcome) -> None:
    assert reading.rows() == WANTED
    assert (outcome.rows, outcome.counts) == (ROWS, {"read_air": ROWS, "out": ROWS})
    assert outcome.exact


def test_a_long_read_is_told_in_parts(reading: Reading, registry: Registry) -> None:
    check(reading, run_stage(reading.work(), reading.note, registry))
    assert len(reading.told) == ROWS // EACH - 1
    assert all(part.part is not None and 0.5 * EACH < part.part.rows < 1.5 * EACH for part in reading.told)
    assert all(set(part.__struct_fields__) == {"high", "part", "is_first"} for part in reading.told), "no rows"


def test_no_part_reads_the_whole_table(reading: Reading, registry: Registry, url: str) -> None:
    """Not even half of it, which the server by itself does not look up in the index."""
    before = whole_reads(url)
    check(reading, run_stage(reading.work(each=ROWS // 2), reading.note, registry))
    assert len(reading.told) == 1
    assert whole_reads(url) == before


def whole_reads(url: str) -> int:
    """How often the server has read all of the table: it knows when the sessions that read are gone."""
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    others += "and backend_type = 'client backend'"
    reads = "select seq_scan from pg_stat_user_tables where relname = 'air'"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(others).fetchone() == (0,), 60, "the readers are gone")
        return int(connection.execute(reads).fetchall()[0][0])


def test_a_killed_attempt_is_gone_on_with(reading: Reading) -> None:
    """Killed three times in its second part, at different points: the part before is never read again."""
    for kill, point in enumerate(("files.seal.before_rename", "files.seal.after_rename", "engine.sealed"), 1):
        with ChildPool(1, failpoints=f"{point}=kill@2") as armed, pytest.raises(ChildDiedError):
            armed.run(reading.work(), reading.note)
        assert len(reading.told) == kill
    with ChildPool(1) as plain:
        outcome = plain.run(reading.work(), reading.note)
    assert isinstance(outcome, StageOutcome)
    check(reading, outcome)
    assert outcome.bytes_read < 0.75 * ROWS * 22, "a row has more than 22 bytes; parts are uneven"


def test_rows_that_come_and_go_between_two_attempts(reading: Reading, registry: Registry, url: str) -> None:
    """Keys below the last bound are as they were when they were read; those above as they are now."""
    stopper = Stopper(reading, 2)
    with pytest.raises(StoppedError):
        run_stage(reading.work(), stopper, registry)
    high = reading.told[-1].high
    with psycopg.connect(url) as connection:
        connection.execute("delete from air where id in (1, %s)", (2 * ROWS - 1,))
        connection.execute("insert into air values (2, 'late', 1), (%s, 'late', 1)", (2 * ROWS,))
    try:
        run_stage(reading.work(), reading.note, registry)
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("delete from air where station = 'late'")
            connection.execute("insert into air values (1, 's0', 0), (%s, 's29', 999)", (2 * ROWS - 1,))
    assert 2 < high < 2 * ROWS - 1
    assert reading.rows() == [*WANTED[:-1], 2 * ROWS]


def test_what_is_gone_is_read_again(reading: Reading, registry: Registry) -> None:
    with pytest.raises(StoppedError):
        run_stage(reading.work(), Stopper(reading, 3), registry)
    next(iter(reading.target.glob("part-*-s2.parquet"))).unlink()
    check(reading, run_stage(reading.work(), reading.note, registry))
    assert reading.told[0].is_first and len(reading.told) == ROWS // EACH - 1


def test_what_computes_over_all_rows_is_read_as_a_whole(reading: Reading, registry: Registry) -> None:
    assert run_stage(reading.work(text=f"{ALL} LIMIT 25000"), reading.note, registry).rows == 25_000
    assert reading.told == []


def test_a_filter_goes_into_each_part(reading: Reading, registry: Registry) -> None:
    work = reading.work("replace", f'{ALL} WHERE "t0"."pm25" < 500')
    assert run_stage(work, reading.note, registry).rows == ROWS // 2
    assert len(reading.told) == ROWS // EACH - 1


class StoppedError(Exception):
    """The attempt is over."""


class Stopper:
    """Ends an attempt after so many parts, as if its process had died there."""

    def __init__(self, reading: Reading, parts: int) -> None:
        self._reading, self._parts = reading, parts

    def __call__(self, report: Report) -> None:
        self._reading.note(report)
        if report.part is not None and len(self._reading.told) == self._parts:
            raise StoppedError
