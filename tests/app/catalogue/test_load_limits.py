"""Load limits over the API: offered by type, checked, kept only where they differ, no way for a password to leave."""

from __future__ import annotations

from typing import Any

import pytest

from node_catalog.models import Node
from node_catalog.sdk.load_limits import LoadLimits
from node_catalog.selectors import connector_settings, load_limits, reading_settings
from tests.app.city import City, send

SERVER = {"host": "db.example", "database": "city", "user": "reader", "password": "a-secret-91"}


def body(**more: Any) -> dict[str, Any]:
    return {"type": "postgresql", "name": {"en": "City", "zh-CN": "城市"}, "settings": SERVER, **more}


@pytest.fixture
def node(city: City) -> Node:
    answer = send(city.client("adam"), "post", "/api/nodes", body())
    assert answer.status_code == 201, answer.content
    return Node.objects.get(pk=answer.json()["id"])


def change(city: City, node: Node, values: dict[str, Any]) -> Any:
    return send(city.client("adam"), "patch", f"/api/nodes/{node.pk}", values)


def test_defaults_are_not_stored(city: City, node: Node) -> None:
    assert node.limits is None and load_limits(node) == LoadLimits()
    values = {"reads": 4, "rows_per_second": 0, "statement_seconds": 90, "when_busy": "yield", "replica": ""}
    assert change(city, node, {"limits": values}).json()["limits"] == {"statement_seconds": 90}
    node.refresh_from_db()
    assert node.limits == {"statement_seconds": 90}
    assert change(city, node, {"limits": {"reads": 4}}).json()["limits"] == {}
    node.refresh_from_db()
    assert node.limits is None


def test_what_a_newer_version_has_stored_is_passed_over(node: Node) -> None:
    node.limits = {"reads": 2, "phase_of_the_moon": "full"}
    assert load_limits(node).reads == 2


@pytest.mark.parametrize(
    ("limits", "pointer"),
    [
        ({"reads": -1}, "/limits/reads"),
        ({"requests_per_second": 1}, "/limits/requests_per_second"),
        ({"replica": "two.example:99999"}, "/limits/replica"),
        ({"replica": "http://two.example"}, "/limits/replica"),
    ],
)
def test_wrong_limits_are_named_at_their_field(city: City, node: Node, limits: dict[str, Any], pointer: str) -> None:
    answer = change(city, node, {"limits": limits})
    assert answer.status_code == 400, answer.content
    assert [problem["pointer"] for problem in answer.json()["problems"]] == [pointer]


def test_a_replica_gets_the_reads_and_needs_the_password_again(city: City, node: Node) -> None:
    refused = change(city, node, {"limits": {"replica": "copy.example:6000"}})
    assert [problem["code"] for problem in refused.json()["problems"]] == ["secret.again"]
    assert change(city, node, {"limits": {"replica": "copy.example:6000"}, "settings": SERVER}).status_code == 200
    node.refresh_from_db()
    assert (connector_settings(node)["host"], reading_settings(node)["host"]) == ("db.example", "copy.example")
    assert (reading_settings(node)["port"], reading_settings(node)["password"]) == (6000, "a-secret-91")
    kept = change(city, node, {"limits": {"replica": "copy.example:6000", "reads": 2}})
    assert kept.status_code == 200, "the address is the same as before"


def test_files_have_no_limits_and_others_do_not_see_them(city: City, node: Node) -> None:
    palette = city.client("adam").get("/api/palette").json()["connectors"]
    offered = {one["key"]: set(one["limits_schema"].get("properties", {})) for one in palette}
    assert offered["files"] == offered["sqlite"] == set()
    assert offered["postgresql"] == {"reads", "rows_per_second", "statement_seconds", "when_busy", "replica"}
    assert "requests_per_second" in offered["http_json"] and "replica" not in offered["http_json"]
    change(city, node, {"limits": {"reads": 1}})
    seen = city.client("rosa").get(f"/api/nodes/{node.pk}")
    assert seen.status_code == 404 or seen.json()["limits"] == {}
