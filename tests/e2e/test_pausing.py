"""A real run is paused on its page and goes on from the list of runs; the pause outlives the page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.api_client import ApiClient
from tests.e2e.person import PATIENCE
from tests.e2e.test_watching import Watcher
from tests.studio_process import Studio

USER = "wang.fang"
TRIPS, STATIONS = "33A017/FLDEM00005-2.0001", "33A017/DBDEM00002-R.0002"
"""Eighteen million rows, which take a while, and a few."""
TITLE = "Pausing"


def chain(datasets: dict[str, str], steps: dict[str, tuple[str, dict[str, Any]]], **more: Any) -> dict[str, Any]:
    """Steps one after the other."""
    return {
        "kind": "flow", "spec": "1", "title": {"en": TITLE, "zh-CN": TITLE}, "datasets": datasets,
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [{"from": f"{a}.out", "to": f"{b}.in"} for a, b in itertools.pairwise(steps)],
        **more,
    }  # fmt: skip


def two_parts(client: ApiClient) -> str:
    """A flow whose first part takes long; then something is done for each of thirty stops."""
    inputs = {"type": "object", "properties": {"stop": {"type": "string", "default": ""}}}
    read = ("read", {"dataset": "data"})
    out = ("output", {"name": "rows"})
    called = client.add_sub_flow("Stations", chain({"data": STATIONS}, {"read": read, "out": out}, inputs=inputs))
    each = {"flow": called, "parameters": {"stop": {"column": "from_stop"}}, "concurrency": 2}
    by_stop = {"by": ["from_stop"], "measures": [{"name": "n", "function": "count"}]}
    first = {"read": read, "by_stop": ("aggregate", by_stop), "few": ("limit", {"rows": 30})}
    return client.add_flow(TITLE, chain({"data": TRIPS}, {**first, "each": ("for_each", each), "out": out}))


def test_a_run_is_paused_and_goes_on(new_page: Callable[..., Page], studio: Studio) -> None:
    client = ApiClient(studio, USER)
    flow = two_parts(client)
    person = Watcher(new_page())
    person.sign_in(USER)
    pause, go_on = person.t("common:hold.pause"), person.t("common:hold.resume")
    run = client.start(flow)
    person.page.goto(f"/runs/{run['id']}")
    person.button(pause).click(timeout=PATIENCE)
    expect(person.state).to_have_text(person.t("common:state.paused"), timeout=PATIENCE)
    person.page.reload()
    expect(person.state).to_have_text(person.t("common:state.paused"), timeout=PATIENCE)
    person.page.goto("/runs?state=paused")
    person.button(re.compile(f"^{re.escape(go_on)} {TITLE} #{run['number']}$")).click(timeout=PATIENCE)
    expect(person.button(re.compile(f"{TITLE} #{run['number']}$"))).to_have_count(0, timeout=PATIENCE)
    person.page.goto(f"/runs/{run['id']}")
    expect(person.state).to_have_text(person.t("common:state.done"), timeout=2 * PATIENCE)
    ended = client.get(f"runs/{run['id']}")
    assert ended["steps"]["each"]["iterations"] == {"total": 30, "done": 30, "failed": 0}
    assert [task["attempt"] for task in ended["tasks"] if task["stage"] != "each"] == [1, 1]
