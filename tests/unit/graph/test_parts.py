"""Parts of a flow that one server does as one query: exactly which, and why not the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flows.graph.plan import Plan
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.plan_support import OUT, ROWS
from tests.unit.graph.support import (
    AIR_COLUMNS,
    REMOTE,
    STATION_COLUMNS,
    Json,
    Runner,
    all_rights,
    arrow,
    flow,
    info,
    load,
    nodes,
    registry,
    rows_of,
    step,
)

PLACES = "33A017/DB00000002-B.0002"
COUNTS = {"station": 7.0, "day": 28.0, "pm10": 40.0, "code": 1e7, "valid": 2.0}
PEOPLE = [{"id": key, "district": f"d{key}", "people": number} for number, key in enumerate(("a", "b", None))]
TABLES = {REMOTE: arrow(AIR_COLUMNS, ROWS), PLACES: arrow(STATION_COLUMNS, PEOPLE)}
READ = step("read", dataset="remote")
COUNT: Json = {"name": "n", "function": "count"}


def catalogue(node_type: str = "postgresql", **more: Any) -> dict[str, DatasetInfo]:
    air = info(REMOTE, AIR_COLUMNS, node_type=node_type, rows=10_000_000, distinct=COUNTS)
    places = info(
        PLACES, STATION_COLUMNS, node_type=node_type, rows=7, distinct={"id": 7.0, "people": 7.0}, keys=("people",)
    )
    return {REMOTE: msgspec.structs.replace(air, **more), PLACES: places}


def planned(document: Json, known: Any = None, rights: Any = None, **more: Any) -> Plan:
    known = known or catalogue()
    return make_plan(load(document), registry(), known, rights or all_rights(known), nodes(), **more)


def grouped(by: list[Any], *measures: Json, before: Json | None = None) -> Json:
    steps = {"air": READ, "f": before or step("filter", where="pm10 > 3"), "g": step("aggregate", by=by), "out": OUT}
    steps["g"]["settings"]["measures"] = [COUNT, *measures]
    return flow(steps, "air > f", "f > g", "g > out")


def joined(how: str = "inner", on: tuple[str, str] = ("station", "id")) -> Json:
    steps = {
        "air": READ,
        "places": step("read", dataset="places"),
        "both": step("join", how=how, on=[{"left": on[0], "right": on[1]}]),
        "g": step("aggregate", by=["day"], measures=[COUNT]),
        "out": OUT,
    }
    made = flow(steps, "air > both.left", "places > both.right", "both > g", "g > out")
    return {**made, "datasets": {**made["datasets"], "places": PLACES}}


def why(plan: Plan) -> str:
    assert all(note["message"]["zh-CN"] for note in plan.notes)
    return " ".join(note["message"]["en"] for note in plan.notes)


def test_groups_are_made_in_the_server_when_they_are_few() -> None:
    plan = planned(grouped(["station"], {"name": "total", "function": "sum", "column": "pm10"}))
    (binding,) = plan.stages[0].bindings
    assert binding.text == (
        'SELECT "t1"."station", COUNT(*) AS "n", CAST(CAST(SUM("t1"."pm10") AS DECIMAL(38, 0)) AS BIGINT) AS "total" '
        'FROM (SELECT * FROM "src" AS "t0" WHERE "t0"."pm10" > 3) AS "t1" GROUP BY 1'
    )
    assert binding.pushed == ("air", "f", "g") and binding.counts_step == "g"
    (read,) = binding.sources
    assert (read.dataset, read.columns, read.compared) == (REMOTE, ("station", "pm10"), ("pm10", "station"))
    assert not plan.notes
    wanted: dict[Any, list[int]] = {}
    for row in ROWS:
        if row["pm10"] > 3:
            wanted.setdefault(row["station"], []).append(row["pm10"])
    found = rows_of(Runner(TABLES).run(plan)["out"])
    assert found == sorted(((key, len(one), sum(one)) for key, one in wanted.items()), key=repr)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (grouped(["code"]), "groups are not far fewer than"),
        (grouped(["pm25"]), "floating-point numbers are told apart"),
        (grouped(["cost"]), "not known how many"),
        (grouped(["station"], {"name": "m", "function": "mean", "column": "cost"}), "worked out differently"),
        (grouped(["station"], {"name": "m", "function": "median", "column": "pm10"}), "worked out differently"),
        (grouped(["station"], {"name": "m", "function": "count", "where": "valid"}), "condition of its own"),
        (grouped([{"name": "d", "expression": "year(day)"}]), "groups by something that is worked out"),
        (grouped(["station"], before=step("filter", where="upper(code) = 'X'")), "end differently in other systems"),
        (grouped(["station"], before=step("derive", columns=[{"name": "z", "expression": "pm10 + 1"}])), "arithmetic"),
        (grouped(["day"], before=step("select", columns=[{"column": "day"}, {"column": "code", "as": "列" * 30}])), ""),
        (joined("full"), "this kind of join"),
        (joined(on=("pm25", "people")), "two types"),
    ],
)
def test_what_a_server_may_do_otherwise_stays_in_the_engine_with_the_reason(document: Json, reason: str) -> None:
    plan = planned(document)
    assert not any(binding.sources for stage in plan.stages for binding in stage.bindings)
    assert (reason or "cannot be said there") in why(plan)


def test_hours_and_means_are_made_there() -> None:
    mean = {"name": "mean", "function": "mean", "column": "pm25"}
    document = grouped([{"name": "hour", "expression": "date_trunc('hour', ts)"}], mean)
    assert "not known how many" in why(planned(document))
    plan = planned(document, catalogue(seconds={"ts": 40 * 3600.0}))
    (binding,) = plan.stages[0].bindings
    assert """SELECT DATE_TRUNC('HOUR', "t1"."ts") AS "hour", COUNT(*) AS "n", (""" in binding.text
    assert """(CAST(SUM("t1"."pm25") AS DOUBLE PRECISION) / COUNT("t1"."pm25")) AS "mean" """ in binding.text
    assert binding.sources[0].compared == ("pm25", "ts")
    wanted = [(row["ts"], 1, row["pm25"]) for row in ROWS if row["pm10"] > 3]
    assert rows_of(Runner(TABLES).run(plan)["out"]) == sorted(wanted, key=repr)
    assert "groups are not far fewer" in why(planned(document, catalogue(seconds={"ts": 1e10})))
    assert "last digits" in why(planned(grouped(["day"], mean), catalogue("mysql")))


def test_tables_of_one_server_are_joined_there() -> None:
    plan = planned(joined())
    (binding,) = plan.stages[0].bindings
    assert [(read.name, read.step, read.dataset) for read in binding.sources] == [
        ("src", "air", REMOTE),
        ("src_2", "places", PLACES),
    ]
    assert binding.pushed == ("air", "places", "both", "g")
    assert plan.datasets == (REMOTE, PLACES) and set(plan.grants) == {REMOTE, PLACES}
    assert '"t4"."station" COLLATE "C" = "t5"."id"' in binding.text
    assert binding.sources[0].compared == ("day", "station")
    rows = rows_of(Runner(TABLES).run(plan)["out"])
    assert sum(count for _, count in rows) == sum(row["station"] in ("a", "b") for row in ROWS)


def test_a_join_without_fewer_rows_is_not_made_there() -> None:
    document = joined()
    steps = {key: value for key, value in document["steps"].items() if key != "g"}
    wires = [wire for wire in document["wires"] if "g." not in wire["from"] + wire["to"]]
    plan = planned({**document, "steps": steps, "wires": [*wires, {"from": "both.out", "to": "out.in"}]})
    assert not any(binding.sources for binding in plan.stages[0].bindings)


def test_a_query_over_two_tables_keeps_its_answer_wherever_it_runs() -> None:
    query = "select a.day, count(*) as n from in1 a join in2 b on a.station = b.id where a.pm10 > 3 group by 1"
    steps = {
        "air": READ,
        "places": step("read", dataset="places"),
        "q": step("sql", inputs=["in1", "in2"], query=query),
        "out": OUT,
    }
    made = flow(steps, "air > q.in1", "places > q.in2", "q > out")
    plan = planned({**made, "datasets": {**made["datasets"], "places": PLACES}})
    rows = rows_of(Runner(TABLES).run(plan)["out"])
    assert sum(row[1] for row in rows) == sum(row["station"] in ("a", "b") and row["pm10"] > 3 for row in ROWS)


def apart(large: Json | None = None, **small: Any) -> dict[str, DatasetInfo]:
    """The two tables on two nodes, of one department unless said otherwise."""
    known = catalogue(**{"owner": "one", **(large or {})})
    more = {"node": "33A017/DB00000003-C", "node_type": "files", "owner": "one", **small}
    known[PLACES] = msgspec.structs.replace(known[PLACES], **more)
    return known


def test_a_small_table_is_sent_to_the_server_of_the_large_one() -> None:
    plan = planned(joined(), apart())
    (stage,) = plan.stages
    (binding,) = stage.bindings
    large, small = binding.sources
    assert (large.name, large.dataset, large.shipped) == ("src", REMOTE, None)
    assert (small.name, small.dataset, small.columns) == ("src_2", PLACES, ("id",))
    assert small.shipped is not None and small.shipped.schema.names == ("id", "district", "people")
    assert small.shipped.binding.text == 'SELECT "t0"."id" FROM "src" AS "t0"'
    assert stage.level == 3 and set(plan.datasets) == {REMOTE, PLACES}
    (note,) = plan.notes
    assert note["code"] == "plan.shipped" and "(id; at most about 7)" in note["message"]["en"]
    assert stage.instead is not None and stage.instead.level == 1 and len(stage.instead.bindings) == 2
    assert rows_of(Runner(TABLES).stage(stage.instead)) == rows_of(Runner(TABLES).run(planned(joined()))["out"])


def test_what_is_sent_is_what_the_reader_may_see() -> None:
    known = apart()
    rights = all_rights(known)
    hidden = {"op": "=", "column": "people", "value": 1}
    rights[PLACES] = GrantSpec(PLACES, ("id", "district"), row_filter=hidden, masks={"id": "keep_last:1"})
    (binding,) = planned(joined(), known, rights).stages[0].bindings
    shipped = binding.sources[1].shipped
    assert shipped is not None and shipped.binding.grant_digest == rights[PLACES].digest
    assert """'***'""" in shipped.binding.text and '"people" = 1' in shipped.binding.text
    assert binding.sources[1].columns == ("id", "people") and shipped.binding.schema.names == ("id",)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (apart({"takes_rows": "never"}), "takes no rows of others"),
        (apart(owner="two"), "another department"),
        (apart({"takes_rows": "open"}, owner="two"), "another department"),
        (apart(rows=9_000_000), "too large to be sent"),
        (apart(rows=None), "not known how many rows would be sent"),
        (apart({"node_type": "mysql"}, node_type="postgresql"), ""),
        (apart({"node_type": "files"}, node_type="postgresql"), ""),
    ],
    ids=["never", "another department", "not open to all", "large", "unknown", "into MySQL", "into files"],
)
def test_tables_of_two_nodes_otherwise_meet_in_the_engine_with_the_reason(known: Any, reason: str) -> None:
    plan = planned(joined(), known)
    assert len(plan.stages[0].bindings) == 2 and plan.stages[0].instead is None
    assert reason in why(plan)


def test_rows_that_are_open_to_everybody_may_be_sent_where_they_are_welcome() -> None:
    known = apart({"takes_rows": "open"}, owner="two")
    rights = all_rights(known)
    rights[PLACES] = msgspec.structs.replace(rights[PLACES], source="unconditional")
    assert planned(joined(), known, rights).stages[0].instead is not None


def test_mysql_joins_by_its_keys_only_and_compares_no_texts() -> None:
    known = catalogue("mysql")
    assert "tells texts apart" in why(planned(joined(), known))
    (binding,) = planned(joined(on=("pm10", "people")), known).stages[0].bindings
    assert binding.dialect == "mysql" and len(binding.sources) == 2 and "`src_2`" in binding.text
    known[PLACES] = msgspec.structs.replace(known[PLACES], keys=())
    assert "primary or unique key" in why(planned(joined(on=("pm10", "people")), known))
    total = {"name": "m", "function": "sum", "column": "pm10"}
    assert "clips a sum" in why(planned(grouped(["day"], total), catalogue("mysql")))


def test_rights_stand_inside_of_what_a_server_is_asked() -> None:
    hidden = {"op": "=", "column": "code", "value": "CANARY1"}
    rights = all_rights(catalogue())
    rights[REMOTE] = GrantSpec(REMOTE, ("station", "day", "pm10"), row_filter=hidden, masks={"station": "keep_last:1"})
    (binding,) = (
        planned(grouped([], {"name": "m", "function": "max", "column": "day"}), rights=rights).stages[0].bindings
    )
    assert binding.text.endswith(
        """WHERE ("t0"."code" = 'CANARY1' AND "t0"."code" COLLATE "C" = 'CANARY1') AND "t0"."pm10" > 3) AS "t1\""""
    )
    assert binding.sources[0].columns == ("pm10", "day", "code")
    # a profile counts rows that are hidden from the reader, so it is not asked
    assert "not known how many" in why(planned(grouped(["day"]), rights=rights))


def test_a_preview_takes_its_samples_before_anything_is_grouped() -> None:
    plan = planned(grouped(["station"]), until="g", sample_rows=10)
    (binding,) = plan.stages[0].bindings
    assert not binding.sources and "LIMIT 10" in binding.text


def test_rows_that_two_steps_need_are_not_grouped_away() -> None:
    document = grouped(["station"])
    document["steps"]["all"] = step("output", name="all")
    document["wires"].append({"from": "f.out", "to": "all.in"})
    assert not any(binding.sources for stage in planned(document).stages for binding in stage.bindings)


def test_a_plan_is_made_anew_when_a_table_has_grown_by_an_order_of_magnitude() -> None:
    digests = {rows: planned(grouped(["station"]), catalogue(rows=rows)).digest for rows in (100, 999, 1000)}
    assert digests[100] == digests[999] != digests[1000]
