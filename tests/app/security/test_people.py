"""The people page: add, change, import by line, disable, reset, departments."""

from __future__ import annotations

from typing import Any

import pytest

from security.models import Organisation, User
from tests.app.city import PASSWORD, City, is_problem, send


def person(city: City, **more: Any) -> dict[str, Any]:
    air = str(city.departments["air"].pk)
    return {"username": "nina", "name": "Nina", "organisation": air, "roles": ["business"], **more}


def pointers(answer: Any, status: int = 400) -> set[str]:
    return {problem["pointer"] for problem in is_problem(answer, status)["problems"]}


def test_add_shows_the_first_password_once(city: City) -> None:
    paul = city.client("paul")
    answer = send(paul, "post", "/api/people", person(city, email="nina@city.example"))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["must_change_password"] is True
    assert made["password"] not in paul.get(f"/api/people/{made['id']}").content.decode()
    client = city.client("paul")
    assert send(client, "post", "/api/session", {"username": "nina", "password": made["password"]}).status_code == 200


def test_all_problems_of_a_person_at_once(city: City) -> None:
    paul = city.client("paul")
    wrong = person(city, username="a b", name=" x ", email="nope", roles=["king"])
    assert pointers(send(paul, "post", "/api/people", wrong)) == {"/username", "/email", "/roles"}
    assert pointers(send(paul, "post", "/api/people", person(city, username="ANNA", roles=[]))) == {
        "/username",
        "/roles",
    }
    unknown = person(city, organisation="01a2035d-084c-7f93-b24f-7568eb79c213")
    assert pointers(send(paul, "post", "/api/people", unknown)) == {"/organisation"}
    assert pointers(send(paul, "post", "/api/people", person(city, is_active=True))) == {"/is_active"}


@pytest.mark.parametrize("who", ["anna", "adam", "otto"])
def test_only_platform_admins_manage_people(city: City, who: str) -> None:
    client, other = city.client(who), city["rosa"].pk
    for method, path, body in (
        ("get", "/api/people", None),
        ("post", "/api/people", person(city)),
        ("post", "/api/people/import", {"csv": "x"}),
        ("get", f"/api/people/{other}", None),
        ("patch", f"/api/people/{other}", {"roles": ["platform_admin"]}),
        ("post", f"/api/people/{other}/reset-password", None),
        ("post", f"/api/people/{other}/hand-over", {"to": str(other)}),
        ("post", "/api/organisations", {"code": "x", "name": "X"}),
        ("patch", f"/api/organisations/{city.departments['air'].pk}", {"name": "X"}),
        ("get", "/api/audit", None),
    ):
        is_problem(send(client, method, path, body), 403, "auth.forbidden")
    me = send(client, "patch", f"/api/people/{city[who].pk}", {"roles": ["platform_admin"]})
    is_problem(me, 403)
    is_problem(send(client, "patch", "/api/me", {"roles": ["platform_admin"]}), 400)


def test_search_by_words_department_and_role(city: City) -> None:
    paul = city.client("paul")

    def found(**asked: Any) -> list[str]:
        return [item["username"] for item in paul.get("/api/people", asked).json()["results"]]

    assert found(q="ann") == ["anna"]
    assert found(organisation=str(city.departments["air"].pk)) == ["adam", "anna", "olga"]
    assert found(role="data_admin") == ["adam", "remo"]
    first = paul.get("/api/people", {"limit": 3}).json()
    assert first["total"] == 7
    assert found(limit=3, cursor=first["next"]) == ["otto", "paul", "remo"]


def test_roles_change_rights_at_once(city: City) -> None:
    anna, paul = city.client("anna"), city.client("paul")
    is_problem(anna.get("/api/audit"), 403)
    path = f"/api/people/{city['anna'].pk}"
    assert send(paul, "patch", path, {"roles": ["business", "platform_admin"]}).status_code == 200
    assert anna.get("/api/audit").status_code == 200
    assert send(paul, "patch", path, {"roles": ["business"]}).status_code == 200
    is_problem(anna.get("/api/audit"), 403)


def test_nobody_shuts_out_themselves_or_the_last_administrator(city: City) -> None:
    paul = city.client("paul")
    path = f"/api/people/{city['paul'].pk}"
    is_problem(send(paul, "patch", path, {"is_active": False}), 409, "person.self")
    is_problem(send(paul, "patch", path, {"roles": ["business"]}), 409, "person.self")


def test_reset_unlocks_and_ends_sessions(city: City) -> None:
    rosa, paul = city.client("rosa"), city.client("paul")
    password = send(paul, "post", f"/api/people/{city['rosa'].pk}/reset-password").json()["password"]
    is_problem(rosa.get("/api/session"), 401)
    again = {"username": "rosa", "password": PASSWORD}
    is_problem(send(rosa, "post", "/api/session", again), 401)
    assert send(rosa, "post", "/api/session", {**again, "password": password}).status_code == 200


CSV = """用户名,姓名,邮箱,部门,角色
li.na,李娜,li.na@city.example,air,业务人员;数据管理员
wang,王伟,,ROADS,operator
"""


def test_import_dry_run_then_for_good(city: City) -> None:
    paul = city.client("paul")
    tried = send(paul, "post", "/api/people/import", {"csv": "\ufeff" + CSV, "dry_run": True}).json()
    assert (tried["created"], tried["problems"], len(tried["people"])) == (0, [], 2)
    assert not User.objects.filter(username="li.na").exists()
    done = send(paul, "post", "/api/people/import", {"csv": CSV}).json()
    assert done["created"] == 2
    li = User.objects.get(username="li.na")
    assert sorted(li.role_assignments.values_list("role", flat=True)) == ["business", "data_admin"]
    assert li.check_password(done["people"][0]["password"])
    assert User.objects.get(username="wang").organisation.code == "roads"


def test_import_names_every_problem_by_line_and_creates_nobody(city: City) -> None:
    source = (
        "username,name,email,organisation,roles\n"
        "good,Good,,air,business\n"
        "anna,Twin,,air,business\n"
        "\n"
        "bad name,,nope,moon,king\n"
        "short,Short\n"
        "GOOD,Again,,air,business\n"
    )
    body = send(city.client("paul"), "post", "/api/people/import", {"csv": source}).json()
    found = {(problem["line"], problem["field"]) for problem in body["problems"]}
    assert found == {
        (3, "username"), (5, "username"), (5, "name"), (5, "email"), (5, "organisation"), (5, "roles"), (6, ""),
        (7, "username"),
    }  # fmt: skip
    assert body["created"] == 0
    assert all(problem["message"]["zh-CN"] and problem["message"]["en"] for problem in body["problems"])
    assert User.objects.count() == 7


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("username,name\na,b\n", "csv.heading"),
        ("username,username,name,organisation,roles\na,a,b,air,business\n", "csv.heading"),
        ("username,name,organisation,roles\n", "csv.empty"),
        ('username,name,organisation,roles\n"a,b,c,d\n', "csv.broken"),
        ("username,name,organisation,roles\n" + "a,b,air,business\n" * 501, "csv.too_long"),
    ],
)
def test_files_that_are_no_list_of_people(city: City, source: str, code: str) -> None:
    body = is_problem(send(city.client("paul"), "post", "/api/people/import", {"csv": source}), 400)
    assert body["problems"][0]["code"] == code


def test_departments_form_a_tree_and_move_with_what_lies_below(city: City) -> None:
    paul = city.client("paul")
    listed = city.client("anna").get("/api/organisations").json()["results"]
    assert [(item["code"], item["depth"], item["people"]) for item in listed] == [
        ("city", 0, 2), ("air", 1, 2), ("office", 2, 1), ("roads", 1, 2),
    ]  # fmt: skip
    air, roads, office = (city.departments[code] for code in ("air", "roads", "office"))
    assert send(paul, "patch", f"/api/organisations/{air.pk}", {"parent": str(roads.pk)}).status_code == 200
    roads.refresh_from_db()
    office.refresh_from_db()
    assert office.path == f"{roads.path}{air.pk.hex}/{office.pk.hex}/"
    cycle = send(paul, "patch", f"/api/organisations/{roads.pk}", {"parent": str(office.pk)})
    assert pointers(cycle) == {"/parent"}
    is_problem(send(paul, "patch", f"/api/organisations/{air.pk}", {"is_active": False}), 409, "organisation.in_use")
    taken = send(paul, "post", "/api/organisations", {"code": "AIR", "name": {"en": "Air", "zh-CN": "空气"}})
    assert pointers(taken) == {"/code"}
    made = send(paul, "post", "/api/organisations", {"code": "water", "name": "Water", "parent": str(roads.pk)})
    assert made.status_code == 201
    assert Organisation.objects.get(code="water").parent == roads


def test_hand_over_needs_a_fit_successor(city: City) -> None:
    paul, leaver = city.client("paul"), city["anna"]
    path = f"/api/people/{leaver.pk}/hand-over"
    assert pointers(send(paul, "post", path, {"to": str(leaver.pk)})) == {"/to"}
    assert pointers(send(paul, "post", path, {"to": "01a2035d-084c-7f93-b24f-7568eb79c213"})) == {"/to"}
    assert send(paul, "post", path, {"to": str(city["adam"].pk)}).status_code == 200


def test_notices_are_ones_own(city: City) -> None:
    from security.notices import notify

    note = notify(city["anna"], "test", {"en": "Hello", "zh-CN": "您好"})
    anna, adam = city.client("anna"), city.client("adam")
    assert anna.get("/api/notices").json()["unread"] == 1
    assert adam.get("/api/notices").json()["results"] == []
    send(adam, "post", "/api/notices/read", {"all": True})
    send(adam, "post", "/api/notices/read", {"ids": [str(note.pk)]})
    assert anna.get("/api/session").json()["unread"] == 1
    assert send(anna, "post", "/api/notices/read", {"ids": [str(note.pk)]}).json()["unread"] == 0
