"""The journey of a newcomer by keyboard alone, in both languages, at 1366×768: no mouse, no click, no focus by script.

Whatever has the keyboard must be visible. The result is compared with SQL written by hand over the same file.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, SPEAKERS, as_number, cells, headings
from tests.studio_process import Studio

FOCUS_IS_SEEN = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "nothing has the keyboard";
  const box = one.getBoundingClientRect();
  if (box.width === 0 || box.height === 0) return `no size: ${one.outerHTML.slice(0, 120)}`;
  const isInside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  return isInside ? "" : `outside of the window: ${one.outerHTML.slice(0, 120)}`;
}"""


class Typist(Canvas):
    """Somebody without a mouse."""

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab_to(self, target: Locator, most: int = 90, key: str = "Tab") -> None:
        """Tab until ``target`` has the keyboard; every stop on the way must be in sight."""
        expect(target).to_be_visible(timeout=PATIENCE)
        for _ in range(most):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.press(key)
        raise AssertionError(f"{target} is not reached with {most} times {key}")

    def assert_focus_is_seen(self) -> None:
        assert self.page.evaluate(FOCUS_IS_SEEN) == ""

    def command(self, words: str) -> None:
        """Through the command menu: Ctrl-K, type, Enter."""
        self.press("Control+k")
        box = self.page.get_by_role("combobox", name=self.t("common:command.placeholder"))
        expect(box).to_be_focused()
        self.type(words)
        expect(self.page.get_by_role("option", name=words).first).to_have_attribute("aria-selected", "true")
        self.press("Enter")
        expect(box).to_have_count(0)

    def pick(self, label: str, option: str) -> None:
        """A drop-down: Tab there, open, type, Enter."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        self.tab_to(box)
        self.assert_focus_is_seen()
        self.press("ArrowDown")
        shown = self.page.locator(".ant-select-dropdown:visible .ant-select-item-option")
        wanted = shown.filter(has=self.page.get_by_text(option, exact=True)).first
        expect(wanted).to_be_visible(timeout=PATIENCE)
        for _ in range(60):
            if "ant-select-item-option-active" in (wanted.get_attribute("class") or ""):
                break
            self.press("ArrowDown")
        self.press("Enter")

    def to_settings(self, title: str) -> None:
        """From wherever to the settings of a step: the command menu goes to the step, then Tab."""
        self.command(self.t("canvas:go_to", title=title))
        expect(self.page.get_by_label(self.t("canvas:step.title"))).to_have_value(title)


def sign_in_by_keys(typist: Typist, user: str) -> None:
    page, t = typist.page, typist.t
    page.goto("/")
    typist.tab_to(page.get_by_label(t("account:sign_in.username")))
    typist.type(user)
    typist.tab_to(page.get_by_label(t("account:sign_in.password"), exact=True))
    typist.type("Demo-City-2026")
    typist.press("Enter")
    expect(page.get_by_role("navigation", name=t("common:nav.label"))).to_be_visible(timeout=PATIENCE)


def build_by_keys(typist: Typist, stations: str) -> None:
    """Data by the palette, steps by the command menu and the short key, wires by "Connect to …" and the outline."""
    page, t = typist.page, typist.t
    search = page.get_by_label(t("canvas:palette.search"))
    typist.tab_to(search)
    typist.assert_focus_is_seen()
    typist.type(stations)
    found = page.get_by_role("group", name=t("canvas:palette.data"), exact=True).get_by_role("button").first
    expect(found).to_have_accessible_name(re.compile(re.escape(stations)), timeout=PATIENCE)
    typist.tab_to(found)
    typist.press("Enter")
    typist.expect_step(stations)
    typist.command(t("canvas:palette.add_step", title=t.step("aggregate")))
    typist.expect_step(t.step("aggregate"))
    # The short key needs the keyboard outside of fields.
    typist.command(t("canvas:outline.name"))
    tree = page.get_by_role("tree", name=t("canvas:outline.name"))
    line = tree.get_by_role("treeitem", name=re.compile(t.step("aggregate")))
    typist.press("End")
    expect(line).to_be_focused()
    typist.assert_focus_is_seen()
    typist.press("a")
    quick = page.get_by_role("dialog", name=t("canvas:quick.name"))
    expect(quick.get_by_role("textbox")).to_be_focused()
    typist.type(t.step("output"))
    typist.press("Enter")
    typist.expect_step(t.step("output"))


def rewire_by_keys(typist: Typist, stations: str) -> None:
    """The outline as a twin of the drawing: a wire goes and is drawn again, a step is renamed, a mistake undone."""
    page, t = typist.page, typist.t
    typist.command(t("canvas:outline.name"))
    tree = page.get_by_role("tree", name=t("canvas:outline.name"))
    typist.press("Home", "ArrowRight")
    first = tree.get_by_role("treeitem").first
    expect(first).to_have_attribute("aria-expanded", "true")
    typist.press("ArrowRight")
    wire = tree.get_by_role("treeitem", name=re.compile(t.step("aggregate"))).first
    expect(wire).to_have_attribute("aria-level", "2")
    typist.press("Delete")
    expect(first).not_to_have_attribute("aria-expanded", re.compile(".*"))
    typist.press("Home", "c")
    dialog = page.get_by_role("dialog", name=t("canvas:connect.title", title=stations))
    expect(dialog.get_by_role("combobox")).to_be_focused()
    typist.type(t.step("aggregate"))
    typist.press("Enter")
    expect(first).to_have_attribute("aria-expanded", re.compile("true|false"))
    typist.press("F2")
    typist.type("站点 Stations")
    typist.press("Enter")
    typist.expect_step("站点 Stations")
    expect(first).to_be_focused()
    typist.press("Control+z")
    typist.expect_step(stations)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_from_sign_in_to_a_result_without_a_mouse(page: Page, studio: Studio, language: str) -> None:
    typist = Typist(page, language)
    t = typist.t
    stations = t.pick("空气质量监测站点", "Air quality stations")
    sign_in_by_keys(typist, SPEAKERS[language])
    typist.command(t("common:command.new_app"))
    typist.expect_open()
    build_by_keys(typist, stations)
    rewire_by_keys(typist, stations)

    # Settings, field by field.
    typist.to_settings(t.step("aggregate"))
    typist.pick(t.setting("aggregate", "by"), "district")
    typist.press("Escape")
    typist.tab_to(typist.button(t("canvas:measure.add")))
    typist.press("Enter")
    typist.to_settings(t.step("output"))
    name = typist.settings.get_by_label(t.setting("output", "name"))
    typist.tab_to(name)
    typist.press("Control+a")
    typist.type("by_district")
    for step in ("aggregate", "output"):
        typist.expect_fine(t.step(step))

    # The way through the drawing follows the data, and moves with the arrow keys.
    typist.expect_saved()
    box = typist.step(t.step("output"))
    typist.tab_to(box, key="Shift+Tab")
    typist.assert_focus_is_seen()
    before = box.bounding_box()
    typist.press("Enter", "ArrowDown", "ArrowDown", "ArrowDown")
    after = box.bounding_box()
    assert before and after and after["y"] > before["y"]

    typist.command(t("canvas:run.run"))
    page.wait_for_url("**/runs/*", timeout=PATIENCE)
    read_by_keys(typist, studio)


def read_by_keys(typist: Typist, studio: Studio) -> None:
    """The table of the result against SQL written by hand."""
    page, t = typist.page, typist.t
    expect(page.get_by_text(t("common:state.done")).first).to_be_visible(timeout=PATIENCE)
    table = typist.table(t("runs:results.rows_of", name="by_district"))
    expect(table.locator("tbody tr").first).to_be_visible(timeout=PATIENCE)
    assert headings(table)[0] == "district"
    with closing(sqlite3.connect(studio.home / "demo" / "stations.sqlite")) as database:
        expected = dict(database.execute("select district, count(*) from stations group by 1").fetchall())
    assert {row[0]: as_number(row[1]) for row in cells(table)} == expected
