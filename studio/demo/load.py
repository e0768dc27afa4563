"""Loads the demo city: people, files, nodes, and what discovery finds, through the same code as any other node."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from node_catalog.catalogue import apply_discovery, known_settings
from node_catalog.change_dataset import change_dataset
from node_catalog.models import Dataset, Node, OutgoingOpening
from node_catalog.nodes import change_node, create_node
from node_catalog.openings import as_words
from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext, Connector
from node_catalog.sdk.schema import parse
from runtime.requests import request_discovery, request_profile
from security import clock
from security.access import Principal, principal_for
from security.models import Organisation, User
from security.outgoing import OutgoingGuard
from studio.demo.files import make_files
from studio.demo.nodes import BICYCLES, NODES, DemoDataset, DemoNode
from studio.demo.people import load_departments, load_people
from studio.demo.service import service_address, service_url
from studio.demo.state import demo_folder

Say = Callable[[str], None]
OPENING_REASON = "演示城市自身的接口，仅限本机端口 · the demo city's own web service, on this studio's port only"


@dataclass(frozen=True)
class _City:
    """What the steps below need."""

    folder: Path
    departments: dict[str, Organisation]
    people: dict[str, User]


def load_demo(say: Say) -> None:
    """Load what is missing; safe to repeat, and quick when everything is there."""
    folder = demo_folder()
    with ThreadPoolExecutor(1) as background:
        files = background.submit(make_files, folder, say)
        departments = load_departments()
        city = _City(folder, departments, load_people(departments))
        say(f"demo people 演示用户: {len(city.people)}")
        is_new = files.result()
    for node in NODES:
        if is_new or not Node.objects.filter(number=node.number, discovered_at__isnull=False).exists():
            found = _load_node(city, node)
            say(f"demo node 演示节点: {node.number} {node.name['zh-CN']} {node.name['en']}, {found} datasets")
    say(f"demo node 演示节点: {BICYCLES.number} {BICYCLES.name['zh-CN']} {_load_service(city)}")
    asked = _ask_for_profiles(city)
    if asked:
        say(f"demo profiles asked for 已请求数据概况: {asked}")
    say("demo city is there 演示城市已就绪")


def _load_node(city: _City, demo: DemoNode, context: ConnectContext | None = None) -> int:
    """As its keeper would: add the node, test it, discover, describe. How many datasets it has."""
    keeper = principal_for(city.people[demo.keeper])
    node = Node.objects.filter(number=demo.number).first() or _add_node(city, demo, keeper)
    connector: type[Connector] = registry().connectors[demo.type]
    parsed = parse(connector.Settings, node.settings)
    context = context or ConnectContext(file_roots=tuple(settings.FILE_ROOTS))
    check = connector.check(parsed, context)
    Node.objects.filter(pk=node.pk).update(
        health=Node.Health.OK if check.ok else Node.Health.FAILING,
        health_detail={"code": check.code, "message": dict(check.message), "facts": dict(check.facts)},
        checked_at=clock.now(),
    )
    apply_discovery(node, connector.discover(parsed, context, known_settings(node)))
    for dataset in demo.datasets:
        _describe(node, dataset, keeper)
    return node.datasets.count()


def _load_service(city: _City) -> str:
    """The API node: a visible opening for this studio's own port, then as for every node.

    When the web server does not answer yet, a worker discovers it later. Says what came of it.
    """
    host, port = service_address()
    network = f"{host}/{128 if ':' in host else 32}"
    OutgoingOpening.objects.filter(connector=BICYCLES.type, reason=OPENING_REASON).exclude(
        network=network, port=port
    ).delete()
    OutgoingOpening.objects.get_or_create(
        network=network, port=port, connector=BICYCLES.type, defaults={"reason": OPENING_REASON}
    )
    keeper = principal_for(city.people[BICYCLES.keeper])
    node = Node.objects.filter(number=BICYCLES.number).first() or _add_node(city, BICYCLES, keeper)
    if node.settings["url"] != service_url():
        node = change_node(keeper, node, {"settings": {**node.settings, "url": service_url()}})
    parsed = parse(registry().connectors[node.type].Settings, node.settings)
    context = ConnectContext(guard=OutgoingGuard([as_words(network, port)]))
    if not registry().connectors[node.type].check(parsed, context).ok:
        if node.discovered_at is None:
            request_discovery(node, keeper.user)
        return "later 稍后发现"
    return f"{_load_node(city, BICYCLES, context)} datasets"


def _add_node(city: _City, demo: DemoNode, keeper: Principal) -> Node:
    place = service_url() if demo.place == "url" else str(city.folder / demo.settings[demo.place])
    values = {
        "type": demo.type,
        "name": demo.name,
        "description": demo.description,
        "organisation": city.departments[demo.department],
        "tags": demo.tags,
        "settings": {**demo.settings, demo.place: place},
    }
    return create_node(keeper, values, number=demo.number)


def _describe(node: Node, demo: DemoDataset, keeper: Principal) -> None:
    """What the department's staff would have written, once; what they have changed since is kept."""
    dataset = Dataset.objects.get(node=node, path=list(demo.path))
    if dataset.title:
        return
    columns = {
        name: {"title": words.title, "unit": words.unit, "sensitivity": words.sensitivity}
        for name, words in demo.columns.items()
    }
    words = {"title": demo.title, "summary": demo.summary, "share": demo.share, "tags": demo.tags, "columns": columns}
    change_dataset(keeper, dataset, words)


def _ask_for_profiles(city: _City) -> int:
    """Workers do it as for everybody; the largest dataset comes last. A profile asked for already is not doubled."""
    asked = 0
    for demo in sorted((*NODES, BICYCLES), key=lambda one: one.type == "files"):
        node = Node.objects.get(number=demo.number)
        for dataset in node.datasets.filter(profiled_at=None, state=Dataset.State.PUBLISHED):
            request_profile(dataset, city.people[demo.keeper])
            asked += 1
    return asked
