"""The small city with sources: a node of the air bureau and one of the roads bureau, with datasets of every share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from node_catalog.catalogue import apply_discovery
from node_catalog.models import Dataset, Node
from node_catalog.numbers import node_number
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from security.models import Organisation
from tests.app.city import City, make_city

CANARY = "canary-7f3a"


def found(name: str, columns: dict[str, str], rows: int = 10, **more: Any) -> DiscoveredDataset:
    """A dataset as a connector would describe it."""
    described = tuple(
        DiscoveredColumn(column, kind.upper(), kind, key="primary" if column == "id" else "")
        for column, kind in columns.items()
    )
    return DiscoveredDataset((name,), "table", described, rows=rows, rows_exact=True, **more)


def make_node(number: str, organisation: Organisation, name: str, chinese: str, **more: Any) -> Node:
    return Node.objects.create(
        number=node_number("33A017", "DB", number), type="files", organisation=organisation,
        name={"en": name, "zh-CN": chinese}, settings={"folder": "/srv/nowhere"}, **more,
    )  # fmt: skip


@dataclass
class Sources:
    city: City
    air: Node
    roads: Node
    datasets: dict[str, Dataset] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Dataset:
        return self.datasets[name]


AIR = {"id": "integer", "station": "text", "pm25": "number", "phone": "text"}


@pytest.fixture
def city(db: None) -> City:
    return make_city()


@pytest.fixture
def sources(city: City) -> Sources:
    air = make_node("00000001", city.departments["air"], "Air database", "空气数据库")
    roads = make_node("00000002", city.departments["roads"], "Roads database", "道路数据库")
    made = Sources(city, air, roads)
    apply_discovery(air, iter([found("hourly", AIR), found("open", AIR), found("closed", AIR)]))
    apply_discovery(roads, iter([found("traffic", {"id": "integer", "speed": "number"})]))
    for name, share in (("hourly", "conditional"), ("open", "unconditional"), ("closed", "none")):
        dataset = Dataset.objects.get(node=air, name=name)
        dataset.share = share
        dataset.save()
        dataset.columns.filter(name="phone").update(sensitivity="personal")
        for column in dataset.columns.all():
            column.profile = {
                "nulls": 0,
                "min": f"{CANARY}-{name}-{column.name}",
                "top": [{"value": CANARY, "count": 1}],
            }
            column.save()
        made.datasets[name] = dataset
    made.datasets["traffic"] = Dataset.objects.get(node=roads)
    return made
