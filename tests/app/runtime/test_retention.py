"""What is old goes; what is needed stays."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from flows.models import StoredPlan
from runtime import places, retention, states
from runtime.models import Event, Outbox, Result, Run, Task, Worker
from security.models import Secret
from security.secrets import seal
from tests.app.runtime.factory import World, stage
from tests.object_store import ObjectStore

LONG_AGO = timezone.now() - timedelta(days=90)


def age(path: object) -> None:
    os.utime(str(path), (LONG_AGO.timestamp(), LONG_AGO.timestamp()))


def test_expired_results_lose_their_file_and_say_when(world: World) -> None:
    run = world.make_run(stage("a", sink="result"))
    task = run.tasks.get()
    made = []
    for name, expires in (("old", LONG_AGO), ("new", timezone.now() + timedelta(days=1))):
        path = places.result_file(run.pk, task.pk, len(made))
        path.write_bytes(b"rows")
        made.append(
            Result.objects.create(
                run=run,
                task=task,
                step="s",
                name=name,
                reference=places.keep(path),
                rows=1,
                schema=[],
                policy_digest="",
                expires_at=expires,
            )
        )
    retention.remove_old()
    old, new = (Result.objects.get(pk=result.pk) for result in made)
    assert old.removed_at is not None
    assert not places.absolute(old.reference).exists()
    assert new.removed_at is None
    assert places.absolute(new.reference).exists()


def test_intermediate_rows_stay_while_a_run_may_go_on(world: World) -> None:
    kept, gone = world.make_run(stage("a")), world.make_run(stage("b"))
    Run.objects.filter(pk=gone.pk).update(state=states.FAILED, finished_at=LONG_AGO)
    for run in (kept, gone):
        file = places.exchange_file(run.pk, run.tasks.get().pk, 1)
        file.write_bytes(b"rows")
        age(file.parent)
    retention.remove_old()
    assert (places.absolute(f"exchange/{kept.pk}")).exists()
    assert not (places.absolute(f"exchange/{gone.pk}")).exists()


def test_spilled_files_of_ended_attempts_go(world: World) -> None:
    task = world.make_run(stage("a")).tasks.get()
    Task.objects.filter(pk=task.pk).update(state=states.RUNNING, attempt=2)
    active, ended = places.temporary_folder(task.pk, 2), places.temporary_folder(task.pk, 1)
    age(active)
    age(ended)
    retention.remove_old()
    assert active.exists()
    assert not ended.exists()


def test_previews_events_bells_plans_and_workers(world: World) -> None:
    run = world.make_run(stage("a"))
    preview = Task.objects.create(
        kind=Task.Kind.PREVIEW, state=states.DONE, result={"rows": []}, expires_at=LONG_AGO, requested_by=world.staff
    )
    sealed = seal("try", "{}")
    tried = Task.objects.create(kind=Task.Kind.CHECK, state=states.FAILED, payload={"sealed": str(sealed.pk)})
    Task.objects.filter(pk=tried.pk).update(created_at=LONG_AGO)
    Event.objects.create(topic=f"task:{tried.pk}", seq=1, kind="done", at=timezone.now())
    Event.objects.create(topic="run:old", seq=1, kind="log", at=LONG_AGO)
    Outbox.objects.update(sent_at=LONG_AGO)
    unused = StoredPlan.objects.create(digest="1" * 64, body={})
    StoredPlan.objects.update(created_at=LONG_AGO)
    Worker.objects.create(pk="w", host="h", process=1, started_at=LONG_AGO, seen_at=LONG_AGO)
    retention.remove_old()
    preview.refresh_from_db()
    assert preview.result is None
    assert not Task.objects.filter(pk=tried.pk).exists()
    assert not Secret.objects.filter(pk=sealed.pk).exists()
    assert not Event.objects.filter(topic__in=["run:old", f"task:{tried.pk}"]).exists()
    assert Event.objects.filter(topic=f"run:{run.pk}").exists()
    assert not Outbox.objects.exists()
    assert not StoredPlan.objects.filter(pk=unused.pk).exists()
    assert StoredPlan.objects.filter(pk=run.plan_id).exists()
    assert not Worker.objects.exists()


def test_a_host_forgets_what_it_has_fetched_when_the_run_has_ended(
    world: World, settings: Any, object_store: ObjectStore, tmp_path: Path
) -> None:
    settings.DATA_HOME = tmp_path
    settings.OPTIONS = {**settings.OPTIONS, **object_store.exchange(object_store.bucket())}
    going, ended, fresh = (world.make_run(stage("a")) for _ in range(3))
    kept = {}
    for run in (going, ended, fresh):
        path = places.exchange_file(run.pk, run.tasks.get().pk, 1)
        path.write_bytes(b"rows")
        kept[run.pk] = places.keep(path)
        if run is not fresh:
            age(path.parent)
    Run.objects.exclude(pk=going.pk).update(state=states.DONE, finished_at=timezone.now())
    assert retention.remove_copies() == 1
    assert {path.name for path in (tmp_path / "exchange").iterdir()} == {str(going.pk), str(fresh.pk)}
    assert places.absolute(kept[ended.pk]).read_bytes() == b"rows", "it is fetched again"

    assert retention.remove_exchange() == 0
    Run.objects.filter(pk=ended.pk).update(finished_at=LONG_AGO)
    assert retention.remove_exchange() == 0, "its object was made a moment ago"
