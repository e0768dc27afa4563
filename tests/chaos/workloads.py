"""What the chaos runs do: every kind of target in every mode, results, a for-each, and the catalogue's own tasks.

Each writing workload is one flow that copies the readings with the number of the run beside each row. So whatever was
lost, doubled or half-written can be told from the target alone.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from flows.models import Flow, Version
from flows.versions import save_version
from node_catalog.models import Dataset, Node
from node_catalog.palette import registry
from node_catalog.sdk.access import DatasetRef
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from runtime import places, requests, states
from runtime.models import Pool, Result, Run, RunRule, Task
from runtime.scanning import request_scan
from runtime.scheduler import start_run
from security.models import User
from security.outgoing import OutgoingGuard
from tests.contract.environments import LOOPBACK, read_all
from tests.integration.runtime import city

ROWS = 2_000
TAG = {"type": "object", "properties": {"tag": {"type": "integer"}}, "required": ["tag"]}
PLAIN = Schema.of([("id", "integer"), ("station", "text"), ("pm25", "number")])
COPIED = Schema.of([*((field.name, field.type) for field in PLAIN.fields), ("tag", "integer")])
WHOLE = (ROWS, ROWS, ROWS * (ROWS - 1) // 2)
"""Rows, different ids and the sum of the ids that one run leaves."""

Found = dict[int, tuple[int, int, int]]
"""Number of a run → its rows, different ids and sum of ids in a target."""


@dataclass
class Workload:
    """Something that can be started again and again. ``alone``: one at a time, since it replaces what is there.
    ``together``: so many at once, of which a worker may make one lot.
    """

    name: str
    start: Callable[[int], Run | Task]
    check: Callable[[list[Run | Task]], None]
    alone: bool = False
    together: int = 1
    flow: tuple[Flow, Version] | None = None
    begun: list[Run | Task] = field(default_factory=list)
    failed: list[Run | Task] = field(default_factory=list)
    """Those that were allowed to fail, and must have left nothing."""

    def begin(self) -> Run | Task:
        """One more."""
        one = self.start(len(self.begun) + len(self.failed))
        # It may be struck more often than would be bearable.
        Task.objects.filter(**{"run" if isinstance(one, Run) else "pk": one.pk}).update(max_attempts=100)
        self.begun.append(one)
        return one

    def verify(self) -> None:
        """Everything that was begun has ended well, and each row is there once."""
        ended = [type(one).objects.get(pk=one.pk) for one in self.begun]
        for one in ended:
            assert one.state == states.DONE, (self.name, one.state, one.error)
        if ended:
            self.check(ended)


def number_of(one: Run | Task) -> int:
    return int(one.parameters["tag"])  # type: ignore[union-attr]


@dataclass
class Copies:
    """Makes the workloads that copy the readings to a node."""

    staff: User
    readings: Dataset

    def plain(self, name: str, node: Node, table: str, look: Callable[[str], Found]) -> Workload:
        """Replaces ``table`` by the readings as they are: read in spans, none of which is read twice, or filled by the
        server that has them.
        """
        put = {"node": node.number, "path": [table], "mode": "replace", "create": True}
        steps = {"read": city.read_step(self.readings), "end": {"type": "write", "settings": put}}
        flow = city.make_flow(self.staff, steps, [("read.out", "end.in")])
        version = save_version(flow.app, self.staff)

        def check(ended: list[Run | Task]) -> None:
            assert look(table) == {0: WHOLE}

        return Workload(name, lambda number: start_run(flow, version, self.staff), check, alone=True)

    def summed(self, small: Dataset, node: Node, table: str, look: Callable[[str], Found]) -> Workload:
        """Sends another node's rows to the server of the readings, which joins them and stores one row of sums."""
        measures = [
            {"name": "rows", "function": "count"},
            {"name": "ids", "function": "count_distinct", "column": "id"},
            {"name": "total", "function": "sum", "column": "id"},
        ]
        steps = {
            "read": city.read_step(self.readings),
            "small": city.read_step(small),
            "both": {"type": "join", "settings": {"how": "inner", "on": [{"left": "id", "right": "id"}]}},
            "sums": {"type": "aggregate", "settings": {"measures": measures}},
            "end": {
                "type": "write",
                "settings": {"node": node.number, "path": [table], "mode": "replace", "create": True},
            },
        }
        wires = [
            ("read.out", "both.left"), ("small.out", "both.right"), ("both.out", "sums.in"), ("sums.out", "end.in"),
        ]  # fmt: skip
        flow = city.make_flow(self.staff, steps, wires)
        version = save_version(flow.app, self.staff)

        def check(ended: list[Run | Task]) -> None:
            assert look(table) == {0: WHOLE}

        return Workload("sent along", lambda number: start_run(flow, version, self.staff), check, alone=True)

    def flow(self, end: dict[str, Any], between: Sequence[dict[str, Any]] = ()) -> tuple[Flow, Version]:
        """Readings → number of the run → (each of ``between`` →) ``end``, frozen."""
        columns = [{"column": name} for name in ("id", "station", "pm25")]
        steps = {
            "read": city.read_step(self.readings),
            "some": {"type": "select", "settings": {"columns": columns}},
            "tag": {"type": "derive", "settings": {"columns": [{"name": "tag", "expression": ":tag"}]}},
            **{f"between{number}": step for number, step in enumerate(between)},
            "end": end,
        }
        wires = [(f"{one}.out", f"{other}.in") for one, other in itertools.pairwise(steps)]
        flow = city.make_flow(self.staff, steps, wires)
        flow.draft.document |= {"inputs": TAG}
        flow.draft.save()
        return flow, save_version(flow.app, self.staff)

    def workload(
        self,
        name: str,
        check: Callable[[list[Run | Task]], None],
        end: dict[str, Any],
        between: Sequence[dict[str, Any]] = (),
        alone: bool = False,
    ) -> Workload:
        """A workload of one such flow."""
        flow, version = self.flow(end, between)
        start = lambda number: start_run(flow, version, self.staff, {"tag": number})  # noqa: E731
        return Workload(name, start, check, alone, flow=(flow, version))

    def writing(self, node: Node, table: str, mode: str, look: Callable[[str], Found]) -> Workload:
        """Copies into ``table``; ``look`` counts what is there."""
        put = {"node": node.number, "path": [table], "mode": mode, "create": mode != "upsert"}
        if mode == "upsert":
            put["key"] = ["id"]

        def check(ended: list[Run | Task]) -> None:
            found, numbers = look(table), {number_of(one) for one in ended}
            if mode == "append":
                assert found == dict.fromkeys(numbers, WHOLE), (node.type, table, found)
            else:
                assert list(found.values()) == [WHOLE] and set(found) <= numbers, (node.type, table, found)

        return self.workload(
            f"{node.type} {mode} {table}", check, {"type": "write", "settings": put}, alone=mode != "append"
        )

    def result(self, name: str, *between: dict[str, Any]) -> Workload:
        """Keeps the rows as a result."""

        def check(ended: list[Run | Task]) -> None:
            for one in ended:
                result = Result.objects.get(run=one)
                assert result.rows == ROWS
                assert counted([pq.read_table(places.absolute(result.reference))]) == {number_of(one): WHOLE}

        return self.workload(name, check, {"type": "output", "settings": {"name": "all"}}, between)

    def each(self) -> Workload:
        """Batch by batch through a sub-flow, then kept as a result."""
        version = city.make_sub_flow(self.staff, self.readings, "id >= 0")
        settings = {"flow": city.flow_setting(version), "batch": "data", "batch_rows": ROWS // 4, "concurrency": 2}
        return self.result("for each", {"type": "for_each", "settings": settings})

    def lot(self) -> Workload:
        """Light runs that workers claim and write down together."""
        workload = self.result("in a lot")
        workload.together = 5
        return workload

    def stretch(self) -> Workload:
        """Checks that only report: light stages, done one right behind the other."""
        rule = {"name": "known", "expression": "id is not null"}
        check = {"type": "check", "settings": {"on_fail": "report", "rules": [rule]}}
        return self.result("in a stretch", *[check] * 4)

    def on_spark(self) -> Workload:
        """Worked out by Spark, then kept as a result."""
        workload = self.result("spark", {"type": "filter", "settings": {"where": "id >= 0"}})
        assert workload.flow is not None
        flow = workload.flow[0]
        flow.compute = Flow.Compute.CLUSTER
        flow.save()
        return workload

    def queued(self) -> Workload:
        """Keeps the rows as a result, one run after the other, with a place of a pool."""
        workload = self.result("one at a time")
        assert workload.flow is not None
        pool, _ = Pool.objects.get_or_create(name="one", places=1)
        RunRule.objects.create(flow=workload.flow[0], most=1, pool=pool)
        return workload


def tasks(staff: User, node: Node, readings: Dataset) -> list[Workload]:
    """The catalogue's own work."""

    def check_all(ended: list[Run | Task]) -> None:
        assert Dataset.objects.filter(node=node, state="published").exclude(profiled_at=None).count() == TABLES

    def scan(number: int) -> Task:
        asked = request_scan(node, staff, again=True)
        assert asked is not None
        return asked

    return [
        Workload("discover", lambda number: requests.request_discovery(node, staff), lambda ended: None, alone=True),
        Workload("scan", scan, check_all, alone=True),
        Workload("profile", lambda number: requests.request_profile(readings, staff), lambda ended: None, alone=True),
        Workload("preview", lambda number: requests.request_sample(readings, staff), lambda ended: None),
    ]


TABLES = 12


def make_wide(staff: User) -> Node:
    """A node of some small tables."""
    path = city.home("wide.sqlite3")
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for number in range(TABLES):
            connection.execute(f"create table t{number:03d} (id integer primary key, word text)")
            connection.execute(f"insert into t{number:03d} values (1, 'a'), (2, 'b')")
        connection.commit()
    return city.add_node(staff, "sqlite", "Wide", {"path": str(path)})


COUNT = "select tag, count(*), count(distinct id), sum(id) from {} group by tag"
KEPT = "create table kept (id {} primary key, station {}, pm25 {}, tag {})"


def sqlite_copies(copies: Copies) -> list[Workload]:
    path = city.home("target.sqlite3")
    city.make_target(path)

    def ask(statement: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement).fetchall()

    ask(KEPT.format("integer", "text", "real", "integer"))
    node = city.add_node(copies.staff, "sqlite", "Target", {"path": str(path)})
    return _in_sql(copies, node, ask)


def postgresql_copies(copies: Copies, far: Copies, server: Any) -> list[Workload]:
    url = server.create_database("chaos_target")

    def ask(statement: str) -> list[Any]:
        with psycopg.connect(url) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    ask(KEPT.format("bigint", "text", "double precision", "bigint"))
    node = city.add_node(copies.staff, "postgresql", "Target", server.settings("chaos_target"))

    def look(table: str) -> Found:
        found = ask(f"select 0, count(*), count(distinct id), sum(id) from {table}")
        return {int(tag): (int(rows), int(ids), int(total)) for tag, rows, ids, total in found}

    return [*_in_sql(copies, node, ask), far.plain("in spans to a server", node, "long", look)]


def mariadb_copies(copies: Copies, server: Any) -> list[Workload]:
    database = server.create_database("chaos_target")

    def ask(statement: str) -> list[Any]:
        with server.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    ask(KEPT.format("bigint", "varchar(200)", "double", "bigint"))
    node = city.add_node(copies.staff, "mysql", "Target", server.settings("chaos_target"))
    return _in_sql(copies, node, ask)


def _in_sql(copies: Copies, node: Node, ask: Callable[[str], list[Any]]) -> list[Workload]:
    def look(table: str) -> Found:
        return {int(tag): (int(rows), int(ids), int(total)) for tag, rows, ids, total in ask(COUNT.format(table))}

    tables = {"append": "added", "replace": "replaced", "upsert": "kept"}
    return [copies.writing(node, table, mode, look) for mode, table in tables.items()]


def make_far(staff: User, server: Any) -> Node:
    """The readings in a PostgreSQL table with a key, from which a long copy is read in spans."""
    with psycopg.connect(server.create_database("chaos_source")) as connection:
        connection.execute("create table readings (id bigint primary key, station text, pm25 double precision)")
        rows = f"select n, 's' || mod(n, 7), n / 10.0 from generate_series(0, {ROWS - 1}) n"
        connection.execute(f"insert into readings {rows}".encode())
        connection.execute("analyze readings")
    return city.add_node(staff, "postgresql", "Far", server.settings("chaos_source"))


def inside_copies(far: Copies, copies: Copies, node: Node, server: Any) -> list[Workload]:
    """Rows that never leave their server."""
    url = server.url("chaos_source")

    def look(table: str) -> Found:
        with psycopg.connect(url) as connection:
            found = connection.execute(f"select 0, count(*), count(distinct id), sum(id) from {table}".encode())
            return {int(tag): (int(rows), int(ids), int(total)) for tag, rows, ids, total in found.fetchall()}

    def sums(table: str) -> Found:
        with psycopg.connect(url) as connection:
            found = connection.execute(f"select 0, rows, ids, total from {table}".encode())
            return {int(tag): (int(rows), int(ids), int(total)) for tag, rows, ids, total in found.fetchall()}

    return [far.plain("inside", node, "copied", look), far.summed(copies.readings, node, "summed", sums)]


def file_copies(copies: Copies, far: Copies) -> list[Workload]:
    folder = city.home("written")
    folder.mkdir(parents=True, exist_ok=True)
    values = {"folder": str(folder)}
    node = city.add_node(copies.staff, "files", "Target", values)
    look = _through(node, values, ConnectContext(file_roots=(str(folder),)))
    return [
        copies.writing(node, "added", "append", look),
        copies.writing(node, "replaced.csv", "replace", look),
        far.plain("in spans", node, "long", look),
    ]


def object_copies(copies: Copies, store: Any) -> list[Workload]:
    values = store.settings(store.bucket())
    node = city.add_node(copies.staff, "s3", "Target", values)
    look = _through(node, values, ConnectContext(guard=OutgoingGuard(LOOPBACK), connect_timeout=5))
    return [copies.writing(node, "added", "append", look), copies.writing(node, "replaced", "replace", look)]


def _through(node: Node, values: dict[str, Any], context: ConnectContext) -> Callable[[str], Found]:
    """Count through the connector, which is how every reader sees the files."""

    def look(table: str) -> Found:
        connector = registry().connectors[node.type]
        settings = parse(connector.Settings, values)
        ref = DatasetRef((table,), PLAIN if table == "long" else COPIED)
        return counted([read_all(connector, settings, ref, context)])

    return look


def counted(tables: Iterable[pa.Table]) -> Found:
    """The same counts as the SQL's."""
    whole = pa.concat_tables(tables)
    if "tag" not in whole.column_names:
        whole = whole.append_column("tag", pa.nulls(len(whole), pa.int64()).fill_null(0))
    groups = whole.group_by("tag").aggregate([("id", "count"), ("id", "count_distinct"), ("id", "sum")]).to_pylist()
    return {one["tag"]: (one["id_count"], one["id_count_distinct"], one["id_sum"]) for one in groups}
