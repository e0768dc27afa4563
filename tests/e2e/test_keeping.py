"""What keeps a studio in order: accounts that come, change and go; rights that are given back or taken back; a newer
version of one's own file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api_client import ApiClient
from tests.e2e.person import PATIENCE, Person
from tests.studio_process import Studio

ADMIN, KEEPER, APPLICANT = "admin", "chen.jing", "emma.clark"
OWN_PASSWORD = "Own-Words-2026!"
REASON = "用途已结束，收回授权"


class Keeper(Person):
    """Somebody who looks after accounts, rights or files."""

    def open_people(self) -> None:
        self.page.goto("/admin/people")
        expect(self.page.get_by_role("table")).to_be_visible(timeout=PATIENCE)

    def person_menu(self, name: str, entry: str) -> None:
        self.button(self.t("admin:people.more", name=name)).click()
        self.menu_item(self.t(f"admin:people.{entry}"))

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog").last

    def shown_password(self) -> str:
        """The password that is shown once."""
        shown = self.dialog.locator("code")
        expect(shown).to_be_visible(timeout=PATIENCE)
        return shown.inner_text().strip()

    def close_dialog(self) -> None:
        self.button(self.t("common:close"), inside=self.dialog).last.click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def choose_own_password(self, old: str) -> None:
        """What the first sign-in asks for."""
        expect(self.page).to_have_url(re.compile("/account"), timeout=PATIENCE)
        self.page.get_by_label(self.t("account:password.current"), exact=True).fill(old)
        self.page.get_by_label(self.t("account:password.new"), exact=True).fill(OWN_PASSWORD)
        self.page.get_by_label(self.t("account:password.again"), exact=True).fill(OWN_PASSWORD)
        self.button(self.t("account:password.submit")).click()
        expect(self.page.get_by_text(self.t("account:password.done"))).to_be_visible(timeout=PATIENCE)

    def expect_refused_at_sign_in(self, user: str, password: str) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_label(self.t("account:sign_in.username")).fill(user)
        self.page.get_by_label(self.t("account:sign_in.password"), exact=True).fill(password)
        self.button(self.t("account:sign_in.submit")).click()
        expect(self.page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)


def test_an_account_comes_changes_and_goes(new_page: Callable[..., Page], studio: Studio) -> None:
    user, name = "gao.yuan", "高远"
    admin, newcomer = Keeper(new_page(), "zh-CN"), Keeper(new_page(expected=("401", "403")), "zh-CN")
    admin.sign_in(ADMIN)
    admin.open_people()
    admin.button(admin.t("admin:people.new")).click()
    admin.dialog.get_by_label(admin.t("admin:people.username")).fill(user)
    admin.dialog.get_by_label(admin.t("admin:people.name"), exact=True).fill(name)
    admin.choose(admin.t("admin:people.organisation"), "大数据中心", inside=admin.dialog)
    admin.button(admin.t("admin:people.create"), inside=admin.dialog).click()
    first = admin.shown_password()
    admin.close_dialog()

    newcomer.sign_in(user, first)
    newcomer.choose_own_password(first)
    app = ApiClient(studio, user, OWN_PASSWORD).post(
        "apps", {"title": {"zh-CN": "移交的应用", "en": "Handed on"}, "template": "air_quality"}
    )

    admin.person_menu(name, "hand_over")
    search = admin.dialog.get_by_role("combobox", name=admin.t("admin:people.successor"))
    search.fill("wang.fang")
    admin.page.locator(".ant-select-dropdown:visible .ant-select-item-option").filter(has_text="王芳").click()
    admin.button(admin.t("admin:people.hand_over"), inside=admin.dialog).click()
    expect(admin.page.get_by_text(admin.t("admin:people.handed_over", count=1))).to_be_visible(timeout=PATIENCE)
    assert ApiClient(studio, "wang.fang").get(f"apps/{app['id']}")["owner"]["name"] == "王芳"

    admin.person_menu(name, "reset")
    admin.button(admin.t("admin:people.reset"), inside=admin.dialog).click()
    second = admin.shown_password()
    admin.close_dialog()
    assert second != first
    newcomer.page.reload()
    newcomer.expect_refused_at_sign_in(user, OWN_PASSWORD)
    newcomer.sign_in(user, second)

    admin.person_menu(name, "edit")
    admin.dialog.get_by_role("switch", name=admin.t("admin:people.may_sign_in")).click()
    admin.button(admin.t("common:save"), inside=admin.dialog).click()
    expect(admin.page.get_by_text(admin.t("admin:people.disabled"))).to_be_visible(timeout=PATIENCE)
    newcomer.page.reload()
    newcomer.expect_refused_at_sign_in(user, second)


@pytest.fixture
def asked(studio: Studio) -> str:
    """The number of a fresh request of the applicant."""
    applicant = ApiClient(studio, APPLICANT)
    dataset = applicant.get("n/33A017/DBDEM00004-X.0001")["id"]
    body = {"dataset": dataset, "columns": ["credit_code", "district"], "purpose": "年度企业分布核对"}
    return str(applicant.post("requests", body)["number"])


def test_a_request_is_taken_back(new_page: Callable[..., Page], asked: str) -> None:
    applicant = Keeper(new_page(locale="en"), "en")
    applicant.sign_in(APPLICANT)
    applicant.go("requests")
    row = applicant.page.get_by_role("listitem").filter(has_text=asked)
    applicant.button(applicant.t("subscriptions:row.withdraw"), inside=row).click(timeout=PATIENCE)
    sure = applicant.page.get_by_role("tooltip")
    applicant.button(applicant.t("subscriptions:row.withdraw"), inside=sure).click()
    expect(row.get_by_text(applicant.t("subscriptions:state.withdrawn"))).to_be_visible(timeout=PATIENCE)


def test_a_right_is_taken_back_with_a_reason(new_page: Callable[..., Page], studio: Studio, asked: str) -> None:
    keeper_api, applicant = ApiClient(studio, KEEPER), ApiClient(studio, APPLICANT)
    waiting = keeper_api.get("requests?box=inbox&state=submitted")["results"]
    keeper_api.post(f"requests/{next(one['id'] for one in waiting if one['number'] == asked)}/approve", {})
    dataset = applicant.get("n/33A017/DBDEM00004-X.0001")["id"]
    assert applicant.get(f"datasets/{dataset}")["right"] == "usable"

    keeper = Keeper(new_page(), "zh-CN")
    keeper.sign_in(KEEPER)
    keeper.page.goto("/requests?box=given")
    row = keeper.page.get_by_role("row").filter(has_text="大数据中心").filter(has_text="2 / ")
    keeper.button(keeper.t("subscriptions:grant.revoke"), inside=row).click(timeout=PATIENCE)
    keeper.dialog.get_by_label(keeper.t("subscriptions:decision.reason")).fill(REASON)
    keeper.button(keeper.t("subscriptions:grant.revoke"), inside=keeper.dialog).click()
    expect(keeper.page.get_by_text(keeper.t("subscriptions:grant.revoked"))).to_be_visible(timeout=PATIENCE)

    assert applicant.get(f"datasets/{dataset}")["right"] == "request"
    told = [one for one in applicant.get("notices")["results"] if REASON in str(one)]
    assert told, "the applicant reads why"


def make_report(file: Path) -> None:
    """A workbook as an office sends it: title, header of two rows, codes that begin with zeros, a note below."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "区划报表"
    rows = [
        ["2026 年区划报表"],
        [],
        ["代码", "人口", None],
        [None, "户籍", "常住"],
        *(["00" + str(n), n, n] for n in (1, 2, 3)),
    ]
    for row in (*rows, [], ["注：演示数据。"]):
        sheet.append(row)
    for merged in ("A1:C1", "A3:A4", "B3:C3"):
        sheet.merge_cells(merged)
    book.save(file)


def test_a_newer_file_becomes_a_new_version_and_a_workbook_a_dataset(
    new_page: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "监测点.csv"
    keeper = Keeper(new_page(), "zh-CN")
    keeper.sign_in("wang.fang")
    keeper.go("files")
    main = keeper.page.get_by_role("main")
    uploads = main.get_by_role("list", name=keeper.t("files:uploading"))

    file.write_text("点位,数值\n海曙,1\n鄞州,2\n", encoding="utf-8")
    drop = main.get_by_label(keeper.t("files:drop.button")).locator("visible=false")
    drop.or_(main.locator("input[type=file]").first).first.set_input_files(file)
    expect(uploads.get_by_text(keeper.t("files:done"))).to_be_visible(timeout=PATIENCE)
    row = main.get_by_role("row").filter(has_text="监测点")
    expect(row.get_by_role("cell", name="2", exact=True).first).to_be_visible(timeout=PATIENCE)

    file.write_text("点位,数值\n海曙,1\n鄞州,2\n江北,3\n镇海,4\n北仑,5\n", encoding="utf-8")
    row.locator("input[type=file]").set_input_files(file)
    expect(uploads.get_by_text(keeper.t("files:done_version"))).to_be_visible(timeout=PATIENCE)
    expect(row.get_by_role("cell", name="5", exact=True)).to_be_visible(timeout=PATIENCE)

    book = tmp_path / "区划报表.xlsx"
    make_report(book)
    drop.or_(main.locator("input[type=file]").first).first.set_input_files(book)
    row = main.get_by_role("row").filter(has_text="区划报表")
    expect(row.get_by_role("cell", name="3", exact=True).first).to_be_visible(timeout=PATIENCE)
