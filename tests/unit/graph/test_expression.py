"""The expression language: golden types and values on the engine, errors with position and way out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from flows.graph.errors import ExpressionError
from flows.graph.expression import check_syntax, compile_expression, functions
from flows.graph.expressions.parameters import read_duration, read_parameters
from flows.graph.render import render
from node_catalog.sdk.ports import Schema, to_arrow, to_ibis, type_of_arrow, type_of_ibis
from node_catalog.sdk.text import LANGUAGES

moment = dt.datetime.fromisoformat
COLUMNS = Schema.of(
    [
        ("i", "integer"),
        ("j", "integer"),
        ("n", "number"),
        ("x", "decimal(10,2)"),
        ("y", "decimal(18,4)"),
        ("s", "text"),
        ("t", "text"),
        ("b", "boolean"),
        ("d", "date"),
        ("ts", "timestamp"),
        ("tm", "time"),
        ("日均PM2.5", "number"),
        ('a"b', "integer"),
        ("Order", "integer"),
    ]
)
ROW = {
    "i": 7,
    "j": -2,
    "n": 2.5,
    "x": Decimal("1.25"),
    "y": Decimal("100.0001"),
    "s": "Abc",
    "t": None,
    "b": True,
    "d": dt.date(2024, 2, 29),
    "ts": moment("2024-02-29T13:14:15.5"),
    "tm": dt.time(10, 20),
    "日均PM2.5": 81.5,
    'a"b': 1,
    "Order": 3,
}
PARAMETERS = read_parameters(
    {
        "properties": {
            "threshold": {"type": "number", "default": 75},
            "names": {"type": "array", "items": {"type": "string"}, "default": ["Abc", "x"]},
            "since": {"type": "string", "format": "date", "default": "2024-01-01"},
            "span": {"type": "string", "format": "duration", "default": "P1DT2H"},
            "unset": {"type": "integer"},
        }
    }
)


@pytest.fixture(scope="module")
def connection() -> Any:
    connection = duckdb.connect()
    connection.register("t", pa.Table.from_pylist([ROW], schema=to_arrow(COLUMNS)))
    yield connection
    connection.close()


def compiled(source: str, **more: Any) -> Any:
    return compile_expression(source, [ibis.table(to_ibis(COLUMNS), name="t")], PARAMETERS, "/where", **more)


def run(connection: Any, source: str, **more: Any) -> tuple[str, Any]:
    """The type on the engine (equal to the promised one) and the value."""
    expr = compiled(source, **more)
    table = connection.sql(render(expr.name("r").as_table())).to_arrow_table()
    real = type_of_arrow(table.schema.field("r").type)
    assert real == type_of_ibis(expr.type()), source
    assert not pa.types.is_int32(table.schema.field("r").type), source
    return real, table.to_pylist()[0]["r"]


GOLDEN: list[tuple[str, str, Any]] = [
    # numbers: exact decimals, whole numbers in 64 bits, / is a float
    ("1", "integer", 1),
    ("2000000000 + 2000000000", "integer", 4_000_000_000),
    ("1.50", "decimal(3,2)", Decimal("1.50")),
    ("1e-3", "number", 0.001),
    ("12345678901234567890", "decimal(20,0)", Decimal("12345678901234567890")),
    ("i / 2", "number", 3.5),
    ("i / 0", "number", None),
    ("i % 4", "integer", 3),
    ("i % 0", "integer", None),
    ("-i", "integer", -7),
    ("x * x", "decimal(18,4)", Decimal("1.5625")),
    ("x * (1 - x)", "decimal(18,4)", Decimal("-0.3125")),
    ("x + 1", "decimal(11,2)", Decimal("2.25")),
    ("x + y", "decimal(18,4)", Decimal("101.2501")),
    ("i * 1.5 + x", "decimal(23,2)", Decimal("11.75")),
    ("x + n", "number", 3.75),
    ("round(2.5)", "decimal(2,0)", Decimal(3)),
    ("round(-2.5)", "decimal(2,0)", Decimal(-3)),
    ("round(n)", "number", 3.0),
    ("round(x, 1)", "decimal(10,1)", Decimal("1.3")),
    ("round(i, -1)", "integer", 10),
    ("floor(-2.5)", "integer", -3),
    ("ceil(n)", "integer", 3),
    ("sqrt(j)", "number", None),
    ("sqrt(4)", "number", 2.0),
    ("ln(0)", "number", None),
    ("power(2, 10)", "number", 1024.0),
    ("power(-8, 0.5)", "number", None),
    ("abs(j)", "integer", 2),
    ("greatest(i, n, x)", "number", 7.0),
    ("least(i, j)", "integer", -2),
    ("cast(n as number)", "number", 2.5),
    ("cast(i as decimal(10,2))", "decimal(10,2)", Decimal("7.00")),
    ("i::text", "text", "7"),
    ("try_cast(s as integer)", "integer", None),
    # text
    ("s || '-' || i::text", "text", "Abc-7"),
    ("s || t", "text", None),
    ("concat(s, t, 'x')", "text", "Abcx"),
    ("upper(s)", "text", "ABC"),
    ("length('北京')", "integer", 2),
    ("substring(s, 2)", "text", "bc"),
    ("substring(s from 1 for 2)", "text", "Ab"),
    ("left(s, 1) || right(s, 1)", "text", "Ac"),
    ("lpad(i::text, 3, '0')", "text", "007"),
    ("replace(s, 'b', '')", "text", "Ac"),
    ("s like 'A%'", "boolean", True),
    ("s ilike 'a%'", "boolean", True),
    ("s not like 'a%'", "boolean", True),
    ("position('b' in s)", "integer", 2),
    ("regexp_matches(s, '^A[a-z]+$')", "boolean", True),
    ("regexp_extract('北京市朝阳区12号', '([0-9]+)号', 1)", "text", "12"),
    ("split_part('a/b/c', '/', 2)", "text", "b"),
    ("'it''s'", "text", "it's"),
    # conditions and NULL
    ("t = 'x'", "boolean", None),
    ("t is null", "boolean", True),
    ("t is not distinct from null", "boolean", True),
    ("b and t = 'x'", "boolean", None),
    ("b or t = 'x'", "boolean", True),
    ("not b", "boolean", False),
    ("i between 1 and 7.5", "boolean", True),
    ("i not in (1, 2)", "boolean", True),
    ("s in :names", "boolean", True),
    ("s in (:names)", "boolean", True),
    ('"日均PM2.5" > :threshold', "boolean", True),
    ('"a""b" + "Order"', "integer", 4),
    ("i > :unset", "boolean", None),
    ("coalesce(t, s, 'x')", "text", "Abc"),
    ("ifnull(t, 'x')", "text", "x"),
    ("nullif(i, 7)", "integer", None),
    ("case when b then 1 else 2.5 end", "decimal(20,1)", Decimal("1.0")),
    ("case i when 7 then 'seven' end", "text", "seven"),
    ("if(b, i, null)", "integer", 7),
    # dates
    ("date '2024-02-29' = d", "boolean", True),
    ("ts >= '2024-02-29'", "boolean", True),
    ("d + interval '1' month", "timestamp", moment("2024-03-29T00:00:00")),
    ("ts - :span", "timestamp", moment("2024-02-28T11:14:15.500000")),
    ("d + 1", "date", dt.date(2024, 3, 1)),
    ("d - date '2024-02-01'", "integer", 28),
    ("date_trunc('month', d)", "date", dt.date(2024, 2, 1)),
    ("date_trunc('hour', ts)", "timestamp", moment("2024-02-29T13:00:00")),
    ("date_diff('year', date '2023-12-31', date '2024-01-01')", "integer", 1),
    ("date_diff('hour', timestamp '2024-01-01 00:59:00', timestamp '2024-01-01 01:00:00')", "integer", 1),
    ("date_add(ts, 2, 'week')", "timestamp", moment("2024-03-14T13:14:15.500000")),
    ("make_date(2024, i, 1)", "date", dt.date(2024, 7, 1)),
    ("make_timestamp(2024, 1, 2, 3, 4, 5.5)", "timestamp", moment("2024-01-02T03:04:05.500000")),
    ("extract(year from ts)", "integer", 2024),
    ("year(d) + month(d) + day(d)", "integer", 2055),
    ("hour(ts)", "integer", 13),
    ("dayofweek(d)", "integer", 4),
    ("strftime(ts, '%Y年%m月')", "text", "2024年02月"),
    ("strptime('2024/1/5', '%Y/%m/%d')", "timestamp", moment("2024-01-05T00:00:00")),
    ("strptime(s, '%Y')", "timestamp", None),
    ("cast('2024-01-05' as date)", "date", dt.date(2024, 1, 5)),
    ("tm < '10:30'", "boolean", True),
    ("d > :since", "boolean", True),
    ("epoch(timestamp '1970-01-02 00:00:00')", "number", 86400.0),
    ("today() >= d", "boolean", True),
    ("now() > ts", "boolean", True),
]


@pytest.mark.parametrize("source, kind, value", GOLDEN, ids=[row[0] for row in GOLDEN])
def test_golden(connection: Any, source: str, kind: str, value: Any) -> None:
    assert run(connection, source) == (kind, value)


ERRORS: list[tuple[str, str, int]] = [
    ("", "empty", 0),
    ("  -- nothing", "empty", 0),
    ("i +", "syntax", 2),
    ("(i", "syntax", 1),
    ("'abc", "quote", 0),
    ("i; j", "many", 1),
    ("missing > 1", "unknown_column", 0),
    ("i > nn", "unknown_column", 4),
    ("lowr(s)", "unknown_function", 0),
    ("i > 'abc'", "type_mismatch", 0),
    ("s > 5", "type_mismatch", 0),
    ("i + s", "type_mismatch", 0),
    ("s + s", "text_plus", 0),
    ("i = null", "compare_null", 0),
    ("lower(i)", "argument", 6),
    ("lower()", "arguments", 0),
    ("sum(i)", "aggregate", 0),
    ("i and b", "operand", 0),
    ("not i", "operand", 4),
    ("d > 'x'", "bad_date", 0),
    ("date '2024-13-01'", "bad_date", 5),
    ("ts - ts", "moment_difference", 0),
    ("interval i day", "interval", 9),
    ("cast(d as integer)", "cast", 5),
    ("i::json", "unknown_type", 0),
    ("null", "no_type", 0),
    (":nope > 1", "unknown_parameter", 0),
    ("case when b then 1 else 'a' end", "type_mismatch", 24),
    ("date_trunc('fortnight', ts)", "argument", 11),
    ("round(x, i)", "argument", 9),
    ("regexp_matches(s, '(')", "argument", 18),
    ("regexp_matches(s, '(?=x)')", "argument", 18),
    ("strftime(ts, '%Q')", "argument", 13),
    ("1e999", "number_size", 0),
    ("1" * 50, "number_size", 0),
    ("x as y", "not_allowed", 0),
    ("t.i", "not_allowed", 0),
]


@pytest.mark.parametrize("source, code, position", ERRORS, ids=[row[0][:30] for row in ERRORS])
def test_errors_say_where(source: str, code: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(source)
    error = caught.value
    assert error.code == f"expression.{code}"
    assert error.position == position
    assert error.where == "/where"
    assert all(error.message[language] for language in LANGUAGES)
    assert "Traceback" not in error.message["en"]


@pytest.mark.parametrize(
    "source",
    [
        "(select 1)",
        "select 1",
        "i in (select 1)",
        "exists(select 1)",
        "drop table t",
        "attach 'x'",
        "copy t to 'x'",
        "read_csv('x')",
        "getenv('HOME')",
        "sum(i) over ()",
        "count(*) filter (where b)",
        "[1, 2]",
        "{'a': 1}",
        "i -> 2",
        "s collate nocase",
        "columns(*)",
        "*",
        "@i",
        "i::struct(a int)",
        "ts at time zone 'utc'",
        "i = any(select 1)",
        "pragma_version()",
        "main.t.i",
        "?",
        "$1",
        "random()",
        "values (1)",
        "with a as (select 1) select 1",
        "if i then j",
        "x'ff'",
        "lambda a: a",
        "a := 1",
        "\x00",
        "i\u2028+ ~ j",
        "nextval('s')",
        "query('select 1')",
    ],
)
def test_everything_else_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(source)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 300 + "i" + ")" * 300,
        "not " * 900 + "b",
        "-" * 3900 + "i",
        "i" + "+1" * 1500,
        "case when b then " * 150 + "1" + " end" * 150,
        "abs(" * 500 + "i" + ")" * 500,
        "i" * 5000,
        "[" * 2000,
    ],
    ids=["parentheses", "not", "minus", "plus", "case", "calls", "long", "brackets"],
)
def test_depth_and_length_are_capped(source: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(source)


def test_long_lists_of_conditions_are_not_deep(connection: Any) -> None:
    source = " or ".join(f"i = {number}" for number in range(200))
    assert run(connection, source) == ("boolean", True)


def test_suggestions_mend_the_text() -> None:
    for source, mended in [
        ("nn > 1", "n > 1"),
        ("I > 1", "i > 1"),
        ('"日均PM25" > 1', '"日均PM2.5" > 1'),
        ("lowr(s) = 'a'", "lower(s) = 'a'"),
        ("i = '7'", "i = 7"),
        ("i = null", "i is null"),
        ("s + s", "s || s"),
    ]:
        with pytest.raises(ExpressionError) as caught:
            compiled(source)
        fix = caught.value.fix
        assert fix is not None, source
        assert source[: fix["start"]] + fix["text"] + source[fix["end"] :] == mended
        compiled(mended)


def test_text_against_number_suggests_a_cast() -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled("s > 75")
    assert caught.value.fix is not None
    assert caught.value.fix["cast"] == {"column": "s", "type": "number"}
    assert "“s”是文本" in caught.value.message["zh-CN"]


def test_case_matters_and_the_nearest_is_offered() -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled("ORDER_ > 1")
    assert "Order" in caught.value.message["en"]


def test_two_tables_need_a_side_for_equal_names(connection: Any) -> None:
    left = ibis.table({"k": "int64", "a": "int64"}, name="l")
    right = ibis.table({"k": "int64", "b": "int64"}, name="r")
    with pytest.raises(ExpressionError, match="ambiguous"):
        compile_expression("k > 1", [left, right])
    assert compile_expression("left.k < right.k and a > b", [left, right]).type().is_boolean()


def test_aggregates_only_where_rows_are_summarised(connection: Any) -> None:
    assert run(connection, "sum(x) / count(*)", aggregate=True) == ("number", 1.25)
    assert run(connection, "sum(i)", aggregate=True) == ("integer", 7)
    assert run(connection, "mean(x)", aggregate=True) == ("number", 1.25)
    assert run(connection, "count(distinct s)", aggregate=True) == ("integer", 1)
    with pytest.raises(ExpressionError):
        compiled("sum(sum(i))", aggregate=True)


def test_every_function_has_words_and_a_known_type(connection: Any) -> None:
    listed = functions()
    assert len(listed) > 60
    samples = {
        "number": "n",
        "integer": "i",
        "text": "s",
        "moment": "ts",
        "clock": "ts",
        "any": "s",
        "same": "i",
        "unit": "'day'",
        "format": "'%Y'",
        "pattern": "'a'",
        "count": "1",
        "digits": "1",
    }
    from flows.graph.expressions.functions import FUNCTIONS

    for entry in listed:
        assert all(entry["summary"][language] for language in LANGUAGES)
        check_syntax(entry["example"])
        function = FUNCTIONS[entry["name"]]
        kinds = [kind.rstrip("?") for kind in function.params if kind != "…"]
        for count in {function.least, min(len(kinds), function.most)}:
            call = f"{entry['name']}({', '.join(samples[kind] for kind in kinds[:count])})"
            run(connection, call, aggregate=entry["aggregate"])


def test_numeric_functions_keep_their_promised_type_for_every_numeric_column(connection: Any) -> None:
    from flows.graph.expressions.functions import FUNCTIONS

    for name, function in FUNCTIONS.items():
        if function.params and function.params[0] == "number" and not function.aggregate:
            for column in ("i", "j", "n", "x", "y"):
                arguments = [column] + ["1"] * (function.least - 1)
                run(connection, f"{name}({', '.join(arguments)})")


def test_durations() -> None:
    assert read_duration("P1DT2H") == ((1, "day"), (2, "hour"))
    assert read_duration("-P1M") == ((-1, "month"),)
    for wrong in ("", "P", "1D", "P1X", "PT"):
        with pytest.raises(ValueError):
            read_duration(wrong)


def test_parameters_become_safe_literals(connection: Any) -> None:
    hostile = "x'; drop table t; --"
    known = read_parameters({"properties": {"p": {"type": "string"}}}, {"p": hostile})
    expr = compile_expression("s = :p or s <> :p", [ibis.table(to_ibis(COLUMNS), name="t")], known)
    assert connection.sql(render(expr.name("r").as_table())).fetchall() == [(True,)]
    with pytest.raises(ValueError, match="p"):
        read_parameters({"properties": {"p": {"type": "integer"}}}, {"p": "x"})
