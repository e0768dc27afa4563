"""The 22 TPC-H queries drawn as flows (no `sql` step) give the published answers, through the real engine."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runtime.engine.work import Limits
from tests.bench.tpch.data import NUMBERS, Tables, answers, different, document, file_tables, run_works, write_tables

SCALE = float(os.environ.get("TPCH_SCALE", "0.01"))
"""0.01 in the suite; the answers of 0.1 and 1 are published, too."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = Path(os.environ.get("TPCH_FOLDER", "") or tmp_path_factory.mktemp("tpch"))
    write_tables(folder, SCALE)
    return file_tables(folder)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_flow_gives_the_published_answer(tables: Tables, tmp_path: Path, number: int) -> None:
    memory = 256 if SCALE < 1 else 2048
    limits = Limits(memory_mb=memory, threads=2, temp_folder=str(tmp_path / "spill"), file_roots=tables.roots)
    works = tables.works(tables.plan(number), tmp_path, limits)
    run_works(works)
    assert different(pq.read_table(works[-1].sink.path), answers(SCALE)[number]) == ""


def test_the_flows_use_steps_alone() -> None:
    for number in NUMBERS:
        steps = document(number).steps.values()
        assert all(step.type != "sql" for step in steps)
        assert all(step.settings.get("columns") for step in steps if step.type == "read")
