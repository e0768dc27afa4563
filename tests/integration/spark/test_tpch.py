"""The 22 TPC-H flows on Spark give the published answers.

SPARK_TEST_URL=sc://host:port asks a real Spark that sees this machine's files.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.graph.engines import Cluster
from flows.graph.plan import SPARK
from runtime.engine.work import ClusterSpec, Limits
from tests.bench.tpch.data import NUMBERS, Tables, answers, different, file_tables, run_works, write_tables
from tests.spark_server import spark_url

SCALE = 0.01


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("tpch")
    write_tables(folder, SCALE)
    return file_tables(folder)


@pytest.mark.parametrize("number", NUMBERS)
def test_spark_gives_the_published_answer(tables: Tables, tmp_path: Path, number: int) -> None:
    limits = Limits(memory_mb=256, threads=2, temp_folder=str(tmp_path / "spill"), file_roots=tables.roots)
    cluster = ClusterSpec(url=spark_url(), root=str(tmp_path), root_there=str(tmp_path), folder="sent")
    plan = tables.plan(number, Cluster(least_rows=0, wish="cluster"))
    assert {stage.engine for stage in plan.stages} == {SPARK}, plan.notes
    works = tables.works(plan, tmp_path, limits, cluster)
    run_works(works)
    assert different(pq.read_table(works[-1].sink.path), answers(SCALE)[number]) == ""
    assert not (tmp_path / "sent").exists()
