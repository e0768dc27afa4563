"""Something between the browser and the server loses half of what the server says: in the end the screen is right."""

from __future__ import annotations

import json
import random
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from studio.demo.nodes import MOBILITY
from tests.api_client import DONE, ApiClient
from tests.e2e.canvas import Canvas
from tests.services import wait_until
from tests.studio_process import Studio

USER = "wang.fang"


class Lossy:
    """A proxy that passes on what the browser says; of what the server says of its topics, half is lost by chance."""

    def __init__(self, page: Page) -> None:
        self.passed, self.dropped = 0, 0
        self._chance = random.Random(20261122)
        page.route_web_socket("**/ws/live", self._join)

    def _join(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda message: self._pass(browser, message))

    def _pass(self, browser: WebSocketRoute, message: str | bytes) -> None:
        if json.loads(message)["type"] in ("events", "snapshot", "tail"):
            if self._chance.random() < 0.5:
                self.dropped += 1
                return
            self.passed += 1
        browser.send(message)


PARTS = 3
"""Stages of the flow: each reads all trips by itself, so that there is much to tell."""


def flow_document() -> dict[str, Any]:
    steps: dict[str, Any] = {}
    wires: list[dict[str, str]] = []
    for part in range(PARTS):
        trips, usual, out = f"trips{part}", f"usual{part}", f"out{part}"
        measure = {"name": "usual", "function": "quantile", "column": "distance_m", "q": 0.2 + part / 10}
        steps[trips] = {"type": "read", "version": 1, "settings": {"dataset": "trips"}}
        steps[usual] = {
            "type": "aggregate", "version": 1, "settings": {"by": ["from_stop", "mode"], "measures": [measure]},
        }  # fmt: skip
        steps[out] = {"type": "output", "version": 1, "settings": {"name": out}}
        wires += [{"from": f"{trips}.out", "to": f"{usual}.in"}, {"from": f"{usual}.out", "to": f"{out}.in"}]
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Lossy", "zh-CN": "Lossy"},
        "datasets": {"trips": f"{MOBILITY.number}.0001"}, "steps": steps, "wires": wires,
    }  # fmt: skip


def test_the_final_screen_is_what_the_database_says(page: Page, studio: Studio) -> None:
    client, canvas = ApiClient(studio, USER), Canvas(page, "zh-CN")
    lossy = Lossy(page)
    canvas.sign_in(USER)
    flow = client.add_flow("Lossy", flow_document())
    # The second one waits for the first, so that the page is there when it begins.
    run = [client.start(flow) for _ in range(2)][-1]
    page.goto(f"/runs/{run['id']}")
    final = run
    while final["state"] not in DONE:
        # Frames come through only while the browser's own loop turns.
        page.wait_for_timeout(100)
        final = client.get(f"runs/{run['id']}")

    def shown() -> dict[str, str]:
        boxes = page.get_by_role("region", name=canvas.t("runs:drawing"), exact=True).get_by_role("group")
        return {str(box.get_attribute("aria-labelledby")): box.inner_text() for box in boxes.all()}

    def is_right() -> bool:
        seen = shown()
        wanted = {key: step for key, step in final["steps"].items() if step["rows"] is not None}
        return bool(wanted) and all(
            f"{step['rows']:,}" in seen.get(f"step-name-{key}", "") for key, step in wanted.items()
        )

    wait_until(is_right, 90, "the screen shows what the database says")
    state = page.get_by_role("main").get_by_role("status").first
    wait_until(lambda: state.inner_text().strip() == canvas.t(f"common:state.{final['state']}"), 90, "and the state")
    print("passed", lossy.passed, "dropped", lossy.dropped)
    assert lossy.dropped >= 5 and lossy.passed >= 5
