"""Two people on one flow, in two browsers and two languages: both end equal to the server, and nothing is lost."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE
from tests.services import wait_until

EDITS = 500
STEP_TYPES = ("filter", "limit", "sort", "distinct")


class Editor(Canvas):
    """Somebody who edits as fast as the keyboard goes, and only what is their own."""

    flow = ""

    def new_app(self) -> str:
        """A blank app; the id of its flow."""
        self.go("home")
        self.button(re.compile(re.escape(self.t("home:start.blank")))).click()
        self.expect_open()
        return self.here()

    def open(self, flow: str) -> None:
        self.page.goto(f"/flows/{flow}")
        self.expect_open()
        self.flow = flow

    def here(self) -> str:
        found = re.search(r"/flows/([0-9a-f-]{36})", self.page.url)
        assert found
        self.flow = found[1]
        return self.flow

    def add(self, kind: str) -> None:
        self.button(self.t("canvas:palette.add_step", title=self.t.step(kind))).click()

    def edit(self, dice: random.Random) -> None:
        """One gesture; whatever is selected is what this person made last."""
        keys = self.page.keyboard
        match dice.choices(("add", "copy", "move", "undo", "redo", "remove"), (20, 10, 40, 12, 8, 10))[0]:
            case "add":
                self.add(dice.choice(STEP_TYPES))
            case "copy":
                keys.press("Control+d")
            case "move":
                self.nudge(dice.choice(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")))
            case "undo":
                keys.press("Control+z")
            case "redo":
                keys.press("Control+y")
            case "remove":
                keys.press("Delete")

    def nudge(self, key: str) -> None:
        """An arrow key on the box that is selected, if there is one."""
        box = self.page.get_by_role("group").and_(self.page.locator(".react-flow__node.selected"))
        if box.count():
            box.first.press(key)

    def document(self) -> dict[str, Any]:
        """What this browser shows, as it copies it: steps, places and wires."""
        self.page.keyboard.press("Escape")
        self.button(self.t("canvas:tool.more")).click()
        self.menu_item(self.t("canvas:menu.copy"))
        # The clipboard is one for the whole machine: read until it holds what was just copied.
        copied: dict[str, Any] = json.loads(self.page.evaluate("navigator.clipboard.readText()"))
        return copied

    def draft(self) -> dict[str, Any]:
        answer = self.page.request.get(f"/api/flows/{self.flow}/draft")
        assert answer.ok
        return dict(answer.json())

    def operations(self) -> list[dict[str, Any]]:
        answer = self.page.request.get(f"/api/flows/{self.flow}/operations?after=0").json()
        return [one for batch in answer["batches"] for one in batch["operations"]]


def test_two_browsers_end_equal_after_a_random_walk(new_page: Callable[..., Page]) -> None:
    fang = Editor(new_page(permissions=["clipboard-read", "clipboard-write"]), "zh-CN")
    emma = Editor(new_page(permissions=["clipboard-read", "clipboard-write"], locale="en"), "en")
    fang.sign_in("wang.fang")
    emma.sign_in("emma.clark")
    emma.open(fang.new_app())
    here = re.compile("Emma|艾玛")
    expect(fang.page.get_by_role("group", name=fang.t("canvas:people.label_one", count=1))).to_be_visible(
        timeout=PATIENCE
    )
    expect(fang.button(here)).to_be_visible(timeout=PATIENCE)
    dice = random.Random(20261122)
    fang.add("limit")
    emma.add("sort")
    for _ in range(EDITS):
        dice.choice((fang, emma)).edit(dice)
    for one in (fang, emma):
        one.expect_saved()
    newest = fang.draft()
    for one in (fang, emma):
        wait_until(lambda one=one: shows(one, newest), 15, "the browser shows what the server has")
        lost = one.page.get_by_role("alert").filter(has_text=re.compile("没有保存|not saved"))
        expect(lost).to_have_count(0)
    assert sum(one["op"] != "move" for one in fang.operations()) > EDITS / 5


def shows(editor: Editor, draft: dict[str, Any]) -> bool:
    shown, document, positions = editor.document(), draft["document"], draft["layout"]["positions"]
    return (
        shown["steps"] == document["steps"]
        and shown["wires"] == document["wires"]
        and shown["positions"] == {key: positions[key] for key in document["steps"]}
    )
