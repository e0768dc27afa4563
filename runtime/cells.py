"""Where the number in a cell of a result comes from, and the rows behind it, under the asker's rights of today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.tracing import Traced, explain_cell, open_flow, rows_plan
from node_catalog.sdk.text import text
from runtime.engine.errors import PageError
from runtime.engine.plain import rows_of
from runtime.engine.results import read_page_table
from runtime.errors import ResultGoneError, RunError
from runtime.models import Result, Task
from runtime.requests import request_rows
from runtime.results import open_result
from security.access import Principal

MOST_ROWS = 100


@dataclass(frozen=True)
class Cell:
    """One cell of a result: the row counts from 0 in the order that is on screen (``sort``: column or -column)."""

    result: Result
    row: dict[str, Any]
    shown: dict[str, Any]
    """The row as JSON for the screen."""
    column: str
    traced: Traced

    @property
    def port(self) -> str:
        return f"{self.result.step}.in"


def open_cell(principal: Principal, result_id: Any, row: int, column: str, sort: str = "") -> Cell:
    """The cell with its row's values. Raises what ``open_result`` raises, and RunError for a cell that is not there."""
    result, file = open_result(principal, result_id)
    order = [(sort.removeprefix("-"), sort.startswith("-"))] if sort else []
    try:
        table, _ = read_page_table(file, None, row, 1, order)
    except PageError as error:
        kind = ResultGoneError if error.code == "result.gone" else RunError
        raise kind(error.code, error.message, "/sort" if order else "") from error
    if table.num_rows != 1 or column not in table.column_names:
        raise RunError("cell.unknown", text("The result has no such cell.", "结果中没有这个单元格。"), "/column")
    run = result.run
    traced = open_flow(run.version, run.flow.key, principal.user, run.parameters)
    shown = dict(zip(table.column_names, rows_of(table)[0], strict=True))
    return Cell(result, table.to_pylist()[0], shown, column, traced)


def cell_as_json(cell: Cell) -> dict[str, Any]:
    """The value, the run and version that made it, the steps on the way, and each source with its right and rows."""
    run = cell.result.run
    return {
        "value": cell.shown[cell.column],
        "row": cell.shown,
        "result": {"id": str(cell.result.pk), "name": cell.result.name, "step": cell.result.step},
        "run": {
            "id": str(run.pk),
            "number": run.number,
            "finished_at": run.finished_at,
            "started_by": {"name": run.started_by.name} if run.started_by else None,
            "parameters": run.parameters,
        },
        "version": {"id": str(run.version_id), "number": run.version.number, "digest": run.version.digest},
        "flow": {"id": str(run.flow_id), "title": run.flow.title},
        "app": {"id": str(run.app_id), "title": run.app.title},
        **explain_cell(cell.traced, cell.port, cell.row, cell.column),
    }


def request_cell_rows(cell: Cell, step: str, principal: Principal) -> Task:
    """At most 100 of the rows of one read step behind the cell, masked as the asker's grant says."""
    plan = rows_plan(cell.traced, cell.port, cell.row, cell.column, step, MOST_ROWS)
    return request_rows(plan, principal.user, {"result": str(cell.result.pk), "step": step})
