"""Which texts may be asked for a part of their source, and where a table is cut."""

from __future__ import annotations

import pytest

from node_catalog.types.connectors.postgresql.spans import cuts
from runtime.engine.light_texts import is_row_by_row


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "a" FROM src',
        'SELECT "t0"."a", "t0"."a" + 1 AS "b" FROM "src" AS "t0" WHERE "t0"."a" > 3 AND "t0"."b" IN (1, 2)',
        'SELECT "t1"."a" FROM (SELECT * FROM "src" AS "t0" WHERE "t0"."a" IS NULL) AS "t1" WHERE "t1"."b" = \'x\'',
    ],
)
def test_row_by_row(text: str) -> None:
    assert is_row_by_row(text, "postgres")


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "a" FROM src LIMIT 3',
        'SELECT "a" FROM src OFFSET 3',
        'SELECT DISTINCT "a" FROM src',
        'SELECT "a" FROM src ORDER BY "a"',
        'SELECT "a" FROM src GROUP BY "a"',
        "SELECT count(*) FROM src",
        'SELECT row_number() OVER () AS "n" FROM src',
        'SELECT "a" FROM (SELECT "a" FROM src LIMIT 3) AS "t"',
        'SELECT "x"."a" FROM src AS "x" JOIN src AS "y" ON "x"."a" = "y"."a"',
        'SELECT "a" FROM src WHERE "a" > (SELECT max("a") FROM src)',
        'SELECT "a" FROM src UNION ALL SELECT "a" FROM src',
        'WITH "x" AS (SELECT "a" FROM src) SELECT "a" FROM "x"',
        'SELECT "a" FROM src TABLESAMPLE SYSTEM (10)',
    ],
)
def test_over_several_rows(text: str) -> None:
    assert not is_row_by_row(text, "postgres")


def test_cuts_share_the_buckets() -> None:
    assert cuts([0, 100], 4) == [25, 50, 75]
    assert cuts([0, 10, 20, 1000], 3) == [10, 20]
    assert cuts([0, 10, 20, 1000], 6) == [5, 10, 15, 20, 510]
    assert cuts([1, 2], 10) == [1]
    assert cuts([-10, 10], 1) == []
