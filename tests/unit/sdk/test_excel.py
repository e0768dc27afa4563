"""Excel sheets through the files connector: headers, notes, merged cells, formulas, types, and what is no workbook."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from node_catalog.palette import registry
from node_catalog.sdk.access import Stream
from node_catalog.sdk.contract import ConnectContext, DiscoveredDataset
from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.schema import parse
from node_catalog.sdk.testing_nodes import reference
from node_catalog.types.connectors.files import workbook

FILES = registry().connectors["files"]


class Folder:
    """A node over ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.context = ConnectContext(file_roots=(str(path),))
        self.settings = parse(FILES.Settings, {"folder": str(path)})

    def found(self, known: Any = None) -> dict[str, DiscoveredDataset]:
        return {one.path[-1]: one for one in FILES.discover(self.settings, self.context, known)}

    def read(self, dataset: DiscoveredDataset, columns: list[str] | None = None) -> pa.Table:
        wanted = reference(dataset)
        assert isinstance(FILES.access(self.settings, wanted, self.context), Stream)
        names = columns or list(wanted.schema.names)
        return pa.Table.from_batches(FILES.read(self.settings, wanted, names, self.context))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.to_pylist()]


def report(path: Path) -> None:
    """A report as an office sends it: title, header of two rows, merged cells, notes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "空气质量"
    sheet["A1"] = "2026 年空气质量月报"
    sheet.merge_cells("A1:G1")
    for cell, words in {"A3": "区", "B3": "站点代码", "C3": "浓度", "C4": "PM2.5", "D4": "PM10", "E3": "日期"}.items():
        sheet[cell] = words
    sheet["F3"], sheet["G3"] = "时刻", "达标"
    for merged in ("A3:A4", "B3:B4", "C3:D3", "E3:E4", "F3:F4", "G3:G4"):
        sheet.merge_cells(merged)
    values = [
        ("东城区", "001", 12.5, 30, dt.date(2026, 1, 1), dt.time(8, 30), True),
        (None, "002", 8.1, "—", dt.date(2026, 1, 2), dt.time(9), False),
        ("西城区", "003", None, 41, None, None, None),
    ]
    for row, line in enumerate(values, start=5):
        for column, value in enumerate(line, start=1):
            sheet.cell(row, column, value)
    sheet.merge_cells("A5:A6")
    sheet.append(["合计", None, 12.8, 71])
    sheet.append([])
    sheet.append(["注：数据为演示用途。"])
    book.save(path)


def test_a_report_with_title_header_of_two_rows_merged_cells_and_notes(folder: Folder) -> None:
    report(folder.path / "report.xlsx")
    found = folder.found()["空气质量"]
    assert found.path == ("report.xlsx", "空气质量")
    kinds = {column.name: column.type for column in found.columns}
    assert kinds == {
        "区": "text", "站点代码": "text", "浓度 · PM2.5": "number", "浓度 · PM10": "integer", "日期": "date",
        "时刻": "time", "达标": "boolean",
    }  # fmt: skip
    assert (found.rows, found.rows_exact) == (3, True)
    assert [found.settings[key] for key in ("skip_rows", "header_rows", "footer_rows")] == [2, 2, 3]
    assert "totals" in found.warnings[0]["en"]
    assert rows_of(folder.read(found)) == [
        ("东城区", "001", 12.5, 30, dt.date(2026, 1, 1), dt.time(8, 30), True),
        ("东城区", "002", 8.1, None, dt.date(2026, 1, 2), dt.time(9), False),
        ("西城区", "003", None, 41, None, None, None),
    ]


def test_findings_are_corrected(folder: Folder) -> None:
    report(folder.path / "report.xlsx")
    known = {("report.xlsx", "空气质量"): {"merged": "empty", "footer_rows": 2, "types": {"站点代码": "integer"}}}
    found = folder.found(known)["空气质量"]
    assert found.rows == 4
    table = folder.read(found, ["站点代码", "区"])
    assert rows_of(table) == [(1, "东城区"), (2, None), (3, "西城区"), (None, "合计")]


def save(folder: Folder, lines: list[list[Any]], name: str = "a.xlsx", at: tuple[int, int] = (1, 1)) -> None:
    book = openpyxl.Workbook()
    for row, line in enumerate(lines, start=at[0]):
        for column, value in enumerate(line, start=at[1]):
            book.active.cell(row, column, value)
    book.save(folder.path / name)


def test_types_are_those_of_the_cells(folder: Folder) -> None:
    moment = dt.datetime(2026, 1, 1, 10, 30, 15)  # noqa: DTZ001
    save(
        folder,
        [
            ["code", "id", "whole", "half", "moment", "mixed", "words", "span", "day", "none", "number as text"],
            ["007", "110101199003078515", 1, 1.5, moment, 1, "x", dt.timedelta(hours=30), "2026/1/5", None, "12"],
            ["12", "110101199003078523", 2, 2, moment, "abc", " ", dt.timedelta(minutes=30), "2026/12/31", None, "无"],
        ],
        at=(5, 3),
    )
    found = folder.found()["Sheet"]
    assert [column.type for column in found.columns] == [
        "text", "text", "integer", "number", "timestamp", "text", "text", "number", "date", "text", "integer",
    ]  # fmt: skip
    assert rows_of(folder.read(found)) == [
        ("007", "110101199003078515", 1, 1.5, moment, "1", "x", 30.0, dt.date(2026, 1, 5), None, 12),
        ("12", "110101199003078523", 2, 2.0, moment, "abc", None, 0.5, dt.date(2026, 12, 31), None, None),
    ]
    assert rows_of(folder.read(found, ["half", "code"])) == [(1.5, "007"), (2.0, "12")]


def test_formulas_give_their_saved_result_and_say_when_there_is_none(folder: Folder) -> None:
    save(folder, [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]])
    path = folder.path / "a.xlsx"
    found = folder.found()["Sheet"]
    assert "2 formulas" in found.warnings[0]["en"]
    assert rows_of(folder.read(found)) == [(1, None), (2, None)]
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>"))
    found = folder.found()["Sheet"]
    assert "1 formulas" in found.warnings[0]["en"]
    assert rows_of(folder.read(found)) == [(1, 2), (2, None)]


def rewrite(path: Path, part: str, change: Any) -> None:
    """Change one file in the zip."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changed = change(parts[part])
    assert changed != parts[part]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, part: changed}.items():
            archive.writestr(name, data)


def test_hidden_sheets_are_left_out_and_empty_ones_have_no_columns(folder: Folder) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    book.create_sheet("secret").append(["x"])
    book["secret"].sheet_state = "hidden"
    book.create_sheet("empty")
    book.create_chartsheet("chart")
    book.save(folder.path / "a.xlsx")
    found = folder.found()
    assert set(found) == {"Sheet", "empty"}
    assert "secret" in found["Sheet"].warnings[0]["en"]
    assert found["empty"].columns == ()
    assert "empty" in found["empty"].warnings[0]["en"]
    assert rows_of(folder.read(found["Sheet"])) == [(1,)]


def test_a_sheet_without_header_has_numbered_columns(folder: Folder) -> None:
    save(folder, [[1, 2.5], [2, 3.5], [3, 4.5]])
    found = folder.found()["Sheet"]
    assert [column.name for column in found.columns] == ["column1", "column2"]
    assert found.rows == 3


def test_a_value_of_another_type_names_its_cell(folder: Folder) -> None:
    save(folder, [["a", "b"], [1, 1.5], [2, "soon"]])
    for kind in ("number", "integer", "date", "boolean", "decimal(9,2)"):
        found = folder.found({("a.xlsx", "Sheet"): {"types": {"b": kind}}})["Sheet"]
        with pytest.raises(DataError) as caught:
            folder.read(found)
        assert caught.value.code == "file.value"
        assert caught.value.where == ("a.xlsx:Sheet!B2" if kind in ("integer",) else caught.value.where)
        assert "!B" in caught.value.where


def test_sheets_and_columns_that_are_gone(folder: Folder) -> None:
    save(folder, [["a", "b"], [1, 2]])
    found = folder.found()["Sheet"]
    save(folder, [["a", "c"], [1, 2]])
    with pytest.raises(SourceError) as caught:
        folder.read(found)
    assert caught.value.code == "source.columns_moved"
    book = openpyxl.Workbook()
    book.active.title = "other"
    book.save(folder.path / "a.xlsx")
    with pytest.raises(SourceError) as caught:
        folder.read(found)
    assert caught.value.code == "file.sheet_missing"


@pytest.mark.parametrize("kind", ["cut", "text", "password", "not a workbook", "entities"])
def test_what_is_no_workbook_is_said(folder: Folder, kind: str) -> None:
    path = folder.path / "a.xlsx"
    save(folder, [["a"], [1]])
    data = path.read_bytes()
    if kind == "not a workbook":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("hello.txt", "x")
    elif kind == "entities":
        rewrite(path, "xl/workbook.xml", lambda xml: b'<!DOCTYPE x [<!ENTITY a "a">]>' + xml.partition(b"?>")[2])
    else:
        old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)
        path.write_bytes({"cut": data[: len(data) // 2], "text": b"a,b\n1,2\n", "password": old}[kind])
    (found,) = folder.found().values()
    assert found.columns == ()
    assert found.warnings
    assert all(found.warnings[0].values())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(folder: Folder) -> None:
    path = folder.path / "a.xlsx"
    save(folder, [["a"], [1]])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (100 << 20))
    assert path.stat().st_size < 1 << 20
    (found,) = folder.found().values()
    assert found.columns == ()
    assert "unpacks to" in found.warnings[0]["en"]


def test_a_cell_at_the_far_corner_does_not_cost_memory(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    save(folder, [["a"], [1]])
    book = openpyxl.load_workbook(folder.path / "a.xlsx")
    book.active["XFD1048576"] = 1
    book.save(folder.path / "a.xlsx")
    (found,) = folder.found().values()
    assert found.columns == ()
    assert "17,179,869,184 cells" in found.warnings[0]["en"]


def test_a_header_of_too_many_columns_is_refused(folder: Folder) -> None:
    save(folder, [[f"c{number}" for number in range(5000)], list(range(5000))])
    (found,) = folder.found().values()
    assert found.columns == ()
    assert "5,000 columns" in found.warnings[0]["en"]


def test_links_out_of_the_folder_and_lock_files_are_no_workbooks(folder: Folder, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    save(Folder(outside), [["a"], [1]])
    os.symlink(outside / "a.xlsx", folder.path / "link.xlsx")
    (folder.path / ".~lock.a.xlsx").write_text("x")
    assert folder.found() == {}


def test_names_of_cells() -> None:
    assert [workbook.cell_name(0, at) for at in (0, 25, 26, 701, 702, 16383)] == [
        "A1",
        "Z1",
        "AA1",
        "ZZ1",
        "AAA1",
        "XFD1",
    ]
