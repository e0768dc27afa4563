"""The one Celery task: a bell. Its body is a task id and a hint of the attempt; the worker looks into the database."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task, signals

from runtime.dispatcher import RUN_TASK
from runtime.worker import current_worker, start_worker, stop_worker


@shared_task(name=RUN_TASK, ignore_result=True, acks_late=False)
def run_task(task_id: str, attempt: int = 0) -> None:
    """Something is ready. A bell that came late, twice or for nothing does no harm."""
    worker = current_worker()
    if worker is not None:
        worker.answer(task_id)


@signals.worker_init.connect
def _start(**more: Any) -> None:
    start_worker()


@signals.worker_shutting_down.connect
def _stop(**more: Any) -> None:
    # Sent from inside a signal handler, so the work is done on a thread; the process waits for it at its end.
    threading.Thread(target=stop_worker, name="worker-stop").start()
