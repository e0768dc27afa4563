"""What somebody does who watches long work: a run's iterations and a node's scan; stops it, and goes on with it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.e2e.canvas import Canvas
from tests.e2e.keeper import around
from tests.e2e.person import PATIENCE
from tests.e2e.tour import Send, in_both
from tests.services import wait_until

COUNTED = re.compile(r"([\d,]+) / ([\d,]+)")


def add_wide_node(send: Send, home: Path, name: str, tables: int) -> str:
    """A registered and discovered node of many small tables; its id. Only who may register nodes can ask for it."""
    path = home / "demo" / f"{name}.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        for number in range(tables):
            database.execute(f"create table sheet_{number:03d} (id integer primary key, district text, amount real)")
            rows = [(row, f"区{row % 9}", row / 7) for row in range(50)]
            database.executemany(f"insert into sheet_{number:03d} values (?, ?, ?)", rows)
        database.commit()
    title = in_both("Monthly reports", "各部门月报库")
    node = send("post", "/api/nodes", {"type": "sqlite", "name": title, "settings": {"path": str(path)}})
    task = send("post", f"/api/nodes/{node['id']}/discover", {})["task"]
    answer: dict[str, Any] = {}

    def is_over() -> bool:
        answer.update(send("get", f"/api/tasks/{task}", None))
        return answer["state"] in {"done", "failed", "dead"}

    wait_until(is_over, 120, f"the discovery of {name}")
    assert answer["state"] == "done", answer
    return str(node["id"])


class Onlooker(Canvas):
    """Somebody who watches long work."""

    # ── the iterations of a run ──

    def open_iterations(self) -> None:
        """From the box of the for-each. A drawing that is just being fitted may swallow a click: click again."""
        side = self.page.get_by_role("complementary", name=self.t("runs:step_side"))

        def is_open() -> bool:
            if not side.count():
                self.step(self.t.step("for_each")).click()
            return bool(side.count())

        wait_until(is_open, PATIENCE / 1000, "the side of the for-each")
        self.button(self.t("runs:inside.open_iterations"), side).click()
        expect(self.drawer).to_be_visible(timeout=PATIENCE)

    @property
    def drawer(self) -> Locator:
        return self.page.get_by_role("dialog", name=self.t("runs:inside.title", title=self.t.step("for_each")))

    @property
    def lines(self) -> Locator:
        """The iterations that are in sight."""
        return self.drawer.get_by_role("region", name=self.t("runs:inside.list")).locator("tbody tr:not([aria-hidden])")

    def turns(self) -> tuple[int, int] | None:
        """ "37 / 100" in the head of the drawer; None before the first is known."""
        found = COUNTED.search(self.drawer.inner_text())
        return (as_count(found[1]), as_count(found[2])) if found else None

    def show_only(self, state: str) -> None:
        """Iterations of one state; their lines all say so."""
        states = self.drawer.get_by_label(self.t("runs:inside.filter"))
        word = self.t(f"common:state.{state}")
        states.get_by_text(word, exact=True).click()
        wait_until(
            lambda: {state.strip() for state in self.lines.locator("td:nth-child(3)").all_inner_texts()} == {word},
            PATIENCE / 1000,
            f"only iterations that are {word}",
        )

    def look_into_first(self, state: str) -> Locator:
        """The drawing of what the first iteration in this state did."""
        self.show_only(state)
        self.lines.first.get_by_role("button").click()
        drawing = self.drawer.get_by_role("region", name=self.t("runs:inside.drawing"))
        expect(drawing).to_be_visible(timeout=PATIENCE)
        return drawing

    # ── the scan of a node ──

    @property
    def scan_button(self) -> Locator:
        return self.page.get_by_role("button", name=self.t("catalogue:node.profile_all"))

    @property
    def stop_button(self) -> Locator:
        return self.button(self.t("catalogue:node.profile_stop"))

    def scanned(self) -> int:
        """How many datasets the progress counts; 0 before the first."""
        said = self.page.get_by_role("status").filter(has_text=self.t("catalogue:node.datasets_profiled"))
        found = COUNTED.search(said.first.inner_text()) if said.count() else None
        return as_count(found[1]) if found else 0

    def watch_scan(self) -> None:
        """Start the scan, or find the one that goes on, and wait for its first profile."""
        wait_until(lambda: self.scan_button.count(), PATIENCE / 1000, "the node's page")
        if not self.stop_button.count():
            self.scan_button.click()
        wait_until(self.scanned, PATIENCE / 1000, "the first profile")

    def stop_scan(self) -> None:
        self.stop_button.click()
        expect(self.stop_button).to_have_count(0, timeout=PATIENCE)

    def expect_scan_done(self) -> int:
        """The notice of the end; of how many datasets it tells."""
        words = around(self.t("catalogue:node.profile_done", count="…"))
        notice = self.page.get_by_role("alert").filter(has_text=words)
        expect(notice).to_be_visible(timeout=PATIENCE)
        found = re.search(r"[\d,]+", notice.inner_text())
        assert found
        return as_count(found[0])


def as_count(shown: str) -> int:
    """A whole number with its thousands marks."""
    return int(shown.replace(",", ""))
