"""Holds runs and lets them go on. Both are states in the database, so they outlive every process."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from node_catalog.sdk.text import text
from runtime import states
from runtime.clock import db_now
from runtime.dispatcher import add_bells, due
from runtime.models import Run
from runtime.moves import cas_run, locked_run, run_fact, settle_run
from runtime.reporting import Topic, log_fact, record
from security import audit, clock
from security.models import User

BELLS = 50
"""Who works one task off looks for the next by itself."""


def pause_run(run_id: Any, user: User) -> Run:
    """Nothing new of the run starts. Stages at work go on to their end, a for-each to the end of the iteration.

    A run that has ended, is ending or is held already stays as it is.
    """
    with transaction.atomic():
        run = locked_run(run_id)
        assert run is not None, "a run's id leads to a run"
        if run.state not in (states.PENDING, states.RUNNING) or run.error:
            return run
        cas_run(run, states.PAUSING, paused_at=db_now())
        said = text("Pausing: what is at work goes on to its end.", "正在暂停：执行中的阶段完成后停下。")
        record(Topic("run", run.pk), [run_fact(run), log_fact("info", said)])
        audit.record("run.pause", "run", str(run.pk), principal=user)
        settle_run(run)
    run.refresh_from_db()
    return run


def resume_run(run_id: Any, user: User) -> Run:
    """The run goes on where it was held; one that is not held stays as it is."""
    with transaction.atomic():
        run = locked_run(run_id)
        assert run is not None, "a run's id leads to a run"
        if run.state not in states.HELD:
            return run
        held = (clock.now() - run.paused_at).total_seconds() if run.paused_at else 0.0
        new = states.RUNNING if run.started_at else states.PENDING
        cas_run(run, new, paused_at=None, paused_seconds=run.paused_seconds + max(0.0, held))
        record(Topic("run", run.pk), [run_fact(run), log_fact("info", text("The run goes on.", "继续运行。"))])
        audit.record("run.resume", "run", str(run.pk), principal=user)
        add_bells(list(run.tasks.filter(due()).values_list("pk", "attempt")[:BELLS]))
    run.refresh_from_db()
    return run
