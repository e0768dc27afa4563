"""People who come again: one statement finds them, and whatever has changed of them counts at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from security import clock
from security.access import forget_principal
from security.models import Organisation, RoleAssignment, User
from security.sessions import user_of_session
from tests.app.city import City, make_city, send


@pytest.fixture
def city(db: None) -> City:
    return make_city()


@pytest.fixture
def client(city: City) -> Client:
    """Anna's browser, which has come more than once."""
    client = city.client("anna")
    for _ in range(2):
        assert client.get("/api/session").json()["name"] == "Anna"
    return client


def session_of(client: Client) -> Any:
    return type(client.session)(client.session.session_key)


def test_who_comes_again_is_found_in_one_statement(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        user = user_of_session(session_of(client))
    assert len(asked) == 1
    assert user is not None
    with CaptureQueriesContext(connection) as asked:
        assert [one.role for one in user.role_assignments.all()] == ["business"]
        assert user.organisation.code == "air"
    assert len(asked) == 0


def test_everybody_has_an_object_of_their_own(client: Client) -> None:
    first, second = user_of_session(session_of(client)), user_of_session(session_of(client))
    assert first is not None
    assert second is not None
    first.name, first._principal = "Somebody", None  # type: ignore[attr-defined]
    assert second.name == "Anna"
    forget_principal(first)
    third = user_of_session(session_of(client))
    assert third is not None
    assert not hasattr(third, "_principal")
    with CaptureQueriesContext(connection) as asked:
        assert len(third.role_assignments.all()) == len(second.role_assignments.all()) == 1
    assert len(asked) == 0


CHANGES: list[tuple[Callable[[User], Any], Callable[[User | None], bool]]] = [
    (lambda user: User.objects.filter(pk=user.pk).update(is_active=False), lambda seen: seen is None),
    (lambda user: User.objects.filter(pk=user.pk).update(session_epoch=7), lambda seen: seen is None),
    (lambda user: User.objects.filter(pk=user.pk).update(name="Ann"),
     lambda seen: seen is not None and seen.name == "Ann"),
    (lambda user: RoleAssignment.objects.filter(user=user).delete(),
     lambda seen: seen is not None and not seen.role_assignments.all()),
    (lambda user: RoleAssignment.objects.create(user=user, role="operator"),
     lambda seen: seen is not None and len(seen.role_assignments.all()) == 2),
    (lambda user: Organisation.objects.filter(pk=user.organisation_id).update(path="/x/"),
     lambda seen: seen is not None and seen.organisation.path == "/x/"),
    (lambda user: Session.objects.all().delete(), lambda seen: seen is None),
    (lambda user: Session.objects.update(expire_date=clock.now() - timedelta(minutes=1)), lambda seen: seen is None),
]  # fmt: skip


@pytest.mark.parametrize(("change", "holds"), CHANGES)
def test_what_has_changed_counts_at_once(
    city: City, client: Client, change: Callable[[User], Any], holds: Callable[[User | None], bool]
) -> None:
    session = session_of(client)
    assert user_of_session(session) is not None
    change(city["anna"])
    assert holds(user_of_session(session_of(client)))


def test_a_session_ends_by_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    end = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: end)
    monkeypatch.setattr("django.utils.timezone.now", lambda: end)
    assert user_of_session(session_of(client)) is None


def test_who_has_signed_out_is_nobody(client: Client) -> None:
    session = session_of(client)
    assert send(client, "delete", "/api/session").status_code in {200, 204}
    assert user_of_session(session) is None
