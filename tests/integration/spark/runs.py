"""Random flows with the stages that Spark may do given to a Spark Connect server, the others to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from flows.graph.document import Document
from flows.graph.engines import Cluster
from flows.graph.plan import SPARK, Plan, Stage
from flows.graph.planner import make_plan
from node_catalog.sdk.ports import Schema, to_arrow, type_of_field
from runtime.engine.remote import ClusterSession
from runtime.engine.streams import cast
from tests.integration.graph.random_runs import DATASETS, RIGHTS, Engine
from tests.unit.graph.support import registry


def plan_on_spark(document: Document) -> Plan:
    """The plan with every stage on Spark that may go there."""
    return make_plan(document, registry(), DATASETS["files"], RIGHTS, cluster=Cluster(least_rows=0, wish="cluster"))


def stages_on_spark(plan: Plan) -> list[Stage]:
    return [stage for stage in plan.stages if stage.engine == SPARK]


class SparkEngine(Engine):
    """Asks the session for the texts in ``there``, and the engine for all others."""

    def __init__(self, session: ClusterSession) -> None:
        super().__init__()
        self.session = session
        self.there: set[str] = set()

    def ask(self, text: str, schema: Schema, given: Mapping[str, Any]) -> pa.Table:
        """The rows of a text over ``given`` relations; they have the promised schema."""
        if text not in self.there:
            return super().ask(text, schema, given)
        for name, rows in given.items():
            columns = Schema.of((field.name, type_of_field(field)) for field in rows.schema)
            self.session.give(
                name, iter(rows) if isinstance(rows, pa.RecordBatchReader) else rows.to_batches(), columns
            )
        with self.session.run(text) as found:
            return pa.Table.from_batches(list(cast(found, schema)), to_arrow(schema))
