"""Which stages need no engine: those that hand on columns of their only source as they come."""

from __future__ import annotations

import pytest

from flows.graph.plan import Binding, Sink, Stage
from node_catalog.sdk.ports import Schema
from runtime.engine.light_texts import is_handed_on

GIVEN = Schema.of([("a", "integer"), ('odd "name"', "text"), ("c", "number")])


def stage(text: str, *names: str, bindings: int = 1) -> Stage:
    schema = Schema(tuple(field for name in names if (field := GIVEN.get(name)))) if names else GIVEN
    sources = tuple(Binding(f"s{place}", "dataset", GIVEN) for place in range(bindings))
    return Stage("out", ("out",), sources, text, schema, Sink("write", "out", schema))


@pytest.mark.parametrize(
    "made",
    [
        stage('SELECT * FROM "s0"'),
        stage('SELECT * FROM "s0" AS "t0"'),
        stage('SELECT "t0"."c", "t0"."a" FROM "s0" AS "t0"', "c", "a"),
        stage('SELECT "odd ""name""" FROM "s0"', 'odd "name"'),
        stage('WITH "r" AS NOT MATERIALIZED (SELECT "a", "c" FROM "s0") SELECT * FROM "r"', "a", "c"),
        stage('WITH "r" AS (SELECT * FROM "s0"), "t" AS (SELECT "c" FROM "r") SELECT * FROM "t"', "c"),
    ],
    ids=lambda made: made.text,
)
def test_columns_as_they_come(made: Stage) -> None:
    assert is_handed_on(made)


@pytest.mark.parametrize(
    "made",
    [
        stage('SELECT "t0"."a" AS "c" FROM "s0" AS "t0"', "c"),
        stage('SELECT "t0"."a", "t0"."c" FROM "s0" AS "t0"', "c", "a"),
        stage('SELECT * FROM "s0"', "c", "a"),
        stage('SELECT * FROM "s0" WHERE "a" > 1'),
        stage('SELECT "a" FROM "s0" LIMIT 3', "a"),
        stage('WITH "r" AS (SELECT "a" FROM "s0" WHERE "a" > 1) SELECT * FROM "r"', "a"),
        stage('WITH "r" AS (SELECT "a" FROM "s0") SELECT "r"."a" FROM "r" JOIN "s0" ON TRUE', "a"),
        stage('WITH "r"("c") AS (SELECT "a" FROM "s0") SELECT "c" FROM "r"', "c"),
        stage('SELECT * EXCLUDE ("a") FROM "s0"', 'odd "name"', "c"),
        stage('SELECT "a" FROM "s0" TABLESAMPLE 10%', "a"),
        stage('SELECT DISTINCT "a" FROM "s0"', "a"),
        stage('SELECT * FROM "s0"', bindings=2),
        stage('SELECT "other" FROM "s0"', "a"),
    ],
    ids=lambda made: made.text,
)
def test_whatever_computes_goes_through_the_engine(made: Stage) -> None:
    assert not is_handed_on(made)
