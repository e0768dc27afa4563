"""Light works of an event loop: done in the children that threads use, too, and as safe there."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from node_catalog.sdk.ports import Schema
from runtime.calling.executor import Deadline
from runtime.engine.desk import Desk
from runtime.engine.errors import CancelledError, ChildDiedError, EngineError
from runtime.engine.pipe import pack
from runtime.engine.pool import ChildPool
from runtime.engine.work import Limits, Outcome, PackedWork, SinkSpec, StageOutcome
from tests.integration.engine.support import limits, stage, work

NUMBER = Schema.of([("n", "integer")])
Answers = Sequence[Outcome | BaseException | None]
ENDLESS = "select count(*) as n from range(1000000) a(i), range(1000000) b(j) where hash(i + j) % 7 = 3"


@pytest.fixture
def pool() -> Iterator[ChildPool]:
    with ChildPool(1, Limits(memory_mb=256)) as made:
        yield made


def call(folder: Path, text: str) -> PackedWork:
    given = SinkSpec(kind="return", limit=10, form="json")
    made = work(folder, stage(text, NUMBER, [], steps=["out"]), [], sink=given, limits=limits(folder, temp_folder=""))
    return pack(made)


def number(folder: Path, n: int) -> PackedWork:
    return call(folder, f"select {n}::bigint as n")


def rows(outcome: Outcome | None) -> object:
    assert isinstance(outcome, StageOutcome)
    return msgspec.json.decode(b"{%b}" % outcome.answer)["rows"]


def warm(pool: ChildPool, folder: Path) -> None:
    """The first child is ready, and waits."""
    assert rows(pool.run(number(folder, 0))) == [{"n": 0}]


async def several(desk: Desk, *works: PackedWork, seconds: float = 60) -> Answers:
    return await asyncio.gather(*(desk.run(one, Deadline(seconds)) for one in works), return_exceptions=True)


def test_each_gets_its_own_answer_in_any_loop(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)
    for _ in range(2):
        told = asyncio.run(several(desk, *(number(tmp_path, n) for n in range(20))))
        assert [rows(one) for one in told if not isinstance(one, BaseException)] == [[{"n": n}] for n in range(20)]
    assert pool.busy == 0


def test_an_error_is_one_works_own(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)
    pids = pool.pids
    wrong = call(tmp_path, "select error('no') as n")
    told = asyncio.run(several(desk, number(tmp_path, 1), wrong, number(tmp_path, 2)))
    assert isinstance(told[1], EngineError)
    assert [rows(told[0]), rows(told[2])] == [[{"n": 1}], [{"n": 2}]]  # type: ignore[arg-type]
    assert pool.pids == pids


def test_what_takes_too_long_is_ended_and_the_others_go_on(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)

    async def ended() -> Answers:
        slow = asyncio.ensure_future(desk.run(call(tmp_path, ENDLESS), Deadline(0.3)))
        late = asyncio.ensure_future(desk.run(number(tmp_path, 1), Deadline(0.2)))
        never = asyncio.ensure_future(desk.run(number(tmp_path, 2), Deadline(0)))
        patient = asyncio.ensure_future(desk.run(number(tmp_path, 3), Deadline(60)))
        return await asyncio.gather(slow, late, never, patient, return_exceptions=True)

    told = asyncio.run(ended())
    assert [type(one) for one in told[:3]] == [CancelledError] * 3, "one at work, two waiting"
    assert rows(told[3]) == [{"n": 3}], "by the same child, which has stopped"  # type: ignore[arg-type]
    with pytest.raises(CancelledError):
        warm(pool, tmp_path)
        asyncio.run(desk.run(number(tmp_path, 4), Deadline(0)))


def test_a_killed_child_is_told_and_replaced(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)

    async def killed() -> Answers:
        one = asyncio.ensure_future(desk.run(call(tmp_path, ENDLESS), Deadline(60)))
        two = asyncio.ensure_future(desk.run(number(tmp_path, 1), Deadline(60)))
        await asyncio.sleep(0)
        assert pool.busy == 1
        os.kill(pool.pids[0], signal.SIGKILL)
        return await asyncio.gather(one, two, return_exceptions=True)

    told = asyncio.run(killed())
    assert isinstance(told[0], ChildDiedError)
    assert told[1] is None, "a thread may wait until the next child is ready"
    warm(pool, tmp_path)
    assert rows(asyncio.run(several(desk, number(tmp_path, 2)))[0]) == [{"n": 2}]  # type: ignore[arg-type]


def test_what_it_cannot_do_at_once_is_for_a_thread(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)
    large = call(tmp_path, f"select length('{'x' * 100_000}') as n")
    assert asyncio.run(several(desk, large)) == [None]
    assert rows(pool.run(large)) == [{"n": 100_000}]
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert asyncio.run(several(desk, number(tmp_path, 1))) == [None], "it died while it waited"
    assert rows(pool.run(number(tmp_path, 1))) == [{"n": 1}]


def test_threads_and_the_loop_take_turns(pool: ChildPool, tmp_path: Path) -> None:
    desk, cancel = Desk(pool), threading.Event()
    warm(pool, tmp_path)

    async def both(threads: ThreadPoolExecutor) -> list[object]:
        loop = asyncio.get_running_loop()
        mine = [desk.run(number(tmp_path, n), Deadline(60)) for n in range(30)]
        theirs = [loop.run_in_executor(threads, pool.run, number(tmp_path, n), None, cancel) for n in range(30)]
        return [rows(one) for one in await asyncio.gather(*mine, *theirs)]

    with ThreadPoolExecutor(4) as threads:
        assert asyncio.run(both(threads)) == [[{"n": n}] for n in range(30)] * 2
    assert pool.busy == 0 and len(pool.pids) == 1


def test_a_closed_pool_ends_what_runs(pool: ChildPool, tmp_path: Path) -> None:
    desk = Desk(pool)
    warm(pool, tmp_path)

    async def closed() -> Answers:
        one = asyncio.ensure_future(desk.run(call(tmp_path, ENDLESS), Deadline(60)))
        await asyncio.sleep(0)
        assert pool.busy == 1
        pool.close()
        return await asyncio.gather(one, desk.run(number(tmp_path, 1), Deadline(60)), return_exceptions=True)

    told = asyncio.run(closed())
    assert isinstance(told[0], ChildDiedError)
    assert told[1] is None
