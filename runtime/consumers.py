"""The live socket /ws/live: one way, from us to the browser. See docs/socket.md for the protocol.

The session cookie says who it is (the Origin was checked before). Rights are looked at again every minute, and at
once when somebody's rights change; a topic that is no longer allowed is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from runtime.following import frame_of
from runtime.hub import Hub, hub
from runtime.topics import Opening, is_visible, open_topic
from security.access import Principal, principal_for
from security.sessions import user_of_session

NOT_SIGNED_IN, TOO_SLOW, TOO_MUCH = 4401, 4408, 4413
MOST_TOPICS = 100
MOST_WAITING = 1000
"""Frames queued for one socket; a browser that is further behind starts again with snapshots."""
MOST_MESSAGE = 4096


class LiveConsumer(AsyncWebsocketConsumer):
    """One browser tab."""

    principal: Principal

    async def connect(self) -> None:
        """Accept only signed-in people."""
        self._hub: Hub = hub()
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._topics: dict[str, str] = {}
        self._held_back: dict[str, list[str]] = {}
        self._jobs: set[asyncio.Task[Any]] = set()
        self._is_checking = False
        self._is_closed = False
        self._hub.enter(self)
        principal = await self._hub.in_database(self._person)
        await self.accept()
        if principal is None:
            await self.close(NOT_SIGNED_IN)
            return
        self.principal = principal
        self._spawn(self._write())
        self.push("", frame_of({"type": "hello", "version": settings.VERSION}))

    async def disconnect(self, code: int) -> None:
        """Leave the hub and stop writing."""
        self._is_closed = True
        self._topics.clear()
        for job in tuple(self._jobs):
            job.cancel()
        await self._hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """subscribe, unsubscribe, pong; anything else is answered with "refused" and harms nothing."""
        if text_data is None or len(text_data) > MOST_MESSAGE:
            await self.close(TOO_MUCH)
            return
        try:
            message = json.loads(text_data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._refuse("", "message.unreadable")
            return
        topic = message.get("topic")
        match message.get("type"):
            case "subscribe" if isinstance(topic, str):
                after = message.get("after")
                await self._subscribe(topic, after if isinstance(after, int) and 0 <= after < 2**53 else None)
            case "unsubscribe" if isinstance(topic, str):
                self._leave_topic(topic)
            case "pong":
                pass
            case _:
                self._refuse(str(topic or "")[:100], "message.unknown")

    # ── Topics ────────────────────────────────────────────────────────────────────────────────────────────

    async def _subscribe(self, topic: str, after: int | None) -> None:
        if len(self._topics) >= MOST_TOPICS and topic not in self._topics:
            self._refuse(topic, "topic.too_many")
            return
        if not await self._hub.in_database(is_visible, self.principal, topic):
            self._refuse(topic, "not_found")
            return
        key = f"notices:{self.principal.id}" if topic == "notices" else topic
        # First follow, then read: what happens in between is held back and sent after the snapshot.
        self._topics[topic] = key
        self._held_back[key] = []
        self._hub.follow(self, key)
        opening: Opening | None = await self._hub.in_database(open_topic, self.principal, topic, after)
        held_back = self._held_back.pop(key, [])
        if opening is None:
            self._leave_topic(topic)
            self._refuse(topic, "not_found")
            return
        if opening.snapshot is not None:
            body = {"type": "snapshot", "topic": topic, "seq": opening.seq, "data": opening.snapshot}
            self._queue.put_nowait(frame_of(body))
        else:
            self._queue.put_nowait(frame_of({"type": "events", "topic": topic, "events": opening.events}))
        for frame in held_back:
            self._queue.put_nowait(frame)
        self._hub.align(key, opening)

    def _leave_topic(self, topic: str) -> None:
        key = self._topics.pop(topic, None)
        if key is not None:
            self._held_back.pop(key, None)
            self._hub.unfollow(self, key)

    def _refuse(self, topic: str, code: str) -> None:
        self.push("", frame_of({"type": "refused", "topic": topic, "code": code}))

    # ── What the hub calls ────────────────────────────────────────────────────────────────────────────────

    def push(self, topic: str, frame: str) -> None:
        """Queue a frame for the browser."""
        if self._is_closed:
            return
        if topic in self._held_back:
            self._held_back[topic].append(frame)
        elif self._queue.qsize() >= MOST_WAITING:
            self._is_closed = True
            self._spawn(self.close(TOO_SLOW))
        else:
            self._queue.put_nowait(frame)

    def recheck(self) -> None:
        """Look at the session and at every topic's right again."""
        if not self._is_checking and not self._is_closed and hasattr(self, "principal"):
            self._is_checking = True
            self._spawn(self._check_rights())

    # ── Inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _spawn(self, work: Any) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _write(self) -> None:
        with contextlib.suppress(Exception):
            while True:
                await self.send(text_data=await self._queue.get())

    def _person(self) -> Principal | None:
        user = user_of_session(self.scope["session"])
        return principal_for(user) if user is not None else None

    def _rights(self) -> tuple[Principal | None, list[str]]:
        """Who it is today (None: signed out), and the topics that are no longer theirs."""
        session = self.scope["session"]
        if not session.exists(session.session_key):
            return None, []
        principal = self._person()
        if principal is None:
            return None, []
        return principal, [topic for topic in tuple(self._topics) if not is_visible(principal, topic)]

    async def _check_rights(self) -> None:
        try:
            principal, gone = await self._hub.in_database(self._rights)
        finally:
            self._is_checking = False
        if principal is None:
            self._is_closed = True
            await self.close(NOT_SIGNED_IN)
            return
        self.principal = principal
        for topic in gone:
            self._leave_topic(topic)
            self._refuse(topic, "not_found")
