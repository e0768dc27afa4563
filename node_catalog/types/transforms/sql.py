"""SQL: one SELECT over the inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import PORT_NAME, Port, PortList
from node_catalog.sdk.relation import check_names
from node_catalog.sdk.text import Text, shortened, text

MOST_INPUTS = 20
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)


class SqlSettings(Settings, kw_only=True):
    """The tables and the query."""

    inputs: Annotated[
        tuple[str, ...],
        setting(
            text("Inputs", "输入"),
            text(
                "Each is a port of the step and a table of the query. Without a list there is one: in1.",
                "每个输入是步骤的一个端口，也是查询中的一张表。不填则只有一个：in1。",
            ),
            widget="sql-inputs",
            max_length=MOST_INPUTS,
        ),
    ] = ()
    query: Annotated[
        str,
        setting(
            text("Query", "查询"),
            text("One SELECT over the inputs.", "针对各输入的一条 SELECT。"),
            widget="sql",
            min_length=1,
            max_length=20_000,
        ),
    ]

    def problems(self) -> Iterable[Problem]:
        """Names that are no port, and names given twice."""
        seen: set[str] = set()
        for index, name in enumerate(self.inputs):
            if not PORT_NAME.match(name):
                message = text(
                    f"“{name}” is no name for an input: use small letters, digits and _, a letter first, at most 40.",
                    f"“{name}”不能作为输入名：只能用小写字母、数字和下划线，以字母开头，最长 40 个字符。",
                )
                yield Problem(f"/inputs/{index}", "sql.input_name", message)
            elif name in seen:
                message = text(f"The input “{name}” is listed twice.", f"输入“{name}”重复列出。")
                yield Problem(f"/inputs/{index}", "sql.input_twice", message)
            seen.add(name)


class Sql(Transform):
    """Answers one SELECT over its inputs, for those who would rather write than draw."""

    key = "sql"
    title = text("SQL", "SQL 查询")
    summary = text("Ask the inputs one SELECT", "用一条 SELECT 查询各输入")
    help = text(
        "Write one SELECT; the inputs of the step are its tables, by the names of their ports (in1, in2 …). Possible "
        "are WITH, JOIN (inner, left, right, full, cross, semi, anti; ON or USING), WHERE, GROUP BY (also ALL, places "
        "and names of the answer), HAVING, FILTER, window functions with OVER, QUALIFY, DISTINCT, UNION, INTERSECT, "
        "EXCEPT, ORDER BY, LIMIT, subqueries in FROM, in IN and EXISTS and as single values, * with EXCLUDE, and the "
        "flow's inputs as :name. Calculations and functions are those of every other step, with the same types: / "
        "never cuts off, 0.1 is an exact decimal, empty values come last. Names in double quotes count upper and "
        "lower case. Not possible: other tables than the inputs (read files and databases with “Read”), subqueries "
        "that use columns of the query around them (join instead), recursion, statements that change something.",
        "写一条 SELECT；本步骤的各个输入就是它的表，表名即端口名（in1、in2……）。支持 WITH、JOIN（inner、left、right、"
        "full、cross、semi、anti，用 ON 或 USING）、WHERE、GROUP BY（也可用 ALL、序号或结果列名）、HAVING、FILTER、"
        "带 OVER 的窗口函数、QUALIFY、DISTINCT、UNION、INTERSECT、EXCEPT、ORDER BY、LIMIT，"
        "FROM、IN、EXISTS 中的子查询和单值子查询，带 EXCLUDE 的 *，以及流程参数 :name。"
        "计算和函数与其他步骤完全一致，类型也相同：/ 不会截断，0.1 是精确小数，空值排在最后。"
        "双引号中的名称区分大小写。不支持：输入之外的表（文件和数据库请用“读取”步骤）、引用外层查询列的子查询（请改用连接）、"
        "递归，以及任何会修改数据的语句。",
    )
    icon = "ConsoleSqlOutlined"
    group = "combine"
    rank = 200
    Settings = SqlSettings
    port_lists = (PortList("inputs", "in", otherwise=("in1",)),)
    ports = (Port("out", "out"),)
    takes_unbounded = False
    examples = (
        Example(
            title=text("Mean of each district, only from good values", "各区的均值，只用有效值"),
            settings={
                "inputs": ["air", "stations"],
                "query": "select s.district, round(avg(a.pm25), 1) as pm25, count(*) as hours\n"
                "from air a join stations s on a.station = s.id\n"
                "where a.pm25 >= 0\ngroup by s.district\norder by pm25 desc",
            },
            inputs={
                "air": ({"station": "text", "pm25": "number"}, [["a", 80.0], ["a", 61.0], ["b", 20.0], ["b", -1.0]]),
                "stations": ({"id": "text", "district": "text"}, [["a", "North"], ["b", "South"]]),
            },
            output=(
                {"district": "text", "pm25": "number", "hours": "integer"},
                [["North", 70.5, 2], ["South", 20.0, 1]],
            ),
            ordered=True,
        ),
        Example(
            title=text("The latest row of each station", "每个站点的最新一行"),
            settings={
                "query": "with ranked as (\n  select *, row_number() over (partition by station order by ts desc) as n "
                "from in1\n)\nselect * exclude (n) from ranked where n = 1"
            },
            inputs={
                "in1": (
                    {"station": "text", "ts": "timestamp", "pm25": "number"},
                    [["a", "2024-01-01T01:00:00", 1.0], ["a", "2024-01-01T02:00:00", 2.0], ["b", None, 3.0]],
                )
            },
            output=(
                {"station": "text", "ts": "timestamp", "pm25": "number"},
                [["a", "2024-01-01T02:00:00", 2.0], ["b", None, 3.0]],
            ),
        ),
        Example(
            title=text("Stations without a reading, and those with one", "没有读数和有读数的站点"),
            settings={
                "inputs": ["stations", "air"],
                "query": "select id, 'silent' as state from stations where id not in (select station from air)\n"
                "union all\nselect distinct station, 'reporting' from air",
            },
            inputs={
                "stations": ({"id": "text"}, [["a"], ["b"]]),
                "air": ({"station": "text"}, [["a"], ["a"]]),
            },
            output=({"id": "text", "state": "text"}, [["b", "silent"], ["a", "reporting"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: SqlSettings, context: BuildContext) -> Any:
        """The answer of the query over the tables at the ports."""
        answer = context.query(settings.query, {port: tables[0] for port, tables in inputs.items()}, "/query")
        check_names(context, answer.columns, ["/query"] * len(answer.columns))
        return answer

    @classmethod
    def orders(cls, settings: Mapping[str, Any]) -> bool:
        """Whether an order is written anywhere: rows that are kept in order do no harm when it was elsewhere."""
        return bool(_ORDER.search(str(settings.get("query") or "")))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The query in one line."""
        line = shortened(" ".join(str(settings.get("query") or "").split()), 80)
        return text(line or "no query yet", line or "尚未填写查询")
