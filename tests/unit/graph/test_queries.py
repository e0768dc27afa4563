"""Queries of the SQL step: the rows that DuckDB gives for the text itself, the promised types, what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from flows.graph.errors import ExpressionError
from flows.graph.expressions.parameters import Parameter
from flows.graph.queries.query import compile_query
from flows.graph.render import render
from node_catalog.sdk.ports import Schema, from_ibis, to_arrow, to_ibis
from tests.unit.graph.plan_support import TABLES as PLANNED
from tests.unit.graph.support import Runner, checked, flow, planned, schema_of, step

COLUMNS = {
    "in1": [("station", "text"), ("pm25", "number"), ("n", "integer"), ("day", "date"), ("cost", "decimal(10,2)")],
    "in2": [("station", "text"), ("district", "text"), ("n", "integer")],
}
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "in1": [
        ("a", 1.5, 1, dt.date(2024, 1, 1), Decimal("2.50")),
        ("a", 3.0, 2, dt.date(2024, 1, 2), None),
        ("b", None, 3, None, Decimal("7")),
        (None, 8.0, 4, dt.date(2024, 1, 1), Decimal("1")),
    ],
    "in2": [("a", "X", 1), ("b", "Y", 1), ("c", "Y", 2), (None, "Z", 2)],
}
SCHEMAS = {name: Schema.of(columns) for name, columns in COLUMNS.items()}
ARROW = {
    name: pa.table([pa.array(values, kind.type) for values, kind in zip(zip(*ROWS[name]), to_arrow(schema))],
                   schema=to_arrow(schema))
    for name, schema in SCHEMAS.items()
}  # fmt: skip
TABLES = {name: ibis.table(to_ibis(schema), name=name) for name, schema in SCHEMAS.items()}

QUERIES = [
    "select * from in1",
    "from in1 select station, N",
    "select station, count(*), avg(pm25) m, sum(n) filter (where n > 1) s from in1 group by 1 having count(*) >= 1",
    "select station, pm25 from in1 order by pm25 desc nulls first, 1 limit 3 offset 1",
    "select t.station, u.district, t.n + u.n as k from in1 t join in2 as u on t.station = u.station where t.n > 1",
    "select a.n as x, b.n as y from in1 a left join in2 b on a.station = b.station and b.n < a.n",
    "select a.n as x, b.n as y from in1 a right join in2 b using (station)",
    "select station, district, in1.n from in1 full join in2 using (station)",
    "select * exclude (district) from in1 full outer join in2 using (station, n)",
    "select a.* from in1 a semi join in2 b on a.n = b.n",
    "select a.* from in1 a anti join in2 b using (n)",
    "select a.n, b.district from in1 a, in2 b where a.n = b.n",
    "select count(*) as c from in1 cross join in2",
    "select a.n, b.n as m, c.district from in1 a join in1 b on a.n = b.n join in2 c on c.n = b.n",
    """select station, n, row_number() over (partition by station order by n desc) r, sum(n) over (order by n) c
    from in1""",
    "select n, rank() over (order by station), percent_rank() over (order by n) p, ntile(2) over (order by n) from in1",
    """select n, lag(n, 1, 0) over (order by n) b, lead(cost) over (order by n) a, first_value(n) over (order by n)

    from in1""",
    "select n, avg(pm25) over (order by n rows between 1 preceding and 1 following) as near from in1",
    "select n, max(n) over () - n as below, count(*) filter (where n > 2) over (partition by day) k from in1",
    """select station, sum(n), sum(sum(n)) over () as total, rank() over (order by sum(n)) as r
    from in1 group by station""",
    "select station, n from in1 qualify row_number() over (partition by station order by n desc) = 1",
    "select station, n, sum(n) over (partition by station) as t from in1 qualify t > 2 order by n desc",
    """with x as (select station, max(n) as n from in1 group by station), y (s, m) as (select * from x where n > 1)
    select x.station, y.m from x left join y on x.station = y.s""",
    "with in2 as (select n from in1) select sum(n) s from in2",
    "select station from in1 union select station from in2 order by 1",
    "select station, cost from in1 union all select district, n from in2",
    "select station from in1 intersect all select station from in2",
    "(select station from in2) except select station from in1 order by station limit 1",
    "select * from in1 where station in (select station from in2 where n = 1)",
    "select * from in1 where n not in (select n from in2)",
    "select n, (select max(n) from in2) as mx, (select sum(n) from in2 where n > 1) * n as share from in1",
    """select n from in1 where exists (select * from in2 where n > 1) and not exists (select 1 as one
    from in2 where n > 9)""",
    "select distinct station from in1 order by station nulls first",
    "select upper(station) u, count(distinct n) from in1 group by u having u is not null",
    "select year(day) as y, cast(date_trunc('month', day) as date) m, sum(cost) from in1 group by y, m",
    "select station, n > 1 as big, count(*) from in1 group by all",
    """select case when n > 1 then 'x' else 'y' end as k, count(*) c
    from in1 group by case when n > 1 then 'x' else 'y' end""",
    "select sum(pm25) / count(*) as r, max(n) - min(n) from in1 where pm25 is not null",
    "select count(*) from in1 where n > 100",
    "select station from in1 group by station order by sum(n) desc, station",
    "select q.z from (select n + 1 as z from in1 order by n limit 2) as q",
    "select z from (select n, n * 2 from in1) q(y, z) where y between 2 and 3",
    'select "station" as "Station Name", n as "日均" from in1',
    "select station -- a remark; with a semicolon\nfrom in1 /* and 'quotes */",
]  # fmt: skip


def run(query: str, parameters: dict[str, Parameter] | None = None) -> pa.Table:
    relation = compile_query(query, TABLES, parameters)
    with duckdb.connect() as connection:
        for name, rows in ARROW.items():
            connection.register(name, rows)
        answer = connection.sql(render(relation)).to_arrow_table()
    schema_of(answer, from_ibis(relation.schema()))
    return answer


def rows_of(table: pa.Table, ordered: bool) -> list[str]:
    """Rows to compare: DuckDB counts in other integer types, and names columns without a name by their text."""
    plain = [[float(v) if isinstance(v, int | Decimal) else v for v in row.values()] for row in table.to_pylist()]
    return [repr(row) for row in plain] if ordered else sorted(map(repr, plain))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_what_it_gives_in_the_engine_itself(query: str) -> None:
    with duckdb.connect() as connection:
        for name, rows in ARROW.items():
            connection.register(name, rows)
        wanted = connection.sql(query).to_arrow_table()
    is_ordered = " order by " in query.rpartition(")")[2]
    assert rows_of(run(query), is_ordered) == rows_of(wanted, is_ordered)


def test_the_language_is_that_of_the_other_steps() -> None:
    """Where DuckDB counts otherwise, a query means what a formula means."""
    answer = run("select n / 2 as half, 0.1 + 0.2 as exact, sqrt(-1.0) as none from in1 where n = 1").to_pylist()
    assert answer == [{"half": 0.5, "exact": Decimal("0.3"), "none": None}]


def test_inputs_of_the_flow_are_constants() -> None:
    parameters = {"name": Parameter("text", value="a' or 1=1 --"), "ns": Parameter("integer", True, [1, 2])}
    assert run("select * from in1 where station = :name", parameters).num_rows == 0
    assert run("select * from in1 where n in (:ns) limit :most", {**parameters, "most": Parameter("integer", value=1)}
    ).num_rows == 1  # fmt: skip


REFUSED = {
    "query.empty": ["", "  \n"],
    "query.many": ["select 1; drop table in1", "select * from in1; select * from in1"],
    "expression.empty": ["-- nothing"],
    "query.not_select": [
        "copy in1 to 'x.csv'", "attach 'x' as y", "set threads = 1", "pragma version", "install httpfs",
        "insert into in1 values (1)", "create table x as select * from in1", "drop table in1", "describe in1",
        "explain select * from in1", "summarize in1", "show tables", "values (1)", "call x()", "pivot in1 on n",
    ],
    "query.unknown_table": [
        "select * from 'x.csv'", "select * from in3", 'from "x.parquet"', "select * from duckdb_settings",
        "with a as (select * from b), b as (select * from in1) select * from a",
    ],
    "query.not_possible": [
        "select * from read_csv('x')", "from glob('*')", "select * from information_schema.tables",
        "select * from main.in1", "select * from in1, lateral (select 1)", "select * from unnest([1])",
        "select * from range(10)", "select * from in1 tablesample 10%", "select * from in1 natural join in2",
        "select from from in1",
        "select * from in1 asof join in2 on in1.n > in2.n", "select 1 into x from in1", "select [1, 2] as x from in1",
        "select {'a': 1} as x from in1", "select n[1] from in1", "select main.in1.n from in1",
        "select distinct on (n) n from in1", "select n from in1 limit 5 percent",
        "select n from in1 group by rollup(n)",
        "select * replace (1 as n) from in1", "select n from in1 union by name select n from in2",
        "select n from in1 for update", "select sum(distinct n) from in1", "select * from (values (1)) t(a)",
        "select sum(n) over w from in1 window w as (order by n)",
        "select first_value(n ignore nulls) over (order by n) from in1",
    ],
    "query.recursive": ["with recursive t as (select n from in1 union all select n from t) select * from t"],
    "query.no_from": ["select 1", "select * from in1 where n in (select 1)"],
    "query.not_grouped": ["select station, pm25 from in1 group by station", "select station, count(*) from in1"],
    "query.summary_here": ["select n from in1 where sum(n) > 1", "select n from in1 a join in2 b on sum(a.n) > 1"],
    "query.group_key": ["select sum(n) from in1 group by 1"],
    "query.window_here": ["select n from in1 where row_number() over () = 1"],
    "query.ambiguous": ["select station from in1 a join in2 b on a.n = b.n"],
    "query.unknown_alias": ["select x.n from in1", "select n from in1 where n in (select n from in2 where n = in1.n)"],
    "query.column_twice": ["select n, N from in1", "select * from in1 a join in2 b on a.n = b.n"],
    "query.table_twice": ["select 1 as one from in1, in1"],
    "query.join_condition": ["select in1.n from in1 left join in2", "select in1.n from in1 cross join in2 on 1 = 1"],
    "query.subquery_rows": ["select (select n from in2) as x from in1"],
    "query.subquery_columns": ["select n from in1 where n in (select * from in2)"],
    "query.set_columns": ["select n from in1 union select n, station from in2"],
    "query.place": ["select n from in1 order by 2"],
    "query.limit": ["select n from in1 limit n", "select n from in1 limit -1"],
    "query.frame": ["select sum(n) over (order by n range between 1 preceding and current row) from in1"],
    "query.arguments": ["select lag() over (order by n) from in1", "select ntile(n) over () from in1"],
    "query.column_names": ["with a (x) as (select * from in1) select * from a"],
    "query.distinct_order": ["select distinct n from in1 order by pm25"],
    "query.no_type": ["select null as x from in1"],
    "expression.unknown_column": ["select nope from in1", "select * exclude (nope) from in1"],
    "expression.unknown_function": [
        "select getenv('HOME') from in1", "select columns(*) from in1", "select current_setting('x') from in1",
        "select pg_sleep(1) from in1", "select nope(n) over () from in1",
    ],
    "expression.unknown_parameter": ["select :nope as x from in1", "select $1 as x from in1"],
    "expression.type_mismatch": ["select n + station from in1", "select n from in1 union select station from in2"],
    "expression.syntax": ["select n from in1 where", "selec n from in1"],
    "expression.too_deep": ["select " + "(" * 70 + "n" + ")" * 70 + " as x from in1"],
    "query.too_long": ["select n from in1 --" + "x" * 20_000],
}  # fmt: skip


@pytest.mark.parametrize("code, query", [(code, query) for code, queries in REFUSED.items() for query in queries])
def test_everything_else_is_refused_with_its_place(code: str, query: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_query(query, TABLES, {}, "/query")
    error = caught.value
    assert (error.code, error.where) == (code, "/query"), error.message
    assert error.message["en"].startswith("Line ")
    assert error.message["zh-CN"].startswith("第 ")
    assert 0 <= error.position <= len(query)


def test_an_error_names_line_and_column_and_offers_the_mending() -> None:
    query = "select\n  n,\n  stattion\nfrom in1"
    with pytest.raises(ExpressionError) as caught:
        compile_query(query, TABLES, {}, "/query")
    error = caught.value
    assert error.message["en"].startswith("Line 3, column 3: There is no column stattion")
    assert error.message["zh-CN"].startswith("第 3 行第 3 列：没有找到列 stattion")
    assert error.fix is not None
    assert query[error.fix["start"] : error.fix["end"]] == "stattion"
    assert error.fix["text"] == "station"


# ── the step in a flow ────────────────────────────────────────────────────────────────────────────────────

BEST = "select station, max(pm25) as worst from a where pm25 > 10 group by station order by worst desc"
JOINED = flow(
    {
        "air": step("read", dataset="air"),
        "far": step("read", dataset="remote"),
        "q": step("sql", inputs=["a", "b"], query=BEST.replace("from a", "from a semi join b using (code)")),
        "out": step("output", name="x"),
    },
    "air > q.a", "far > q.b", "q > out",
)  # fmt: skip


def test_a_query_is_one_stage_with_the_steps_around_it_and_reads_only_what_it_names() -> None:
    plan = planned(JOINED)
    (stage,) = plan.stages
    assert stage.steps == ("air", "far", "q", "out")
    assert [sorted(binding.columns) for binding in stage.bindings] == [["code", "pm25", "station"], ["code"]]
    assert stage.ordered
    found = Runner(PLANNED).run(plan)["out"].to_pylist()
    assert [row["worst"] for row in found] == sorted((row["worst"] for row in found), reverse=True)
    assert {row["station"] for row in found} == {"a", "b", "Z", None}


def test_a_plain_filter_of_a_query_goes_down_to_the_server() -> None:
    plan = planned(
        flow(
            {
                "far": step("read", dataset="remote"),
                "f": step("sql", query="select * from in1 where pm10 > 50"),
                "out": step("output", name="x"),
            },
            "far > f.in1", "f > out",
        )
    )  # fmt: skip
    (binding,) = plan.stages[0].bindings
    assert '"pm10" > 50' in binding.text


def findings(query: str, *wires: str, **settings: Any) -> list[Any]:
    steps = {
        "air": step("read", dataset="air"),
        "q": step("sql", query=query, **settings),
        "out": step("output", name="x"),
    }
    return checked(flow(steps, *(wires or ("air > q.in1",)), "q > out")).findings


def test_the_ports_are_the_tables() -> None:
    assert not [f for f in findings("select code from in1 limit 3") if f.severity == "error"]
    assert not [f for f in findings("select code from air", "air > q.air", inputs=["air"]) if f.severity == "error"]
    assert [f.code for f in findings("select code from in1", inputs=["in1", "in2"])][:1] == ["port.unconnected"]
    for names in (["in1", "in1"], ["In 1"], ["1x"]):
        assert {f.code for f in findings("select * from in1", inputs=names)} & {"sql.input_twice", "sql.input_name"}


def test_a_mistake_points_into_the_query() -> None:
    (finding,) = [f for f in findings("select code,\n codde from in1") if f.severity == "error"]
    assert (finding.level, finding.pointer, finding.step) == ("L3", "/steps/q/settings/query", "q")
    assert finding.message["en"].startswith("Line 2, column 2")
    assert finding.fix is not None


def test_a_limit_in_a_query_with_an_order_needs_no_sort() -> None:
    steps = {
        "air": step("read", dataset="air"),
        "q": step("sql", query="select code from in1 order by code"),
        "l": step("limit", rows=3),
        "out": step("output", name="x"),
    }
    document = flow(steps, "air > q.in1", "q > l", "l > out")
    assert "limit.no_sort" not in [f.code for f in checked(document).findings]
    assert planned(document).stages[0].ordered
