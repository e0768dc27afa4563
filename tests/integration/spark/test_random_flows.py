"""Random flows give the same rows on Spark as in the engine, for the step types listed here.

SPARK_TEST_URL=sc://host:port asks a real Spark; FLOWS=1000 looks at so many flows, other ones each time.
Rows are compared as multisets, since no order was asked for.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from runtime.engine.cancel import Cancel
from runtime.engine.remote import open_cluster
from runtime.engine.work import ClusterSpec
from tests.integration.graph.random_flows import Drawn, flows, server_flows
from tests.integration.spark.runs import SparkEngine, plan_on_spark, stages_on_spark
from tests.spark_server import spark_url
from tests.unit.graph.support import load, rows_of

FLOWS = int(os.environ.get("FLOWS") or 110)
FIRST_SEED = random.randrange(2**30) if os.environ.get("FLOWS") else 4
LISTED = {
    "aggregate", "branch", "check", "derive", "distinct", "except", "filter", "intersect", "join", "limit", "output",
    "pivot", "read", "sort", "sql", "switch", "union",
}  # fmt: skip
"""Step types that were worked out on Spark in some flow, besides reading and handing on the rows."""


@pytest.fixture(scope="module")
def engine() -> Iterator[SparkEngine]:
    with open_cluster(ClusterSpec(url=spark_url()), Cancel()) as session:
        yield SparkEngine(session)


@pytest.mark.timeout(900)
def test_a_flow_gives_the_same_rows_on_spark(engine: SparkEngine) -> None:
    seen = Counter[str]()

    @seed(FIRST_SEED)
    @settings(
        max_examples=FLOWS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(made=st.one_of(flows(), flows(filtered=True), server_flows()))
    def same(made: Drawn) -> None:
        document = load(made.document())
        plan = plan_on_spark(document)
        there = stages_on_spark(plan)
        assume(there)
        try:
            wanted = engine.unfused(document, made.known)
        except duckdb.Error:
            assume(False)  # a value that overflows, say: there is no answer to compare
        engine.there = {stage.text for stage in there}
        for step, rows in engine.planned(plan, "files").items():
            assert rows_of(rows) == rows_of(wanted[step]), [stage.text for stage in there]
        seen["flow"] += 1
        seen.update({document.steps[step].type for stage in there for step in stage.steps})

    same()
    assert seen["flow"] >= FLOWS // 2
    assert len(LISTED) >= 15
    assert set(seen) >= LISTED or "FLOWS" in os.environ, LISTED - set(seen)
