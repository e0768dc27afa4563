"""The live socket against the real application: sign-in, origin, snapshot and events, rights, lost hints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from runtime import finishing, live
from runtime.claims import begin, claim_next
from runtime.endings import Ending
from runtime.engine.work import Report
from runtime.models import Run
from runtime.monitor import run_snapshot
from runtime.progress import Progress
from runtime.runner import HEAVY
from security.access import principal_for
from security.models import RoleAssignment, User
from security.notices import notify
from security.sessions import EPOCH, PERSON, end_all_sessions
from studio.asgi import application
from tests.app.runtime.factory import World, stage
from tests.app.runtime.reduce import essence, reduce_run


async def do(work: Callable[..., Any], *args: Any) -> Any:
    """Database work beside the event loop, on a connection that is closed afterwards."""

    def call() -> Any:
        try:
            return work(*args)
        finally:
            connection.close()

    return await sync_to_async(call, thread_sensitive=False)()


def cookie(user: User) -> str:
    session = SessionStore()
    session[PERSON], session[EPOCH] = str(user.pk), user.session_epoch
    session.create()
    return f"sessionid={session.session_key}"


class Browser:
    """One socket, and what it has received."""

    def __init__(self, cookie: str = "", origin: str = "http://testserver") -> None:
        headers = [(b"origin", origin.encode()), (b"host", b"testserver")]
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        scope = {
            "type": "websocket", "path": "/ws/live", "query_string": b"", "headers": headers, "subprotocols": [],
        }  # fmt: skip
        self.socket = ApplicationCommunicator(application, scope)

    async def __aenter__(self) -> Browser:
        await self.socket.send_input({"type": "websocket.connect"})
        answer = await self.socket.receive_output(timeout=10)
        self.is_open, self.code = answer["type"] == "websocket.accept", answer.get("code")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(timeout=10)

    async def say(self, raw: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": raw})

    async def send(self, **message: Any) -> None:
        await self.say(json.dumps(message))

    async def next(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The next message of ``kind``; others are passed over."""
        async with asyncio.timeout(seconds):
            while True:
                output = await self.socket.receive_output(timeout=seconds)
                message = json.loads(output["text"])
                if message["type"] == kind:
                    return message

    async def closed(self, seconds: float = 10) -> int:
        async with asyncio.timeout(seconds):
            while True:
                message = await self.socket.receive_output(timeout=seconds)
                if message["type"] == "websocket.close":
                    return int(message["code"])


def picture(user: User, run: Run) -> dict[str, Any]:
    return run_snapshot(principal_for(user), run.pk)


def start(world: World) -> Run:
    return world.make_run(stage("a"), stage("b", ("a",)))


def work_one(rows: int = 5) -> None:
    """Claim a task, report twice, and finish it."""
    held = claim_next("w1", HEAVY)
    assert held is not None
    assert begin(held)
    step = held.task.payload["steps"][0]
    progress = Progress(every=0.0)
    progress.start(held)
    for counted in (1, rows):
        progress.note(held, Report(counts={step: counted}))
        progress.flush()
    finishing.complete(held, Ending({"rows": rows}, steps={step: {"rows": rows, "exact": True}}))


async def follow(browser: Browser, snapshot: dict[str, Any], until: str) -> dict[str, Any]:
    """Apply what comes until the run is in this state."""
    while snapshot["state"] != until:
        for event in (await browser.next("events"))["events"]:
            snapshot = reduce_run(snapshot, event)
    return snapshot


async def test_snapshot_and_events_show_the_run_to_its_end(shared_world: World) -> None:
    run = await do(start, shared_world)
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        assert (await browser.next("hello"))["version"]
        await browser.send(type="subscribe", topic=f"run:{run.pk}", after=None)
        first = await browser.next("snapshot")
        assert first["seq"] == first["data"]["seq"] > 0
        await do(work_one)
        await do(work_one, 9)
        seen = await follow(browser, first["data"], "done")
        now = await do(picture, shared_world.staff, run)
        assert essence(seen) == essence(now)


async def test_a_browser_that_comes_back_gets_the_events_it_missed(shared_world: World) -> None:
    run = await do(start, shared_world)
    snapshot = await do(picture, shared_world.staff, run)
    await do(work_one)
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.send(type="subscribe", topic=f"run:{run.pk}", after=snapshot["seq"])
        for event in (await browser.next("events"))["events"]:
            snapshot = reduce_run(snapshot, event)
        await do(work_one)
        snapshot = await follow(browser, snapshot, "done")
        assert essence(snapshot) == essence(await do(picture, shared_world.staff, run))


async def test_lost_hints_do_no_harm(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second hint is dropped, the others come twice and late: the screen still ends equal to the database."""
    send, count = live.publisher.send, 0

    def lossy(message: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count % 2:
            send(message)
            send(message)

    monkeypatch.setattr(live.publisher, "send", lossy)
    run = await do(start, shared_world)
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.send(type="subscribe", topic=f"run:{run.pk}", after=None)
        snapshot = (await browser.next("snapshot"))["data"]
        await do(work_one)
        await do(work_one)
        snapshot = await follow(browser, snapshot, "done")
        assert essence(snapshot) == essence(await do(picture, shared_world.staff, run))


async def test_two_browsers_see_the_same(shared_world: World) -> None:
    run = await do(start, shared_world)
    async with (
        Browser(await do(cookie, shared_world.staff)) as one,
        Browser(await do(cookie, shared_world.operator)) as two,
    ):
        snapshots = []
        for browser in (one, two):
            await browser.send(type="subscribe", topic=f"run:{run.pk}", after=None)
            snapshots.append((await browser.next("snapshot"))["data"])
        await do(work_one)
        await do(work_one)
        ends = [await follow(browser, snapshot, "done") for browser, snapshot in zip((one, two), snapshots)]
        assert essence(ends[0]) == essence(ends[1])


async def test_strangers_and_unknown_topics_are_refused_alike(shared_world: World) -> None:
    run = await do(start, shared_world)
    async with Browser(await do(cookie, shared_world.stranger)) as browser:
        for topic in (f"run:{run.pk}", "run:" + "0" * 32, "run:x", "nonsense", "monitor", f"task:{run.pk}"):
            await browser.send(type="subscribe", topic=topic, after=None)
            assert (await browser.next("refused")) == {"type": "refused", "topic": topic, "code": "not_found"}


async def test_nobody_gets_in_without_a_session(shared_world: World) -> None:
    async with Browser() as browser:
        assert await browser.closed() == 4401


async def test_foreign_pages_are_turned_away(shared_world: World) -> None:
    async with Browser(await do(cookie, shared_world.staff), origin="http://evil.example") as browser:
        assert not browser.is_open
        assert browser.code == 4403


async def test_malformed_messages_do_no_harm(shared_world: World) -> None:
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        for raw in ("{", "[]", '"x"', '{"type": 5}', '{"type":"subscribe"}', "[" * 2000):
            await browser.say(raw)
            assert (await browser.next("refused"))["code"].startswith("message.")
        assert (await browser.next("ping"))["at"]


async def test_pings_come_every_two_seconds(shared_world: World) -> None:
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.next("ping", 3)
        await browser.next("ping", 3)


async def test_a_signed_out_person_loses_the_socket(shared_world: World) -> None:
    def sign_out() -> None:
        end_all_sessions(shared_world.staff)
        shared_world.staff.save()

    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.next("hello")
        await do(sign_out)
        live.publish_rights()
        assert await browser.closed() == 4401


async def test_a_lost_role_closes_the_monitor_at_once(shared_world: World) -> None:
    async with Browser(await do(cookie, shared_world.operator)) as browser:
        await browser.send(type="subscribe", topic="monitor", after=None)
        assert (await browser.next("snapshot"))["data"]["counts"]["running"] == 0
        assert (await browser.next("events"))["events"][0]["kind"] == "monitor"
        await do(lambda: RoleAssignment.objects.filter(user=shared_world.operator).delete())
        assert (await browser.next("refused", 3)) == {"type": "refused", "topic": "monitor", "code": "not_found"}


async def test_a_new_notice_is_told(shared_world: World) -> None:
    words = {"en": "Hello", "zh-CN": "您好"}
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.send(type="subscribe", topic="notices", after=None)
        assert (await browser.next("snapshot"))["data"]["unread"] == 0
        await do(notify, shared_world.staff, "test", words)
        event = (await browser.next("events"))["events"][0]
        assert event["kind"] == "notice"
        assert event["data"]["unread"] == 1
