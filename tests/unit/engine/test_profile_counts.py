"""Inner counts are right or unknown, on real profiles of the engine."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Probe
from node_catalog.sdk.access import Attach
from node_catalog.sdk.ports import Schema
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_main
from runtime.engine.profile_counts import inner_counts, scanned_rows
from runtime.engine.scans import Scan
from runtime.engine.streams import reader_of
from runtime.engine.work import Limits
from tests.unit.engine.support import NUMBERS, numbers

GROUP = Probe("sum", ("HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "UNGROUPED_AGGREGATE"))
JOIN = Probe("join", ("HASH_JOIN",))
GROUPED = "select b, count(*) as n, sum(a) as t from s group by b"
JOINED = "select s.a, s.b, r.b as other from s join r on s.a = r.a"


def counts(sql: str, *probes: Probe, known: dict[str, int] | None = None) -> dict[str, int]:
    """Run over s (a = 0 … 9,999, b = a mod 7 as text) and r (a = 0 … 99)."""
    with open_main(Limits(memory_mb=128, threads=2), Cancel()) as connection:
        connection.register("s", reader_of(numbers(10_000), NUMBERS))
        connection.register("r", reader_of(numbers(100), NUMBERS))
        with connection.run(sql, ("s", "r"), 1024) as rows:
            rows.read_all()
        profile = connection.operators()
        return inner_counts(profile, connection.check(sql, ("s", "r")), probes, known or {})


@pytest.mark.parametrize(
    "sql, probes, found",
    [
        (GROUPED, (GROUP,), {"sum": 7}),
        (f"select * from ({GROUPED}) order by n", (GROUP,), {"sum": 7}),
        (f"select * from ({GROUPED}) order by n limit 3", (GROUP,), {"sum": 7}),
        (f"select n + 1 as m from ({GROUPED})", (GROUP, Probe("next", same_as="sum")), {"sum": 7, "next": 7}),
        ("select b, count(*) as n from (select * from s where a > 9000) group by b", (GROUP,), {"sum": 7}),
        ("select count(*) as n from s", (GROUP,), {"sum": 1}),
        (JOINED, (JOIN,), {"join": 100}),
        ("select a from s union all select a from r", (Probe("both", ("UNION",)),), {"both": 10_100}),
        ("select * from s where a % 2 = 0 and a > 5", (Probe("even", ("FILTER",)),), {"even": 4997}),
        ("select * from s order by a limit 10 offset 5", (Probe("ten", ("LIMIT", "TOP_N")),), {"ten": 10}),
        (f"select other, count(*) as n from ({JOINED}) group by other", (JOIN, GROUP), {"join": 100, "sum": 7}),
    ],
)
def test_what_is_certain_is_counted(sql: str, probes: tuple[Probe, ...], found: dict[str, int]) -> None:
    assert counts(sql, *probes) == found


@pytest.mark.parametrize(
    "sql, probes",
    [
        # The condition on the key moves below the grouping: one group is left there, the step has seven.
        (f"select * from ({GROUPED}) where b = '3'", (GROUP,)),
        ("select b, count(*) as n from s group by b having b = '3'", (GROUP,)),
        (f"with g as ({GROUPED}) select * from g where b = '3'", (GROUP,)),
        # The condition moves below the join.
        (f"select * from ({JOINED}) where a < 5", (JOIN,)),
        # The join above narrows the grouping by its keys; an empty side ends it before it has begun.
        (f"select * from ({GROUPED}) g join r on g.b = r.b", (GROUP,)),
        (f"select * from ({GROUPED}) g join (select * from r where a < 0) e on g.b = e.b", (GROUP,)),
        # A limit stops the join early.
        (f"select * from ({JOINED}) limit 5", (JOIN,)),
        ("select * from (select distinct b, a from s) cross join (select * from r where a < 0)", (GROUP,)),
        # The best rows so far are sent down to the scan as a filter.
        ("select * from (select a, count(*) as n from s group by a) order by a limit 3", (GROUP,)),
        # The filter ran inside the scan; what is left is none of its operators.
        ("select * from s where a > 9000", (Probe("high", ("FILTER",)),)),
        # Two operators or two steps of a kind cannot be told apart.
        (f"select t, count(*) as n from ({GROUPED}) group by t", (GROUP,)),
        (f"select t, count(*) as n from ({GROUPED}) group by t", (GROUP, Probe("again", ("HASH_GROUP_BY",)))),
        # Sorting needs no operator of this kind at all.
        ("select * from s order by a", (GROUP,)),
    ],
)
def test_what_is_not_certain_stays_unknown(sql: str, probes: tuple[Probe, ...]) -> None:
    assert counts(sql, *probes) == {}


def test_a_live_count_wins_and_spreads() -> None:
    probes = (GROUP, Probe("derived", same_as="read"), Probe("again", same_as="derived"))
    assert counts(GROUPED, *probes, known={"sum": 99, "read": 5}) == {"derived": 5, "again": 5}


@pytest.mark.parametrize(
    "sql, rows",
    [
        ("select a + 1 as c from t", 4999),
        ("select b, count(*) as n from t group by b", 4999),
        ("select * from t where a > 6000", None),
        ("select b, count(*) as n from t group by b having b = '3'", None),
        ("select * from t limit 5", None),
        ("select * from t order by a limit 5", None),
        ("select x.a from t x join t y on x.a = y.a", None),
    ],
)
def test_what_a_single_scan_gives(tmp_path: Path, sql: str, rows: int | None) -> None:
    pq.write_table(pa.table({"a": range(10_000), "b": [str(n % 7) for n in range(10_000)]}), tmp_path / "t.parquet")
    attach = Attach((f"create view src as from read_parquet('{tmp_path}/t.parquet')",), folders=(str(tmp_path),))
    scan = Scan("t", attach, "select a, b from src where a > 5000", Schema.of([("a", "integer"), ("b", "text")]))
    with open_main(Limits(memory_mb=128, threads=2), Cancel(), scans=(scan,)) as connection:
        with connection.run(sql, ("t",), 1024) as found:
            found.read_all()
        assert scanned_rows(connection.operators(), connection.check(sql, ("t",))) == rows
