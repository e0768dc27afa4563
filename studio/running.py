"""Drives runs and lone tasks from the command line, with the workers that are up or with one of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from runtime import states
from runtime.models import Run, Task
from runtime.models import Worker as WorkerRow
from runtime.worker import Worker
from security import clock

ALIVE_SECONDS = 30


def has_workers() -> bool:
    """Whether a worker has reported itself lately."""
    return WorkerRow.objects.filter(seen_at__gt=clock.now() - timedelta(seconds=ALIVE_SECONDS)).exists()


@contextlib.contextmanager
def workers(*, is_local: bool) -> Iterator[None]:
    """Make sure that somebody does the tasks: a worker inside this process when asked for or when none is up."""
    if not is_local and has_workers():
        yield
        return
    worker = Worker()
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def await_run(run: Run, seconds: float) -> Run:
    """The run when it has ended, or as it is after ``seconds``."""
    _poll(lambda: _fresh(run).state in states.RUN_FINISHED, seconds)
    return _fresh(run)


def await_task(task: Task, seconds: float) -> Task:
    """The lone task when it has ended, or as it is after ``seconds``."""
    _poll(lambda: _fresh(task).state in states.FINISHED, seconds)
    return _fresh(task)


def _fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


def _poll(is_over: Any, seconds: float) -> None:
    deadline, pause = time.monotonic() + seconds, 0.02
    while not is_over() and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 1.3, 0.5)
