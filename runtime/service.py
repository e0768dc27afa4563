"""The scheduler process: rings left-over bells, takes back lost tasks, ends long runs, removes what is old.

Any number may run. Each loop is a short transaction or none; the database keeps them apart.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.db import connection

from runtime import reaper, retention
from runtime.admission import admit_waiting
from runtime.dispatcher import Reminder, ring_left_over
from runtime.matching import tell_waiting, tell_waiting_for_turns
from runtime.models import Task
from runtime.neighbours import Neighbours
from runtime.states import READY

TICK = 0.5
log = logging.getLogger(__name__)


@dataclass
class _Duty:
    """Something to do every ``seconds``."""

    do: Callable[[], object]
    seconds: float
    is_for_ready: bool = False
    """It has nothing to do as long as no task is ready, which is nearly always so."""
    next_at: float = 0.0


class _Round:
    """What is asked once for all duties whose time it is."""

    @cached_property
    def has_ready(self) -> bool:
        return Task.objects.filter(state=READY).exists()


def run_scheduler_forever(stop: threading.Event | None = None) -> None:
    """Do every duty at its pace until ``stop`` is set; without one, until SIGTERM or SIGINT.

    A database that is away for a while is waited for; no error ends the loop.
    """
    ended = stop or threading.Event()
    if stop is None:
        _end_on_signals(ended)
    duties = (
        _Duty(ring_left_over, 0.5),
        _Duty(Reminder().remind, 1.0, is_for_ready=True),
        _Duty(tell_waiting, 1.0, is_for_ready=True),
        _Duty(tell_waiting_for_turns, 1.0, is_for_ready=True),
        _Duty(Neighbours().look, 0.5),
        _Duty(admit_waiting, 1.0),
        _Duty(reaper.reap, 1.0),
        _Duty(reaper.settle_left_over, 5.0),
        _Duty(reaper.stop_long_runs, 10.0),
        _Duty(reaper.stop_over_rule, 5.0),
        _Duty(retention.expire_previews, 60.0),
        _Duty(retention.remove_old, 600.0),
    )
    while not ended.wait(TICK):
        now = _Round()
        for duty in duties:
            if time.monotonic() >= duty.next_at and not ended.is_set():
                duty.next_at = time.monotonic() + duty.seconds
                _do(duty, now)
    connection.close()


def _do(duty: _Duty, now: _Round) -> None:
    try:
        if not duty.is_for_ready or now.has_ready:
            duty.do()
    except Exception as error:
        log.warning("scheduler: %s failed (%s)", getattr(duty.do, "__name__", "duty"), type(error).__name__)
        connection.close()


def _end_on_signals(ended: threading.Event) -> None:
    def end(number: int, frame: object) -> None:
        ended.set()

    # Only the main thread may set handlers; elsewhere the caller passes its own event.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
