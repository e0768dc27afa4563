"""Runs side by side: drawn from one answer, reached by pointer and keys, in both themes."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from studio.demo.nodes import WEATHER
from tests.api_client import ApiClient
from tests.e2e.history import History, fill_history
from tests.services import wait_until
from tests.studio_process import Studio

DATASET = f"{WEATHER.number}.0001"
TASKS, RUNS = 600, 12


def test_the_history_of_an_app(page: Page, studio: Studio) -> None:
    client = ApiClient(studio, "wang.fang")
    flow = {
        "kind": "flow", "spec": "1", "title": {"en": "History", "zh-CN": "历史"}, "datasets": {"data": DATASET},
        "steps": {
            "read": {"type": "read", "version": 1, "settings": {"dataset": "data"}},
            "out": {"type": "output", "version": 1, "settings": {"name": "rows"}},
        },
        "wires": [{"from": "read.out", "to": "out.in"}],
    }  # fmt: skip
    app = client.run(client.add_flow("History", flow))["app"]["id"]
    fill_history(studio, app, TASKS, RUNS)

    history = History(page)
    history.sign_in("wang.fang")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/grid" in request.url else None)
    print("drawn after", history.open_history(app), "s")
    assert len(asked) == 1, "one request for everything"

    box = history.area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 260 + 9, box["y"] + 9)
    wait_until(
        lambda: re.search(r"运行 \d+", history.words) is not None, 20, "the page names what is under the pointer"
    )
    page.mouse.move(0, 0)
    history.area.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    wait_until(lambda: history.area.evaluate("area => area.scrollTop") > 1000, 20, "the last task is in view")
    assert re.search(r"运行 \d+", history.words)
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}$"))
