"""Nodes from a spreadsheet: every problem by its line, all or none, secrets sealed."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from node_catalog.models import Node
from security.models import AuditRecord
from tests.app.city import City, is_problem, send

GOOD = (
    "类型,名称,部门编码,标签,服务器,port,Database,user,password,include,folder\n"
    "postgresql,登记库,air,企业;合成,10.1.1.1,5433,registry,reader,canary-pw,a_*;b_*,\n"
    "files,归档,,,,,,,,,{folder}\n"
)


def post(client: Client, data: bytes | str, dry_run: bool = True) -> Any:
    raw = data.encode() if isinstance(data, str) else data
    return send(client, "post", "/api/nodes/import", {"file": base64.b64encode(raw).decode(), "dry_run": dry_run})


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.FILE_ROOTS = (str(tmp_path),)
    return tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_dry_run_changes_nothing_and_then_all_are_there(city: City, folder: Path, encoding: str) -> None:
    adam = city.client("adam")
    data = GOOD.format(folder=folder).encode(encoding)
    tried = post(adam, data).json()
    assert tried["problems"] == [] and tried["created"] == 0
    assert [(node["line"], node["type"], node["name"]) for node in tried["nodes"]] == [
        (2, "postgresql", "登记库"), (3, "files", "归档"),
    ]  # fmt: skip
    assert not Node.objects.exists()
    done = post(adam, data, dry_run=False).json()
    assert done["created"] == 2
    node = Node.objects.get(number=done["nodes"][0]["number"])
    assert node.settings["host"] == "10.1.1.1" and node.settings["port"] == 5433
    assert node.settings["include"] == ["a_*", "b_*"]
    assert set(node.secrets) == {"password"} and "canary" not in json.dumps(node.settings)
    assert node.organisation == city.departments["air"]
    assert {tag.name for tag in node.tags.all()} == {"企业", "合成"}
    assert AuditRecord.objects.filter(action="node.create").count() == 2
    again = post(adam, data, dry_run=False).json()
    assert {(one["line"], one["code"]) for one in again["problems"]} == {(2, "name.taken"), (3, "name.taken")}


def test_every_problem_is_named_by_its_line(city: City, folder: Path) -> None:
    lines = [
        "type,name,organisation,host,port,database,user,sslmode,folder",
        "postgresql,A,air,10.1.1.1,5432,d,u,,",
        "oracel,B,air,,,,,,",
        "postgresql,,air,10.1.1.1,x,d,u,maybe,",
        "postgresql,C,roads,10.1.1.1/x,70000,,u,,",
        "postgresql,D,nowhere,10.1.1.1,5432,d,u,,/srv",
        "postgresql,A,air,10.1.1.1,5432,d,u,,",
        "files,E,air,,,,,,/etc",
        "postgresql,F,air,10.1.1.1,5432,d,u,,,,too,many",
    ]
    body = post(city.client("adam"), "\n".join(lines), dry_run=False).json()
    assert body["created"] == 0 and not Node.objects.exists()
    found = {(one["line"], one["field"]) for one in body["problems"]}
    assert {
        (3, "type"), (4, "name"), (4, "port"), (4, "sslmode"), (5, "organisation"), (5, "host"), (5, "port"),
        (5, "database"), (6, "organisation"), (6, "folder"), (7, "name"), (9, ""),
    } <= found  # fmt: skip
    assert not [one for one in body["problems"] if one["line"] == 2]
    assert all(one["message"]["en"] and one["message"]["zh-CN"] for one in body["problems"])
    assert [one["line"] for one in body["problems"]] == sorted(one["line"] for one in body["problems"])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n\n", b"type\n", b"name,type,colour\nx,files,red\n", b"type,name,name\nfiles,a,b\n", b"\x00\xff\x81",
        b'type,name\nfiles,"a\n', b"PK\x03\x04 no zip", b"x" * (6 << 20),
    ],
)  # fmt: skip
def test_files_that_are_no_table(city: City, data: bytes) -> None:
    body = is_problem(post(city.client("adam"), data), 400)
    assert body["problems"][0]["pointer"] == "/file"


def test_a_workbook_that_unfolds_is_not_unfolded(city: City) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (100 << 20))
    assert is_problem(post(city.client("adam"), packed.getvalue()), 400)["problems"][0]["code"] == "table.too_large"


def test_who_may(city: City) -> None:
    for name in ("anna", "otto"):
        is_problem(post(city.client(name), "type,name\nfiles,x\n"), 403)


def test_from_the_command_line(city: City, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "nodes.csv"
    file.write_text(GOOD.format(folder=folder), encoding="utf-8")
    call_command("node", "import", str(file), "--dry-run", "--user", "adam")
    assert not Node.objects.exists()
    call_command("node", "import", str(file), "--user", "adam")
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in said] == ["登记库", "归档"] * 2
    assert {one["number"] for one in said[2:]} == set(Node.objects.values_list("number", flat=True))
    file.write_text("type,name\nnothing,x\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        call_command("node", "import", str(file), "--user", "adam")
    assert json.loads(capsys.readouterr().out.splitlines()[0])["line"] == 2
