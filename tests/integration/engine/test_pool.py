"""Child processes: warm, bounded, stopped at once, buried with words; the parent lives through all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.ports import Schema
from runtime.engine.errors import (
    CancelledError,
    ChildDiedError,
    ChildStartError,
    EngineError,
    MemoryLimitError,
    TextRefusedError,
)
from runtime.engine.limits import resident_bytes
from runtime.engine.pool import ChildPool
from runtime.engine.work import (
    CheckOutcome,
    CheckWork,
    DiscoverOutcome,
    DiscoverWork,
    FoundDatasets,
    Limits,
    ProfileOutcome,
    ProfileWork,
    Report,
    StageOutcome,
    StageWork,
)
from tests.integration.engine.conftest import ROWS
from tests.integration.engine.support import (
    AIR,
    BY_STATION,
    BY_STATION_TEXT,
    binding,
    by_station,
    limits,
    sink,
    source,
    stage,
    work,
)
from tests.services import wait_until

MIB = 1024 * 1024
PACKAGES = ("node_catalog.types", "tests.integration.engine.types")
NUMBER = Schema.of([("n", "integer")])
ENDLESS = "select count(*) as n from range(1000000) a(i), range(1000000) b(j) where hash(i + j) % 7 = 3"


@pytest.fixture(scope="module")
def pool() -> Iterator[ChildPool]:
    with ChildPool(2, Limits(memory_mb=256), packages=PACKAGES, recycle_after=1000) as made:
        yield made


def act(name: str, note: str = "") -> CheckWork:
    return CheckWork(connector="unruly", settings={"act": name, "note": note})


def sql_work(folder: Path, text: str, schema: Schema = NUMBER) -> StageWork:
    return work(folder, stage(text, schema, [], "collect", steps=["out"]), [])


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def in_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


# ── What it does ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_in_a_child_reports_and_answers(pool: ChildPool, air: Path, tmp_path: Path) -> None:
    told: list[Report] = []
    made = work(air, stage(BY_STATION_TEXT, BY_STATION, [binding()]), [source(air, "csv")], sink=sink(tmp_path))
    outcome = pool.run(made, told.append)
    assert isinstance(outcome, StageOutcome)
    assert outcome.rows == len(by_station(ROWS)) and outcome.counts["read_air"] == ROWS
    assert [report.phase for report in told][-1] == "done"
    assert told[-1].counts["read_air"] == ROWS
    assert (tmp_path / "out.parquet").exists()


def test_a_profile_in_a_child(pool: ChildPool, air: Path) -> None:
    outcome = pool.run(ProfileWork(binding=binding(), source=source(air, "sqlite"), limits=limits(air)))
    assert isinstance(outcome, ProfileOutcome)
    assert outcome.rows == outcome.sample_rows == ROWS
    assert outcome.columns["pm25"]["max"] == 999.0 and outcome.columns["station"]["distinct"] == 30


def test_discovery_and_check_in_a_child(pool: ChildPool, air: Path) -> None:
    found = discovered(pool, DiscoverWork(connector="files", settings={"folder": str(air)}, limits=limits(air)))
    assert {dataset.path for dataset in found} >= {("air.csv",), ("air.parquet",)}
    checked = pool.run(CheckWork(connector="sqlite", settings={"path": str(air / "air.sqlite")}, limits=limits(air)))
    assert isinstance(checked, CheckOutcome) and checked.check.ok
    many = discovered(pool, DiscoverWork(connector="unruly", settings={}, known=((("t7",), {"delimiter": ";"}),)))
    assert len(many) == 1000
    assert many[7].settings == {"delimiter": ";"}
    again = DiscoverWork(connector="unruly", settings={}, described=tuple(one.path for one in many[:990]))
    assert [one.path for one in discovered(pool, again)] == [one.path for one in many[990:]]


def discovered(pool: ChildPool, work: DiscoverWork) -> list[DiscoveredDataset]:
    told: list[Report] = []
    outcome = pool.run(work, told.append)
    found = [one for report in told if isinstance(report.part, FoundDatasets) for one in report.part.datasets]
    assert isinstance(outcome, DiscoverOutcome) and outcome.datasets == len(found)
    return found


def test_several_threads_share_it(pool: ChildPool) -> None:
    notes = [f"note {i} " + "长" * (i * 500) for i in range(40)]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda note: pool.run(act("echo", note)), notes))
    assert [outcome.check.facts["note"] for outcome in outcomes] == notes  # type: ignore[union-attr]
    assert pool.busy == 0 and len(pool.pids) <= 2


def test_printing_does_not_break_the_pipe(pool: ChildPool) -> None:
    outcome = pool.run(act("print"))
    assert isinstance(outcome, CheckOutcome) and outcome.check.facts["stdin"] == ""


def test_the_child_does_not_see_our_environment(pool: ChildPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    with ChildPool(1, Limits(memory_mb=256), packages=PACKAGES) as fresh:
        outcome = fresh.run(act("environment"))
    assert isinstance(outcome, CheckOutcome)
    assert set(outcome.check.facts["environment"]) <= {
        "PYTHONPATH", "PYTHONUNBUFFERED", "LANG", "LC_CTYPE", "TZ", "MALLOC_ARENA_MAX", "ARROW_DEFAULT_MEMORY_POOL",
    }  # fmt: skip


def test_a_warm_child_answers_within_milliseconds(pool: ChildPool) -> None:
    pool.run(act("echo"))
    started = time.monotonic()
    for _ in range(20):
        pool.run(act("echo"))
    assert (time.monotonic() - started) / 20 < 0.2


def test_errors_of_the_work_keep_their_words_and_the_child(pool: ChildPool, tmp_path: Path) -> None:
    pids = set(pool.pids)
    with pytest.raises(TextRefusedError) as refused:
        pool.run(sql_work(tmp_path, "select * from read_text('/etc/passwd')"))
    assert refused.value.message["zh-CN"]
    with pytest.raises(EngineError) as settings:
        pool.run(CheckWork(connector="files", settings={"folder": 3, "nonsense": 1}))
    assert {problem["pointer"] for problem in settings.value.problems} >= {"/folder"}
    assert set(pool.pids) == pids


# ── What it withstands ────────────────────────────────────────────────────────────────────────────────────


BOMBS = {
    "one call": "select length(repeat('x', 4200000000)) as n",
    "one list": "select len(list(repeat('x', 1000) || i)) as n from range(100000000) t(i)",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_memory_bomb_ends_in_words(pool: ChildPool, tmp_path: Path, text: str) -> None:
    before = resident_bytes()
    with pytest.raises(MemoryLimitError) as caught:
        pool.run(sql_work(tmp_path, text))
    assert caught.value.retry == "fatal" and "CHILD_MEMORY_MB" in caught.value.message["en"]
    assert resident_bytes() - before < 100 * MIB
    assert isinstance(pool.run(act("echo")), CheckOutcome)


def test_a_bomb_that_may_just_fit_does_not_trouble_the_parent(pool: ChildPool, tmp_path: Path) -> None:
    before = resident_bytes()
    try:
        pool.run(sql_work(tmp_path, "select length(repeat('x', 2000000000)) as n"))
    except MemoryLimitError:
        pass
    except EngineError as error:
        pytest.fail(f"the engine said: {error.detail}")
    assert resident_bytes() - before < 100 * MIB
    assert isinstance(pool.run(act("echo")), CheckOutcome)


def test_a_connector_that_eats_memory_ends_in_words(pool: ChildPool) -> None:
    with pytest.raises((MemoryLimitError, ChildDiedError)):
        pool.run(act("eat"))
    assert isinstance(pool.run(act("echo")), CheckOutcome)


def test_a_running_query_is_cancelled_within_a_second(pool: ChildPool, tmp_path: Path) -> None:
    cancel = threading.Event()
    thread, errors = in_background(lambda: pool.run(sql_work(tmp_path, ENDLESS), None, cancel))
    wait_until(lambda: pool.busy == 1, 10, "the query runs")
    threading.Event().wait(0.3)
    started = time.monotonic()
    cancel.set()
    thread.join(5)
    assert time.monotonic() - started < 1.5
    assert isinstance(errors[0], CancelledError)


def test_what_does_not_listen_is_killed_with_all_it_started(pool: ChildPool, tmp_path: Path) -> None:
    cancel, note = threading.Event(), tmp_path / "pid"
    thread, errors = in_background(lambda: pool.run(act("tree", str(note)), None, cancel))
    wait_until(lambda: note.exists() and note.read_text(), 20, "the grandchild runs")
    started = time.monotonic()
    cancel.set()
    thread.join(5)
    assert time.monotonic() - started < 1.5
    assert isinstance(errors[0], CancelledError)
    wait_until(lambda: is_gone(int(note.read_text())), 2, "the grandchild is gone")
    assert isinstance(pool.run(act("echo")), CheckOutcome)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_killed_child_is_reported_and_replaced(pool: ChildPool, tmp_path: Path, number: signal.Signals) -> None:
    pids: list[int] = []
    thread, errors = in_background(lambda: pool.run(sql_work(tmp_path, ENDLESS), None, None, pids.append))
    wait_until(lambda: pids, 20, "the query runs")
    threading.Event().wait(0.2)
    os.kill(pids[0], number)
    thread.join(10)
    error = errors[0]
    assert isinstance(error, ChildDiedError) and error.signal == number and error.retry == "retry"
    outcome = pool.run(act("print"))
    assert isinstance(outcome, CheckOutcome) and outcome.check.facts["pid"] != pids[0]


def test_a_child_that_leaves_by_itself_is_reported(pool: ChildPool) -> None:
    with pytest.raises(ChildDiedError) as caught:
        pool.run(act("leave"))
    assert (caught.value.signal, caught.value.exit_code) == (0, 7)


def test_a_child_that_died_while_it_waited_is_replaced_unseen(pool: ChildPool) -> None:
    for _ in range(3):
        pool.run(act("echo"))
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        assert isinstance(pool.run(act("echo")), CheckOutcome)


def test_a_stopped_child_can_still_be_cancelled(pool: ChildPool, tmp_path: Path) -> None:
    pids: list[int] = []
    cancel = threading.Event()
    thread, errors = in_background(lambda: pool.run(sql_work(tmp_path, ENDLESS), None, cancel, pids.append))
    wait_until(lambda: pids, 20, "the query runs")
    os.kill(pids[0], signal.SIGSTOP)
    cancel.set()
    thread.join(5)
    assert isinstance(errors[0], CancelledError)
    assert is_gone(pids[0])


def test_a_report_that_cannot_be_told_ends_the_work(pool: ChildPool, tmp_path: Path) -> None:
    class FencedOutError(Exception):
        pass

    def tell(report: Report) -> None:
        raise FencedOutError

    with pytest.raises(FencedOutError):
        pool.run(sql_work(tmp_path, ENDLESS), tell)
    assert isinstance(pool.run(act("echo")), CheckOutcome)


def test_a_killed_attempt_leaves_nothing_and_the_next_delivers(air: Path, tmp_path: Path) -> None:
    made = work(air, stage('select * from "air"', AIR, [binding()]), [source(air, "parquet")], sink=sink(tmp_path))
    for fault in ("engine.source_batch=kill", "engine.sink_write=kill", "engine.before_commit=kill"):
        with ChildPool(1, Limits(memory_mb=256), failpoints=fault) as armed, pytest.raises(ChildDiedError):
            armed.run(made)
        assert not (tmp_path / "out.parquet").exists()
    with ChildPool(1, Limits(memory_mb=256)) as plain:
        outcome = plain.run(msgspec.structs.replace(made, sink=sink(tmp_path, attempt=2)))
    assert isinstance(outcome, StageOutcome) and outcome.rows == ROWS
    assert (tmp_path / "out.parquet").exists()


# ── How long children live ────────────────────────────────────────────────────────────────────────────────


def test_a_child_is_replaced_after_so_many_works_and_when_it_has_grown() -> None:
    with ChildPool(1, Limits(memory_mb=256), packages=PACKAGES, recycle_after=3) as small:
        pids = [small.run(act("environment")) and small.pids for _ in range(7)]
        assert len({pid for group in pids for pid in group}) >= 3
    with ChildPool(1, Limits(memory_mb=1024), packages=PACKAGES) as grown:
        first = grown.pids
        grown.run(act("grow"))
        grown.run(act("echo"))
        assert grown.pids != first


def test_a_child_gives_back_what_its_works_have_used(air: Path) -> None:
    """Profiles read through threads that end; what these had freed must not stay for good."""
    with ChildPool(1, Limits(memory_mb=256)) as one:
        kinds = ("csv", "parquet", "sqlite")
        profiles = [ProfileWork(binding=binding(), source=source(air, kind), limits=limits(air)) for kind in kinds]
        one.run(profiles[0])
        first = one.memory_bytes
        for profile in profiles * 4:
            one.run(profile)
        assert one.memory_bytes - first < 48 * MIB


def test_children_outlive_the_thread_that_asked_but_not_the_pool() -> None:
    made: list[ChildPool] = []
    thread = threading.Thread(target=lambda: made.append(ChildPool(1, Limits(memory_mb=256), packages=PACKAGES)))
    thread.start()
    thread.join()
    outcome = made[0].run(act("print"))
    assert isinstance(outcome, CheckOutcome)
    pid = outcome.check.facts["pid"]
    assert not is_gone(pid)
    made[0].close()
    assert is_gone(pid)
    with pytest.raises(EngineError):
        made[0].run(act("echo"))


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    closing = ChildPool(1, Limits(memory_mb=256), packages=PACKAGES)
    pids: list[int] = []
    thread, errors = in_background(lambda: closing.run(sql_work(tmp_path, ENDLESS), None, None, pids.append))
    wait_until(lambda: pids, 20, "the query runs")
    closing.close()
    thread.join(5)
    assert isinstance(errors[0], EngineError) and is_gone(pids[0])


def test_children_end_with_a_killed_parent(tmp_path: Path, repo: Path) -> None:
    program = (
        "import sys, time\n"
        "from runtime.engine.pool import ChildPool\n"
        "from runtime.engine.work import CheckWork, Limits\n"
        f"pool = ChildPool(2, Limits(memory_mb=256), packages={PACKAGES!r})\n"
        "pool.run(CheckWork(connector='unruly', settings={'act': 'echo'}))\n"
        "print(*pool.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=repo)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2 and not any(is_gone(pid) for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: all(is_gone(pid) for pid in pids), 5, "the children have ended")


def test_types_that_do_not_load_are_named() -> None:
    packages = ("no_such_package",)
    with ChildPool(1, Limits(memory_mb=256), packages=packages) as broken, pytest.raises(ChildStartError) as caught:
        broken.run(act("echo"))
    assert "no_such_package" in str(caught.value.message)
