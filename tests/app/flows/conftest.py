"""A small city: two departments, their people, one node with stations, and signed-in clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from node_catalog.models import Column, Dataset, Node
from security.models import Organisation, RoleAssignment, User

PASSWORD = "Correct-Horse-9"


@dataclass
class City:
    """What the tests of apps and flows stand on."""

    environment: Organisation
    traffic: Organisation
    author: User
    colleague: User
    stranger: User
    stations: Dataset

    def client(self, user: User) -> Client:
        client = Client()
        answer = client.post(
            "/api/session", {"username": user.username, "password": PASSWORD}, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
        return client


def make_person(name: str, organisation: Organisation, *roles: str) -> User:
    user = User(username=name, name=name, organisation=organisation, language="en")
    user.set_password(PASSWORD)
    user.save()
    for role in roles:
        RoleAssignment.objects.create(user=user, role=role)
    return user


def make_organisation(code: str) -> Organisation:
    organisation = Organisation(code=code, name={"en": code, "zh-CN": code})
    organisation.path = f"/{organisation.pk}/"
    organisation.save()
    return organisation


def make_dataset(node: Node, ordinal: int, name: str, columns: dict[str, str], **more: Any) -> Dataset:
    dataset = Dataset.objects.create(
        number=f"{node.number}.{ordinal:04d}", node=node, ordinal=ordinal, path=[name], path_key=name,
        kind="table", name=name, title={"en": name, "zh-CN": name}, rows=10, **more,
    )  # fmt: skip
    Column.objects.bulk_create(
        Column(dataset=dataset, ordinal=index, name=column, native_type=kind, type=kind)
        for index, (column, kind) in enumerate(columns.items())
    )
    return dataset


@pytest.fixture
def city(db: None, tmp_path: Any) -> City:
    environment, traffic = make_organisation("environment"), make_organisation("traffic")
    node = Node.objects.create(
        number="33A017/DB00000001-1", type="sqlite", name={"en": "Stations", "zh-CN": "站点"},
        organisation=environment, settings={"path": str(tmp_path / "stations.sqlite3")},
    )  # fmt: skip
    stations = make_dataset(node, 1, "station", {"id": "integer", "name": "text", "pm25": "number"})
    return City(
        environment, traffic,
        make_person("author", environment, "business"), make_person("colleague", environment, "operator"),
        make_person("stranger", traffic, "business", "data_admin"), stations,
    )  # fmt: skip
