"""What only a real Spark shows: it fails where the engine fails. Left out without one, since Java may be missing."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

from node_catalog.sdk.ports import Schema, to_arrow
from runtime.engine.cancel import Cancel
from runtime.engine.errors import ValueFailedError
from runtime.engine.remote import open_cluster
from runtime.engine.work import ClusterSpec
from tests.spark_server import spark_url

pytestmark = pytest.mark.skipif(
    not os.environ.get("SPARK_TEST_URL"), reason="NOT TESTED on a real Apache Spark, only on Sail: run `make spark`"
)
BIG = 2**63 - 1


@pytest.mark.parametrize(
    "text",
    [
        "SELECT `n` + 1 AS `n` FROM `x`",
        "SELECT SUM(`n`) AS `n` FROM `x`",
        "SELECT `n` * 2 AS `n` FROM `x`",
        "SELECT CAST(`n` AS DECIMAL(5, 0)) AS `n` FROM `x`",
    ],
)
def test_what_overflows_fails_in_words(text: str) -> None:
    schema = Schema.of([("n", "integer")])
    rows = pa.RecordBatch.from_arrays([pa.array([BIG, BIG])], schema=to_arrow(schema))
    with open_cluster(ClusterSpec(url=spark_url()), Cancel()) as session:
        session.give("x", [rows], schema)
        with pytest.raises(ValueFailedError), session.run(text) as found:
            list(found)
