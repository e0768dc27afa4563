"""Progress on its way to the database: the newest counts of every claim, written at most about twice a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from runtime import states
from runtime.claims import Claim
from runtime.engine.work import Report
from runtime.models import Task
from runtime.moves import is_iteration, locked_run, tell
from runtime.reporting import Fact, gathering, log_fact


@dataclass
class _Newest:
    """What one claim has said since the last flush, and what was shown before."""

    claim: Claim
    counts: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    phase: str = ""
    size: int = 0
    logs: list[Fact] = field(default_factory=list)
    is_fresh: bool = False
    shown: dict[str, int] = field(default_factory=dict)
    shown_at: float = field(default_factory=time.monotonic)


class Progress:
    """Collects reports from the work's threads; ``flush`` is called by one thread of the worker."""

    def __init__(self, every: float = 0.5) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._newest: dict[Any, _Newest] = {}

    def start(self, claim: Claim) -> None:
        """Reports of this claim are awaited."""
        with self._lock:
            self._newest[claim.task.pk] = _Newest(claim)

    def stop(self, claim: Claim) -> None:
        """The claim has ended; what was not written yet is superseded by its end."""
        with self._lock:
            self._newest.pop(claim.task.pk, None)

    def note(self, claim: Claim, report: Report) -> None:
        """Keep what a report says; cheap, called from the work's own thread."""
        with self._lock:
            newest = self._newest.get(claim.task.pk)
            if newest is None:
                return
            if report.kind == "log":
                newest.logs.append(log_fact(report.level, report.message, report.step))
            else:
                newest.counts.update(report.counts)
                newest.sizes.update(report.sizes)
                newest.seconds.update(report.seconds)
                newest.shares = report.shares
                newest.phase = report.phase or newest.phase
                newest.size = report.bytes or newest.size
            newest.is_fresh = True

    def flush(self) -> None:
        """Write what is new, each claim at most once per ``every`` seconds, each in one transaction."""
        now = time.monotonic()
        with self._lock:
            due = [new for new in self._newest.values() if new.is_fresh and now - new.shown_at >= self._every]
            for newest in due:
                newest.is_fresh = False
        for newest in due:
            self._write(newest, now)

    def _write(self, newest: _Newest, now: float) -> None:
        with self._lock:
            counts, logs = dict(newest.counts), newest.logs[:20]
            effort = effort_by_step(newest.sizes, newest.seconds)
            shares = dict(newest.shares)
            del newest.logs[:20]
        seconds = max(now - newest.shown_at, 1e-3)
        rates = {key: max(0, round((rows - newest.shown.get(key, 0)) / seconds)) for key, rows in counts.items()}
        newest.shown, newest.shown_at = counts, now
        task, said = newest.claim.task, {"phase": newest.phase, "counts": counts, "bytes": newest.size}
        with transaction.atomic():
            run = locked_run(task.run_id)
            # Under the lock: a task that has ended meanwhile must not be shown as running again.
            mine = Task.objects.filter(pk=task.pk, attempt=newest.claim.attempt, state__in=states.ACTIVE)
            if not mine.update(progress=said):
                return
            with gathering(run):
                if is_iteration(task):
                    # Its steps are those of another flow; they must not be taken for the caller's.
                    tell(task, logs)
                elif task.run_id:
                    tell(task, logs, live_picture(counts, rates, effort) | uncounted_picture(shares))
                else:
                    tell(task, [Fact("progress", said), *logs])


def live_picture(
    counts: Mapping[str, int], rates: Mapping[str, int], effort: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Counts that grow: not exact yet."""
    picture: dict[str, dict[str, Any]] = {}
    for step, (rows, ports) in by_step(counts).items():
        picture[step] = {
            "state": "running", "rows": rows, "exact": False, "counted": "live", "rows_per_s": rates.get(step, 0),
            **effort.get(step, {}),
        }  # fmt: skip
        if ports:
            picture[step]["ports"] = ports
    return picture


def uncounted_picture(shares: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Steps whose rows are counted at the end: how far the engine is with them, which is no count."""
    return {
        step: {"state": "running", "rows": None, "exact": False, "counted": "at_end", "share": share}
        for step, share in shares.items()
    }


def effort_by_step(sizes: Mapping[str, int], seconds: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """``bytes``, ``port_bytes`` and ``seconds`` of every step of which they are known."""
    found: dict[str, dict[str, Any]] = {}
    for step, (size, ports) in by_step(sizes).items():
        found[step] = {"bytes": size, **({"port_bytes": ports} if ports else {})}
    for step, spent in seconds.items():
        found.setdefault(step, {})["seconds"] = spent
    return found


def by_step(counts: Mapping[str, int]) -> dict[str, tuple[int | None, dict[str, int]]]:
    """Counts by step and by ``step.port`` → for every step its rows and those of its ports."""
    found: dict[str, tuple[int | None, dict[str, int]]] = {}
    for key, rows in counts.items():
        step, _, port = key.partition(".")
        total, ports = found.get(step, (None, {}))
        found[step] = (total, {**ports, port: rows}) if port else (rows, ports)
    return found
