"""A small city for tests: a root with two bureaus, an office below one of them, and people of every role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from security.models import Organisation, RoleAssignment, User

PASSWORD = "Correct-Horse-9"


def make_organisation(code: str, parent: Organisation | None = None) -> Organisation:
    return Organisation.objects.create(code=code, name={"en": code.title(), "zh-CN": f"{code}局"}, parent=parent)


def make_person(username: str, organisation: Organisation, *roles: str, **more: Any) -> User:
    user = User(username=username, name=username.title(), organisation=organisation, **{"language": "en", **more})
    user.set_password(PASSWORD)
    user.save()
    for role in roles:
        RoleAssignment.objects.create(user=user, role=role)
    return user


def client_for(user: User | None, csrf: bool = False) -> Client:
    """A browser in which ``user`` has signed in through the API."""
    client = Client(enforce_csrf_checks=csrf, headers={"accept": "application/json"})
    if user is not None:
        answer = send(client, "post", "/api/session", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 200, answer.content
    return client


def send(client: Client, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """One JSON request; with CSRF checks on, the cookie's token is sent along."""
    if client.handler.enforce_csrf_checks and "csrftoken" in client.cookies:
        more.setdefault("headers", {})["X-CSRFToken"] = client.cookies["csrftoken"].value
    if method == "get":
        return client.get(path, body or {}, **more)
    return getattr(client, method)(path, data={} if body is None else body, content_type="application/json", **more)


@dataclass
class City:
    """Departments by code and people by sign-in name."""

    departments: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)

    def client(self, username: str) -> Client:
        return client_for(self.people[username])

    def __getitem__(self, username: str) -> User:
        return self.people[username]


def make_city() -> City:
    root = make_organisation("city")
    air = make_organisation("air", root)
    office = make_organisation("office", air)
    roads = make_organisation("roads", root)
    city = City({"city": root, "air": air, "office": office, "roads": roads})
    for name, where, roles in (
        ("anna", air, ("business",)),
        ("adam", air, ("data_admin", "business")),
        ("olga", office, ("business",)),
        ("rosa", roads, ("business",)),
        ("remo", roads, ("data_admin",)),
        ("otto", root, ("operator",)),
        ("paul", root, ("platform_admin",)),
    ):
        city.people[name] = make_person(name, where, *roles)
    return city


def is_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """Assert the one problem shape and give back the body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "code", "detail", "message", "instance", "problems"} <= set(body)
    assert body["status"] == status
    assert set(body["message"]) == {"en", "zh-CN"}
    for problem in body["problems"]:
        assert {"pointer", "code", "message"} <= set(problem)
        assert set(problem["message"]) == {"en", "zh-CN"}
    if code:
        assert body["code"] == code, body
    return body
