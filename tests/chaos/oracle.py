"""What must be true when everything has settled, whatever was struck."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from runtime import states
from runtime.models import Event, Outbox, Run, SinkCommit, Task
from security.audit import verify
from tests.chaos.crew import Books
from tests.chaos.workloads import Workload


def check_everything(workloads: Iterable[Workload], books: Books) -> None:
    """Each row once, each run ended, each event numbered, nothing held, nothing left behind."""
    for load in workloads:
        load.verify()
    assert not Run.objects.exclude(state__in=states.RUN_FINISHED).exists()
    assert not Task.objects.filter(state__in=states.ACTIVE | states.WAITING).exists()
    for topic, seq in [*_topics(Run.objects.all(), "run"), *_topics(Task.objects.filter(run=None), "task")]:
        assert list(Event.objects.filter(topic=topic).order_by("seq").values_list("seq", flat=True)) == [
            *range(1, seq + 1)
        ], topic
    written = Task.objects.filter(payload__sink="write", state=states.DONE)
    assert SinkCommit.objects.count() == written.count()
    attempts = list(Task.objects.exclude(attempt=0).values_list("attempt", flat=True))
    print(f"  {sum(attempts) - len(attempts)} attempts beyond the first, {sum(books.tasks.values())} tasks struck")
    assert verify().is_ok
    assert Outbox.objects.filter(sent_at=None).count() <= 50


def _topics(rows: QuerySet[Any], kind: str) -> list[tuple[str, int]]:
    return [(f"{kind}:{pk}", seq) for pk, seq in rows.values_list("pk", "seq")]


def orphans() -> list[int]:
    """Processes of this test that have lost their parent."""
    home, found = str(settings.DATA_HOME), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError, IndexError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                words = (entry / "environ").read_bytes()
                if parent == "1" and home.encode() in words and b"worker_process" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found
