"""How fast a node is read: its rates, shared with all others who read it, and rests while its own users are at work.

A tempo is kept per node and process. What several works share is divided by their number, which the worker looks up in
the database and tells its children (``runtime.tempo``), so a rate holds over all workers and hosts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pyarrow as pa

from node_catalog.sdk.contract import ConnectContext, Connector
from node_catalog.sdk.contract import Settings as ConnectorSettings
from node_catalog.sdk.errors import NodeTypeError, SourceBusyError
from runtime.engine.cancel import Cancel
from runtime.engine.streams import Batches, Flow
from runtime.engine.work import Load

LOOK_SECONDS = 1.0
"""How often the server is asked how much it does."""
FIRST_LOOK_SECONDS = 0.15
"""A read that is over sooner asks nothing."""
SECOND_LOOK_SECONDS = 0.25
"""After the first one: until then nothing is known, and the read goes on at full speed."""
BUSY_A_SECOND = 25
"""Transactions or statements of others from which on a server counts as busy. So many are needed between two looks that
are closer together as well: what stands around a read of ours (a plan, a target made ready) comes in a burst."""
OWN_PER_READ = 20
"""Statements of ours at most that come with a read: a scan of many small tables must not take itself for a crowd."""
SHARE_WHEN_BUSY = 0.1
"""The part of the time in which a busy server works for us."""
MOST_RESTED = 0.7
"""Of the time that a statement may take: then the rest is read without rests, rather than not at all."""
STALE_SECONDS = 10.0
MOST_CREDIT = 0.5
"""Time in which a node was read more slowly than it may be, and which counts: making a batch takes time as well."""


class Tempo:
    """Of one node, for all that this process reads there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows_at = self._request_at = 0.0
        self._seen: tuple[float, int] | None = None
        self._next_look = 0.0
        self._begun = 0
        self.readers = 1
        self.is_busy = False

    def begin(self) -> None:
        """One more read of ours."""
        with self._lock:
            self._begun += 1

    def rows_due(self, load: Load, rows: int) -> float:
        """Seconds until after ``rows`` more the next ones may be read."""
        with self._lock:
            since = max(self._rows_at, time.monotonic() - MOST_CREDIT)
            self._rows_at = since + rows * self.readers / load.rows_per_second
            return max(0.0, self._rows_at - time.monotonic())

    def request_due(self, load: Load) -> float:
        """Seconds until the next request may be sent."""
        with self._lock:
            now = time.monotonic()
            sent_at = max(self._request_at, now)
            self._request_at = sent_at + self.readers / load.requests_per_second
            return sent_at - now

    def wants_look(self) -> bool:
        """Whether it is time to ask the server what it does."""
        now = time.monotonic()
        if now > self._next_look + STALE_SECONDS:
            self._next_look, self.is_busy = now + FIRST_LOOK_SECONDS, False
        return now >= self._next_look

    def note(self, work_done: int) -> None:
        """The server's counter as it is now."""
        now = time.monotonic()
        is_first = self._seen is None or now - self._seen[0] >= STALE_SECONDS
        self._next_look = now + (SECOND_LOOK_SECONDS if is_first else LOOK_SECONDS)
        with self._lock:
            own = self._begun * OWN_PER_READ
            # What a read that began just before the first look does there is seen at the second one only.
            self._begun = self._begun if is_first else 0
        if self._seen is not None and not is_first:
            others = work_done - self._seen[1] - own
            self.is_busy = others > BUSY_A_SECOND * max(1.0, now - self._seen[0])
        self._seen = now, work_done

    def refused(self, *, is_busy: bool) -> None:
        """The server does not say what it does: because it has too much to do, or for ever."""
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._seen, self.is_busy = None, is_busy


class Tempos:
    """The tempos of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, Tempo] = {}

    def of(self, load: Load) -> Tempo:
        """The node's, with as many readers as were known when the work was made."""
        with self._lock:
            tempo = self._of.setdefault(load.node, Tempo())
        tempo.readers = load.readers
        return tempo

    def share(self, node: str, readers: int) -> None:
        """So many works read the node now."""
        with self._lock:
            if node in self._of:
                self._of[node].readers = readers


TEMPOS = Tempos()


class Pacing:
    """One read of a node: passes its batches on, and waits between them."""

    def __init__(
        self, load: Load, connector: type[Connector], settings: ConnectorSettings, context: ConnectContext
    ) -> None:
        self._load, self._tempo = load, TEMPOS.of(load)
        self._tempo.begin()
        self._connector, self._settings, self._context = connector, settings, context
        self._question: Callable[[], int] | None = None
        self._rested = 0.0
        self._quick_rows, self._quick_seconds = 0, 0.0

    def pace(self, batches: Batches, flow: Flow, cancel: Cancel) -> Iterator[pa.RecordBatch]:
        """The same batches, as slowly as it must be."""
        if not (self._load.rows_per_second or self._load.yields):
            yield from batches
            return
        has_rested = False
        asked = time.monotonic()
        with ExitStack() as stack:
            for batch in batches:
                took = time.monotonic() - asked
                yield batch
                if not has_rested or not self._quick_seconds:
                    # After a rest rows lie ready in the buffers between us: that tells nothing of their cost.
                    self._quick_rows += batch.num_rows
                    self._quick_seconds += took
                pause = max(
                    self._tempo.rows_due(self._load, batch.num_rows) if self._load.rows_per_second else 0.0,
                    self._rest(batch.num_rows, stack) if self._load.yields else 0.0,
                )
                has_rested = pause > 0
                if has_rested and not flow.is_stopped:
                    cancel.pause(pause)
                asked = time.monotonic()

    def _rest(self, rows: int, stack: ExitStack) -> float:
        """Seconds for which the server is left alone after a batch."""
        if self._tempo.wants_look():
            self._look(stack)
        left = MOST_RESTED * self._context.statement_timeout - self._rested
        if not self._tempo.is_busy or not self._quick_rows or left <= 0:
            return 0.0
        cost = rows * self._quick_seconds / self._quick_rows
        rest = min(cost * (1 / SHARE_WHEN_BUSY - 1), left)
        self._rested += rest
        return rest

    def _look(self, stack: ExitStack) -> None:
        """Ask the server what it does. That it does not say fails no read."""
        try:
            if self._question is None:
                self._question = stack.enter_context(self._connector.work_done(self._settings, self._context))
            self._tempo.note(self._question())
        except NodeTypeError as error:
            self._question = None
            self._tempo.refused(is_busy=isinstance(error, SourceBusyError))


def before_request(load: Load | None) -> Callable[[], None] | None:
    """What a client of the node does before every request; None when there is nothing to wait for."""
    if load is None or not load.requests_per_second:
        return None
    tempo = TEMPOS.of(load)
    return lambda: time.sleep(tempo.request_due(load))
