"""The rows behind a cell against an independent trace: take one source row away and see whether the cell changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.graph.cell_rows import cell_rows_plan, conditions_as_json
from flows.graph.lineage import step_relations
from flows.graph.planner import make_plan
from flows.graph.provenance import SourceRows, trace_row
from flows.graph.validate import check
from tests.unit.graph.support import AIR, STATIONS, Runner, all_rights, arrow, catalogue, flow, load, registry, step
from tests.unit.graph.test_lineage import COLUMNS, FLOWS, ROWS, Json

FLOW = flow(
    {
        "air": step("read", dataset="air"),
        "bad": step("filter", where="pm10 > 50"),
        "st": step("read", dataset="stations"),
        "j": step("join", how="inner", on=[{"left": "station", "right": "id"}]),
        "d": step("derive", columns=[{"name": "month", "expression": "date_trunc('month', ts)"}]),
        "sum": step(
            "aggregate",
            by=["district", "month"],
            measures=[
                {"name": "total", "function": "sum", "expression": "pm10 * people"},
                {"name": "sure", "function": "sum", "column": "pm10", "where": "valid"},
            ],
        ),
        "big": step("filter", where="total > 0"),
        "out": step("output", name="x"),
    },
    "air > bad", "bad > j.left", "st > j.right", "j > d", "d > sum", "sum > big", "big > out",
)  # fmt: skip


GROUPS = {"filter and aggregate": ["station"], "values become columns": ["station"], "share of the whole": ["code"]}
"""What says which row of an answer is meant when its figures change."""


class Bench:
    """A flow, its rows, and one row of its answer."""

    def __init__(self, plain: Json) -> None:
        self.document, self.datasets = load(plain), catalogue()
        self.grants = all_rights(self.datasets)
        self.plan = make_plan(self.document, registry(), self.datasets, self.grants)
        self.checked = check(self.document, registry(), self.datasets, self.grants)
        self.rows = {number: [dict(row, code=f"{row['code']}{i}") if "code" in row else dict(row)
                              for i, row in enumerate(rows)] for number, rows in ROWS.items()}  # fmt: skip

    def run(self, rows: dict[str, list[Json]] | None = None, plan: Any = None) -> list[Json]:
        plan = plan or self.plan
        tables = {number: arrow(COLUMNS[number], some) for number, some in (rows or self.rows).items()}
        found = Runner(tables).run(plan)
        return list((found["out" if "out" in found else list(found)[-1]]).to_pylist())

    def trace(self, row: Json, column: str) -> dict[str, SourceRows]:
        relations = step_relations(self.document, registry(), self.datasets, self.grants, self.checked.schemas)
        return {one.step: one for one in trace_row(relations, "out.in", row, column)}

    def shown(self, rows: SourceRows) -> list[Json]:
        plan = cell_rows_plan(
            self.document, registry(), self.datasets, self.grants, self.checked.schemas, rows, limit=1000
        )
        assert len(plan.stages) == 1
        return self.run(plan=plan)

    def really(self, number: str, key: list[str], row: Json, column: str) -> list[Json]:
        """The rows of a source without any one of which the cell is another."""
        found = []
        for index, one in enumerate(self.rows[number]):
            rows = self.rows[number][:index] + self.rows[number][index + 1 :]
            after = [r for r in self.run({**self.rows, number: rows}) if all(r[k] == row[k] for k in key)]
            if not after or after[0][column] != row[column]:
                found.append(one)
        return found


def codes(rows: list[Json], column: str = "code") -> list[Any]:
    return sorted(row[column] for row in rows)


@pytest.mark.parametrize("column", ["total", "sure"])
def test_the_rows_shown_are_exactly_those_that_matter(column: str) -> None:
    bench = Bench(FLOW)
    row = max(bench.run(), key=lambda one: one["sure"] or 0)
    traced = bench.trace(row, column)
    for step_id, number, name in (("air", AIR, "code"), ("st", STATIONS, "id")):
        assert traced[step_id].is_exact
        shown = bench.shown(traced[step_id])
        really = bench.really(number, ["district", "month"], row, column)
        assert really
        if number == AIR:
            assert codes(shown, name) == codes(really, name)
        else:
            assert {one[name] for one in really} <= {one[name] for one in shown}
            assert all(one["district"] == row["district"] for one in shown)


def test_conditions_read_like_sentences() -> None:
    bench = Bench(FLOW)
    row = {"district": "E", "month": dt.datetime.fromisoformat("2026-01-01"), "total": 1, "sure": 1}
    traced = bench.trace(row, "total")
    (demand,) = traced["st"].demands
    assert {"text": "district = 'E'"} in conditions_as_json(demand)
    (demand,) = traced["air"].demands
    conditions = conditions_as_json(demand)
    assert {"text": "pm10 > 50"} in conditions
    (within,) = [one for one in conditions if "within" in one]
    assert within == {
        "text": "station", "within": {"step": "st", "column": "id", "conditions": ["district = 'E'"]},
    }  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_no_row_that_matters_is_left_out(name: str) -> None:
    bench = Bench(FLOWS[name])
    bench.rows = ROWS
    answer = bench.run()
    column = list(answer[0])[-1]
    row = next(one for one in answer if one[column] is not None)
    key = GROUPS.get(name) or [one for one in row if one != column]
    traced = bench.trace(row, column)
    for rows in traced.values():
        if "code" not in dict(COLUMNS[rows.dataset]) or len(traced) > 1 or not key:
            bench.shown(rows)
            continue
        shown = {tuple(one.items()) for one in bench.shown(rows)}
        names = [field.name for field in bench.checked.schemas[f"{rows.step}.out"].fields]
        really = bench.really(rows.dataset, key, row, column)
        if not rows.is_none:
            assert {tuple((name, one[name]) for name in names) for one in really} <= shown


def test_what_cannot_be_traced_is_said() -> None:
    bench = Bench(FLOWS["the first in an order"])
    row = bench.run()[0]
    (rows,) = bench.trace(row, "pm10").values()
    assert [reason.code for reason in rows.demands[0].reasons] == ["limit"]
    bench = Bench(FLOWS["running figures"])
    row = next(one for one in bench.run() if one["before"] is not None)
    (rows,) = bench.trace(row, "before").values()
    assert "window" in [reason.code for reason in rows.demands[0].reasons]
    assert len(bench.shown(rows)) > 1
