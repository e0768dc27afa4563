"""Nodes over the API: numbers, settings, sealed secrets that never come out, rights."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated, Any

import pytest
from django.conf import settings
from django.db import connection

from node_catalog import palette
from node_catalog.models import Node
from node_catalog.numbers import is_node_number
from node_catalog.sdk.contract import Check, Connector, Settings
from node_catalog.sdk.fields import setting
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text
from node_catalog.selectors import connector_settings
from security.models import AuditRecord, Secret
from tests.app.city import City, client_for, is_problem, send

SECRET = "canary-secret-91d"


class VaultSettings(Settings):
    """A server with a password."""

    host: str
    port: int = 5432
    password: Annotated[str, setting(text("Password", "密码"), secret=True)] = ""


class Vault(Connector):
    """A connector with a secret, for these tests."""

    key = "vault"
    title = summary = help = text("Vault", "保险库")
    Settings = VaultSettings

    @classmethod
    def check(cls, settings: Any, context: Any) -> Check:
        return Check(True, "ok", text("Fine.", "正常。"))

    @classmethod
    def discover(cls, settings: Any, context: Any, known: Any = None) -> Any:
        return iter(())

    @classmethod
    def access(cls, settings: Any, dataset: Any, context: Any) -> Any:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> None:
    real = palette.registry()
    types = Registry({**real.connectors, "vault": Vault}, real.transforms)
    for module in ("node_catalog.node_settings", "node_catalog.cards", "node_catalog.search"):
        monkeypatch.setattr(f"{module}.registry", lambda: types)


def body(**more: Any) -> dict[str, Any]:
    values = {"host": "10.0.0.1", "password": SECRET}
    return {"type": "vault", "name": {"en": "Vault", "zh-CN": "保险库"}, "settings": values, "tags": ["air"], **more}


def test_a_node_gets_a_number_and_keeps_its_secret_sealed(city: City) -> None:
    adam = city.client("adam")
    answer = send(adam, "post", "/api/nodes", body())
    assert answer.status_code == 201, answer.content
    node = answer.json()
    assert is_node_number(node["number"])
    assert node["organisation"]["code"] == "air"
    assert node["settings"] == {"host": "10.0.0.1", "port": 5432}
    assert node["secrets"] == {"password": True}
    assert node["can_edit"] is True
    assert node["tags"] == ["air"]
    assert connector_settings(Node.objects.get(pk=node["id"]))["password"] == SECRET
    assert adam.get(f"/api/n/{node['number']}").json() == {"kind": "node", "id": node["id"]}


def test_the_secret_is_in_no_answer_and_in_no_byte_of_the_database(city: City) -> None:
    adam, paul = city.client("adam"), city.client("paul")
    node = send(adam, "post", "/api/nodes", body()).json()["id"]
    paths = ("/api/nodes", f"/api/nodes/{node}", "/api/catalogue/search", f"/api/nodes/{node}/datasets", "/api/palette")
    for client, path in ((client, path) for client in (adam, paul) for path in (*paths, "/api/audit")):
        assert SECRET not in client.get(path).content.decode()
    assert SECRET not in send(adam, "patch", f"/api/nodes/{node}", {"name": {"en": "V"}}).content.decode()
    if connection.vendor == "sqlite":
        dump = "\n".join(connection.connection.iterdump())
        assert "10.0.0.1" in dump
        assert SECRET not in dump
        assert SECRET.encode().hex() not in dump.lower()
    assert sqlite3.sqlite_version
    key_file = settings.KEY_FILE
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert SECRET not in key_file.read_text()


def test_absent_and_empty_secrets_stay_null_forgets_text_replaces(city: City) -> None:
    adam = city.client("adam")
    node = send(adam, "post", "/api/nodes", body()).json()["id"]

    def change(values: dict[str, Any]) -> dict[str, Any]:
        answer = send(adam, "patch", f"/api/nodes/{node}", {"settings": {"host": "10.0.0.1", **values}})
        assert answer.status_code == 200, answer.content
        return connector_settings(Node.objects.get(pk=node))

    assert change({})["password"] == SECRET
    assert change({"password": ""})["password"] == SECRET
    assert change({"password": "other"})["password"] == "other"
    assert Secret.objects.count() == 1
    assert "password" not in change({"password": None})
    assert Secret.objects.count() == 0


def test_what_is_left_at_its_default_is_not_stored_so_that_older_workers_know_all_settings(city: City) -> None:
    adam = city.client("adam")
    values = {"host": "10.0.0.1", "port": 5432, "database": "d", "user": "u", "password": SECRET, "takes_rows": "own"}
    asked = {"type": "postgresql", "name": {"en": "P", "zh-CN": "P"}, "settings": values}
    node = Node.objects.get(pk=send(adam, "post", "/api/nodes", asked).json()["id"])
    assert set(node.settings) == {"host", "port", "database", "user"}
    send(adam, "patch", f"/api/nodes/{node.pk}", {"settings": {**values, "takes_rows": "never"}})
    node.refresh_from_db()
    assert node.settings["takes_rows"] == "never"


def test_a_stored_secret_is_not_sent_to_a_new_address(city: City) -> None:
    adam = city.client("adam")
    node = send(adam, "post", "/api/nodes", body()).json()["id"]
    answer = send(adam, "patch", f"/api/nodes/{node}", {"settings": {"host": "evil.example"}})
    assert is_problem(answer, 400)["problems"][0]["code"] == "secret.again"
    changed = send(adam, "patch", f"/api/nodes/{node}", {"settings": {"host": "b.example", "password": SECRET}})
    assert changed.status_code == 200


def test_all_problems_of_the_settings_at_once(city: City) -> None:
    adam = city.client("adam")
    answer = send(adam, "post", "/api/nodes", body(settings={"port": "x", "hots": 1}))
    pointers = {problem["pointer"] for problem in is_problem(answer, 400)["problems"]}
    assert pointers == {"/settings/port", "/settings/hots", "/settings/host"}
    is_problem(send(adam, "post", "/api/nodes", body(type="oracle")), 400)
    is_problem(send(adam, "post", "/api/nodes", body(settings=[1])), 400)
    is_problem(send(adam, "post", "/api/nodes", body(name={})), 400)
    is_problem(send(adam, "post", "/api/nodes", body(number="33A017/DB00000001-1")), 400)
    assert Secret.objects.count() == 0


@pytest.mark.parametrize("folder", ["uploads", "", "results", "../x/.."])
def test_no_node_leads_into_the_studios_own_folder(city: City, folder: str) -> None:
    path = str(settings.DATA_HOME / folder)
    answer = send(city.client("adam"), "post", "/api/nodes", body(type="files", settings={"folder": path}))
    assert is_problem(answer, 400)["problems"][0]["code"] == "path.own_folder"


@pytest.mark.parametrize(
    ("who", "status"), [("anna", 403), ("otto", 403), ("paul", 403), ("remo", 404), ("rosa", 404), ("adam", 200)]
)
def test_who_may_change_a_node(city: City, who: str, status: int) -> None:
    node = send(city.client("adam"), "post", "/api/nodes", body()).json()["id"]
    client = city.client(who)
    answer = send(client, "patch", f"/api/nodes/{node}", {"description": {"en": "D"}})
    assert answer.status_code == status, answer.content
    seen = client.get(f"/api/nodes/{node}")
    if status == 403:
        assert seen.json()["settings"] == {}
        is_problem(send(client, "delete", f"/api/nodes/{node}"), 403)
    elif status == 404:
        is_problem(seen, 404, "not_found")
        is_problem(send(client, "delete", f"/api/nodes/{node}"), 404)


@pytest.mark.parametrize("where", ["roads", "city"])
def test_nodes_stay_within_ones_own_departments(city: City, where: str) -> None:
    adam = city.client("adam")
    foreign = str(city.departments[where].pk)
    is_problem(send(adam, "post", "/api/nodes", body(organisation=foreign)), 403)
    node = send(adam, "post", "/api/nodes", body(organisation=str(city.departments["office"].pk))).json()
    assert node["organisation"]["code"] == "office"
    is_problem(send(adam, "patch", f"/api/nodes/{node['id']}", {"organisation": foreign}), 400)


def test_deleting_destroys_secrets_and_never_frees_the_number(city: City) -> None:
    adam = city.client("adam")
    node = send(adam, "post", "/api/nodes", body()).json()
    assert send(adam, "delete", f"/api/nodes/{node['id']}").status_code == 204
    is_problem(adam.get(f"/api/nodes/{node['id']}"), 404)
    assert Secret.objects.count() == 0
    assert Node.objects.filter(number=node["number"], is_active=False).exists()


def test_changes_are_audited_without_secrets(city: City) -> None:
    adam = city.client("adam")
    node = send(adam, "post", "/api/nodes", body()).json()["id"]
    send(adam, "delete", f"/api/nodes/{node}")
    actions = list(AuditRecord.objects.filter(object_id=node).values_list("action", "actor"))
    assert actions == [("node.create", "adam"), ("node.delete", "adam")]
    assert SECRET not in json.dumps(list(AuditRecord.objects.values("detail")))


def test_listing_and_words(city: City) -> None:
    adam = city.client("adam")
    for name in ("Alpha", "Beta", "Gamma"):
        send(adam, "post", "/api/nodes", body(name={"en": name, "zh-CN": f"{name}库"}))
    assert len(adam.get("/api/nodes").json()["results"]) == 3
    assert [node["name"]["en"] for node in adam.get("/api/nodes?q=beta").json()["results"]] == ["Beta"]
    first = adam.get("/api/nodes?limit=2").json()
    second = adam.get(f"/api/nodes?limit=2&cursor={first['next']}").json()
    assert len(first["results"]) == 2
    assert len(second["results"]) == 1
    assert second["next"] is None
    assert client_for(city["remo"]).get("/api/nodes").json()["results"] == []
    is_problem(adam.get("/api/nodes?cursor=nonsense"), 400)
    is_problem(adam.get("/api/nodes?limit=0"), 400)
