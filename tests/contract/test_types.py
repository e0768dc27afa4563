"""Every type, found by walking the packages: words in both languages, known schema keywords, examples that run."""

from __future__ import annotations

import ast
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from flows.graph.expression import compile_expression
from flows.graph.queries.query import compile_query
from node_catalog.palette import palette, registry
from node_catalog.sdk import testing
from node_catalog.sdk.contract import Example, NodeType, Transform
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.schema import json_schema, parse
from node_catalog.sdk.text import LANGUAGES
from tests.spatial import open_duckdb

TYPES = [*registry().transforms.values(), *registry().connectors.values()]
STEPS = list(registry().transforms.values())
EXAMPLES = list(testing.examples(registry()))


def make_context() -> testing.PlainContext:
    """A build context with the product's own expression language."""
    return testing.PlainContext(
        lambda source, tables, pointer, aggregate=False: compile_expression(source, tables, {}, pointer, aggregate),
        lambda source, tables, pointer: compile_query(source, tables, {}, pointer),
    )


def test_the_spine_is_there() -> None:
    assert set(registry().transforms) >= {
        "read", "filter", "select", "derive", "cast", "join", "union", "aggregate", "sort", "limit", "distinct",
        "output", "write",
    }  # fmt: skip
    assert set(registry().connectors) >= {"sqlite", "files", "postgresql"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.key)
def test_words(kind: type[NodeType]) -> None:
    testing.check_words(kind)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.key)
def test_its_icon_is_one_that_the_pages_ship(kind: type[NodeType], repo: Path) -> None:
    shipped = (repo / "frontend/src/components/ui/kindIcons.ts").read_text()
    assert re.search(rf"^  {kind.icon},$", shipped, re.MULTILINE), f"add {kind.icon} to kindIcons.ts"


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.key)
def test_schema(kind: type[NodeType]) -> None:
    testing.check_schema(kind)
    jsonschema.Draft202012Validator.check_schema(json_schema(kind.Settings))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_every_step_has_an_example(step: type[Transform]) -> None:
    assert step.examples, f"{step.key} has no example"
    assert step.calls == "once" or all(example.output is not None or example.outputs for example in step.examples)


@pytest.mark.parametrize("step, example", EXAMPLES, ids=lambda value: getattr(value, "key", None))
def test_example(step: type[Transform], example: Example) -> None:
    with closing(open_duckdb(spatial=step.group == "spatial")) as connection:
        testing.check_example(step, example, make_context(), testing.run_duckdb(connection))


@pytest.mark.parametrize("key", ["call", "for_each"])
def test_a_group_with_one_editor_is_missing_as_a_whole(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(registry().transforms[key].Settings, {"flow": {"takes": [], "gives": []}})
    assert [problem.pointer for problem in caught.value.problems] == ["/flow"]


@pytest.mark.parametrize("step, example", EXAMPLES, ids=lambda value: getattr(value, "key", None))
def test_the_schema_accepts_what_the_parser_accepts(step: type[Transform], example: Example) -> None:
    settings = msgspec.to_builtins(dict(example.settings))
    parse(step.Settings, settings)
    jsonschema.Draft202012Validator(json_schema(step.Settings)).validate(settings)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_the_line_on_the_box_bears_half_filled_settings(step: type[Transform]) -> None:
    for settings in ({}, *(example.settings for example in step.examples), *_halves(step)):
        line = step.summarise(settings)
        assert all(line.get(language) for language in LANGUAGES), f"{step.key}: {settings} → {line}"
        assert all("\n" not in line[language] for language in LANGUAGES)


def _halves(step: type[Transform]) -> list[dict[str, Any]]:
    """Settings as they are while somebody fills them in."""
    found: list[dict[str, Any]] = []
    for name, part in json_schema(step.Settings).get("properties", {}).items():
        found.append({name: None})
        if part.get("type") == "array":
            found += [{name: []}, {name: [{}]}, {name: [None]}]
        elif part.get("type") == "string":
            found.append({name: ""})
    return found


def test_the_palette_is_json() -> None:
    entries = msgspec.json.decode(msgspec.json.encode(palette()))
    assert {step["key"] for step in entries["steps"]} == set(registry().transforms)
    assert {connector["key"] for connector in entries["connectors"]} == set(registry().connectors)
    assert entries["connectors"][0]["schema"]["type"] == "object"
    secret = next(entry for entry in entries["connectors"] if entry["key"] == "postgresql")
    assert secret["secret_fields"] == ["password"]


def test_step_types_do_not_import_the_flow_core(repo: Path) -> None:
    for path in (repo / "node_catalog" / "types").rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.ImportFrom):
                assert not (statement.module or "").startswith("flows"), path
