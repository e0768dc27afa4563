"""Plans: nothing outside a grant leaves the source."""

from __future__ import annotations

import pytest
import sqlglot

from flows.graph.plan import Plan
from flows.graph.planner import dataset_plan, profile_binding
from node_catalog.sdk import grant as sdk_grant
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.plan_support import OUT, READ, TABLES, only_binding
from tests.unit.graph.support import AIR, REMOTE, Runner, catalogue, flow, planned, step

NARROW = {
    number: GrantSpec(
        number,
        ("station", "pm25", "code"),
        grant="g1",
        epoch=3,
        masks={"code": "keep_first:2"},
        row_filter={"op": "<", "column": "pm10", "value": 10},
    )
    for number in (AIR, REMOTE)
}


def everything_in(plan: Plan) -> str:
    tables = Runner(TABLES).run(plan)
    return str([table.to_pylist() for table in tables.values()])


def test_a_grant_is_inside_the_source_text() -> None:
    document = flow({"air": READ, "out": OUT}, "air > out")
    plan = planned(document, grants=NARROW)
    binding = only_binding(plan)
    assert binding.schema.names == ("station", "pm25", "code")
    assert binding.columns == ("station", "pm25", "pm10", "code")
    assert (binding.grant, binding.epoch, binding.grant_digest) == ("g1", 3, NARROW[AIR].digest)
    found = everything_in(plan)
    assert "CANARY" not in found
    assert "CA***" in found
    assert Runner(TABLES).run(plan)["out"].num_rows == 10


def test_the_canary_shows_when_the_guard_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_grant, "narrow", lambda relation, grant: relation)
    plan = planned(flow({"air": READ, "out": OUT}, "air > out"), NARROW)
    assert "CANARY" in everything_in(plan)


def test_an_expression_cannot_probe_what_is_hidden() -> None:
    document = flow(
        {"air": READ, "f": step("filter", where="cast(code as integer) > 1 and pm25 > 1"), "out": OUT},
        "air > f",
        "f > out",
    )
    plan = planned(document, grants=NARROW)
    binding = only_binding(plan)
    assert "CAST(" not in binding.text.split("WHERE")[-1].replace("CAST('1.0' AS DOUBLE)", "").replace("CAST(1 AS", "")
    assert binding.pushed == ("air",)


@pytest.mark.parametrize("number", [AIR, REMOTE])
def test_samples_and_profiles_pass_the_same_guard(number: str) -> None:
    plan = dataset_plan(catalogue()[number], NARROW[number], limit=3)
    (stage,) = plan.stages
    assert "LIMIT 3" in stage.bindings[0].text
    assert stage.schema.names == ("station", "pm25", "code")
    binding = profile_binding(catalogue()[number], NARROW[number])
    assert binding.schema.names == ("station", "pm25", "code")
    assert binding.dialect == ("postgres" if number == REMOTE else "duckdb")
    sqlglot.parse_one(binding.text, dialect=binding.dialect)
