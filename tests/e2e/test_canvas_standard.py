"""What people expect of a canvas in 2026, line by line: adding, connecting, problems, undo, copies, groups, search.

One flow is opened once and everything is tried on it, by visible controls only; the words are Chinese here, the
journeys (test_journey.py, test_keyboard.py) say them in both languages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE
from tests.services import wait_until

Place = dict[str, float]


class Drawing(Canvas):
    """The canvas by mouse and by short keys."""

    def start(self, template: str = "") -> None:
        """A new app: blank, or from the template that is called so."""
        self.sign_in("wang.fang")
        if template:
            self.button(re.compile(re.escape(template))).first.click()
        else:
            self.begin_app()
        self.expect_open()

    def command(self, name: str) -> None:
        """Through the command menu."""
        self.press("Control+k")
        box = self.page.get_by_role("combobox", name=self.t("common:command.placeholder"))
        box.fill(name)
        found = self.page.get_by_role("option", name=name)
        expect(found.first).to_be_visible()
        box.press("Enter")
        expect(box).to_have_count(0)

    @property
    def area(self) -> Locator:
        return self.page.get_by_role("region", name=self.t("canvas:drawing"))

    def steps(self) -> Locator:
        return self.area.locator(f"[aria-roledescription='{self.t('canvas:step.role')}']")

    def box(self, title: str) -> Place:
        found = self.step(title).bounding_box()
        assert found is not None
        return dict(found)

    def port(self, title: str, name: str) -> Place:
        """The middle of a port."""
        handle = self.step(title).get_by_title(re.compile("^" + re.escape(self.t(f"canvas:port.{name}"))))
        found = handle.bounding_box()
        assert found is not None
        return {"x": found["x"] + found["width"] / 2, "y": found["y"] + found["height"] / 2}

    def drag(self, start: Place, end: Place, drop: bool = True) -> None:
        mouse = self.page.mouse
        mouse.move(start["x"], start["y"])
        mouse.down()
        mouse.move(end["x"] - 3, end["y"] - 3, steps=6)
        mouse.move(end["x"], end["y"])
        if drop:
            mouse.up()

    def empty_place(self, across: float = 0.55, down: float = 0.79) -> Place:
        """A place by its share of the drawing; by itself the lower right, left of the map."""
        box = self.area.bounding_box()
        assert box is not None
        return {"x": box["x"] + box["width"] * across, "y": box["y"] + box["height"] * down}

    @property
    def quick(self) -> Locator:
        return self.page.get_by_role("dialog", name=self.t("canvas:quick.name"))

    def quick_pick(self, title: str) -> None:
        self.quick.get_by_role("textbox").fill(title)
        self.press("Enter")
        expect(self.quick).to_have_count(0)

    def wires(self) -> int:
        return self.area.locator(".react-flow__edge").count()

    def expect_wires(self, count: int) -> None:
        wait_until(lambda: self.wires() == count, 10, f"{count} wires are drawn; there are {self.wires()}")

    @property
    def outline(self) -> Locator:
        return self.page.get_by_role("tree", name=self.t("canvas:outline.name"))


@pytest.fixture
def canvas(new_page: Callable[..., Page]) -> Drawing:
    return Drawing(new_page(permissions=["clipboard-read", "clipboard-write"]), "zh-CN")


def test_adding_connecting_and_mending(canvas: Drawing) -> None:
    """Every way to add a step and a wire; what may not be is refused in words; a red step is saved all the same."""
    t, page = canvas.t, canvas.page
    canvas.start()
    # An empty canvas shows three ways to start.
    for way in ("data", "template", "blank"):
        expect(canvas.button(re.compile(re.escape(t(f"canvas:start.{way}"))))).to_be_visible()
    canvas.add_data("空气质量监测站点")
    station = "空气质量监测站点"
    canvas.expect_saved()

    # By double click and by Ctrl-click on an empty place: a search there; Escape leaves everything as it was.
    place = canvas.empty_place()
    page.mouse.dblclick(place["x"], place["y"])
    expect(canvas.quick).to_be_visible()
    canvas.press("Escape")
    # The search also finds data that this person may read; Enter waits for it.
    page.mouse.dblclick(place["x"], place["y"])
    canvas.quick_pick("逐小时空气质量")
    canvas.expect_step("逐小时空气质量")
    assert abs(canvas.box("逐小时空气质量")["x"] - place["x"]) < 60, "the data stands where the mouse was"
    canvas.press("Control+z")
    expect(canvas.steps()).to_have_count(1)
    page.keyboard.down("Control")
    page.mouse.click(place["x"], place["y"])
    page.keyboard.up("Control")
    expect(canvas.quick).to_be_visible()
    canvas.quick_pick(t.step("limit"))
    limit = t.step("limit")
    canvas.expect_step(limit)
    assert abs(canvas.box(limit)["x"] - place["x"]) < 60, "the step stands where the mouse was"
    canvas.expect_wires(0)

    # A wire from port to port; back to itself is refused in words while it is drawn.
    canvas.button(t("canvas:tools.fit")).click()
    page.wait_for_timeout(300)
    canvas.drag(canvas.port(limit, "out"), canvas.port(limit, "in"), drop=False)
    expect(canvas.area.get_by_text(t("canvas:refusal.same_step"))).to_be_visible()
    page.mouse.up()
    canvas.expect_wires(0)
    canvas.drag(canvas.port(station, "out"), canvas.port(limit, "in"))
    canvas.expect_wires(1)
    # A second wire into a port that takes one.
    canvas.drag(canvas.port(station, "out"), canvas.port(limit, "in"), drop=False)
    expect(canvas.area.get_by_text(t("canvas:refusal.exists"))).to_be_visible()
    page.mouse.up()
    canvas.expect_wires(1)

    # A wire dropped on the empty place: only what fits it, and the step comes connected.
    canvas.drag(canvas.port(limit, "out"), canvas.empty_place(0.2, 0.62))
    offered = {key: t("canvas:palette.add_step", title=t.step(key)) for key in ("filter", "read")}
    expect(canvas.quick.get_by_role("button", name=offered["filter"])).to_be_visible()
    expect(canvas.quick.get_by_role("button", name=offered["read"])).to_have_count(0)
    canvas.quick_pick(t.step("sort"))
    canvas.expect_wires(2)

    # Into a wire: click it, "insert", choose. The wire leads through the new step.
    canvas.button(t("canvas:tools.fit")).click()
    page.wait_for_timeout(300)
    start, end = canvas.port(limit, "out"), canvas.port(t.step("sort"), "in")
    page.mouse.click((start["x"] + end["x"]) / 2, (start["y"] + end["y"]) / 2)
    canvas.button(t("canvas:wire.insert"), canvas.area).click()
    canvas.quick_pick(t.step("distinct"))
    canvas.expect_wires(3)
    canvas.expect_saved()

    # Problems: at the step, at the field, in the list; a click goes to the field.
    canvas.open_step(t.step("sort"))
    canvas.expect_step(t.step("sort"), t("canvas:step.errors_one", count=1))
    page.get_by_role("tab", name=re.compile(t("canvas:problems.name"))).click()
    problems = page.get_by_role("list", name=t("canvas:problems.name"))
    canvas.press("Escape")
    problems.get_by_role("button", name=re.compile(t.step("sort"))).first.click()
    expect(page.get_by_label(t("canvas:step.title"))).to_have_value(t.step("sort"))
    expect(canvas.settings.locator(":focus"), "the keyboard goes on in the field").to_have_count(1)
    canvas.expect_saved()
    page.reload()
    canvas.expect_step(t.step("sort"), t("canvas:step.errors_one", count=1))

    # Ports: 24 pixels to hit at zoom 1.
    canvas.press("Control+f")
    page.get_by_role("dialog").get_by_role("textbox").fill(t.step("sort"))
    canvas.press("Enter")
    page.wait_for_timeout(400)
    scale = canvas.box(t.step("sort"))["width"] / 200
    sizes = (
        canvas.step(t.step("sort"))
        .locator(".react-flow__handle")
        .evaluate_all("all => all.map(one => one.getBoundingClientRect()).map(box => Math.min(box.width, box.height))")
    )
    assert sizes and all(size / scale >= 23.9 for size in sizes), sizes


def test_selecting_arranging_and_undoing(canvas: Drawing) -> None:
    """Selections along the wires, alignment, arrow keys, groups, notes; undo of all of it, also after a reload."""
    t, page = canvas.t, canvas.page
    canvas.start("各区")
    canvas.expect_step("监测站点")
    first = canvas.steps().count()
    assert first >= 6

    # The keyboard's way is the data's: a step never comes before what it reads.
    names = canvas.steps().evaluate_all("all => all.map(one => one.innerText.split('\\n')[0])")
    assert names.index("关联站点") > max(names.index("监测站点"), names.index("去掉缺测的小时"))

    canvas.step("关联站点").click()
    canvas.press("[")
    expect(page.get_by_role("heading", name=t("canvas:several_other", count=4))).to_be_visible()
    canvas.step("关联站点").click()
    canvas.press("]")
    expect(page.get_by_role("heading", name=t("canvas:several_other", count=first - 3))).to_be_visible()

    # Align, by the button; moving by arrow keys and by drag.
    canvas.button(t("canvas:align.column")).click()
    wait_until(lambda: abs(canvas.box("关联站点")["x"] - canvas.box("结果")["x"]) < 2, 5, "the steps stand in a column")
    canvas.press("Control+z")
    wait_until(lambda: canvas.box("结果")["x"] - canvas.box("关联站点")["x"] > 50, 5, "undone")
    canvas.step("结果").click()
    before = canvas.box("结果")
    canvas.press("ArrowDown", "ArrowDown")
    wait_until(lambda: canvas.box("结果")["y"] > before["y"], 5, "the arrow keys moved it")
    before = canvas.box("结果")
    middle = {"x": before["x"] + 20, "y": before["y"] + before["height"] / 2}
    canvas.drag(middle, {"x": middle["x"], "y": middle["y"] - 60})
    wait_until(lambda: canvas.box("结果")["y"] < before["y"] - 30, 5, "the drag moved it")

    # A box drawn with Shift selects what lies in it.
    canvas.press("Escape", "f")
    page.wait_for_timeout(300)
    corner, far = canvas.box("逐小时空气质量"), canvas.box("去掉缺测的小时")
    page.keyboard.down("Shift")
    canvas.drag(
        {"x": corner["x"] - 12, "y": corner["y"] - 20},
        {"x": far["x"] + far["width"] + 12, "y": far["y"] + far["height"] + 14},
    )
    page.keyboard.up("Shift")
    expect(page.get_by_role("heading", name=t("canvas:several_other", count=2))).to_be_visible()

    # A group: named, folded to one box, unfolded.
    canvas.press("Control+g")
    title = canvas.inspector.get_by_label(t("canvas:group.title"))
    title.fill("读取与清洗")
    canvas.button(t("canvas:group.fold"), canvas.inspector).click()
    expect(canvas.steps()).to_have_count(first - 2)
    folded = page.get_by_role("group", name=t("canvas:group.label_other", title="读取与清洗", count=2))
    expect(folded).to_be_visible()
    canvas.button(t("canvas:group.unfold_one", title="读取与清洗"), canvas.area).click()
    expect(canvas.steps()).to_have_count(first)

    # A note, written in place.
    canvas.press("Escape", "n")
    note = canvas.area.get_by_label(t("canvas:note.text"))
    note.fill("数据来自国控站点")
    canvas.press("Escape")
    expect(canvas.inspector.get_by_label(t("canvas:note.text"))).to_have_value("数据来自国控站点")
    canvas.expect_saved()

    # Undo survives a reload: the note goes, the group opens and dissolves, and comes back with redo.
    page.reload()
    expect(canvas.area.get_by_label(t("canvas:note.text"))).to_have_value("数据来自国控站点")
    for _ in range(2):
        canvas.press("Control+z")
    expect(canvas.area.get_by_label(t("canvas:note.text"))).to_have_count(0)
    canvas.press("Control+y")
    expect(canvas.area.get_by_label(t("canvas:note.text"))).to_have_count(1)

    # Arranged by the worker, found by words, shown as a whole on the map.
    canvas.button(t("canvas:tool.layout")).click()
    wait_until(lambda: canvas.box("结果")["x"] > canvas.box("排序")["x"], 10, "arranged from left to right")
    expect(page.get_by_role("img", name=t("canvas:tools.minimap"))).to_be_visible()
    canvas.press("Escape", "Control+f")
    page.get_by_role("dialog").get_by_role("textbox").fill("汇总")
    canvas.press("Enter")
    expect(page.get_by_label(t("canvas:step.title"))).to_have_value("按区和小时汇总")


def test_copies_travel_as_text(canvas: Drawing) -> None:
    """Copied steps are JSON text: in another flow they are wired as they were. The command menu knows all commands."""
    t, page = canvas.t, canvas.page
    canvas.start("各区")
    canvas.expect_step("关联站点")
    canvas.press("Escape")
    canvas.step("去掉缺测的小时").click()
    canvas.step("逐小时空气质量").click(modifiers=["Shift"])
    canvas.press("Control+c")
    text = page.evaluate("navigator.clipboard.readText()")
    clip = json.loads(text)
    assert clip["kind"] == "citygo-steps" and len(clip["steps"]) == 2 and len(clip["wires"]) == 1
    canvas.command(t("common:command.new_app"))
    page.wait_for_url("**/flows/*")
    expect(canvas.button(re.compile(re.escape(t("canvas:start.blank"))))).to_be_visible(timeout=PATIENCE)
    canvas.press("Control+v")
    canvas.expect_fine("去掉缺测的小时")
    canvas.expect_wires(1)
    # The command menu knows every command and every step.
    canvas.command(t("canvas:go_to", title="逐小时空气质量"))
    expect(page.get_by_label(t("canvas:step.title"))).to_have_value("逐小时空气质量")
    canvas.command(t("canvas:select.downstream"))
    expect(page.get_by_role("heading", name=t("canvas:several_other", count=2))).to_be_visible()
    canvas.command(t("canvas:command.duplicateSteps"))
    expect(canvas.steps()).to_have_count(4)
    canvas.command(t("canvas:tool.undo"))
    expect(canvas.steps()).to_have_count(2)
