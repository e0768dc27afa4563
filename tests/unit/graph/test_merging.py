"""Steps that only choose and derive columns become one projection, and the rows stay the same."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
import sqlglot
import sqlglot.expressions as sge

from flows.graph.merging import merged
from flows.graph.render import text_of
from tests.unit.graph.support import flow, planned, step

ROWS = "(VALUES (1, 2, 'x'), (3, NULL, 'y'), (NULL, 0, NULL)) AS src(a, b, c)"


def statement(parts: dict[str, str]) -> tuple[str, int]:
    """The parts as one text after merging, and how many there are left."""
    trees = [(name, sqlglot.parse_one(text, dialect="duckdb")) for name, text in parts.items()]
    uses = Counter(table.name for _, tree in trees for table in tree.find_all(sge.Table))
    left = merged(trees, uses)
    heads = ", ".join(f'"{name}" AS ({text_of(tree)})' for name, tree in left)
    return f"WITH {heads} SELECT * FROM {left[-1][0]}", len(left)


def rows(text: str) -> tuple[list[str], list[tuple[object, ...]]]:
    with duckdb.connect() as connection:
        connection.execute(f"create table src as select * from {ROWS}")
        found = connection.execute(text)
        names = [column[0] for column in found.description or ()]
        return names, sorted(found.fetchall(), key=str)


def plain(parts: dict[str, str]) -> str:
    heads = ", ".join(f'"{name}" AS ({text})' for name, text in parts.items())
    return f"WITH {heads} SELECT * FROM {list(parts)[-1]}"


@pytest.mark.parametrize(
    "left, texts",
    [
        (1, ['SELECT a, a + b AS d FROM "src"', 'SELECT "t"."d" * 2 AS e, "t"."a" FROM {0} AS "t"']),
        (1, ["SELECT a, b FROM \"src\" WHERE b > 0 OR c = 'y'", "SELECT b, a AS b2, b + a AS s FROM {0}"]),
        (1, ['SELECT a AS x, a + 1 AS y FROM "src"', "SELECT x + x AS z FROM {0}", "SELECT * FROM {1}"]),
        (1, ['SELECT a OR b = 2 AS p, c FROM "src"', "SELECT NOT p AS q, c FROM {0}"]),
        (1, ['SELECT a - 1 AS m FROM "src"', "SELECT 5 - m AS n FROM {0}", "SELECT 2 - n AS o FROM {1}"]),
        (1, ['SELECT s.a, try_cast(s.c AS BIGINT) AS c FROM "src" AS s', "SELECT c, a AS k FROM {0}"]),
        (2, ['SELECT a, c FROM "src"', "SELECT upper(c), a FROM {0}"]),
        # An expression that is needed twice is computed once.
        (2, ['SELECT a + b AS d FROM "src"', "SELECT d * d AS e FROM {0}"]),
        # One that the same SELECT names again is needed there.
        (2, ['SELECT a + 1 AS x, x * 2 AS y FROM "src"', "SELECT y AS z FROM {0}"]),
        (2, ['SELECT a + 1 AS x, c FROM "src" WHERE x > 1', "SELECT c AS z FROM {0}"]),
        # What looks at more than its row stays by itself.
        (2, ['SELECT sum(a) AS s FROM "src"', "SELECT s + 1 AS t FROM {0}"]),
        (2, ['SELECT row_number() OVER (ORDER BY a) AS n, c FROM "src"', "SELECT n, upper(c) AS u FROM {0}"]),
        (2, ['SELECT DISTINCT b IS NULL AS k FROM "src"', "SELECT NOT k AS m FROM {0}"]),
        (2, ['SELECT a FROM "src" ORDER BY a LIMIT 1', "SELECT a + 1 AS n FROM {0}"]),
        (2, ['SELECT a, b FROM "src"', "SELECT a FROM {0} WHERE b > 0"]),
        (3, ['SELECT a, b FROM "src"', "SELECT a FROM {0}", "SELECT l.a FROM {1} AS l JOIN {0} AS r ON l.a = r.a"]),
    ],
)
def test_the_rows_stay_the_same(left: int, texts: list[str]) -> None:
    names = [f"p{number}" for number in range(len(texts))]
    parts = {name: text.format(*names) for name, text in zip(names, texts, strict=True)}
    text, count = statement(parts)
    assert count == left, text
    assert rows(text) == rows(plain(parts))


def test_expressions_do_not_become_deeper_than_engines_bear() -> None:
    parts = {"p0": 'SELECT a FROM "src"'}
    for number in range(1, 400):
        parts[f"p{number}"] = f'SELECT "t"."a" + 1 AS a FROM p{number - 1} AS "t"'
    text, count = statement(parts)
    assert 1 < count < 30
    assert rows(text) == rows("SELECT a + 399 AS a FROM src")


def test_a_chain_of_derived_columns_is_planned_as_one_select() -> None:
    steps = {"s0": step("read", dataset="air", columns=["station", "pm10"])}
    for number in range(1, 20):
        steps[f"s{number}"] = step("derive", columns=[{"name": f"v{number}", "expression": f"pm10 + {number}"}])
    steps["out"] = step("output", name="rows")
    wires = [f"s{number} > s{number + 1}" for number in range(19)]
    plan = planned(flow(steps, *wires, "s19 > out"))
    assert plan.stages[0].text.count("SELECT") == 1
