"""What a person does on the canvas, by visible controls only: roles and labels, never test ids or the API."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.person import PATIENCE, Person


class Canvas(Person):
    """The canvas page in one language."""

    def begin_app(self) -> None:
        """Ask for a new app in the command menu; its empty flow opens."""
        self.press("Control+k")
        self.page.get_by_role("combobox").fill(self.t("common:command.new_app"))
        self.page.get_by_role("option", name=self.t("common:command.new_app")).click()

    def expect_open(self) -> None:
        expect(self.page.get_by_role("region", name=self.t("canvas:drawing"))).to_be_visible(timeout=PATIENCE)

    @property
    def inspector(self) -> Locator:
        return self.page.get_by_role("complementary", name=self.t("canvas:inspector"))

    @property
    def settings(self) -> Locator:
        return self.page.get_by_role("region", name=self.t("canvas:settings"), exact=True)

    def add_data(self, title: str) -> None:
        """Search the palette and click the dataset once it is the first that was found."""
        search = self.page.get_by_label(self.t("canvas:palette.search"))
        search.fill(title)
        found = self.page.get_by_role("group", name=self.t("canvas:palette.data"), exact=True)
        first = found.get_by_role("button").first
        name = re.compile(r"^\s*" + re.escape(self.t("canvas:palette.add_data", title=title)) + r"(\s|$)")
        expect(first).to_have_accessible_name(name, timeout=PATIENCE)
        first.click()
        search.fill("")
        self.expect_step(title)

    def add_step(self, key: str) -> str:
        """Click a step type in the palette: the step goes behind the selected ones. Its title."""
        title = self.t.step(key)
        self.button(self.t("canvas:palette.add_step", title=title)).click()
        self.expect_step(title)
        return title

    def step(self, title: str, state: str = "") -> Locator:
        """The box on the canvas that is called ``title`` (and, when given, is in this state)."""
        name = self.t("canvas:step.name", title=title, state=state)
        return self.page.get_by_role("group", name=re.compile("^" + re.escape(name.rstrip()))).first

    def expect_step(self, title: str, state: str = "") -> None:
        expect(self.step(title, state)).to_be_visible(timeout=PATIENCE)

    def expect_fine(self, title: str) -> None:
        self.expect_step(title, self.t("canvas:step.fine"))

    def open_step(self, title: str) -> None:
        """Bring all steps into view and click this one."""
        self.button(self.t("canvas:tools.fit")).click()
        self.step(title).click()
        expect(self.page.get_by_label(self.t("canvas:step.title"))).to_have_value(title)

    def select_steps(self, *titles: str) -> None:
        """Click the first, shift-click the others."""
        for index, title in enumerate(titles):
            self.step(title).click(modifiers=["Shift"] if index else [])

    def rename(self, title: str) -> None:
        """Give the selected step another name."""
        box = self.page.get_by_label(self.t("canvas:step.title"))
        box.fill(title)
        box.press("Enter")
        self.expect_step(title)

    def pick_column_value(self, label: str, column: str) -> None:
        """A value that is not typed but read from a column."""
        self.button(self.t("canvas:value_kind.label", label=label)).click()
        self.menu_item(self.t("canvas:value_kind.column"))
        self.choose(label, column)

    def expect_saved(self) -> None:
        saved = re.compile(r"^\s*" + re.escape(self.t("canvas:sync.saved")))
        status = self.page.get_by_role("toolbar", name=self.t("canvas:toolbar")).get_by_role("status")
        expect(status).to_have_text(saved, timeout=PATIENCE)

    def expect_columns(self, title: str, *names: str, but: tuple[str, ...] = ()) -> Locator:
        """The inspector lists these columns, and the preview of the step shows them over its rows. The table."""
        self.expect_saved()
        columns = self.page.get_by_role("region", name=self.t("canvas:columns.name"))
        table = self.table(self.t("canvas:preview.table", title=title))
        for name in names:
            expect(columns.get_by_text(name, exact=True).first).to_be_visible(timeout=PATIENCE)
            expect(table.locator("thead").get_by_text(name, exact=True)).to_be_visible(timeout=PATIENCE)
        for name in but:
            expect(table.locator("thead").get_by_text(name, exact=True)).to_have_count(0)
        expect(table.locator("tbody tr").first).to_be_visible(timeout=PATIENCE)
        return table

    def run(self) -> None:
        self.expect_saved()
        self.button(self.t("canvas:run.run")).click()
        self.page.wait_for_url("**/runs/*", timeout=PATIENCE)
