"""A child process of a worker: loaded once, does one work after another until its parent ends or drops it.

Messages come in at standard input and leave through what was standard output; anything else that prints goes to
standard error, so it can never break a message. Started by runtime.engine.pool with its settings as one argument.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import sys
import threading
import time
from collections import deque

import msgspec
import pyarrow as pa

from node_catalog.sdk.failpoint import arm
from node_catalog.sdk.registry import Registry, load_registry
from runtime.engine.calls import CALLS, LEFT_SECONDS
from runtime.engine.cancel import Cancel
from runtime.engine.duck import warm_up
from runtime.engine.errors import CancelledError, SilentError, problem_of
from runtime.engine.keeper import KEEPER, REST_SECONDS
from runtime.engine.limits import die_with_parent, forget_peak, limit_address_space, resident_bytes
from runtime.engine.no_pandas import keep_out
from runtime.engine.pacing import TEMPOS
from runtime.engine.perform import perform
from runtime.engine.pipe import (
    PIPE_BYTES,
    Began,
    ChildSettings,
    Do,
    Done,
    Failed,
    PipeClosedError,
    Ready,
    Said,
    Share,
    Up,
    down_reader,
    encode,
    write_all,
)
from runtime.engine.work import PackedWork, Report, StageWork

SPARE = 32 * 1024 * 1024
"""Bytes that a child may keep above those that stay: giving back what a light work leaves costs more than it brings."""

DEAF_SECONDS = 0.05
"""A work that takes longer is heard for by another thread."""
WATCH_SECONDS = 0.5
MEASURE_SECONDS = 0.25
"""How often it is looked how much memory calls have left."""


class Child:
    """The loop of a child. The thread that works reads the pipe itself, so that light works change no thread.

    Who works for long is deaf: then a thread beside has the pipe, so that a stop is heard soon, and keeps it until the
    next work has come.
    """

    def __init__(self, incoming: int, outgoing: int, registry: Registry) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._registry = registry
        self._messages = down_reader()
        self._poll = select.poll()
        self._poll.register(incoming, select.POLLIN)
        self._works: deque[Do] = deque()
        self._sending = threading.Lock()
        self._guard = threading.Condition()
        self._is_heard_beside = False
        """Whether the thread beside has the pipe."""
        self._current: tuple[int, Cancel] | None = None
        self._is_busy = threading.Event()
        self._stopped: set[int] = set()
        self._memory = self._least_memory = resident_bytes()
        """What there was when it was looked last, and what stays when freed memory has been given back."""
        self._measured_at = 0.0

    def run(self) -> None:
        """Work until the parent closes the pipe."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        self._send(Ready(resident_bytes()))
        while True:
            message = self._next(_patience())
            if message is None:
                if KEEPER.has_sources:
                    KEEPER.close_sources()
                else:
                    CALLS.close()
                    KEEPER.close_texts()
                continue
            if isinstance(message.work, StageWork):
                KEEPER.begin(message.work.keep, keeps_all=message.work.keeps_all)
            elif not isinstance(message.work, PackedWork):  # which says it itself, once it is unpacked
                KEEPER.begin("")
            self._do(message)

    def _next(self, patience: float | None) -> Do | None:
        """The next work; None when none has come for so many seconds."""
        while True:
            with self._guard:
                if not self._guard.wait_for(lambda: not self._is_heard_beside, patience):
                    return None
                if self._works:
                    return self._works.popleft()
            if patience is not None and not self._poll.poll(patience * 1000):
                return None
            self._hear()

    def _hear(self) -> None:
        """Read what the parent has sent. Without a parent there is nothing to do."""
        try:
            data = os.read(self._incoming, PIPE_BYTES)
            messages = self._messages.feed(data)
        except (PipeClosedError, OSError):
            os._exit(0)
        if not data:
            os._exit(0)
        for message in messages:
            if isinstance(message, Do):
                self._works.append(message)
            elif isinstance(message, Share):
                for node, readers in message.readers.items():
                    TEMPOS.share(node, readers)
            else:
                with self._guard:
                    self._stopped.add(message.id)
                    current = self._current
                if current is not None and current[0] == message.id:
                    current[1].stop()

    def _listen(self) -> None:
        """Be the ears of works that take long, and end the process when what one waits for outside is overdue: no call
        into a driver can be broken off.
        """
        while True:
            self._is_busy.wait()
            current = self._current
            time.sleep(DEAF_SECONDS)
            with self._guard:
                self._is_heard_beside = current is not None and self._current is current
            while self._is_heard_beside:
                if self._poll.poll(WATCH_SECONDS * 1000 if self._current is not None else None):
                    self._hear()
                with self._guard:
                    self._end_when_overdue()
                    if self._works:
                        self._is_heard_beside = False
                        self._guard.notify()

    def _end_when_overdue(self) -> None:
        where = self._current[1].overdue() if self._current is not None else None
        if self._current is not None and where is not None:
            self._send(Failed(self._current[0], problem_of(SilentError(where=where))))
            os._exit(1)

    def _do(self, message: Do) -> None:
        cancel = Cancel()
        with self._guard:
            self._current = (message.id, cancel)
            self._is_busy.set()
            if message.id in self._stopped:
                cancel.stop()
        is_call = isinstance(message.work, PackedWork)
        if not is_call:
            self._send(Began(message.id))
            forget_peak()

        def tell(report: Report) -> None:
            self._send(Said(message.id, report))

        answer: Up
        try:
            cancel.check()
            outcome = perform(message.work, tell, self._registry, cancel)
            answer = Done(message.id, outcome, 0)
        except Exception as error:
            # Torn out of its work, anything may break in a query; what was asked for is what happened.
            answer = Failed(message.id, problem_of(CancelledError() if cancel.is_set else error))
        with self._guard:
            self._current = None
            self._is_busy.clear()
        # What a light work leaves behind costs less than looking for it.
        is_light = is_call and isinstance(answer, Done)
        if not is_light or time.monotonic() >= self._measured_at + MEASURE_SECONDS:
            self._settle_memory()
        self._send(msgspec.structs.replace(answer, memory_bytes=self._memory))

    def _settle_memory(self) -> None:
        """See what there is; give freed memory back once it is worth the time, so that growth means a leak and not a
        cache.
        """
        self._memory, self._measured_at = resident_bytes(), time.monotonic()
        if self._memory < self._least_memory + SPARE:
            return
        gc.collect()
        pa.default_memory_pool().release_unused()
        if sys.platform == "linux":
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
            if trim is not None:
                trim(0)
        self._memory = resident_bytes()
        self._least_memory = max(self._least_memory, self._memory)

    def _send(self, message: Up) -> None:
        data = encode(message)
        with self._sending:
            try:
                write_all(self._outgoing, data)
            except OSError:
                os._exit(0)


def _patience() -> float | None:
    """For how long the next work is awaited before something is let go; None: nothing is held."""
    if KEEPER.has_sources:
        return REST_SECONDS
    return LEFT_SECONDS if CALLS.are_standing or KEEPER.has_texts else None


def main(argument: str) -> None:
    """Start: limits first, then the heavy imports' warm-up, then the loop."""
    settings = msgspec.json.decode(argument, type=ChildSettings)
    die_with_parent(settings.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outgoing = os.dup(1)
    incoming = os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for handle in (incoming, outgoing):
        os.set_inheritable(handle, False)
    keep_out()
    try:
        registry = load_registry(settings.packages)
        warm_up()
        arm(settings.failpoints)
        limit_address_space(settings.memory_mb)
        gc.freeze()  # what was loaded stays, and need not be looked through again after each work
    except Exception as error:
        write_all(outgoing, encode(Failed(0, problem_of(error))))
        return
    Child(incoming, outgoing, registry).run()


if __name__ == "__main__":
    main(sys.argv[1])
