"""Rows that get values of their own in one statement: the same as one UPDATE for each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from runtime.clock import Soon
from runtime.each import update_each
from runtime.models import Attempt, Run, Task
from security import clock
from tests.app.runtime.factory import World, stage
from tests.app.runtime.test_statements import count


def runs_of(world: World, number: int) -> list[Run]:
    return [world.make_run(stage("a", sink="result")) for _ in range(number)]


def test_each_row_gets_its_own_in_one_statement(world: World) -> None:
    runs = runs_of(world, 5)
    now = clock.now()
    changes: list[Any] = [
        ({"pk": run.pk, "state": run.state, "seq": run.seq},
         {"rows_out": number, "steps": {"s": {"state": "done", "rows": number}}, "started_at": now, "error": None})
        for number, run in enumerate(runs)
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        assert update_each(Run.objects.all(), changes) == 5
    assert count(asked) == 1
    for number, run in enumerate(runs):
        run.refresh_from_db()
        assert (run.rows_out, run.steps["s"]["rows"], run.started_at, run.error) == (number, number, now, None)


def test_a_row_that_is_not_as_it_was_is_not_counted(world: World) -> None:
    runs = runs_of(world, 4)
    Run.objects.filter(pk=runs[2].pk).update(seq=77)
    changes = [({"pk": run.pk, "seq": run.seq}, {"rows_out": 9}) for run in runs]
    assert update_each(Run.objects.all(), changes) == 3
    assert Run.objects.get(pk=runs[2].pk).rows_out == 0


def test_rows_with_other_columns_are_groups_of_their_own(world: World) -> None:
    first, second, third = runs_of(world, 3)
    changes: list[Any] = [
        ({"pk": first.pk}, {"rows_out": 1}),
        ({"pk": second.pk}, {"rows_out": 2, "error": {"code": "x"}}),
        ({"pk": third.pk}, {"rows_out": 3, "error": None}),
    ]
    assert update_each(Run.objects.all(), changes) == 3
    assert list(Run.objects.order_by("number").values_list("rows_out", "error")) == [
        (1, None),
        (2, {"code": "x"}),
        (3, None),
    ]
    assert update_each(Run.objects.all(), []) == 0


def test_times_of_the_database(world: World) -> None:
    tasks = [run.tasks.get() for run in runs_of(world, 3)]
    changes: list[Any] = [
        ({"pk": task.pk}, {"started_at": Soon(-60 * number), "result": {"n": number}, "finished_at": Soon(-1)})
        for number, task in enumerate(tasks)
    ]
    assert update_each(Task.objects.all(), changes) == 3
    for number, task in enumerate(tasks):
        task.refresh_from_db()
        assert task.started_at is not None
        assert abs(clock.now() - task.started_at - timedelta(minutes=number)) < timedelta(seconds=30)
        assert task.result == {"n": number}


def test_what_has_no_parameters_of_its_own_goes_one_by_one(world: World) -> None:
    runs = runs_of(world, 2)
    changes = [({"pk": run.pk}, {"rows_out": F("rows_out") + number}) for number, run in enumerate(runs, 1)]
    assert update_each(Run.objects.all(), changes) == 2
    assert list(Run.objects.order_by("number").values_list("rows_out", flat=True)) == [1, 2]


def test_conditions_of_all_rows(world: World) -> None:
    tasks = [run.tasks.get() for run in runs_of(world, 2)]
    now = clock.now()
    for task, end in zip(tasks, (None, now), strict=True):
        Attempt.objects.create(task=task, number=1, worker="w", started_at=now, finished_at=end)
    changes = [({"task": task.pk}, {"outcome": "done", "finished_at": now}) for task in tasks]
    assert update_each(Attempt.objects.filter(finished_at=None), changes) == 1
    assert list(Attempt.objects.order_by("pk").values_list("outcome", flat=True)) == ["done", ""]
