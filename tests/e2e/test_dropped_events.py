"""Something between the browser and the server loses half of what the server says: in the end the screen is right."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from studio.demo.nodes import MOBILITY
from tests.api_client import DONE, ApiClient
from tests.e2e.canvas import Canvas
from tests.services import wait_until
from tests.studio_process import Studio

USER = "wang.fang"


class Lossy:
    """A proxy that passes on what the browser says, and of what the server says of its topics every second frame."""

    def __init__(self, page: Page) -> None:
        self.passed, self.dropped = 0, 0
        page.route_web_socket("**/ws/live", self._join)

    def _join(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda message: self._pass(browser, message))

    def _pass(self, browser: WebSocketRoute, message: str | bytes) -> None:
        if json.loads(message)["type"] in ("events", "snapshot", "tail"):
            if self.dropped == self.passed:
                self.dropped += 1
                return
            self.passed += 1
        browser.send(message)


FLOW: dict[str, Any] = {
    "kind": "flow", "spec": "1", "title": {"en": "Lossy", "zh-CN": "Lossy"},
    "datasets": {"trips": f"{MOBILITY.number}.0001"},
    "steps": {
        "trips": {"type": "read", "version": 1, "settings": {"dataset": "trips"}},
        "sum": {
            "type": "aggregate", "version": 1,
            "settings": {
                "by": ["from_stop", "mode"],
                "measures": [{"name": "usual", "function": "median", "column": "distance_m"}],
            },
        },
        "out": {"type": "output", "version": 1, "settings": {"name": "usual"}},
    },
    "wires": [{"from": "trips.out", "to": "sum.in"}, {"from": "sum.out", "to": "out.in"}],
}  # fmt: skip


def test_the_final_screen_is_what_the_database_says(page: Page, studio: Studio) -> None:
    client, canvas = ApiClient(studio, USER), Canvas(page, "zh-CN")
    lossy = Lossy(page)
    canvas.sign_in(USER)
    flow = client.add_flow("Lossy", FLOW)
    # The last of several waits for the others, so that the page is there when it begins.
    run = [client.start(flow) for _ in range(4)][-1]
    page.goto(f"/runs/{run['id']}")
    final = client.await_run(run)
    assert final["state"] in DONE

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
    assert lossy.dropped > 0 and lossy.passed > 0
