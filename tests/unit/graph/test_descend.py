"""Conditions that are tested where rows are read although they stand further down: which pass, and which must not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flows.graph.plan import Binding, Plan
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.plan_support import FAR, OUT, READ, TABLES
from tests.unit.graph.support import (
    REMOTE,
    STATION_COLUMNS,
    STATIONS,
    Json,
    Runner,
    all_rights,
    arrow,
    catalogue,
    flow,
    planned,
    rows_of,
    step,
)

PLACES = arrow(STATION_COLUMNS, [{"id": key, "district": f"d{key}", "people": 3} for key in ("a", "b", None)])
SELECT = step("select", columns=[{"column": "pm25", "as": "p"}, {"column": "station"}, {"column": "day", "as": "d"}])
NAMED = step("select", columns=[{"column": "id", "as": "station"}, {"column": "people"}])


def read(plan: Plan, which: str = "air") -> Binding:
    return next(binding for stage in plan.stages for binding in stage.bindings if binding.step == which)


def chain(*steps: Json, source: Json = FAR) -> Json:
    names = ["air", *(f"s{number}" for number in range(len(steps))), "out"]
    wires = [f"{a} > {b}" for a, b in pairwise(names)]
    return flow(dict(zip(names, [source, *steps, OUT])), *wires)


def joined(how: str, where: str, source: Json = FAR) -> Json:
    steps = {
        "air": source,
        "places": step("read", dataset="stations"),
        "named": NAMED,
        "both": step("join", how=how, on=[{"left": "station", "right": "station"}]),
        "f": step("filter", where=where),
        "out": OUT,
    }
    return flow(steps, "air > both.left", "places > named", "named > both.right", "both > f", "f > out")


PASSING = [
    (SELECT, "p > 3", '"pm25" > '),
    (step("derive", columns=[{"name": "z", "expression": "pm10 + 1"}]), "pm25 > 3", '"pm25" > '),
    (step("derive", columns=[{"name": "z", "expression": "pm25"}]), "z > 3", '"pm25" > '),
    (step("derive", columns=[{"name": "z", "expression": "pm25 > 3"}]), "z", '"pm25" > '),
    (step("cast", columns=[{"column": "code", "type": "integer", "on_error": "null"}]), "pm25 > 3", '"pm25" > '),
    (step("distinct"), "pm25 > 3", '"pm25" > '),
    (step("sort", by=[{"column": "day"}]), "pm25 > 3", '"pm25" > '),
    (step("filter", where="upper(station) = 'A'"), "pm25 > 3", '"pm25" > '),
    (step("aggregate", by=["day"], measures=[]), "day > date '2024-01-05'", '"day" > '),
    (
        step("aggregate", by=["day"], measures=[{"name": "n", "function": "count"}]),
        "day > date '2024-01-05' and n > 1",
        '"day" > ',
    ),
]
STAYING = [
    (step("derive", columns=[{"name": "z", "expression": "pm10 + 1"}]), "z > 3", "a sum may be too large"),
    (step("derive", columns=[{"name": "pm25", "expression": "pm25 + 1"}]), "pm25 > 3", "replaced"),
    (step("limit", rows=5), "pm25 > 3", "other rows would be the first"),
    (step("distinct", on=["day"], order_by=[{"column": "ts"}]), "pm25 > 3", "another row would be the first"),
    (
        step("window", partition_by=["day"], columns=[{"name": "n", "function": "count"}]),
        "pm25 > 3",
        "fewer rows would be counted",
    ),
    (step("cast", columns=[{"column": "code", "type": "integer", "on_error": "null"}]), "code > 3", "may fail"),
    (SELECT, "upper(station) = 'A'", "other systems make other capitals"),
]


@pytest.mark.parametrize(("between", "where", "found"), PASSING)
@pytest.mark.parametrize("source", [FAR, READ])
def test_a_condition_passes_steps_that_make_rows_one_by_one(
    between: Json, where: str, found: str, source: Json
) -> None:
    plan = planned(chain(between, step("filter", where=where), source=source))
    assert found in read(plan).text.partition("WHERE")[2]
    _same_rows(chain(between, step("filter", where=where), source=source))


def _same_rows(document: Json) -> None:
    """The rows are those that come when every step has an output of its own, so that nothing is tested early."""
    runner = Runner({**TABLES, STATIONS: PLACES})
    kept = [name for name in document["steps"] if name != "out"]
    taps = {f"tap_{name}": step("output", name=f"tap_{name}") for name in kept}
    wires = [*document["wires"], *({"from": f"{name}.out", "to": f"tap_{name}.in"} for name in kept)]
    late = runner.run(planned({**document, "steps": {**document["steps"], **taps}, "wires": wires}))["out"]
    assert rows_of(runner.run(planned(document))["out"]) == rows_of(late)


@pytest.mark.parametrize(("between", "where", "reason"), STAYING)
def test_a_condition_stays_where_it_could_change_an_answer(between: Json, where: str, reason: str) -> None:
    plan = planned(chain(between, step("filter", where=where)))
    assert "WHERE" not in read(plan).text, reason
    assert read(plan).counts_step and not read(plan).thinned


@pytest.mark.parametrize(
    ("how", "where", "left", "right"),
    [
        ("inner", "pm25 > 3 and people > 2", '"pm25" >', '"people" >'),
        ("left", "pm25 > 3 and people > 2", '"pm25" >', ""),
        ("right", "pm25 > 3 and people > 2", "", '"people" >'),
        ("full", "pm25 > 3 and people > 2", "", ""),
        ("semi", "pm25 > 3", '"pm25" >', ""),
        ("anti", "pm25 > 3", '"pm25" >', ""),
        ("inner", "station = 'a'", '"station"', '"id"'),
        ("left", "station = 'a'", '"station"', '"id"'),
        ("anti", "station = 'a'", '"station"', '"id"'),
        ("full", "station = 'a'", "", ""),
    ],
)
def test_a_condition_goes_to_the_sides_of_a_join_that_allow_it(how: str, where: str, left: str, right: str) -> None:
    document = joined(how, where)
    plan = planned(document)
    for which, wanted in (("air", left), ("places", right)):
        before, _, after = read(plan, which).text.partition("WHERE")
        assert before and (wanted in after if wanted else not after), read(plan, which).text
    _same_rows(document)


def test_both_sides_of_a_union_are_asked() -> None:
    document = flow(
        {
            "air": FAR,
            "more": READ,
            "all": step("union", distinct=True),
            "f": step("filter", where="pm10 > 30"),
            "out": OUT,
        },
        "air > all",
        "more > all",
        "all > f",
        "f > out",
    )
    plan = planned(document)
    assert all('"pm10" >' in read(plan, which).text for which in ("air", "more"))
    _same_rows(document)


def test_rows_that_two_steps_need_are_read_whole() -> None:
    document = flow(
        {
            "air": FAR,
            "n": step("aggregate", by=["station"], measures=[{"name": "n", "function": "count"}]),
            "both": step("join", how="inner", on=[{"left": "station", "right": "station"}]),
            "f": step("filter", where="pm25 > 3"),
            "out": OUT,
        },
        "air > n",
        "air > both.left",
        "n > both.right",
        "both > f",
        "f > out",
    )
    assert "WHERE" not in read(planned(document)).text


def test_rows_are_counted_for_the_step_whose_they_are() -> None:
    plan = planned(chain(SELECT, step("filter", where="p > 3"), step("filter", where="p < 30"), step("distinct")))
    assert read(plan).counts_step == "s2"
    assert set(read(plan).thinned) == {"air", "s0", "s1"}
    assert not {probe.step for probe in plan.stages[0].probes} & {"air", "s0", "s1"}
    plan = planned(chain(step("distinct"), step("filter", where="pm25 > 3")))
    assert read(plan).counts_step == ""
    assert set(read(plan).thinned) == {"air", "s0"}
    plan = planned(chain(SELECT, step("filter", where="p > 3 and upper(station) = 'A'")))
    assert read(plan).counts_step == "" and "s1" not in read(plan).thinned


def test_masked_values_are_tested_as_they_are_shown() -> None:
    rights = all_rights(catalogue())
    rights[REMOTE] = GrantSpec(REMOTE, ("pm25", "code"), masks={"code": "constant"})
    select = step("select", columns=[{"column": "code", "as": "c"}, {"column": "pm25"}])
    plan = planned(chain(select, step("filter", where="c = '***' and pm25 > 3")), rights)
    after = read(plan).text.split("WHERE")[1]
    assert '"pm25"' in after and '"src"' not in after.split("pm25")[1]
    assert "code" not in read(plan).columns
