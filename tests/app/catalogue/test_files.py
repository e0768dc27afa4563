"""My files: what may be uploaded, where it goes, versions, names, limits, and that it is mine alone."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from node_catalog import uploads
from node_catalog.catalogue import apply_discovery
from node_catalog.grants import grant_for
from node_catalog.models import Dataset, Node
from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.schema import parse
from node_catalog.selectors import connector_settings
from security.models import AuditRecord
from tests.app.city import City, is_problem, send

CSV = "站点,pm25\n东四,12.5\n天坛,30\n".encode()


@pytest.fixture
def city(city: City, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(uploads, "discoverers", [])
    return city


def upload(client: Any, name: str, content: bytes, **more: Any) -> Any:
    return client.post("/api/files", {"file": SimpleUploadedFile(name, content), **more})


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1, 2]}), sink)
    return sink.getvalue().to_pybytes()


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def kept(dataset: str) -> Path:
    row = Dataset.objects.get(pk=dataset)
    return Path(row.node.settings["folder"]) / row.path[0]


def test_upload_list_delete(city: City) -> None:
    anna = city.client("anna")
    answer = upload(anna, "空气 2026.csv", CSV)
    assert answer.status_code == 201, answer.content
    card = answer.json()["dataset"]
    assert card["name"] == "空气 2026.csv"
    assert card["right"] == "usable"
    assert card["is_personal"] is True
    file = kept(card["id"])
    assert file.read_bytes() == CSV
    assert file.stat().st_mode & 0o077 == 0
    assert file.is_relative_to(settings.DATA_HOME / "uploads" / str(city["anna"].pk))
    assert [item["id"] for item in anna.get("/api/files").json()["results"]] == [card["id"]]
    assert send(anna, "delete", f"/api/files/{card['id']}").status_code == 204
    assert not file.exists()
    assert anna.get("/api/files").json()["results"] == []
    assert AuditRecord.objects.filter(action="file.delete").count() == 1


def test_the_connector_finds_what_was_uploaded(city: City) -> None:
    anna = city.client("anna")
    card = upload(anna, "air.csv", CSV).json()["dataset"]
    node = Node.objects.get(owner=city["anna"])
    connector = registry().connectors["files"]
    context = ConnectContext(file_roots=(str(settings.DATA_HOME),))
    values = parse(connector.Settings, connector_settings(node))
    difference = apply_discovery(node, connector.discover(values, context))
    assert difference["counts"]["added"] == 0
    dataset = Dataset.objects.get(pk=card["id"])
    assert [column.name for column in dataset.columns.all()] == ["站点", "pm25"]
    spec = grant_for(dataset, city["anna"])
    assert spec is not None
    assert (spec.source, spec.columns) == ("personal", ("站点", "pm25"))


def test_a_workbook_is_one_dataset_per_sheet(city: City) -> None:
    anna = city.client("anna")
    card = upload(anna, "空气.xlsx", workbook(一月=[["a"], [1]], 二月=[["b"], [2], [3]])).json()["dataset"]
    assert card["name"] == "一月"
    assert card["title"]["zh-CN"] == "空气 · 一月"
    node = Node.objects.get(owner=city["anna"])
    connector = registry().connectors["files"]
    values = parse(connector.Settings, connector_settings(node))
    context = ConnectContext(file_roots=(str(settings.DATA_HOME),))
    assert apply_discovery(node, connector.discover(values, context))["counts"]["added"] == 1
    found = {dataset.name: dataset for dataset in node.datasets.all()}
    assert {name: (dataset.path, dataset.rows) for name, dataset in found.items()} == {
        "一月": (["空气.xlsx", "一月"], 1),
        "二月": (["空气.xlsx", "二月"], 2),
    }
    assert str(found["一月"].pk) == card["id"]
    other = upload(anna, "x.csv", CSV, dataset=card["id"])
    assert is_problem(other, 400)["problems"][0]["code"] == "file.other_kind"
    again = upload(anna, "空气.xlsx", workbook(一月=[["a"], [5]])).json()["dataset"]
    assert kept(again["id"]).name == "空气-2.xlsx"
    assert send(anna, "delete", f"/api/files/{found['二月'].pk}").status_code == 204
    assert not (Path(node.settings["folder"]) / "空气.xlsx").exists()
    assert [item["id"] for item in anna.get("/api/files").json()["results"]] == [again["id"]]


def test_a_new_version_replaces_the_file_of_the_same_dataset(city: City) -> None:
    anna = city.client("anna")
    first = upload(anna, "air.csv", CSV).json()["dataset"]
    second = upload(anna, "other.csv", b"a\n1\n", dataset=first["id"]).json()["dataset"]
    assert second["id"] == first["id"]
    assert kept(first["id"]).read_bytes() == b"a\n1\n"
    other_kind = upload(anna, "air.parquet", parquet(), dataset=first["id"])
    assert is_problem(other_kind, 400)["problems"][0]["code"] == "file.other_kind"
    assert kept(first["id"]).read_bytes() == b"a\n1\n"


def test_the_same_name_again_is_another_file_and_a_deleted_one_comes_back(city: City) -> None:
    anna = city.client("anna")
    first = upload(anna, "air.csv", CSV).json()["dataset"]
    second = upload(anna, "air.csv", CSV).json()["dataset"]
    assert second["name"] == "air-2.csv"
    send(anna, "delete", f"/api/files/{first['id']}")
    assert upload(anna, "air.csv", CSV).json()["dataset"]["number"] == first["number"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "file.empty"),
        ("a.csv", b"\x00\x01\x02\x03", "file.kind"),
        ("a.csv", b"PK\x03\x04 a spreadsheet", "file.kind"),
        ("a.csv", b"%PDF-1.7", "file.kind"),
        ("a.csv", b"SQLite format 3\x00", "file.kind"),
        ("a.csv", b"   \n \n", "file.kind"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file.kind"),
        ("a.csv.gz", b"\x1f\x8bnot really", "file.broken"),
        ("a.csv.gz", gzip.compress(b"\x00" * 1000, mtime=0), "file.kind"),
        ("a.parquet", b"PAR1" + b"x" * 50, "file.cut"),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(city: City, name: str, content: bytes, code: str) -> None:
    body = is_problem(upload(city.client("anna"), name, content), 400)
    assert body["problems"][0]["code"] == code
    assert Dataset.objects.count() == 0
    folder = uploads.uploads_folder(city["anna"])
    assert not folder.exists() or os.listdir(folder) == []


@pytest.mark.parametrize(
    ("name", "content", "stored"),
    [
        ("table", CSV, "table.csv"),
        ("x.exe", CSV, "x.exe.csv"),
        ("../../../etc/passwd", CSV, "passwd.csv"),
        ("..\\..\\secret.csv", CSV, "secret.csv"),
        (".hidden.csv", CSV, "hidden.csv"),
        ("_x*?[a].csv", CSV, "x_a.csv"),
        ("wrong-ending.csv", parquet(), "wrong-ending.parquet"),
        ("packed.csv.gz", gzip.compress(CSV, mtime=0), "packed.csv.gz"),
        ("lines.json", b'{"a": 1}\n', "lines.jsonl"),
        ("lines.ndjson.gz", gzip.compress(b'{"a": 1}\n', mtime=0), "lines.jsonl.gz"),
        ("book.xlsm", workbook(s=[["a"], [1]]), "book.xlsx"),
        ("a" * 300 + ".csv", CSV, "a" * 80 + ".csv"),
        ("空" * 200 + ".csv", CSV, "空" * 53 + ".csv"),
        ("....", CSV, "file.csv"),
    ],
)
def test_names_are_made_safe_and_follow_the_content(city: City, name: str, content: bytes, stored: str) -> None:
    kind = uploads.look_at(_written(content), len(content))
    assert uploads.safe_name(name, kind) == stored


def _written(content: bytes) -> Path:
    path = settings.DATA_HOME / "looked-at"
    path.write_bytes(content)
    return path


def test_too_large_is_stopped_while_it_streams(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.OPTIONS, "UPLOAD_MB", 1)
    answer = upload(city.client("anna"), "big.csv", b"a,b\n" * 400_000)
    is_problem(answer, 413, "file.too_large")
    assert os.listdir(uploads.uploads_folder(city["anna"])) == []


def test_files_are_their_owners_alone(city: City) -> None:
    card = upload(city.client("anna"), "air.csv", CSV).json()["dataset"]
    for name in ("adam", "olga", "rosa", "paul", "otto"):
        client = city.client(name)
        is_problem(client.get(f"/api/datasets/{card['id']}"), 404)
        is_problem(client.get(f"/api/nodes/{card['node']['id']}"), 404)
        is_problem(client.get(f"/api/n/{card['number']}"), 404)
        is_problem(send(client, "delete", f"/api/files/{card['id']}"), 404)
        assert client.get("/api/catalogue/search").json()["total"] == 0
        if name in ("otto", "paul"):
            is_problem(upload(client, "x.csv", CSV), 403)
        else:
            is_problem(upload(client, "x.csv", CSV, dataset=card["id"]), 404)
    share = send(city.client("anna"), "patch", f"/api/datasets/{card['id']}", {"share": "unconditional"})
    is_problem(share, 400)


def test_wrong_bodies(city: City) -> None:
    anna = city.client("anna")
    is_problem(anna.post("/api/files", {}), 400)
    is_problem(anna.post("/api/files", {"file": "text"}), 400)
    is_problem(anna.post("/api/files", b"{}", content_type="application/json"), 415)
    is_problem(anna.post("/api/files", b"a,b", content_type="text/csv"), 415)
    is_problem(upload(anna, "a.csv", CSV, dataset="x"), 400)
    is_problem(upload(anna, "a.csv", CSV, folder="/etc"), 400)


def test_a_leavers_files_are_handed_over(city: City) -> None:
    card = upload(city.client("anna"), "air.csv", CSV).json()["dataset"]
    moved = send(city.client("paul"), "post", f"/api/people/{city['anna'].pk}/hand-over", {"to": str(city["adam"].pk)})
    assert moved.json()["moved"]["files"] == 1
    assert city.client("adam").get("/api/files").json()["results"][0]["id"] == card["id"]
    is_problem(city.client("anna").get(f"/api/datasets/{card['id']}"), 404)


def test_an_upload_asks_for_discovery(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.requests import request_discovery

    monkeypatch.setattr(uploads, "discoverers", [request_discovery])
    anna = city.client("anna")
    body = upload(anna, "air.csv", CSV).json()
    task = anna.get(f"/api/tasks/{body['task']}").json()
    assert (task["kind"], task["state"]) == ("discover", "waiting")
    is_problem(city.client("adam").get(f"/api/tasks/{body['task']}"), 404)


def test_the_runtime_is_asked_when_the_studio_runs() -> None:
    assert [ask.__module__.partition(".")[0] for ask in uploads.discoverers] == ["runtime"]
