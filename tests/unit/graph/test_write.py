"""What the check says about a write step: modes, keys, new tables, rights."""

from __future__ import annotations

from typing import Any

import msgspec

from flows.graph.planner import make_plan
from flows.graph.sources import NodeInfo
from flows.graph.validate import check
from tests.unit.graph.support import AIR, REMOTE, all_rights, catalogue, flow, load, registry, step

NODE = "33A017/DB00000002-B"


def write_flow(**settings: Any) -> dict[str, Any]:
    """Reads station and pm25 and writes them somewhere."""
    columns = [{"column": "station"}, {"column": "pm25"}]
    steps = {"r": step("read", dataset="air"), "s": step("select", columns=columns), "w": step("write", **settings)}
    return flow(steps, "r > s", "s > w")


def found(upto: str = "L5", can_write: bool = True, node_type: str = "postgresql", **settings: Any) -> dict[str, str]:
    """Findings of the write step: code → pointer within its settings."""
    known = catalogue()
    known = {key: msgspec.structs.replace(info, can_write=can_write) for key, info in known.items()}
    nodes = {NODE: NodeInfo(NODE, node_type, can_write)}
    checked = check(
        load(write_flow(**settings)),
        registry(),
        known,
        all_rights(known),
        nodes=nodes,
        upto=upto,  # type: ignore[arg-type]
    )
    return {f.code: f.pointer.partition("/settings")[2] for f in checked.findings if f.step == "w"}


def test_a_database_changes_rows_by_key() -> None:
    assert found(dataset="remote", mode="upsert", key=["station"]) == {"plan.upserts": ""}


def test_files_are_not_changed_by_key() -> None:
    said = found(dataset="air", mode="upsert", key=["station"])
    assert said["write.mode"] == "/mode"
    assert found(node=NODE, node_type="files", path=["a"], mode="upsert", key=["station"], create=True)["write.mode"]


def test_a_key_is_needed_and_must_be_there() -> None:
    assert found(dataset="remote", mode="upsert")["write.no_key"] == "/key"
    assert found(dataset="remote", mode="upsert", key=["nothing"])["column.unknown"] == "/key/0"
    assert found(dataset="remote", mode="upsert", key=["station", "station"])["write.key_twice"] == "/key"


def test_a_new_table_needs_the_right_to_write_on_its_node() -> None:
    new = {"node": NODE, "path": ["made"], "create": True}
    assert "write.no_right" not in found(**new)
    assert found(can_write=False, **new)["write.no_right"] == "/node"
    assert found(**{**new, "node": "33A017/DB00000009-Z"})["node.unknown"] == "/node"


def test_the_plan_carries_the_key() -> None:
    known = {key: msgspec.structs.replace(info, can_write=True) for key, info in catalogue().items()}
    document = load(write_flow(dataset="remote", mode="upsert", key=["station"]))
    (stage,) = make_plan(document, registry(), known, all_rights(known)).stages
    assert (stage.sink.mode, stage.sink.key, stage.sink.dataset) == ("upsert", ("station",), REMOTE)
    assert AIR in known
