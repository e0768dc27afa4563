"""Comments as threads with notices, and two states of a flow in one drawing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from flows.models import App, Draft
from security.models import Notice
from tests.app.flows.conftest import City
from tests.app.flows.test_coediting import new_flow, send
from tests.app.flows.test_impact_and_plan import flow, save_version

pytestmark = pytest.mark.django_db
__all__ = ["flow"]


def say(client: Client, key: str, body: str, **more: Any) -> str:
    answer = client.post(f"/api/flows/{key}/comments", {"body": body, **more}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_thread_with_mention_answer_and_end(city: City) -> None:
    key = new_flow(city)
    author, colleague = city.client(city.author), city.client(city.colleague)
    first = say(author, key, "Why 75? @colleague", step="bad", mentions=[str(city.colleague.pk), str(city.stranger.pk)])
    assert [notice.user_id for notice in Notice.objects.filter(kind="comment")] == [city.colleague.pk]
    assert (
        colleague.patch(f"/api/comments/{first}", {"is_resolved": True}, content_type="application/json").status_code
        == 204
    )
    say(colleague, key, "The national limit.", thread=first)
    told = author.get(f"/api/flows/{key}/comments").json()
    assert {one["name"] for one in told["people"]} == {"author", "colleague"}
    (thread,) = told["results"]
    assert thread["step"] == "bad"
    assert thread["resolved_at"] is None
    assert [one["body"] for one in thread["answers"]] == ["The national limit."]
    assert Notice.objects.filter(kind="comment", user=city.author).count() == 1
    assert colleague.delete(f"/api/comments/{first}").status_code == 403
    assert author.delete(f"/api/comments/{first}").status_code == 204
    assert author.get(f"/api/flows/{key}/comments").json()["results"] == []


def test_strangers_neither_read_nor_write_comments(city: City) -> None:
    key = new_flow(city)
    first, stranger = say(city.client(city.author), key, "Hello"), city.client(city.stranger)
    assert stranger.get(f"/api/flows/{key}/comments").status_code == 404
    assert (
        stranger.post(f"/api/flows/{key}/comments", {"body": "x"}, content_type="application/json").status_code == 404
    )
    assert stranger.delete(f"/api/comments/{first}").status_code == 404
    other = new_flow(city)
    answer = city.client(city.author).post(
        f"/api/flows/{other}/comments", {"body": "x", "thread": first}, content_type="application/json"
    )
    assert answer.status_code == 404


def test_a_version_against_the_draft_is_one_drawing(city: City, flow: str) -> None:
    save_version(city, flow)
    client, app = city.client(city.author), App.objects.get(flows=flow)
    version = client.get(f"/api/apps/{app.pk}/versions").json()["results"][0]["id"]
    send(
        client, flow, Draft.objects.get(flow=flow).revision, "edit",
        {"op": "set_settings", "id": "bad", "settings": {"where": "pm25 > 100"}},
        {"op": "remove_step", "id": "sum"},
        {"op": "add_step", "id": "top", "step": {"type": "limit", "version": 1, "settings": {"rows": 5}}},
        {"op": "connect", "from": "bad.out", "to": "top.in"},
    )  # fmt: skip
    told = client.get(f"/api/flows/{flow}/compare", {"old": version}).json()
    assert {key: one["kind"] for key, one in told["steps"].items()} == {
        "bad": "changed", "sum": "removed", "top": "added", "out": "changed",
    }  # fmt: skip
    assert told["steps"]["bad"]["lines"] == [
        {"en": "Keep rows where: pm25 > 74.9375 → pm25 > 100", "zh-CN": "保留符合条件的行：pm25 > 74.9375 → pm25 > 100"}
    ]
    assert set(told["document"]["steps"]) == {"read", "bad", "sum", "top", "out"}
    assert {(one["from"], one["to"], one["kind"]) for one in told["wires"]} == {
        ("bad.out", "top.in", "added"), ("bad.out", "sum.in", "removed"), ("sum.out", "out.in", "removed"),
    }  # fmt: skip
    same = client.get(f"/api/flows/{flow}/compare", {"old": version, "new": version}).json()
    assert same["entries"] == []
    assert city.client(city.stranger).get(f"/api/flows/{flow}/compare", {"old": version}).status_code == 404
    assert client.get(f"/api/flows/{flow}/compare", {"old": "nonsense"}).status_code == 404
