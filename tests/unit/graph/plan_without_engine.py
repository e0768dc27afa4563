"""Makes a plan in a process that must not import an engine (see test_plan)."""

from __future__ import annotations

from flows.graph.load import read_document
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import load_registry

NUMBER = "33A017/DB00000001-A.0001"


def text() -> str:
    """The text of a small stage."""
    registry = load_registry()
    schema = Schema.of([("a", "integer"), ("s", "text")])
    info = DatasetInfo(NUMBER, "n", "files", ("a",), schema)
    document = {
        "kind": "flow",
        "spec": "1",
        "steps": {
            "r": {"type": "read", "settings": {"dataset": NUMBER}},
            "f": {"type": "filter", "settings": {"where": "a > 1"}},
            "o": {"type": "output", "settings": {"name": "x"}},
        },
        "wires": [{"from": "r.out", "to": "f.in"}, {"from": "f.out", "to": "o.in"}],
    }
    loaded = read_document(document, registry)
    assert loaded.document is not None
    plan = make_plan(loaded.document, registry, {NUMBER: info}, {NUMBER: GrantSpec(NUMBER, ("a", "s"))})
    return plan.stages[0].text
