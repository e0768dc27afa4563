"""Who uses a column, and what would run: within what each person may see."""

from __future__ import annotations

from typing import Any

import pytest

from flows.models import App, ColumnUse, Draft
from node_catalog.models import Dataset
from tests.app.flows.conftest import City
from tests.app.flows.test_coediting import new_flow

pytestmark = pytest.mark.django_db

STEPS: dict[str, Any] = {
    "read": {"type": "read", "settings": {"dataset": "st"}},
    "bad": {"type": "filter", "settings": {"where": "pm25 > 74.9375"}},
    "sum": {
        "type": "aggregate",
        "settings": {"by": ["name"], "measures": [{"name": "worst", "function": "max", "column": "pm25"}]},
    },
    "out": {"type": "output", "settings": {"name": "by_station"}},
}
WIRES = [{"from": f"{a}.out", "to": f"{b}.in"} for a, b in (("read", "bad"), ("bad", "sum"), ("sum", "out"))]


@pytest.fixture
def flow(city: City) -> str:
    key = new_flow(city)
    draft = Draft.objects.get(flow=key)
    draft.document = {
        "kind": "flow", "spec": "1", "title": {"en": "A", "zh-CN": "甲"}, "datasets": {"st": city.stations.number},
        "steps": {name: {"version": 1, **step} for name, step in STEPS.items()}, "wires": WIRES,
    }  # fmt: skip
    draft.save()
    return key


def save_version(city: City, flow: str) -> None:
    app = App.objects.get(flows=flow)
    answer = city.client(city.author).post(f"/api/apps/{app.pk}/versions", {}, content_type="application/json")
    assert answer.status_code == 201, answer.content


def test_a_saved_version_keeps_its_lineage(city: City, flow: str) -> None:
    save_version(city, flow)
    uses = {use.column: (use.outputs, use.steps) for use in ColumnUse.objects.all()}
    assert uses == {
        "pm25": ({"by_station": {"step": "out", "columns": ["worst"], "rows": True}}, ["read", "bad", "sum"]),
        "name": ({"by_station": {"step": "out", "columns": ["name"], "rows": True}}, ["read", "bad", "sum"]),
    }


def test_uses_are_named_to_colleagues_and_counted_for_others(city: City, flow: str) -> None:
    save_version(city, flow)
    save_version(city, flow)
    told = city.client(city.colleague).get(f"/api/datasets/{city.stations.pk}/uses").json()
    (use,) = told["flows"]
    assert use["app"]["title"]["en"] == "A"
    assert use["flow"]["id"] == flow
    assert use["versions"] == [2, 1]
    assert {one["column"] for one in use["columns"]} == {"pm25", "name"}
    assert told["hidden_apps"] == 0
    Dataset.objects.filter(pk=city.stations.pk).update(share="conditional", state="published")
    answer = city.client(city.stranger).get(f"/api/datasets/{city.stations.pk}/uses")
    assert answer.status_code == 200, answer.content
    assert answer.json()["flows"] == []
    assert answer.json()["hidden_apps"] == 1
    assert {one["column"]: one["hidden_apps"] for one in answer.json()["columns"]} == {"name": 1, "pm25": 1}


def test_the_plan_shows_what_is_pushed_with_estimates(city: City, flow: str) -> None:
    answer = city.client(city.author).get(f"/api/flows/{flow}/plan")
    assert answer.status_code == 200, answer.content
    plan = answer.json()
    (stage,) = plan["stages"]
    assert stage["steps"] == ["read", "bad", "sum", "out"]
    (read,) = stage["reads"]
    assert read["pushed"] == ["bad"]
    assert "74.9375" in read["text"]
    wires = {one["from"]: one for one in plan["wires"]}
    assert wires["read.out"]["rows"] == 10
    assert wires["read.out"]["bytes"] == 10 * (8 + 24 + 8)
    assert 0 < wires["bad.out"]["rows"] < 10
    assert [note["code"] for note in plan["notes"]] == ["plan.read_whole"]
    assert not plan["is_redacted"]


@pytest.mark.parametrize(
    ("node_type", "label"),
    [("postgresql", "exactly_once"), ("mysql", "exactly_once_by_recovery"), ("http_json", None)],
)
def test_a_write_step_says_what_is_promised_of_its_rows(
    city: City, flow: str, node_type: str, label: str | None
) -> None:
    """The type of the node says it; what cannot be written promises nothing."""
    node = city.stations.node
    node.type = node_type
    node.save()
    draft = Draft.objects.get(flow=flow)
    place = {"node": node.number, "path": ["t"], "mode": "append", "create": True}
    draft.document["steps"]["new"] = {"version": 1, "type": "write", "settings": place}
    draft.document["steps"]["old"] = {"version": 1, "type": "write", "settings": {"dataset": "st"}}
    draft.document["wires"] += [{"from": "sum.out", "to": f"{step}.in"} for step in ("new", "old")]
    draft.save()
    checked = city.client(city.author).get(f"/api/flows/{flow}/draft").json()["check"]
    assert checked["deliveries"] == ({"new": label, "old": label} if label else {})


def test_an_operator_sees_the_plan_without_constants(city: City, flow: str) -> None:
    plan = city.client(city.colleague).get(f"/api/flows/{flow}/plan").json()
    assert plan["is_redacted"]
    assert "74.9375" not in str(plan["stages"])
    assert "pm25" in plan["stages"][0]["reads"][0]["text"]
    assert city.client(city.stranger).get(f"/api/flows/{flow}/plan").status_code == 404


def test_a_flow_that_cannot_be_planned_says_why(city: City, flow: str) -> None:
    draft = Draft.objects.get(flow=flow)
    draft.document["steps"]["bad"]["settings"] = {"where": "nothing > 1"}
    draft.save()
    answer = city.client(city.author).get(f"/api/flows/{flow}/plan")
    assert answer.status_code == 422
