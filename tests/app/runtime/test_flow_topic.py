"""The live topic of a flow: accepted edits in the server's order, and who is there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows.drafts import edit_draft
from flows.models import Draft, Flow
from flows.presence import leave, note_presence
from runtime import live
from tests.app.runtime.factory import World
from tests.app.runtime.test_socket import Browser, cookie, do


def edit(world: World, key: str) -> int:
    flow = Flow.objects.get(pk=world.flow.pk)
    step = {"op": "add_step", "id": key, "step": {"type": "limit", "version": 1, "settings": {}}}
    return edit_draft(flow, Draft.objects.get(flow=flow).revision, f"batch-{key}", [step], world.staff).revision


async def edits_until(browser: Browser, revision: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or found[-1]["seq"] < revision:
        events = (await browser.next("events"))["events"]
        found += [event for event in events if event["kind"] == "operations"]
    return found


async def people_until(browser: Browser, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while True:
            for event in (await browser.next("events"))["events"]:
                if event["kind"] == "people" and len(event["data"]["people"]) == count:
                    return list(event["data"]["people"])


async def test_edits_come_in_order_even_when_hints_are_lost(
    shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, count = live.publisher.send, 0

    def lossy(message: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count % 3:
            send(message)

    monkeypatch.setattr(live.publisher, "send", lossy)
    topic = f"flow:{shared_world.flow.pk}"
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.send(type="subscribe", topic=topic, after=None)
        first = await browser.next("snapshot")
        assert first["data"] == {"people": [], "comments": ""}
        newest = 0
        for key in ("a", "b", "c", "d", "e"):
            newest = await do(edit, shared_world, key)
        events = await edits_until(browser, newest)
        assert [event["seq"] for event in events] == list(range(first["seq"] + 1, newest + 1))
        assert [event["data"]["client"] for event in events] == [f"batch-{key}" for key in "abcde"]
        assert events[0]["data"]["operations"][0]["id"] == "a"


async def test_people_come_and_go(shared_world: World) -> None:
    flow = shared_world.flow
    async with Browser(await do(cookie, shared_world.staff)) as browser:
        await browser.send(type="subscribe", topic=f"flow:{flow.pk}", after=None)
        await browser.next("snapshot")
        await do(note_presence, flow, "tab", shared_world.staff, "a")
        assert (await people_until(browser, 1))[0]["step"] == "a"
        await do(leave, flow, "tab", shared_world.staff)
        await people_until(browser, 0)


async def test_a_flow_of_another_department_is_refused(shared_world: World) -> None:
    async with Browser(await do(cookie, shared_world.stranger)) as browser:
        topic = f"flow:{shared_world.flow.pk}"
        await browser.send(type="subscribe", topic=topic, after=None)
        assert (await browser.next("refused")) == {"type": "refused", "topic": topic, "code": "not_found"}
