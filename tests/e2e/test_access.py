"""Who may see what: asking for data from the canvas, the answer of its department, and a column that stays hidden.

The hidden column holds canaries. All that the guest's browser gets (pages, answers, frames of the socket, downloads) is
kept and searched; the same search over what the keeper of the data gets finds them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocket, expect

from tests.api_client import ApiClient
from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, headings
from tests.studio_process import Studio

APPLICANT, KEEPER, GUEST = "liu.yang", "chen.jing", "wang.fang"
PURPOSE = "各区企业分布与行业结构分析"
CANARY = "CANARY7"
HIDDEN = "inner_note"
SEEN = "GIVEN7"


class Citizen(Canvas):
    """Somebody who asks for data, or decides."""

    def open_blank_app(self) -> None:
        self.go("home")
        self.page.get_by_role("button").filter(has_text=self.t("home:start.blank")).click()
        self.expect_open()

    def ask_for(self, title: str, but: tuple[str, ...] = ()) -> None:
        """From the red step: which columns, and what for."""
        self.button(self.t("canvas:access.ask")).click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog.get_by_text(title).first).to_be_visible()
        columns = dialog.get_by_role("combobox", name=self.t("canvas:access.columns"))
        for column in but:
            columns.fill(column)
            self.page.locator(".ant-select-dropdown:visible .ant-select-item-option").first.click()
        dialog.get_by_label(self.t("canvas:access.purpose")).fill(PURPOSE)
        self.button(self.t("canvas:access.send"), inside=dialog).click()
        expect(dialog).to_have_count(0, timeout=PATIENCE)
        expect(self.page.get_by_text(self.t("canvas:access.pending", number="").split("，")[0]).first).to_be_visible()

    def open_decision(self, title: str) -> Locator:
        """The request for this dataset, out of the inbox."""
        self.go("requests")
        row = self.page.get_by_role("listitem").filter(has_text=title).filter(has_text=PURPOSE)
        self.button(self.t("subscriptions:row.decide"), inside=row).click(timeout=PATIENCE)
        drawer = self.page.get_by_role("dialog")
        expect(drawer.get_by_text(PURPOSE)).to_be_visible(timeout=PATIENCE)
        return drawer

    def expect_red(self, title: str) -> None:
        self.expect_step(title, self.t("canvas:step.errors_one", count=1))


def test_asked_approved_green_and_run(new_page: Callable[..., Page]) -> None:
    title = "企业登记信息（合成数据）"
    applicant, keeper = Citizen(new_page(), "zh-CN"), Citizen(new_page(), "zh-CN")
    applicant.sign_in(APPLICANT)
    applicant.open_blank_app()
    applicant.add_data(title)
    applicant.expect_red(title)
    expect(applicant.inspector.get_by_text(applicant.t("canvas:access.why"))).to_be_visible()
    applicant.ask_for(title, but=("phone", "id_number"))

    keeper.sign_in(KEEPER)
    drawer = keeper.open_decision(title)
    expect(drawer.get_by_text("联系电话")).to_have_count(0)
    drawer.get_by_role("checkbox", name="法定代表人").uncheck()
    keeper.button(keeper.t("subscriptions:decision.approve_part"), inside=drawer).click()
    expect(keeper.page.get_by_text(keeper.t("subscriptions:decision.approved"))).to_be_visible(timeout=PATIENCE)

    applicant.expect_fine(title)
    table = applicant.expect_columns(title, "name", "district", but=("legal_person", "phone", "id_number"))
    assert headings(table)[0] == "credit_code"
    applicant.add_step("output")
    applicant.run()
    result = applicant.table(applicant.t("runs:results.rows_of", name="result"))
    assert not {"legal_person", "phone", "id_number"} & set(headings(result))
    assert {"credit_code", "name", "district"} <= set(headings(result))


def test_refused_with_a_reason_that_the_applicant_reads(new_page: Callable[..., Page]) -> None:
    title, reason = "执法检查记录（合成数据）", "检查记录暂不对外提供，请改用月度汇总数据"
    applicant, keeper = Citizen(new_page(), "zh-CN"), Citizen(new_page(), "zh-CN")
    applicant.sign_in(APPLICANT)
    applicant.open_blank_app()
    applicant.add_data(title)
    applicant.ask_for(title)

    keeper.sign_in(KEEPER)
    drawer = keeper.open_decision(title)
    refuse = keeper.button(keeper.t("subscriptions:decision.reject"), inside=drawer)
    refuse.click()
    expect(drawer.get_by_text(keeper.t("subscriptions:decision.reason_missing"))).to_be_visible()
    drawer.get_by_label(keeper.t("subscriptions:decision.reason")).fill(reason)
    refuse.click()
    expect(keeper.page.get_by_text(keeper.t("subscriptions:decision.rejected"))).to_be_visible(timeout=PATIENCE)

    expect(applicant.inspector.get_by_text(reason)).to_be_visible(timeout=PATIENCE)
    applicant.expect_red(title)
    expect(applicant.button(applicant.t("canvas:access.again"))).to_be_visible()
    applicant.page.get_by_role("button", name=applicant.t("common:top.inbox")).click()
    expect(applicant.page.get_by_role("tooltip").get_by_text(reason)).to_be_visible(timeout=PATIENCE)
    applicant.page.keyboard.press("Escape")
    applicant.go("requests")
    expect(applicant.page.get_by_role("main").get_by_text(reason)).to_be_visible(timeout=PATIENCE)


# ── canaries ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Recorder:
    """All that a page gets from the studio."""

    parts: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.route("**/api/**", self._answer)
        page.on("websocket", self._socket)

    def stop(self, page: Page) -> None:
        """Answers that are still on their way are no longer waited for."""
        page.unroute_all(behavior="ignoreErrors")

    def _answer(self, route: Route) -> None:
        answer = route.fetch()
        self.parts.append(answer.text())
        route.fulfill(response=answer)

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.parts.append(str(frame)))

    def keep(self, page: Page) -> None:
        """The page as it stands."""
        self.parts.append(page.content())

    def holds(self, word: str) -> bool:
        return any(word in part for part in self.parts)


@pytest.fixture(scope="module")
def canaries(studio: Studio) -> str:
    """A SQLite node of the market department with planted values; the title of its dataset."""
    path = studio.home / "demo" / "canary.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"create table licences (code text primary key, district text, fee integer, {HIDDEN} text)")
        database.executemany(
            "insert into licences values (?, ?, ?, ?)",
            [(f"{SEEN}-{n:04d}", f"区{n % 5}", n, f"{CANARY}-{n % 7}") for n in range(400)],
        )
        database.commit()
    keeper = ApiClient(studio, KEEPER)
    node = keeper.add_node("sqlite", "许可证库", {"path": str(path)})
    dataset = keeper.get(f"n/{keeper.dataset(node, 'licences')}")["id"]
    keeper.fetch(
        "PATCH", f"datasets/{dataset}", {"title": {"zh-CN": "许可证", "en": "Licences"}, "share": "conditional"}
    )
    keeper.await_task(keeper.post(f"datasets/{dataset}/profile")["task"])
    guest = ApiClient(studio, GUEST)
    asked = guest.post("requests", {"dataset": dataset, "columns": ["code", "district", "fee"], "purpose": PURPOSE})
    keeper.post(f"requests/{asked['id']}/approve", {})
    return str(dataset)


def look_at_dataset(person: Citizen, dataset: str, recorder: Recorder) -> None:
    """Columns, the hidden column's drawer, and the sample."""
    person.page.goto(f"/catalogue/datasets/{dataset}")
    person.page.get_by_role("button", name=HIDDEN).click(timeout=PATIENCE)
    expect(person.page.get_by_role("dialog").get_by_text(HIDDEN).first).to_be_visible(timeout=PATIENCE)
    recorder.keep(person.page)
    person.page.goto(f"/catalogue/datasets/{dataset}?tab=sample")
    person.table(person.t("catalogue:sample.label", name="许可证"))
    recorder.keep(person.page)


def probing_flow(studio: Studio, dataset: str) -> str:
    """A flow of the guest that tries to learn something about the hidden column by a condition."""
    guest = ApiClient(studio, GUEST)
    steps = {
        "read": {"type": "read", "version": 1, "settings": {"dataset": "data"}},
        "guess": {"type": "filter", "version": 1, "settings": {"where": f"{HIDDEN} >= 'C'"}},
        "out": {"type": "output", "version": 1, "settings": {"name": "guessed"}},
    }
    wires = [{"from": "read.out", "to": "guess.in"}, {"from": "guess.out", "to": "out.in"}]
    number = guest.get(f"datasets/{dataset}")["number"]
    document = {"kind": "flow", "spec": "1", "datasets": {"data": number}, "steps": steps, "wires": wires}
    return guest.add_flow("试探", document)


def test_a_hidden_column_shows_nowhere(new_page: Callable[..., Page], studio: Studio, canaries: str) -> None:
    recorder = Recorder()
    guest = Citizen(new_page(), "zh-CN")
    recorder.listen(guest.page)
    guest.sign_in(GUEST)
    look_at_dataset(guest, canaries, recorder)

    guest.open_blank_app()
    guest.add_data("许可证")
    guest.expect_columns("许可证", "code", "district", "fee", but=(HIDDEN,))
    changed = guest.add_step("cast")
    guest.button(guest.t("canvas:cast.add")).click()
    guest.choose(guest.t("canvas:cast.column", number=1), "code")
    guest.choose(guest.t("canvas:cast.type", number=1), guest.t("common:type.integer"))
    guest.choose(guest.t("canvas:cast.on_error", number=1), guest.t("canvas:cast.fail"))
    guest.expect_fine(changed)
    guest.add_step("output")
    recorder.keep(guest.page)
    guest.run()
    expect(guest.page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
    recorder.keep(guest.page)

    guest.page.go_back()
    guest.expect_open()
    guest.open_step(changed)
    guest.choose(guest.t("canvas:cast.type", number=1), guest.t("common:type.text"))
    guest.expect_fine(changed)
    guest.run()
    table = guest.table(guest.t("runs:results.rows_of", name="result"))
    assert headings(table) == ["code", "district", "fee"]
    recorder.keep(guest.page)
    with guest.page.expect_download() as download:
        guest.button(guest.t("runs:results.download")).click()
        guest.page.get_by_role("link", name=guest.t("runs:results.csv")).click()
    recorder.parts.append(Path(download.value.path()).read_text(encoding="utf-8"))

    guest.page.goto(f"/flows/{probing_flow(studio, canaries)}")
    guest.expect_open()
    guest.button(guest.t("canvas:run.run")).click()
    problems = guest.page.get_by_role("list", name=guest.t("canvas:problems.name"))
    expect(problems.get_by_text(HIDDEN).first).to_be_visible(timeout=PATIENCE)
    recorder.keep(guest.page)
    recorder.stop(guest.page)
    assert recorder.holds(SEEN)
    assert not recorder.holds(CANARY)


def test_the_same_search_finds_what_the_keeper_sees(new_page: Callable[..., Page], canaries: str) -> None:
    recorder = Recorder()
    keeper = Citizen(new_page(), "zh-CN")
    recorder.listen(keeper.page)
    keeper.sign_in(KEEPER)
    look_at_dataset(keeper, canaries, recorder)
    recorder.stop(keeper.page)
    assert recorder.holds(SEEN)
    assert recorder.holds(CANARY)
