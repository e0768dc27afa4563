"""The visible table of outgoing openings: who may change it, what may be opened, and that connections obey it."""

from __future__ import annotations

from typing import Any

import pytest

from node_catalog.models import OutgoingOpening
from node_catalog.openings import openings_for_work
from node_catalog.palette import registry
from node_catalog.sdk.schema import parse
from runtime.engine.sources import connect_context
from runtime.engine.work import Limits
from security.models import AuditRecord
from security.outgoing import OutgoingGuard
from tests.app.city import City, is_problem, send
from tests.web_service import Reply, WebService, rows

WANTED = {"network": "10.20.3.4", "port": 5432, "connector": "postgresql", "reason": "registry of firms"}


def test_administrators_open_and_close_and_it_is_audited(city: City) -> None:
    paul = city.client("paul")
    made = send(paul, "post", "/api/openings", WANTED)
    assert made.status_code == 201, made.content
    assert {**WANTED, "network": "10.20.3.4/32"}.items() <= made.json().items()
    (listed,) = paul.get("/api/openings").json()["results"]
    assert listed["created_by"] == city["paul"].name
    assert openings_for_work() == (("postgresql", "10.20.3.4/32:5432"),)
    is_problem(send(paul, "post", "/api/openings", WANTED), 400)
    assert send(paul, "delete", f"/api/openings/{listed['id']}").status_code == 204
    assert openings_for_work() == ()
    found = AuditRecord.objects.filter(action__startswith="opening.").order_by("seq")
    assert [(record.action, record.detail["opening"]) for record in found] == [
        ("opening.create", "10.20.3.4/32:5432"),
        ("opening.delete", "10.20.3.4/32:5432"),
    ]


@pytest.mark.parametrize("name", ["anna", "adam", "remo", "otto"])
def test_nobody_else_sees_or_changes_them(city: City, name: str) -> None:
    opening = OutgoingOpening.objects.create(network="10.0.0.0/16", reason="x")
    client = city.client(name)
    is_problem(client.get("/api/openings"), 403)
    is_problem(send(client, "post", "/api/openings", WANTED), 403)
    is_problem(send(client, "delete", f"/api/openings/{opening.pk}"), 404)
    assert OutgoingOpening.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"network": "0.0.0.0/0"}, "/network"),
        ({"network": "::/0"}, "/network"),
        ({"network": "10.0.0.0/33"}, "/network"),
        ({"network": "database.internal"}, "/network"),
        ({"network": "169.254.169.254"}, "/network"),
        ({"network": "169.254.0.0/16"}, "/network"),
        ({"network": "100.100.100.200/32"}, "/network"),
        ({"network": "fd00:ec2::254"}, "/network"),
        ({"port": 70000}, "/port"),
        ({"port": -1}, "/port"),
        ({"connector": "no_such"}, "/connector"),
        ({"reason": " "}, "/reason"),
        ({"secret": 1}, "/secret"),
    ],
)
def test_what_cannot_be_opened(city: City, change: dict[str, Any], pointer: str) -> None:
    body = is_problem(send(city.client("paul"), "post", "/api/openings", {**WANTED, **change}), 400)
    assert pointer in [problem["pointer"] for problem in body["problems"]]
    assert not OutgoingOpening.objects.exists()


def test_an_opening_is_for_one_node_type_and_port(city: City) -> None:
    connector = registry().connectors["http_json"]
    with WebService({"/d": lambda asked: Reply(rows(1, 2))}).running() as service:
        settings = parse(
            connector.Settings, {"url": service.url, "retries": 0, "datasets": [{"name": "d", "path": "d"}]}
        )

        def answer() -> str:
            return connector.check(settings, connect_context(Limits(openings=openings_for_work()), "http_json")).code

        assert answer() == "address.refused"
        for other in ({"connector": "postgresql"}, {"port": service.port + 1}, {"network": "127.0.0.2/32"}):
            values = {"network": "127.0.0.1/32", "port": service.port, "connector": "http_json", "reason": "x", **other}
            OutgoingOpening.objects.create(**values)
            assert answer() == "address.refused"
        OutgoingOpening.objects.create(network="127.0.0.1/32", port=service.port, connector="http_json", reason="x")
        assert answer() == "ok"
        assert len(service.asked) == 1


def test_both_kinds_of_openings_count() -> None:
    limits = Limits(allowed_networks=("10.1.0.0/16",), openings=(("", "10.2.0.0/16:80"), ("mysql", "[fd12::/16]:3306")))
    guard = connect_context(limits, "mysql").guard
    assert isinstance(guard, OutgoingGuard)
    assert [guard.resolve(*place) for place in (("10.1.1.1", 9), ("10.2.1.1", 80), ("fd12::1", 3306))]
