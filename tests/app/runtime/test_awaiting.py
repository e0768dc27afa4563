"""A program starts a run and is answered when it has ended: one request, however long it takes."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connection

from runtime import states
from runtime.awaiting import await_end
from runtime.models import Run
from tests.app.runtime.factory import World, stage
from tests.app.runtime.test_api import browser


def end(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=states.DONE)


def test_all_who_wait_are_told_of_the_end(shared_world: World) -> None:
    runs = [shared_world.make_run(stage("a", sink="result")) for _ in range(3)]
    answers: dict[Any, bool] = {}

    def wait(run: Run) -> None:
        answers[run.pk] = await_end(run.pk, 60)

    threads = [threading.Thread(target=wait, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for run in runs:
        end(run)
    for thread in threads:
        thread.join(60)
    assert answers == {run.pk: True for run in runs}
    assert await_end(runs[0].pk, 60), "a run that has ended is answered at once"


def test_nobody_waits_longer_than_asked(shared_world: World) -> None:
    run = shared_world.make_run(stage("a", sink="result"))
    assert not await_end(run.pk, 0.05)
    assert not await_end(run.pk, 0)


def test_the_route_answers_when_the_run_has_ended(shared_world: World) -> None:
    run = shared_world.make_run(stage("a", sink="result"))
    client = browser(shared_world.staff)
    answers: list[str] = []

    def ask() -> None:
        answers.append(client.get(f"/api/runs/{run.pk}?wait=60").json()["state"])
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    end(run)
    thread.join(60)
    assert answers == ["done"]
    assert client.get(f"/api/runs/{run.pk}?wait=0.01").status_code == 200
    assert [client.get(f"/api/runs/{run.pk}?wait={wrong}").status_code for wrong in ("soon", "-1", "61")] == [400] * 3
