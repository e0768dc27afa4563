"""Rows that a server makes of its own tables and stores itself: none leaves it, each is there once, in every mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from flows.graph.plan import Plan
from flows.graph.planner import make_plan
from flows.graph.sources import NodeInfo
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, SinkSpec, StageOutcome, StageWork
from tests.integration.engine.support import quiet
from tests.integration.graph.test_parts_on_servers import Node, mariadb, postgres, two_nodes, work_of
from tests.unit.graph.support import REMOTE, Json, all_rights, load, registry, step
from tests.unit.graph.test_parts import apart, catalogue, grouped, joined

pytestmark = pytest.mark.services
__all__ = ["mariadb", "postgres", "two_nodes"]
NODE = REMOTE.partition(".")[0]
LAST = {"name": "last", "function": "max", "column": "day"}


def planned(document: Json, mode: str, known: Any = None, key: tuple[str, ...] = ()) -> Plan:
    settings = {"node": NODE, "path": ["made"], "mode": mode, "create": True, "key": list(key)}
    document["steps"]["out"] = {"type": "write", "version": 1, "settings": settings}
    known = known or catalogue()
    nodes = {NODE: NodeInfo(NODE, "postgresql", True)}
    return make_plan(load(document), registry(), known, all_rights(known), nodes)


def run(plan: Plan, nodes: dict[str, Node], folder: Path, task: str, attempt: int = 1, **target: Any) -> StageOutcome:
    work, sink = work_of(plan, nodes, folder), plan.stages[0].sink
    connector, settings = nodes[REMOTE]
    spec = SinkSpec(
        kind="write",
        connector=connector,
        settings={**settings, **target},
        target_path=sink.path,
        mode=sink.mode,  # type: ignore[arg-type]
        create=True,
        key=sink.key,
        delivery=DeliverySpec(sink="made", run="r", task=task, attempt=attempt),
    )
    return run_stage(replaced(work, spec), quiet, registry())


def replaced(work: StageWork, sink: SinkSpec) -> StageWork:
    instead = replaced(work.instead, sink) if work.instead is not None else None
    return msgspec.structs.replace(work, sink=sink, instead=instead)


def stored(settings: dict[str, Any], query: str = "select * from made") -> list[tuple[Any, ...]]:
    url = "postgresql://{user}@{host}:{port}/{database}?password={password}".format(**settings)
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return sorted(cursor.fetchall() if cursor.description else [], key=repr)


@pytest.fixture
def empty(postgres: dict[str, Any]) -> dict[str, Any]:
    stored(postgres, "drop table if exists made")
    return postgres


def test_groups_are_stored_where_they_are_made(two_nodes: dict[str, Node], empty: Any, tmp_path: Path) -> None:
    """Infinite days are empty for every reader, so they are stored as such; texts have the table's own collation."""
    plan = planned(grouped(["station"], LAST), "append")
    assert [note["code"] for note in plan.notes] == ["plan.inside"]
    done = run(plan, two_nodes, tmp_path, "1")
    assert (done.rows, done.bytes_read, done.counts["g"], done.counts["out"]) == (5, 0, 5, 5)
    found = [(row[0], row[1], str(row[2])) for row in stored(empty)]
    assert ("b", 1, "None") in found and ("a", 1, "2024-01-01") in found and len(found) == 5
    assert stored(
        empty, "select distinct collation_name from information_schema.columns where table_name = 'made'"
    ) == [(None,)]
    assert run(plan, two_nodes, tmp_path, "1", attempt=2).adopted and len(stored(empty)) == 5
    run(plan, two_nodes, tmp_path, "2")
    assert len(stored(empty)) == 10
    assert stored(empty, "select relname from pg_class where relname like 'citygo_stage%'") == []


@pytest.mark.parametrize("rule", ["unique", "references other (day)"])
def test_all_rows_are_replaced(two_nodes: dict[str, Node], empty: Any, tmp_path: Path, rule: str) -> None:
    """By a table that takes the place of the old one; and where a rule hangs on that, inside it."""
    stored(empty, "create table if not exists other (day date unique)")
    stored(empty, "insert into other values ('2024-01-01'), ('2024-01-02'), ('1999-01-01') on conflict do nothing")
    stored(empty, f"create table made (day date {rule}, n bigint)")
    stored(empty, "insert into made values ('2024-01-01', 99), ('1999-01-01', 7)")
    done = run(planned(grouped(["day"]), "replace"), two_nodes, tmp_path, rule)
    found = dict(stored(empty))
    assert done.bytes_read == 0 and not {99, 7} & {*found.values()} and sum(found.values()) == 5


def test_rows_with_the_same_key_are_changed(two_nodes: dict[str, Node], empty: Any, tmp_path: Path) -> None:
    stored(empty, "create table made (valid boolean unique, n bigint)")
    stored(empty, "insert into made values (true, 99), (false, 7)")
    document = grouped(["valid"], before=step("filter", where="pm10 > 3 and valid is not null"))
    done = run(planned(document, "upsert", key=("valid",)), two_nodes, tmp_path, "u")
    assert done.bytes_read == 0 and stored(empty) == [(False, 7), (True, 4)]


def test_rows_that_are_sent_along_are_stored_there_too(two_nodes: dict[str, Node], empty: Any, tmp_path: Path) -> None:
    done = run(planned(joined(), "append", apart(node_type="mysql")), two_nodes, tmp_path, "s")
    assert [(str(day), count) for day, count in stored(empty)] == [("None", 1), ("2024-01-01", 1)]
    assert done.counts["places"] == 2 and done.bytes_read < 200, "only the small table has come"


def test_another_login_is_another_node(two_nodes: dict[str, Node], empty: Any, tmp_path: Path) -> None:
    """What the target's user may read nobody has checked: the rows come and go through the engine."""
    done = run(planned(grouped(["station"], LAST), "append"), two_nodes, tmp_path, "o", sslmode="prefer")
    assert done.bytes_read > 0 and len(stored(empty)) == 5
