"""The demo city: loaded through the product's own use cases, the same every time, and safe to repeat."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client, RequestFactory

from node_catalog.grants import grant_for
from node_catalog.models import Dataset, Node, OutgoingOpening
from node_catalog.numbers import is_node_number
from runtime.models import Task
from security.models import Organisation, User
from security.passwords import password_problems
from studio.demo import files, service
from studio.demo.accounts import DEPARTMENTS, PEOPLE, accounts
from studio.demo.load import load_demo
from studio.demo.nodes import AIR, BICYCLES, ENTERPRISES, MOBILITY, NODES
from studio.demo.state import is_loaded
from tests.web_service import Asked, Reply, WebService

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_city(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: object) -> Path:
    monkeypatch.setattr(files, "MOBILITY_ROWS_A_DAY", 2000)
    monkeypatch.setattr(files, "MOBILITY_DAYS", 3)
    monkeypatch.setattr(files, "ENTERPRISES", 300)
    monkeypatch.setattr(files, "INSPECTIONS", 500)
    settings.DATA_HOME = tmp_path  # type: ignore[attr-defined]
    settings.FILE_ROOTS = (str(tmp_path),)  # type: ignore[attr-defined]
    return tmp_path


def test_the_whole_city_is_found_by_discovery() -> None:
    said: list[str] = []
    load_demo(said.append)
    assert {node.number for node in Node.objects.all()} == {node.number for node in (*NODES, BICYCLES)}
    for demo in NODES:
        node = Node.objects.get(number=demo.number)
        assert is_node_number(node.number)
        assert node.health == Node.Health.OK, node.health_detail
        for wanted in demo.datasets:
            dataset = node.datasets.get(path=list(wanted.path))
            assert dataset.ordinal == wanted.ordinal
            assert dataset.title == wanted.title and dataset.share == wanted.share
            assert set(wanted.columns) == {column.name for column in dataset.columns.all()}
            assert all(column.title for column in dataset.columns.all())
    assert Dataset.objects.get(number=f"{AIR.number}.0001").rows == 8 * 35_064
    assert len(said) >= len(NODES)


def test_the_air_types_are_right() -> None:
    load_demo(lambda line: None)
    types = dict(Dataset.objects.get(number=f"{AIR.number}.0001").columns.values_list("name", "type"))
    assert types["PM2.5"] == "number" and types["year"] == "integer" and types["wd"] == "text"


def test_loading_again_changes_nothing() -> None:
    load_demo(lambda line: None)
    dataset = Dataset.objects.get(number=f"{AIR.number}.0001")
    dataset.title = {"en": "Ours", "zh-CN": "我们的"}
    dataset.save()
    before = (Node.objects.count(), Dataset.objects.count(), User.objects.count(), Task.objects.count())
    load_demo(lambda line: None)
    assert (Node.objects.count(), Dataset.objects.count(), User.objects.count(), Task.objects.count()) == before
    dataset.refresh_from_db()
    assert dataset.title["en"] == "Ours"


def test_rights_are_as_the_tour_says() -> None:
    load_demo(lambda line: None)
    wang = User.objects.get(username="wang.fang")
    air = grant_for(Dataset.objects.get(number=f"{AIR.number}.0001"), wang)
    assert air is not None and air.source == "unconditional"
    trips = grant_for(Dataset.objects.get(number=f"{MOBILITY.number}.0001"), wang)
    assert trips is not None and "card" not in trips.columns
    assert grant_for(Dataset.objects.get(number=f"{ENTERPRISES.number}.0001"), wang) is None
    chen = User.objects.get(username="chen.jing")
    own = grant_for(Dataset.objects.get(number=f"{ENTERPRISES.number}.0001"), chen)
    assert own is not None and "phone" in own.columns


def test_people_can_sign_in_with_what_is_shown() -> None:
    load_demo(lambda line: None)
    assert Organisation.objects.count() == len(DEPARTMENTS)
    for person in PEOPLE:
        user = User.objects.get(username=person.username)
        assert user.check_password(person.password)
        assert not password_problems(person.password, user)
        assert {one.role for one in user.role_assignments.all()} == set(person.roles)
    assert {role for person in PEOPLE for role in person.roles} == {
        "business",
        "data_admin",
        "operator",
        "platform_admin",
    }
    assert all(set(account) == {"username", "password", "name", "role"} for account in accounts())


def test_synthetic_data_say_so() -> None:
    for node in NODES:
        for dataset in node.datasets:
            is_real = "真实数据" in dataset.tags or "基础数据" in dataset.tags
            assert is_real or "合成数据" in dataset.title["zh-CN"]


def test_the_api_node_waits_for_its_service_and_opens_this_port_only(settings: object) -> None:
    options = settings.OPTIONS  # type: ignore[attr-defined]
    with WebService({}).running() as web:
        settings.OPTIONS = {**options, "PORT": web.port}  # type: ignore[attr-defined]
        load_demo(lambda line: None)
        node = Node.objects.get(number=BICYCLES.number)
        assert node.discovered_at is None and not is_loaded()
        assert Task.objects.filter(kind=Task.Kind.DISCOVER, payload__node=str(node.pk)).count() == 1
    with WebService({f"/{service.PATH}": _docks}).running() as web:
        settings.OPTIONS = {**options, "PORT": web.port}  # type: ignore[attr-defined]
        load_demo(lambda line: None)
        assert [asked.query["offset"] for asked in web.asked] == ["0", "0", "0"]
    node.refresh_from_db()
    (opening,) = OutgoingOpening.objects.all()
    assert (opening.network, opening.port, opening.connector) == ("127.0.0.1/32", web.port, "http_json")
    dataset = node.datasets.get()
    types = dict(dataset.columns.values_list("name", "type"))
    assert types["reported_at"] == "timestamp" and types["position"] == "text" and types["places"] == "integer"
    assert set(types) == set(BICYCLES.datasets[0].columns) and all(one.title for one in dataset.columns.all())
    assert is_loaded()


def _docks(asked: Asked) -> Reply:
    answer = service.docks(RequestFactory().get(f"/{service.PATH}", asked.query))
    return Reply(answer.content, headers={"Content-Type": answer["Content-Type"]})


def test_the_service_is_only_there_in_the_demo(client: Client) -> None:
    assert client.get(f"/{service.PATH}")["Content-Type"].startswith("text/html")
