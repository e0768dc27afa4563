"""What operators do with pools on the Monitor page, and what the owner of a flow does with them in its run settings."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.asker import Asker
from tests.e2e.person import PATIENCE
from tests.e2e.tour import Send

LICENCE, NIGHT_LINE = "气象模型许可证", "夜间专线"


def add_pools(operator: Send, owner: Send, flow: str) -> None:
    """Two pools as a city has them, of which the flow has chosen one; the other is closed."""
    wanted = {LICENCE: (2, "与供应商约定：最多两个任务同时使用"), NIGHT_LINE: (0, "检修中，预计周五恢复")}
    known = {pool["name"] for pool in operator("get", "/api/pools", None)["results"]}
    for name, (places, note) in wanted.items():
        if name not in known:
            operator("post", "/api/pools", {"name": name, "places": places, "note": note})
    path = f"/api/flows/{flow}/run-rule"
    pools = {pool["name"]: pool["id"] for pool in owner("get", "/api/pools", None)["results"]}
    owner("put", path, {"settings": {**owner("get", path, None)["settings"], "pool": pools[LICENCE]}})


class PoolKeeper(Asker):
    """Somebody who keeps pools, or takes places of one."""

    # ── operators ──

    @property
    def pools(self) -> Locator:
        """The part of the page."""
        return self.page.get_by_role("region", name=self.t("monitor:pools.title"), exact=True)

    def line(self, name: str) -> Locator:
        return self.pools.get_by_role("row").filter(has=self.page.get_by_text(name, exact=True))

    def expect_line(self, name: str, taken: str, waiting: int, flows: int) -> None:
        """ "1 / 2" places or the word for closed, who waits, which flows use it; the page asks every few seconds."""
        cells = self.line(name).get_by_role("cell")
        for place, text in enumerate((taken, str(waiting), str(flows)), 1):
            expect(cells.nth(place)).to_have_text(text, timeout=PATIENCE)

    def open_new(self) -> Locator:
        self.button(self.t("monitor:pools.new")).click()
        return self.page.get_by_role("dialog", name=self.t("monitor:pools.new"))

    def fill(self, form: Locator, name: str = "", places: int | None = None, note: str = "") -> None:
        """What is given, and save."""
        if name:
            form.get_by_label(self.t("monitor:pools.name")).fill(name)
        if places is not None:
            form.get_by_label(self.t("monitor:pools.places")).fill(str(places))
        if note:
            form.get_by_label(self.t("monitor:pools.note")).fill(note)
        self.button(self.t("common:save"), form).click()

    def make_pool(self, name: str, places: int, note: str = "") -> None:
        form = self.open_new()
        self.fill(form, name, places, note)
        expect(form).to_have_count(0, timeout=PATIENCE)
        expect(self.line(name)).to_be_visible(timeout=PATIENCE)

    def change_places(self, name: str, places: int) -> None:
        title = self.t("monitor:pools.change", name=name)
        self.button(title).click()
        form = self.page.get_by_role("dialog", name=title)
        self.fill(form, places=places)
        expect(form).to_have_count(0, timeout=PATIENCE)

    def remove_pool(self, name: str) -> None:
        """Ask for it and say yes; what comes of it is on the page."""
        self.button(self.t("monitor:pools.remove", name=name)).click()
        asked = self.page.get_by_role("tooltip").filter(has_text=self.t("monitor:pools.remove_sure", name=name))
        self.button(self.t("common:delete"), asked).click()

    # ── owners of flows ──

    def open_rules(self) -> Locator:
        """The run settings, once their form is there."""
        self.from_menu(self.t("canvas:rules.name"))
        form = self.page.get_by_role("dialog", name=self.t("canvas:rules.name"))
        expect(form.get_by_role("spinbutton").first).to_be_visible(timeout=PATIENCE)
        return form

    def choose_pool(self, name: str) -> None:
        form = self.open_rules()
        self.choose(self.t.pick("资源池", "Pool"), name, form)
        self.button(self.t("common:save"), form).click()
        expect(form).to_have_count(0, timeout=PATIENCE)
