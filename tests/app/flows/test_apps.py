from __future__ import annotations

import json
from typing import Any

from django.test import Client

from flows.models import App, Draft, DraftOperation
from tests.app.flows.conftest import City

TITLE = {"en": "Clean air", "zh-CN": "清洁空气"}


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


def new_app(city: City, **body: Any) -> dict[str, Any]:
    answer = send(city.client(city.author), "post", "/api/apps", {"title": TITLE, **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def flow_of(app: dict[str, Any]) -> str:
    return f"/api/flows/{app['flows'][0]['id']}"


def edit(client: Client, app: dict[str, Any], base: int, client_key: str, *operations: dict[str, Any]) -> Any:
    body = {"base": base, "client": client_key, "operations": list(operations)}
    return send(client, "post", flow_of(app) + "/operations", body)


def add(step: str, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"op": "add_step", "id": step, "step": {"type": kind, "version": 1, "settings": settings}}


def test_an_app_from_a_dataset_opens_with_that_dataset_read(city: City) -> None:
    app = new_app(city, dataset=str(city.stations.pk))
    draft = city.client(city.author).get(flow_of(app) + "/draft").json()
    assert draft["document"]["datasets"] == {"data": city.stations.number}
    assert [field["name"] for field in draft["check"]["schemas"]["data.out"]] == ["id", "name", "pm25"]
    assert draft["check"]["datasets"][city.stations.number]["right"] == "usable"


def test_edits_are_kept_even_when_they_do_not_check(city: City) -> None:
    app, client = new_app(city, dataset=str(city.stations.pk)), city.client(city.author)
    answer = edit(
        client, app, 0, "a", add("bad", "filter", {"where": "pm > 3"}),
        {"op": "connect", "from": "data.out", "to": "bad.in"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.content
    findings = [f for f in answer.json()["check"]["findings"] if f["step"] == "bad" and f["severity"] == "error"]
    assert findings
    assert "pm25" in json.dumps(findings, ensure_ascii=False), "the message suggests the nearest column"
    assert {"en", "zh-CN"} <= set(findings[0]["message"])


def test_sending_a_batch_twice_changes_nothing(city: City) -> None:
    app, client = new_app(city), city.client(city.author)
    first = edit(client, app, 0, "same", add("x", "limit", {"rows": 3})).json()
    second = edit(client, app, 0, "same", add("x", "limit", {"rows": 3})).json()
    assert first["revision"] == second["revision"] == 1
    assert DraftOperation.objects.count() == 1


def test_edits_on_an_older_revision_still_apply_when_they_fit(city: City) -> None:
    app, client = new_app(city), city.client(city.author)
    edit(client, app, 0, "a", add("x", "limit", {"rows": 3}))
    answer = edit(client, app, 0, "b", add("y", "limit", {"rows": 4})).json()
    assert answer["revision"] == 2
    assert [batch["client"] for batch in answer["operations_since"]] == ["a"]
    assert set(Draft.objects.get().document["steps"]) == {"x", "y"}


def test_edits_that_no_longer_fit_are_refused_whole_and_tell_what_happened(city: City) -> None:
    app, client = new_app(city), city.client(city.author)
    edit(client, app, 0, "a", add("x", "limit", {"rows": 3}))
    edit(client, app, 1, "b", {"op": "remove_step", "id": "x"})
    answer = edit(
        client, app, 1, "c", add("z", "limit", {"rows": 1}), {"op": "set_settings", "id": "x", "settings": {"rows": 9}}
    )
    assert answer.status_code == 409
    assert answer.json()["code"] == "draft.stale"
    assert answer.json()["operations_since"][0]["client"] == "b"
    assert Draft.objects.get().document["steps"] == {}


def test_a_hostile_batch_loses_nothing(city: City) -> None:
    app, client = new_app(city), city.client(city.author)
    edit(client, app, 0, "a", add("x", "limit", {"rows": 3}))
    for operations in ([{"op": "explode"}], [{}], [add("../x", "limit", {})], [add("x", "limit", {})], [{"op": 3}]):
        answer = edit(client, app, 1, f"h{len(str(operations))}", *operations)
        assert answer.status_code == 400, (operations, answer.content)
        assert answer.json()["message"]["zh-CN"]
    assert set(Draft.objects.get().document["steps"]) == {"x"}
    assert Draft.objects.get().revision == 1


def test_other_departments_see_nothing_and_operators_change_nothing(city: City) -> None:
    app = new_app(city)
    stranger, colleague = city.client(city.stranger), city.client(city.colleague)
    for path in (f"/api/apps/{app['id']}", flow_of(app) + "/draft", f"/api/apps/{app['id']}/versions"):
        assert stranger.get(path).status_code == 404, path
        assert colleague.get(path).status_code == 200, path
    assert edit(stranger, app, 0, "s", add("x", "limit", {"rows": 1})).status_code == 404
    assert edit(colleague, app, 0, "s", add("x", "limit", {"rows": 1})).status_code == 403
    assert send(stranger, "delete", f"/api/apps/{app['id']}").status_code == 404
    assert stranger.get("/api/apps").json()["results"] == []


def test_versions_are_frozen_listed_compared_and_restored(city: City) -> None:
    app, client = new_app(city, dataset=str(city.stations.pk)), city.client(city.author)
    edit(
        client, app, 0, "a", add("out", "output", {"name": "all"}),
        {"op": "connect", "from": "data.out", "to": "out.in"},
    )  # fmt: skip
    first = send(client, "post", f"/api/apps/{app['id']}/versions", {"note": "first"})
    assert first.status_code == 201, first.content
    edit(client, app, 1, "b", {"op": "set_settings", "id": "out", "settings": {"name": "every"}})
    second = send(client, "post", f"/api/apps/{app['id']}/versions", {}).json()
    changes = client.get(f"/api/versions/{first.json()['id']}/diff/{second['id']}").json()["flows"]["main"]
    assert [(change["kind"], change["step"]) for change in changes] == [("changed", "out")]
    assert send(client, "post", f"/api/versions/{first.json()['id']}/restore", {}).status_code == 200
    draft = client.get(flow_of(app) + "/draft").json()
    assert draft["document"]["steps"]["out"]["settings"] == {"name": "all"}
    assert draft["revision"] == 3


def test_a_flow_with_problems_makes_no_version_and_says_why(city: City) -> None:
    app, client = new_app(city, dataset=str(city.stations.pk)), city.client(city.author)
    edit(client, app, 0, "a", add("bad", "filter", {"where": "nothing > 1"}))
    answer = send(client, "post", f"/api/apps/{app['id']}/versions", {})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["message"]["zh-CN"]


def test_export_and_import_give_the_same_flow(city: City) -> None:
    app, client = new_app(city, dataset=str(city.stations.pk)), city.client(city.author)
    bundle = client.get(flow_of(app) + "/export").json()
    answer = send(client, "post", "/api/apps/import", {"bundle": bundle})
    assert answer.status_code == 201
    copy = client.get(flow_of(answer.json()) + "/draft").json()
    assert copy["document"] == bundle["document"]
    wrong = send(client, "post", "/api/apps/import", {"bundle": {"kind": "bundle", "document": {"kind": "flow"}}})
    assert wrong.status_code == 400
    assert wrong.json()["message"]["zh-CN"]


def test_a_deleted_app_is_gone_from_every_route(city: City) -> None:
    app, client = new_app(city), city.client(city.author)
    assert send(client, "delete", f"/api/apps/{app['id']}").status_code == 204
    assert client.get(f"/api/apps/{app['id']}").status_code == 404
    assert client.get(flow_of(app) + "/draft").status_code == 404
    assert App.objects.get().deleted_at is not None
