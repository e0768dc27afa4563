"""One hub per web process: one subscription to the channel layer, fanned out to this process's sockets.

Events are collected for 50 ms and serialised once per topic, however many sockets follow it. Hints from the layer may
be lost or out of order: numbers are compared with the database, and what is missing is read from there. Without a
shared layer the hub follows the database alone, four times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.db import close_old_connections, connection

from runtime import live
from runtime.following import FollowedTopic, Follower, frame_of
from runtime.monitor import monitor_snapshot
from runtime.topics import Opening, facts_after, flow_pictures, is_numbered, newest_notices, newest_numbers
from security import clock

TICK = 0.05
PING_SECONDS = 2.0
MONITOR_SECONDS = 1.0
RIGHTS_SECONDS = 60.0
THREADS = 4
GAP_PATIENCE = 0.2
"""How long a missing number may still arrive by itself before it is read from the database."""

log = logging.getLogger(__name__)


class Hub:
    """Lives in one event loop, from its first follower to its last."""

    def __init__(self) -> None:
        self._topics: dict[str, FollowedTopic] = {}
        self._sockets: set[Follower] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="hub")
        self._forget_hints: Callable[[], None] = lambda: None
        self._has_notice = False
        self._has_arrivals = False

    # ── Followers ─────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, socket: Follower) -> None:
        """A socket has opened."""
        self._sockets.add(socket)
        if not self._tasks:
            self._start()

    async def leave(self, socket: Follower) -> None:
        """A socket has closed; the hub rests when it was the last one."""
        self._sockets.discard(socket)
        for topic in list(self._topics):
            self.unfollow(socket, topic)
        if not self._sockets:
            await self._rest()

    def follow(self, socket: Follower, topic: str) -> None:
        """From now on every frame of ``topic`` is pushed to ``socket``."""
        self._topics.setdefault(topic, FollowedTopic()).followers.add(socket)

    def unfollow(self, socket: Follower, topic: str) -> None:
        """No more frames of ``topic``."""
        state = self._topics.get(topic)
        if state is not None:
            state.followers.discard(socket)
            if not state.followers:
                del self._topics[topic]

    def align(self, topic: str, opening: Opening) -> None:
        """A follower was given ``opening``: the hub goes on from there if it knew nothing of the topic yet."""
        state = self._topics.get(topic)
        if state is None:
            return
        if state.last is None:
            state.last = opening.seq
        if state.seen is None:
            state.seen = opening.snapshot

    async def in_database(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run ``work`` on one of the hub's threads, with a fresh enough connection."""

        def call() -> Any:
            close_old_connections()
            try:
                return work(*args)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    # ── Life ──────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        is_shared = live.has_shared_layer()
        follow_every = 2.0 if is_shared else 0.25
        rights_every = RIGHTS_SECONDS if is_shared else 2.0
        loops: list[tuple[Callable[[], Any], float]] = [
            (self._tick, TICK),
            (self._ping, PING_SECONDS),
            (self._follow_database, follow_every),
            (self._follow_notices, 2.0),
            (self._follow_people, 2.0),
            (self._show_monitor, MONITOR_SECONDS),
            (self._recheck_all, rights_every),
        ]
        self._tasks = [loop.create_task(self._repeat(step, every)) for step, every in loops]
        if is_shared:
            self._tasks.append(loop.create_task(self._listen()))
        else:
            self._forget_hints = live.publisher.listen(partial(self._take_from_thread, loop))

    def _take_from_thread(self, loop: asyncio.AbstractEventLoop, message: dict[str, Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self.take, message)

    async def _rest(self) -> None:
        # First of all, without waiting: whoever comes from now on gets a hub of their own.
        _hubs.pop(asyncio.get_running_loop(), None)
        self._forget_hints()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._close_threads)

    def _close_threads(self) -> None:
        everyone = threading.Barrier(THREADS)

        def close() -> None:
            # Nobody goes on before each thread has got one of these: every thread's connection is closed.
            connection.close()
            with contextlib.suppress(threading.BrokenBarrierError):
                everyone.wait(timeout=5)

        for _ in range(THREADS):
            self._threads.submit(close)
        self._threads.shutdown(wait=True)

    async def _repeat(self, step: Callable[[], Any], every: float) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                result = step()
                if result is not None:
                    await result
            except Exception as error:
                log.warning("live hub: %s", type(error).__name__)

    async def _listen(self) -> None:
        """The one subscription of this process. A dead layer is waited for; the database is followed meanwhile."""
        layer = get_channel_layer()
        assert layer is not None, "a shared layer is configured"
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(live.GROUP, channel)
                while True:
                    self.take(await layer.receive(channel))
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("channel layer: %s", type(error).__name__)
                await asyncio.sleep(1)

    # ── What comes in ─────────────────────────────────────────────────────────────────────────────────────

    def take(self, message: Mapping[str, Any]) -> None:
        """A hint: events of a topic, somebody's changed rights, or a new message in an inbox; or several of them."""
        kind = message.get("kind")
        if kind == live.SEVERAL:
            for hint in message.get("hints", ()):
                self.take(hint)
        elif kind == "events":
            self._take_events(str(message.get("topic")), message.get("events", ()))
        elif kind == "rights":
            self._recheck_all()
        elif kind == "notice" and f"notices:{message.get('user')}" in self._topics:
            self._has_notice = True
        elif kind == "people" and f"flow:{message.get('flow')}" in self._topics:
            self._has_arrivals = True

    def _take_events(self, topic: str, events: Sequence[Mapping[str, Any]]) -> None:
        state = self._topics.get(topic)
        if state is not None:
            state.take(events)

    async def _follow_database(self) -> None:
        """Compare numbers with the database: what no hint has told is read."""
        numbered = [topic for topic, state in self._topics.items() if is_numbered(topic) and state.last is not None]
        if not numbered:
            return
        newest = await self.in_database(newest_numbers, numbered)
        for topic in numbered:
            state = self._topics.get(topic)
            if state is None or state.last is None:
                continue
            if topic not in newest:
                self._close(topic)
            elif newest[topic] > max([state.last, *state.pending]):
                await self._fill(topic, state)

    async def _fill(self, topic: str, state: FollowedTopic) -> None:
        self._take_events(topic, await self.in_database(facts_after, topic, state.last or 0, 1000))
        state.gap_since = None

    # ── What goes out ─────────────────────────────────────────────────────────────────────────────────────

    async def _tick(self) -> None:
        if self._has_notice:
            self._has_notice = False
            await self._follow_notices()
        if self._has_arrivals:
            self._has_arrivals = False
            await self._follow_people()
        for topic, state in list(self._topics.items()):
            if not state.pending or state.last is None:
                continue
            events = state.next_events()
            if events:
                self._send(topic, state, frame_of({"type": "events", "topic": topic, "events": events}))
            if state.pending:
                now = time.monotonic()
                state.gap_since = state.gap_since or now
                if now - state.gap_since > GAP_PATIENCE:
                    await self._fill(topic, state)

    def _send(self, topic: str, state: FollowedTopic, frame: str) -> None:
        state.is_quiet = False
        for follower in tuple(state.followers):
            follower.push(topic, frame)

    def _close(self, topic: str) -> None:
        """What the topic was about is gone."""
        state = self._topics.pop(topic, None)
        if state is not None:
            self._send(topic, state, frame_of({"type": "close", "topic": topic}))

    def _ping(self) -> None:
        frame = frame_of({"type": "ping", "at": clock.now().isoformat()})
        for socket in tuple(self._sockets):
            socket.push("", frame)
        self._tell_tails()

    def _tell_tails(self) -> None:
        """Where a topic is that has been quiet: who has lost its last frame on the way would not notice otherwise."""
        for topic, state in self._topics.items():
            if state.is_quiet and state.last is not None and is_numbered(topic):
                frame = frame_of({"type": "tail", "topic": topic, "seq": state.last})
                for follower in tuple(state.followers):
                    follower.push(topic, frame)
            state.is_quiet = True

    def _recheck_all(self) -> None:
        for socket in tuple(self._sockets):
            socket.recheck()

    async def _show_monitor(self) -> None:
        """One snapshot a second for all who watch the platform; they all see the same."""
        state = self._topics.get("monitor")
        if state is None or not state.followers:
            return
        watcher = next(iter(state.followers)).principal
        snapshot = await self.in_database(monitor_snapshot, watcher)
        event = {"seq": None, "kind": "monitor", "at": snapshot["at"], "data": {**snapshot, "runs": snapshot["runs"]}}
        self._send("monitor", state, frame_of({"type": "events", "topic": "monitor", "events": [event]}))

    async def _follow_notices(self) -> None:
        users = [topic.partition(":")[2] for topic in self._topics if topic.startswith("notices:")]
        if not users:
            return
        for user, newest in (await self.in_database(newest_notices, users)).items():
            state = self._topics.get(f"notices:{user}")
            if state is None or state.seen is None or state.seen == newest:
                continue
            state.seen = newest
            event = {"seq": None, "kind": "notice", "at": clock.now().isoformat(), "data": newest}
            self._send(f"notices:{user}", state, frame_of({"type": "events", "topic": "notices", "events": [event]}))

    async def _follow_people(self) -> None:
        """Who has come, gone or selected another step in the flows that are open here, and new comments."""
        flows = [topic.partition(":")[2] for topic in self._topics if topic.startswith("flow:")]
        if not flows:
            return
        for flow, picture in (await self.in_database(flow_pictures, flows)).items():
            state = self._topics.get(f"flow:{flow}")
            if state is None or state.seen is None or state.seen == picture:
                continue
            state.seen = picture
            event = {"seq": None, "kind": "people", "at": clock.now().isoformat(), "data": state.seen}
            self._send(f"flow:{flow}", state, frame_of({"type": "events", "topic": f"flow:{flow}", "events": [event]}))


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This event loop's hub (a web process has one loop)."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
