"""Every route × every principal × foreign ids: what is not yours does not exist; nobody anonymous gets in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from node_catalog import uploads
from node_catalog.api.urls import urlpatterns as catalogue_routes
from node_catalog.models import Grant, OutgoingOpening, SubscriptionRequest
from security.api.urls import urlpatterns as security_routes
from security.models import Notice
from security.notices import notify
from tests.app.catalogue.conftest import CANARY, Sources
from tests.app.city import client_for, is_problem, send

OPEN = {("context", "get"), ("session", "post")}
VERBS = ("get", "post", "patch", "delete", "put")
ROUTES = [*security_routes, *catalogue_routes]


def routes() -> Iterator[tuple[str, str]]:
    """(route pattern, verb) of every view method."""
    for pattern in ROUTES:
        assert isinstance(pattern, URLPattern)
        for verb in VERBS:
            if hasattr(pattern.callback.view_class, verb):
                yield str(pattern.pattern), verb


def path_of(route: str, ids: dict[str, Any]) -> str:
    for name, value in ids.items():
        route = route.replace(f"<uuid:{name}>", str(value)).replace(f"<path:{name}>", str(value))
    assert "<" not in route, route
    return f"/api/{route}"


NAMES = (
    "token_id", "organisation_id", "person_id", "node_id", "dataset_id", "request_id", "grant_id", "number",
    "opening_id",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "verb"), list(routes()))
def test_anonymous_people_get_nothing(route: str, verb: str) -> None:
    path = path_of(route, dict.fromkeys(NAMES, uuid4()))
    answer = send(Client(), verb, path)
    if (route, verb) in OPEN:
        assert answer.status_code in {200, 400}
    else:
        is_problem(answer, 401)
    for odd in (f"{path}?/api/context", f"{path};context", f"{path}/%2e%2e/context", f"/api//{route}", path.upper()):
        if odd.startswith("/api") and (route, verb) not in OPEN:
            assert send(Client(), verb, odd).status_code in {401, 404, 405}, odd


@pytest.fixture
def foreign(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Ids of things that belong to the air bureau and to anna."""
    monkeypatch.setattr(uploads, "discoverers", [])
    anna = sources.city.client("anna")
    file = anna.post("/api/files", {"file": SimpleUploadedFile("a.csv", b"a\n1\n")}).json()["dataset"]
    token = send(anna, "post", "/api/me/tokens", {"name": "t"}).json()
    asked = SubscriptionRequest.objects.create(
        number="SQ1", applicant=sources.city["olga"], organisation=sources.city.departments["office"],
        dataset=sources["hourly"], columns=["id"], purpose=f"{CANARY} purpose",
    )  # fmt: skip
    grant = Grant.objects.create(
        number="GR1", dataset=sources["hourly"], organisation=sources.city.departments["office"], columns=["id"],
        valid_from=timezone.now(), purpose=f"{CANARY} purpose",
    )  # fmt: skip
    notify(sources.city["anna"], "test", {"en": CANARY})
    return {
        "token_id": token["id"],
        "organisation_id": sources.city.departments["air"].pk,
        "person_id": sources.city["anna"].pk,
        "node_id": sources.air.pk,
        "dataset_id": sources["closed"].pk,
        "file": file["id"],
        "request_id": asked.pk,
        "grant_id": grant.pk,
        "opening_id": OutgoingOpening.objects.create(network="10.0.0.0/8", reason=f"{CANARY} reason").pk,
        "number": sources["closed"].number,
    }


BODIES: dict[str, dict[str, Any]] = {
    "me": {},
    "notices/read": {"ids": []},
    "people/import": {"csv": "x"},
}
LISTS = {"get"}


@pytest.mark.parametrize("who", ["rosa", "remo", "otto"])
def test_foreign_ids_do_not_exist(foreign: dict[str, Any], sources: Sources, who: str) -> None:
    client = sources.city.client(who)
    for route, verb in routes():
        if "<" not in route:
            continue
        for dataset in {foreign["dataset_id"], foreign["file"]}:
            ids = {**foreign, "dataset_id": dataset}
            answer = send(client, verb, path_of(route, ids), {"reason": "x"} if verb == "post" else {})
            roled = route.startswith(("people/", "organisations/"))
            # otto works in the root department: its subtree's nodes exist for him, but his role changes nothing.
            sees_node = who == "otto" and (route.startswith(("nodes/", "n/")) or dataset == foreign["dataset_id"])
            allowed = {403} if roled else {404}
            if sees_node:
                allowed |= {200, 403} if verb == "get" else {403}
            assert answer.status_code in allowed, (who, verb, route, answer.status_code)
            assert CANARY not in answer.content.decode(), (who, verb, route)
    assert Notice.objects.filter(read_at=None).exists()


@pytest.mark.parametrize("who", ["rosa", "remo", "otto", "paul", "olga"])
def test_no_list_shows_canaries_of_others(foreign: dict[str, Any], sources: Sources, who: str) -> None:
    client = sources.city.client(who)
    for route, verb in routes():
        if verb != "get" or "<" in route or (who == "paul" and route in {"audit", "openings"}):
            continue
        answer = client.get(f"/api/{route}", {"box": "inbox"})
        text = answer.content.decode()
        # olga's own request and her department's grant carry their purpose.
        if not (who == "olga" and route in {"requests", "grants"}):
            assert CANARY not in text, (who, route)


def test_foreign_ids_in_bodies_do_not_exist_either(foreign: dict[str, Any], sources: Sources) -> None:
    rosa = sources.city.client("rosa")
    for dataset in (foreign["dataset_id"], foreign["file"]):
        body = {"dataset": str(dataset), "columns": ["id"], "purpose": "planning"}
        unknown = {**body, "dataset": str(uuid4())}
        known_answer = is_problem(send(rosa, "post", "/api/requests", body), 400)
        unknown_answer = is_problem(send(rosa, "post", "/api/requests", unknown), 400)
        assert known_answer["problems"] == unknown_answer["problems"]
    file = SimpleUploadedFile("a.csv", b"a\n1\n")
    is_problem(rosa.post("/api/files", {"file": file, "dataset": str(foreign["file"])}), 404)


def test_unknown_and_foreign_ids_answer_alike(foreign: dict[str, Any], sources: Sources) -> None:
    rosa = sources.city.client("rosa")
    for path in ("datasets", "nodes", "requests"):
        real = {"datasets": "dataset_id", "nodes": "node_id", "requests": "request_id"}[path]
        bodies = [is_problem(rosa.get(f"/api/{path}/{key}"), 404) for key in (foreign[real], uuid4())]
        for body in bodies:
            body.pop("instance")
        assert bodies[0] == bodies[1]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x", "1", "00000000", "%00", "a" * 5000, "../session"])
def test_malformed_ids_are_not_found(key: str) -> None:
    for route in ("datasets", "nodes", "requests", "people", "files", "me/tokens"):
        answer = client_for(None).get(f"/api/{route}/{key}")
        assert answer.status_code in {401, 404}


def test_no_route_is_left_out() -> None:
    from studio.urls import urlpatterns

    def walk(patterns: list[Any]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    served = {id(pattern) for pattern in walk(urlpatterns)}
    assert all(id(pattern) in served for pattern in ROUTES)
