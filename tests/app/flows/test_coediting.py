"""Several people on one flow: what one has missed, who is there, and settings that two people change at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from flows.models import Draft, Flow, Presence
from flows.presence import EXPIRES
from security.models import User
from tests.app.flows.conftest import City

pytestmark = pytest.mark.django_db


def new_flow(city: City) -> str:
    answer = city.client(city.author).post("/api/apps", {"title": {"en": "A"}}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["flows"][0]["id"])


def send(client: Client, flow: str, base: int, key: str, *operations: dict[str, Any]) -> dict[str, Any]:
    body = {"base": base, "client": key, "operations": list(operations)}
    answer = client.post(f"/api/flows/{flow}/operations", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def add(key: str, **settings: Any) -> dict[str, Any]:
    return {"op": "add_step", "id": key, "step": {"type": "limit", "version": 1, "settings": settings}}


def present(client: Client, flow: str, key: str, step: str = "", is_leaving: bool = False) -> list[dict[str, Any]]:
    body = {"client": key, "step": step, "is_leaving": is_leaving}
    answer = client.post(f"/api/flows/{flow}/presence", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["people"])


def test_what_somebody_has_missed_is_told_in_order(city: City) -> None:
    flow, client = new_flow(city), city.client(city.author)
    start = Draft.objects.get(flow=flow).revision
    for index in range(3):
        send(client, flow, start + index, f"k{index}", add(f"s{index}"))
    answer = client.get(f"/api/flows/{flow}/operations", {"after": start + 1}).json()
    assert answer["revision"] == start + 3
    assert [(one["revision"], one["client"]) for one in answer["batches"]] == [(start + 2, "k1"), (start + 3, "k2")]
    assert answer["batches"][0]["operations"] == [add("s1")]
    assert client.get(f"/api/flows/{flow}/operations", {"after": start + 9}).json()["batches"] is None
    assert city.client(city.stranger).get(f"/api/flows/{flow}/operations").status_code == 404


def test_two_people_change_different_settings_of_one_step(city: City) -> None:
    flow, client = new_flow(city), city.client(city.author)
    base = send(client, flow, Draft.objects.get(flow=flow).revision, "a", add("s", rows=1, offset=0))["revision"]
    seen = {"rows": 1, "offset": 0}
    send(
        client, flow, base, "mine", {"op": "set_settings", "id": "s", "settings": {"rows": 5, "offset": 0}, "was": seen}
    )
    send(client, flow, base, "theirs", {"op": "set_settings", "id": "s", "settings": {"rows": 1}, "was": seen})
    assert Draft.objects.get(flow=flow).document["steps"]["s"]["settings"] == {"rows": 5}


def test_who_is_there(city: City) -> None:
    flow = new_flow(city)
    mine, theirs = city.client(city.author), city.client(city.colleague)
    assert present(mine, flow, "tab-1", "a")[0]["user"]["name"] == "author"
    people = present(theirs, flow, "tab-2", "b")
    assert [(one["client"], one["step"]) for one in people] == [("tab-1", "a"), ("tab-2", "b")]
    assert people[0]["colour"] != people[1]["colour"]
    assert present(mine, flow, "tab-1", "c")[0] == {**people[0], "step": "c"}
    # Nobody speaks for another person, even with the key of their tab.
    present(theirs, flow, "tab-1", "x")
    assert Presence.objects.get(client="tab-1").step == "c"
    assert [one["client"] for one in present(theirs, flow, "tab-2", is_leaving=True)] == ["tab-1"]
    Presence.objects.update(seen_at=Presence.objects.get().seen_at - EXPIRES - timedelta(seconds=1))
    assert [one["client"] for one in present(theirs, flow, "tab-3")] == ["tab-3"]


def test_strangers_are_told_nothing(city: City) -> None:
    flow = new_flow(city)
    stranger = city.client(city.stranger)
    answer = stranger.post(f"/api/flows/{flow}/presence", {"client": "x"}, content_type="application/json")
    assert answer.status_code == 404
    assert not Presence.objects.exists()


def test_deleting_a_person_takes_their_presence_along(city: City) -> None:
    flow = new_flow(city)
    guest = User.objects.create(username="guest", name="guest", organisation=city.environment)
    Presence.objects.create(flow=Flow.objects.get(pk=flow), client="g", user=guest, seen_at="2026-01-01T00:00:00Z")
    guest.delete()
    assert not Presence.objects.exists()
