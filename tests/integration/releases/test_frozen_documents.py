"""Documents of every past release still open, check, plan and run, with the rows they gave then.

``tests/fixtures/releases/<version>/``: ``*.json`` documents, ``catalogue.json`` with the tables they read, and
``expected.json`` with the rows of their outputs. A release's folder is never changed afterwards.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.graph.load import read_document
from flows.graph.plan import Binding, Stage
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo
from node_catalog.palette import registry
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from runtime.engine.cancel import Cancel
from runtime.engine.plain import listed
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, SinkSpec, SourceSpec, StageWork, outlet_path

RELEASES = Path(__file__).resolve().parents[2] / "fixtures" / "releases"
SQLITE_TYPES = {"integer": "INTEGER", "number": "REAL", "text": "TEXT", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}
ALL = sorted(path for path in RELEASES.glob("*/*.json") if path.stem not in {"catalogue", "expected"})


def load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_opens(path: Path) -> None:
    loaded = read_document(load(path)["document"], registry())
    assert loaded.document is not None
    assert [f for f in loaded.findings if f.severity == "error"] == []
    unknown = {step.type for step in loaded.document.steps.values()} - set(registry().transforms)
    assert not unknown, f"step types that have gone: {unknown}"


@pytest.mark.parametrize("release", sorted(RELEASES.iterdir()), ids=lambda path: path.name)
def test_it_runs_as_it_did(release: Path, tmp_path: Path) -> None:
    expected = load(release / "expected.json")
    assert expected, "a release without expected rows proves nothing"
    for name, outputs in expected.items():
        found = run(load(release / f"{name}.json")["document"], load(release / "catalogue.json"), tmp_path / name)
        assert found == outputs


def run(raw: dict[str, Any], catalogue: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Sorted rows of every output, computed stage by stage through the real planner, connector and engine."""
    folder.mkdir()
    loaded = read_document(raw, registry())
    assert loaded.document is not None
    infos = {number: info(number, entry) for number, entry in catalogue["datasets"].items()}
    fill(folder / "city.sqlite", catalogue)
    grants = {number: GrantSpec(number, one.schema.names) for number, one in infos.items()}
    plan = make_plan(loaded.document, registry(), infos, grants, parameters={})
    found = {}
    for stage in plan.stages:
        path = folder / f"{stage.key}.parquet"
        run_stage(work(stage, infos, folder, path), lambda report: None, registry=registry(), cancel=Cancel())
        if stage.sink.kind == "result":
            table = pq.read_table(path)
            columns = [listed(column) for column in table.columns]
            rows = [list(row) for row in zip(*columns, strict=True)]
            found[stage.sink.name] = {"columns": table.column_names, "rows": sorted(rows, key=str)}
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


def work(stage: Stage, infos: dict[str, DatasetInfo], folder: Path, path: Path) -> StageWork:
    sources = tuple(
        SourceSpec(
            alias=binding.alias,
            kind=binding.kind,
            connector="sqlite" if binding.kind == "dataset" else "",
            settings={"path": str(folder / "city.sqlite")} if binding.kind == "dataset" else {},
            path=infos[binding.dataset].path if binding.kind == "dataset" else (),
            schema=infos[binding.dataset].schema if binding.kind == "dataset" else Schema(),
            exchange_path=exchange(folder, binding) if binding.kind == "exchange" else "",
        )
        for binding in stage.bindings
    )
    limits = Limits(memory_mb=256, temp_folder=str(folder), file_roots=(str(folder),))
    return StageWork(stage=stage, sources=sources, sink=SinkSpec(kind=stage.sink.kind, path=str(path)), limits=limits)


def exchange(folder: Path, binding: Binding) -> str:
    path = str(folder / f"{binding.stage}.parquet")
    return outlet_path(path, binding.port) if binding.port else path


def info(number: str, entry: dict[str, Any]) -> DatasetInfo:
    return DatasetInfo(
        number=number,
        node=number.rpartition(".")[0],
        node_type="sqlite",
        path=(entry["path"],),
        schema=Schema.of(entry["columns"].items()),
        rows=len(entry["rows"]),
    )


def fill(path: Path, catalogue: dict[str, Any]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for entry in catalogue["datasets"].values():
            columns = ", ".join(f'"{name}" {SQLITE_TYPES[kind]}' for name, kind in entry["columns"].items())
            connection.execute(f'create table "{entry["path"]}" ({columns})')
            marks = ", ".join("?" * len(entry["columns"]))
            connection.executemany(f'insert into "{entry["path"]}" values ({marks})', entry["rows"])
        connection.commit()
