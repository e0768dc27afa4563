"""Signing in and out, lock-out, CSRF, tokens, passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from security import passwords
from security.models import AuditRecord, SignInFailures, Token
from security.sign_in_limits import WINDOW, address_group
from tests.app.city import PASSWORD, City, client_for, is_problem, send

NEW = "Another-Stable-7"


def sign_in(client: Client, username: str, password: str = PASSWORD):
    return send(client, "post", "/api/session", {"username": username, "password": password})


def test_me_after_sign_in(city: City) -> None:
    client = client_for(city["anna"])
    body = client.get("/api/session").json()
    assert body["username"] == "anna"
    assert body["organisation"]["code"] == "air"
    assert body["roles"] == ["business"]
    assert set(body) == {
        "id", "username", "name", "email", "organisation", "roles", "language", "theme", "must_change_password",
        "unread",
    }  # fmt: skip


def test_anonymous_is_told_to_sign_in(city: City) -> None:
    is_problem(Client().get("/api/session"), 401, "auth.required")


def test_names_are_compared_without_case_and_wrong_ones_answer_alike(city: City) -> None:
    assert sign_in(Client(), "ANNA").status_code == 200
    unknown = is_problem(sign_in(Client(), "nobody-here"), 401, "auth.wrong")
    wrong = is_problem(sign_in(Client(), "anna", "wrong"), 401, "auth.wrong")
    assert unknown["message"] == wrong["message"]


def test_unknown_names_cost_one_hash_too(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    real = passwords.check_password
    monkeypatch.setattr(passwords, "check_password", lambda *given: hashed.append(1) or real(*given))
    sign_in(Client(), "nobody-here")
    sign_in(Client(), "anna", "wrong")
    assert len(hashed) == 2


def test_five_failures_lock_for_fifteen_minutes_and_nobody_is_told(city: City) -> None:
    answers = [is_problem(sign_in(Client(), "anna", "wrong"), 401, "auth.wrong") for _ in range(5)]
    answers.append(is_problem(sign_in(Client(), "anna"), 401, "auth.wrong"))
    answers.append(is_problem(sign_in(Client(), "anna", "wrong"), 401, "auth.wrong"))
    answers.append(is_problem(sign_in(Client(), "nobody-here"), 401, "auth.wrong"))
    assert len({str({**answer, "instance": ""}) for answer in answers}) == 1
    refused = AuditRecord.objects.filter(action="session.refused").order_by("seq").values_list("detail", flat=True)
    assert [detail["why"] for detail in refused] == ["wrong password"] * 5 + ["locked"] * 2 + ["unknown name"]
    anna = city["anna"]
    anna.refresh_from_db()
    assert timedelta(minutes=14) < anna.locked_until - timezone.now() <= timedelta(minutes=15)
    anna.locked_until = timezone.now() - timedelta(seconds=1)
    anna.save()
    assert sign_in(Client(), "anna").status_code == 200


def test_an_address_that_tries_many_names_has_to_wait(city: City, settings: object) -> None:
    settings.OPTIONS = {**settings.OPTIONS, "SIGN_IN_FAILURES": 6}  # type: ignore[attr-defined]
    guesser, other = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")
    for number in range(6):
        is_problem(sign_in(guesser, f"name{number}"), 401, "auth.wrong")
    is_problem(sign_in(guesser, "anna"), 429, "auth.address_rests")
    assert sign_in(other, "anna").status_code == 200
    assert AuditRecord.objects.filter(action="session.address_rests").count() == 1
    SignInFailures.objects.update(begun_at=timezone.now() - WINDOW)
    assert sign_in(guesser, "anna").status_code == 200
    is_problem(sign_in(guesser, "anna", "wrong"), 401, "auth.wrong")
    assert SignInFailures.objects.get().count == 1


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "testclient", True),
    ],
)
def test_addresses_of_one_line_count_together(one: str, other: str, is_same: bool) -> None:
    assert (address_group(one) == address_group(other)) is is_same


def test_a_success_forgets_earlier_failures(city: City) -> None:
    for _ in range(2):
        for _ in range(4):
            sign_in(Client(), "anna", "wrong")
        assert sign_in(Client(), "anna").status_code == 200


def test_sign_in_gets_a_new_session_key(city: City) -> None:
    client = Client()
    assert sign_in(client, "anna").status_code == 200
    before = client.cookies["sessionid"].value
    assert sign_in(client, "anna").status_code == 200
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


def test_sign_out_ends_the_session(city: City) -> None:
    client = client_for(city["anna"])
    assert send(client, "delete", "/api/session").status_code == 204
    is_problem(client.get("/api/session"), 401)


def test_changes_need_the_csrf_token_sign_in_too(city: City) -> None:
    client = Client(enforce_csrf_checks=True)
    is_problem(sign_in(client, "anna"), 403, "auth.csrf")
    assert client.get("/api/context").status_code == 200
    assert sign_in(client, "anna").status_code == 200
    bare = {"data": {"name": "X"}, "content_type": "application/json"}
    is_problem(client.patch("/api/me", **bare), 403, "auth.csrf")
    assert send(client, "patch", "/api/me", {"name": "Anna B"}).json()["name"] == "Anna B"


def test_disabled_people_are_out_at_once(city: City) -> None:
    client = client_for(city["anna"])
    paul = client_for(city["paul"])
    assert send(paul, "patch", f"/api/people/{city['anna'].pk}", {"is_active": False}).status_code == 200
    is_problem(client.get("/api/session"), 401)
    is_problem(sign_in(Client(), "anna"), 401, "auth.wrong")


def test_a_new_password_ends_other_sessions_and_tokens(city: City) -> None:
    mine, other = client_for(city["anna"]), client_for(city["anna"])
    token = send(mine, "post", "/api/me/tokens", {"name": "script"}).json()["token"]
    assert send(mine, "post", "/api/me/password", {"current": PASSWORD, "new": NEW}).status_code == 200
    assert mine.get("/api/session").status_code == 200
    is_problem(other.get("/api/session"), 401)
    is_problem(Client().get("/api/session", headers={"authorization": f"Bearer {token}"}), 401, "auth.token")
    assert sign_in(Client(), "anna", NEW).status_code == 200


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("Short-1", "password_too_short"),
        ("alllowercaseletters", "password_character_classes"),
        ("Password123", "password_too_common"),
        ("Anna.Berg-City1", "password_too_similar"),
        (PASSWORD, "password_unchanged"),
        ("x1-" * 200, "password_too_long"),
    ],
)
def test_password_rules_in_both_languages(city: City, new: str, code: str) -> None:
    city["anna"].email = "anna.berg@city.example"
    city["anna"].save()
    answer = send(client_for(city["anna"]), "post", "/api/me/password", {"current": PASSWORD, "new": new})
    body = is_problem(answer, 400, "invalid")
    assert code in {problem["code"] for problem in body["problems"]}
    assert all(problem["pointer"] == "/new" for problem in body["problems"])


def test_the_current_password_must_be_right(city: City) -> None:
    body = is_problem(send(client_for(city["anna"]), "post", "/api/me/password", {"current": "no", "new": NEW}), 400)
    assert body["problems"][0]["pointer"] == "/current"


def test_a_first_password_opens_nothing_but_its_change(city: City) -> None:
    paul = client_for(city["paul"])
    password = send(paul, "post", f"/api/people/{city['anna'].pk}/reset-password").json()["password"]
    anna = Client()
    assert sign_in(anna, "anna", password).json()["must_change_password"] is True
    is_problem(anna.get("/api/notices"), 403, "auth.password_due")
    assert send(anna, "post", "/api/me/password", {"current": password, "new": NEW}).status_code == 200
    assert anna.get("/api/notices").status_code == 200


def test_tokens(city: City) -> None:
    client = client_for(city["anna"])
    made = send(client, "post", "/api/me/tokens", {"name": "script", "days": 5})
    assert made.status_code == 201
    plain = made.json()["token"]
    assert plain not in client.get("/api/me/tokens").content.decode()
    assert not Token.objects.filter(digest=plain).exists()
    bearer = {"authorization": f"Bearer {plain}"}
    assert Client(enforce_csrf_checks=True).get("/api/session", headers=bearer).json()["username"] == "anna"
    changed = Client(enforce_csrf_checks=True).patch(
        "/api/me", {"theme": "dark"}, content_type="application/json", headers=bearer
    )
    assert changed.json()["theme"] == "dark"
    is_problem(client.get("/api/session", headers=bearer), 400, "auth.both")
    is_problem(Client().get("/api/session", headers={"authorization": "Bearer nonsense"}), 401, "auth.token")
    Token.objects.update(expires_at=timezone.now())
    is_problem(Client().get("/api/session", headers=bearer), 401, "auth.token")


def test_revoked_tokens_end_and_foreign_ones_do_not_exist(city: City) -> None:
    client = client_for(city["anna"])
    made = send(client, "post", "/api/me/tokens", {"name": "script"}).json()
    is_problem(send(client_for(city["adam"]), "delete", f"/api/me/tokens/{made['id']}"), 404)
    assert send(client, "delete", f"/api/me/tokens/{made['id']}").status_code == 204
    is_problem(Client().get("/api/session", headers={"authorization": f"Bearer {made['token']}"}), 401)


def test_bad_bodies_name_every_problem(city: City) -> None:
    client = client_for(city["anna"])
    body = is_problem(send(client, "patch", "/api/me", {"theme": "pink", "language": 3, "root": True}), 400, "invalid")
    assert {problem["pointer"] for problem in body["problems"]} == {"/theme", "/language", "/root"}
    assert all(problem["message"]["en"] != problem["message"]["zh-CN"] for problem in body["problems"])
    is_problem(client.patch("/api/me", "{", content_type="application/json"), 400)
    is_problem(send(client, "patch", "/api/me", ["x"]), 400)


def test_sign_in_is_audited_without_the_password(city: City) -> None:
    sign_in(Client(), "anna", "wrong-canary-password")
    sign_in(Client(), "canary-typed-as-name")
    assert [record.action for record in AuditRecord.objects.all()] == ["session.refused"] * 2
    assert "canary" not in str(list(AuditRecord.objects.values()))


def test_context_is_open_and_knows_no_demo_here(city: City) -> None:
    body = Client().get("/api/context").json()
    assert body["demo"] is False
    assert body["demo_accounts"] == []
    assert {role["key"] for role in body["roles"]} == {"business", "data_admin", "operator", "platform_admin"}
