"""Lineage against an independent trace: change one source column, run again, and see which output columns change."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from flows.graph import influence
from flows.graph.lineage import Lineage, step_relations
from flows.graph.planner import make_plan
from flows.graph.validate import check
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.support import (
    AIR,
    AIR_COLUMNS,
    REMOTE,
    STATION_COLUMNS,
    STATIONS,
    Runner,
    all_rights,
    arrow,
    catalogue,
    flow,
    load,
    registry,
    rows_of,
    step,
)

Json = dict[str, Any]
Source = tuple[str, str]
NAMES = ("a", "b", "c", "d")
START = dt.datetime.fromisoformat("2026-01-01")


def air_rows(seed: int, count: int = 40) -> list[Json]:
    dice = random.Random(seed)
    return [
        {
            "station": dice.choice([*NAMES, None]),
            "ts": START + dt.timedelta(hours=index * 60 + dice.randrange(3)),
            "pm25": dice.choice([None, *map(float, range(40, 140, 7))]),
            "pm10": dice.randrange(200),
            "cost": Decimal(dice.randrange(1000)) / 100,
            "day": (START + dt.timedelta(days=index % 5)).date(),
            "valid": dice.choice([True, False]),
            "code": dice.choice("xyz"),
        }
        for index in range(count)
    ]


STATION_ROWS = [{"id": name, "district": "EW"[index % 2], "people": 100 + index} for index, name in enumerate(NAMES)]
COLUMNS = {AIR: AIR_COLUMNS, REMOTE: AIR_COLUMNS, STATIONS: STATION_COLUMNS}
ROWS = {AIR: air_rows(1), REMOTE: air_rows(2), STATIONS: STATION_ROWS}

FLOWS: dict[str, Json] = {
    "filter and aggregate": flow(
        {
            "air": step("read", dataset="air"),
            "bad": step("filter", where="pm25 > 75"),
            "sum": step(
                "aggregate",
                by=["station"],
                measures=[
                    {"name": "n", "function": "count"},
                    {"name": "dust", "function": "sum", "column": "pm10"},
                    {"name": "sure", "function": "sum", "column": "cost", "where": "valid"},
                ],
            ),
            "out": step("output", name="x"),
        },
        "air > bad", "bad > sum", "sum > out",
    ),
    "join and groups": flow(
        {
            "air": step("read", dataset="air"),
            "st": step("read", dataset="stations"),
            "j": step("join", how="left", on=[{"left": "station", "right": "id"}]),
            "sum": step(
                "aggregate",
                by=["district", {"name": "month", "expression": "date_trunc('month', ts)"}],
                measures=[{"name": "load", "function": "sum", "expression": "pm10 * people"}],
            ),
            "out": step("output", name="x"),
        },
        "air > j.left", "st > j.right", "j > sum", "sum > out",
    ),
    "a query": flow(
        {
            "air": step("read", dataset="air"),
            "st": step("read", dataset="stations"),
            "q": step(
                "sql",
                inputs=["a", "s"],
                query="with big as (select * from s where people > 100) select district, a.pm10 * people as load, "
                "count(*) filter (where valid) over (partition by district) as sure from a join big on station = id",
            ),
            "out": step("output", name="x"),
        },
        "air > q.a", "st > q.s", "q > out",
    ),
    "derived condition": flow(
        {
            "air": step("read", dataset="air", columns=["station", "pm25", "pm10", "code"]),
            "d": step("derive", columns=[{"name": "ratio", "expression": "pm25 / pm10"}]),
            "f": step("filter", where="ratio > 0.5"),
            "s": step("select", columns=[{"column": "code", "as": "kind"}, {"column": "ratio"}]),
            "out": step("output", name="x"),
        },
        "air > d", "d > f", "f > s", "s > out",
    ),
    "the first in an order": flow(
        {
            "air": step("read", dataset="air"),
            "so": step("sort", by=[{"column": "day", "descending": True}, {"column": "ts"}]),
            "s": step("select", columns=[{"column": "pm10"}, {"column": "code"}]),
            "l": step("limit", rows=9),
            "out": step("output", name="x"),
        },
        "air > so", "so > s", "s > l", "l > out",
    ),
    "one row of each": flow(
        {
            "air": step("read", dataset="air", columns=["station", "ts", "pm10", "cost"]),
            "d": step("distinct", on=["station"], order_by=[{"column": "ts", "descending": True}]),
            "s": step("select", columns=[{"column": "station"}, {"column": "pm10"}]),
            "out": step("output", name="x"),
        },
        "air > d", "d > s", "s > out",
    ),
    "two sources above each other": flow(
        {
            "air": step("read", dataset="air", columns=["station", "pm10"]),
            "re": step("read", dataset="remote", columns=["station", "pm10", "valid"]),
            "f": step("filter", where="valid"),
            "s": step("select", columns=[{"column": "station"}, {"column": "pm10"}]),
            "u": step("union"),
            "out": step("output", name="x"),
        },
        "re > f", "f > s", "air > u.in", "s > u.in", "u > out",
    ),
    "running figures": flow(
        {
            "air": step("read", dataset="air", columns=["station", "ts", "pm10", "pm25", "code"]),
            "w": step(
                "window",
                partition_by=["station"],
                order_by=[{"column": "ts"}],
                columns=[
                    {"name": "before", "function": "lag", "column": "pm25"},
                    {
                        "name": "so_far",
                        "function": "sum",
                        "column": "pm10",
                        "frame": {"unit": "rows", "from": None, "to": 0},
                    },
                ],
            ),
            "s": step("select", columns=[{"column": "code"}, {"column": "before"}, {"column": "so_far"}]),
            "out": step("output", name="x"),
        },
        "air > w", "w > s", "s > out",
    ),
    "has a match, has none": flow(
        {
            "air": step("read", dataset="air"),
            "st": step("read", dataset="stations"),
            "east": step("filter", where="district = 'E'"),
            "j": step("join", how="semi", on=[{"left": "station", "right": "id"}]),
            "k": step("join", how="anti", on=[{"left": "station", "right": "id"}]),
            "s": step("select", columns=[{"column": "pm10"}]),
            "t": step("select", columns=[{"column": "cost"}]),
            "out": step("output", name="x"),
            "other": step("output", name="y"),
        },
        "st > east", "air > j.left", "east > j.right", "air > k.left", "east > k.right",
        "j > s", "s > out", "k > t", "t > other",
    ),
    "values become columns": flow(
        {
            "air": step("read", dataset="air", columns=["station", "code", "pm10"]),
            "p": step(
                "pivot",
                names="code",
                values="pm10",
                function="sum",
                into=[{"value": "x", "name": "x"}, {"value": "y", "name": "y"}],
            ),
            "s": step("select", columns=[{"column": "station"}, {"column": "x"}]),
            "out": step("output", name="x"),
        },
        "air > p", "p > s", "s > out",
    ),
    "share of the whole": flow(
        {
            "air": step("read", dataset="air"),
            "all": step("aggregate", by=[], measures=[{"name": "total", "function": "sum", "column": "pm10"}]),
            "each": step("aggregate", by=["code"], measures=[{"name": "part", "function": "sum", "column": "pm10"}]),
            "x": step("join", how="cross"),
            "d": step("derive", columns=[{"name": "share", "expression": "part / total"}]),
            "s": step("select", columns=[{"column": "code"}, {"column": "share"}]),
            "out": step("output", name="x"),
        },
        "air > all", "air > each", "each > x.left", "all > x.right", "x > d", "d > s", "s > out",
    ),
}  # fmt: skip


def run(plan: Any, rows: Mapping[str, list[Json]]) -> dict[tuple[str, str], list[Any]]:
    """Every output column as a bag of values."""
    tables = Runner({number: arrow(COLUMNS[number], some) for number, some in rows.items()}).run(plan)
    return {
        (sink, name): rows_of(table.select([name]))
        for sink, table in tables.items()
        for name in table.column_names
        if sink in {"out", "other"}
    }


def changed_rows(rows: list[Json], column: str, dice: random.Random) -> list[Json]:
    """The same rows with one column changed in a few of them, by values that occur or are near."""
    after = [dict(row) for row in rows]
    known = [row[column] for row in rows]
    for row in dice.sample(after, dice.choice((1, 3, len(after)))):
        value = dice.choice(known)
        if dice.random() < 0.3:
            value = None
        elif isinstance(value, dt.datetime):
            value += dt.timedelta(days=dice.randrange(-40, 40), minutes=dice.randrange(1, 59))
        elif isinstance(value, bool | str) or value is None:
            pass
        elif isinstance(value, int | float | Decimal):
            value += dice.randrange(1, 90)
        row[column] = value
    return after


def traced(document: Any, declared: dict[tuple[str, str], set[Source]]) -> dict[tuple[str, str], set[Source]]:
    """Which output columns really change with which source columns."""
    datasets = catalogue()
    plan = make_plan(document, registry(), datasets, all_rights(datasets))
    before = run(plan, ROWS)
    found: dict[tuple[str, str], set[Source]] = {cell: set() for cell in before}
    used = {document.dataset_number(s.settings["dataset"]) for s in document.steps.values() if s.type == "read"}
    for number in sorted(used):
        for column, _ in COLUMNS[number]:
            source = (number, column)
            expected = {cell for cell, sources in declared.items() if source in sources}
            dice = random.Random(f"{number}{column}")
            for trial in range(60):
                after = run(plan, {**ROWS, number: changed_rows(ROWS[number], column, dice)})
                for cell in before:
                    if after[cell] != before[cell]:
                        found[cell].add(source)
                seen = {cell for cell, sources in found.items() if source in sources}
                if trial >= 3 and seen >= expected:
                    break
    return found


def lineage_of(document: Any, grants: Mapping[str, GrantSpec] | None = None) -> Lineage:
    datasets = catalogue()
    rights = grants or all_rights(datasets)
    checked = check(document, registry(), datasets, rights)
    assert not [one for one in checked.findings if one.severity == "error"], checked.findings
    return Lineage(step_relations(document, registry(), datasets, rights, checked.schemas))


@pytest.mark.parametrize("name", FLOWS)
def test_lineage_equals_what_a_change_really_changes(name: str) -> None:
    document = load(FLOWS[name])
    lineage = lineage_of(document)
    declared = {
        (sink, column): {(number, origin) for _, number, origin in lineage.of(f"{sink}.in", column).sources}
        for sink in ("out", "other")
        for column in lineage.columns(f"{sink}.in")
    }
    assert declared
    assert traced(document, declared) == declared


def test_values_and_rows_are_told_apart_with_the_steps_on_the_way() -> None:
    lineage = lineage_of(load(FLOWS["join and groups"]))
    load_of = lineage.of("out.in", "load")
    assert load_of.computed_from == {("air", AIR, "pm10"), ("st", STATIONS, "people")}
    assert load_of.rows_from == {
        ("air", AIR, "station"), ("air", AIR, "ts"), ("st", STATIONS, "id"), ("st", STATIONS, "district"),
    }  # fmt: skip
    assert load_of.computing == ("sum",)
    assert load_of.choosing == ("j", "sum")
    assert lineage.of("out.in", "district").computing == ()


def test_a_row_filter_of_a_grant_and_its_columns_belong_to_the_lineage() -> None:
    rule = {"op": ">", "column": "people", "value": 101}
    rights = {**all_rights(catalogue()), STATIONS: GrantSpec(STATIONS, ("id", "district"), row_filter=rule)}
    document = load(flow({"st": step("read", dataset="stations"), "out": step("output", name="x")}, "st > out"))
    found = lineage_of(document, rights).of("out.in", "district")
    assert found.computed_from == {("st", STATIONS, "district")}
    assert found.rows_from == {("st", STATIONS, "people")}


def test_a_step_that_cannot_be_built_leaves_the_others_alone() -> None:
    document = load(
        flow(
            {
                "air": step("read", dataset="air"),
                "f": step("filter", where="nonsense >"),
                "out": step("output", name="x"),
            },
            "air > f",
            "f > out",
        )
    )
    datasets = catalogue()
    checked = check(document, registry(), datasets, all_rights(datasets))
    lineage = Lineage(step_relations(document, registry(), datasets, all_rights(datasets), checked.schemas))
    assert lineage.of("air.out", "pm25").computed_from == {("air", AIR, "pm25")}
    assert lineage.of("out.in", "pm25").sources == frozenset()


def test_a_relation_that_cannot_be_read_depends_on_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(relation: Any) -> None:
        raise KeyError("an operation that nobody has foreseen")

    monkeypatch.setattr(influence, "_influence_of", fail)
    document = load(flow({"st": step("read", dataset="stations"), "out": step("output", name="x")}, "st > out"))
    everything = {("st", STATIONS, name) for name, _ in STATION_COLUMNS}
    assert lineage_of(document).of("out.in", "district").sources == everything
