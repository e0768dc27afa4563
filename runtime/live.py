"""Tells every web process that something happened: one message on the channel layer, or a call in this process.

A message is a hint and may be lost. Who listens compares numbers with the database and fetches what is missing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

GROUP = "live"
MOST_WAITING = 2000
MOST_TOGETHER = 50
SEVERAL = "several"
"""The kind of a message that holds other hints."""

log = logging.getLogger(__name__)
Listener = Callable[[dict[str, Any]], None]


def has_shared_layer() -> bool:
    """Whether hints reach other processes; without that, hubs follow the event table."""
    return "InMemory" not in settings.CHANNEL_LAYERS["default"]["BACKEND"]


class Publisher:
    """One thread with one event loop per process: sends hints without ever holding up who has something to tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_sending = False
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` (from any thread) for every hint of this process; the answer ends that."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return forget

    def send(self, message: dict[str, Any]) -> None:
        """Pass the hint on; a full queue or a dead layer drops it, which is allowed."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(message)
        if not has_shared_layer():
            return
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.append(message)
            if self._is_sending:
                return
            self._is_sending = True
        asyncio.run_coroutine_threadsafe(self._send_waiting(), self._running_loop())

    async def _send_waiting(self) -> None:
        """Until nothing waits. What has come together goes together: a message costs more than what it says."""
        while message := self._next():
            try:
                layer = get_channel_layer()
                if layer is not None:
                    await asyncio.wait_for(layer.group_send(GROUP, message), timeout=5)
            except Exception as error:
                log.warning("live hint dropped: %s", type(error).__name__)

    def _next(self) -> dict[str, Any] | None:
        with self._lock:
            hints = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            self._is_sending = bool(hints)
        if len(hints) < 2:
            return hints[0] if hints else None
        return {"type": "live", "kind": SEVERAL, "hints": hints}

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="live-publisher", daemon=True).start()
            return self._loop


publisher = Publisher()


def publish_events(topic: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Numbered events of ``topic`` have been committed."""
    publisher.send({"type": "live", "kind": "events", "topic": topic, "events": [dict(event) for event in events]})


def publish_rights() -> None:
    """Somebody's rights have changed: every open socket checks its topics again at once."""
    publisher.send({"type": "live", "kind": "rights"})


def publish_notice(user_id: Any) -> None:
    """There is something new in this person's inbox."""
    publisher.send({"type": "live", "kind": "notice", "user": str(user_id)})


def publish_people(flow_id: Any) -> None:
    """Somebody has opened or left this flow, or works at another step of it."""
    publisher.send({"type": "live", "kind": "people", "flow": str(flow_id)})
