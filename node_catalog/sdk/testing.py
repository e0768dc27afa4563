"""Contract suites for types, usable by packages outside this one.

A package with its own types runs in its tests::

    from node_catalog.sdk import testing

    @pytest.mark.parametrize("step, example", testing.examples(load_registry(("my_types",))))
    def test_example(step, example):
        testing.check_example(step, example, testing.PlainContext(my_compiler), testing.run_duckdb)

The suites raise AssertionError with words; they need no test framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from node_catalog.sdk.contract import Connector, Example, NodeType, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.geometry import crs_of, without_crs
from node_catalog.sdk.ports import Schema, from_ibis, is_type, to_arrow, to_ibis, type_of_arrow
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import json_schema, parse, secret_fields
from node_catalog.sdk.schema_problems import KEYWORDS
from node_catalog.sdk.sql_node import quoted
from node_catalog.sdk.text import LANGUAGES, Text
from node_catalog.sdk.wkb import read_wkb, read_wkt, to_wkb

__all__ = [
    "PlainContext",
    "StepProblem",
    "check_example",
    "check_schema",
    "check_words",
    "examples",
    "run_duckdb",
    "setting",
]

Columns = Mapping[str, str]
Rows = Sequence[Sequence[Any]]
Compiler = Callable[..., Any]
Runner = Callable[[Any, Mapping[str, tuple[Columns, Rows]]], list[tuple[Any, ...]]]


class StepProblem(Exception):
    """What ``PlainContext.problem`` makes."""

    def __init__(self, code: str, message: Text, pointer: str = "", fix: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code} at {pointer or '/'}: {message['en']}")
        self.code, self.message, self.pointer, self.fix = code, message, pointer, fix


@dataclass
class PlainContext:
    """A BuildContext for tests; ``compiler(source, tables, pointer)`` turns an expression into an Ibis value.

    It also gets ``aggregate=True`` where figures over all rows are allowed. ``queries(source, tables, pointer)`` turns
    a SELECT over tables by name into a relation.
    """

    compiler: Compiler | None = None
    queries: Compiler | None = None
    warnings: list[tuple[str, Text, str]] = field(default_factory=list)

    def expression(self, source: str, *tables: Any, pointer: str = "", aggregate: bool = False) -> Any:
        """Compile ``source``; a suite without a compiler cannot run types that need expressions."""
        if self.compiler is None:
            raise AssertionError("this step type needs an expression compiler: PlainContext(compiler)")
        more = {"aggregate": True} if aggregate else {}
        return self.compiler(source, tables, pointer, **more)

    def query(self, source: str, tables: Mapping[str, Any], pointer: str = "") -> Any:
        """Compile ``source``; a suite without it cannot run types that need queries."""
        if self.queries is None:
            raise AssertionError("this step type needs a compiler of queries: PlainContext(queries=…)")
        return self.queries(source, tables, pointer)

    def problem(
        self, code: str, message: Text, pointer: str = "", fix: Mapping[str, Any] | None = None, column: str = ""
    ) -> StepProblem:
        """The error for a problem, checked for words in both languages."""
        assert all(message.get(language) for language in LANGUAGES), f"{code} lacks words in a language"
        return StepProblem(code, message, pointer, fix)

    def warn(self, code: str, message: Text, pointer: str = "") -> None:
        """Keep the warning."""
        self.warnings.append((code, message, pointer))


# ── every type ────────────────────────────────────────────────────────────────────────────────────────────


def check_words(kind: type[NodeType]) -> None:
    """Title, summary and help in both languages, a docstring, an icon; likewise every setting's title."""
    for word in ("title", "summary", "help"):
        value = getattr(kind, word)
        for language in LANGUAGES:
            assert value.get(language, "").strip(), f"{kind.key}.{word} is empty in {language}"
        assert word == "title" or value["en"] != value["zh-CN"], f"{kind.key}.{word} is not translated"
    assert kind.__doc__, f"{kind.key} has no docstring"
    assert kind.icon.endswith("Outlined"), f"{kind.key}.icon {kind.icon!r} is no outlined icon of @ant-design/icons"
    for pointer, part in _properties(json_schema(kind.Settings)):
        for hint in ("x-title", "x-description"):
            words = part.get(hint)
            if words is None and hint == "x-description":
                continue
            assert words, f"{kind.key}{pointer} lacks {hint}"
            assert all(words.get(language) for language in LANGUAGES), f"{kind.key}{pointer} lacks {hint}"
        for value, words in part.get("x-choices", {}).items():
            assert all(words.get(language) for language in LANGUAGES), f"{kind.key}{pointer} choice {value} lacks words"


def check_schema(kind: type[NodeType]) -> None:
    """Only keywords that forms and ``schema_problems`` know, in the type's settings (and dataset settings)."""
    structs = [kind.Settings, kind.DatasetSettings] if issubclass(kind, Connector) else [kind.Settings]
    for struct in structs:
        for pointer, keyword in _keywords(json_schema(struct)):
            assert keyword in KEYWORDS or keyword.startswith("x-"), f"{kind.key}{pointer}: keyword {keyword!r}"
    for name in secret_fields(kind.Settings):
        part = json_schema(kind.Settings)["properties"][name]
        assert part.get("default", "") in ("", None), f"{kind.key}: secret {name} has a default"


def _properties(schema: Mapping[str, Any], pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{pointer}/{name}", part
    for name, part in _children(schema):
        yield from _properties(part, f"{pointer}/{name}")


def _keywords(schema: Mapping[str, Any], pointer: str = "") -> Iterator[tuple[str, str]]:
    for keyword in schema:
        yield pointer, keyword
    for name, part in _children(schema):
        yield from _keywords(part, f"{pointer}/{name}")


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from schema.get("properties", {}).items()
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            yield keyword, schema[keyword]
    for keyword in ("anyOf", "prefixItems"):
        yield from ((f"{keyword}/{index}", part) for index, part in enumerate(schema.get(keyword, ())))


# ── transforms ────────────────────────────────────────────────────────────────────────────────────────────


def examples(types: Registry) -> Iterator[tuple[type[Transform], Example]]:
    """Every example of every step type."""
    for step in types.transforms.values():
        for example in step.examples:
            yield step, example


def check_example(step: type[Transform], example: Example, context: Any, run: Runner) -> None:
    """The example's settings parse, its declared schema is the type check's, and its rows are the real rows.

    A port with several wires has its inputs under ``in``, ``in:2``, ``in:3`` …
    """
    import ibis

    raw = dict(example.settings)
    if example.version != step.version:
        raw = step.migrate(raw, example.version)
    settings = parse(step.Settings, raw)
    inputs: dict[str, list[Any]] = {}
    tables: dict[str, tuple[Columns, Rows]] = {}
    for name, table in example.inputs.items():
        alias = name.replace(":", "_")
        tables[alias] = table
        unbound = ibis.table(to_ibis(Schema.of(list(table[0].items()))), name=alias)
        inputs.setdefault(name.partition(":")[0], []).append(unbound)
    if step.calls == "once":
        return  # the called flow's steps take its place, so it has no rows of its own
    made = step.apply(inputs, settings, context)
    if isinstance(made, Mapping):
        outputs = [port.name for port in step.ports_of(raw) if port.direction == "out"]
        assert sorted(made) == sorted(outputs), f"{step.key}: rows for {sorted(made)}, ports {sorted(outputs)}"
        for port, wanted in example.outputs.items():
            _check_rows(step, example, made[port], wanted, tables, run)
    elif example.output is not None:
        _check_rows(step, example, made, example.output, tables, run)


def _check_rows(
    step: type[Transform],
    example: Example,
    relation: Any,
    output: tuple[Columns, Rows],
    tables: Mapping[str, tuple[Columns, Rows]],
    run: Runner,
) -> None:
    columns, rows = output
    assert all(is_type(kind) for kind in columns.values()), f"unknown type among {columns}"
    declared = [(part.name, part.type) for part in from_ibis(relation.schema()).fields]
    assert declared == list(columns.items()), f"{step.key}: schema {declared} instead of {list(columns.items())}"
    found = run(relation, tables)
    wanted = [tuple(_typed(value, kind) for value, kind in zip(row, columns.values(), strict=True)) for row in rows]
    if not example.ordered:
        found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    assert len(found) == len(wanted), f"{step.key}: {len(found)} rows instead of {len(wanted)}: {found}"
    for got, want in zip(found, wanted, strict=True):
        assert all(_same(a, b) for a, b in zip(got, want, strict=True)), f"{step.key}: {got} instead of {want}"


def run_duckdb(connection: Any) -> Runner:
    """A runner over an open DuckDB connection (handed in: this package never imports the engine)."""

    def run(relation: Any, tables: Mapping[str, tuple[Columns, Rows]]) -> list[tuple[Any, ...]]:
        import ibis

        for name, (columns, rows) in tables.items():
            table = arrow_table(columns, rows)
            connection.register("given", table.cast(without_crs(table.schema)))
            connection.execute(f"create temp table {quoted(name)} as from given")
            connection.unregister("given")
        answer = connection.sql(ibis.to_sql(relation, dialect="duckdb")).to_arrow_table()
        for name in tables:
            connection.execute(f"drop table {quoted(name)}")
        declared = [part.type for part in from_ibis(relation.schema()).fields]
        found = [type_of_arrow(part.type) for part in answer.schema]
        declared = ["binary" if crs_of(kind) else kind for kind in declared]
        assert found == declared, f"the engine gives {found} where the type check says {declared}"
        return [tuple(row.values()) for row in answer.to_pylist()]

    return run


def arrow_table(columns: Columns, rows: Rows) -> Any:
    """An Arrow table of example rows (dates, decimals and geometries are written as text)."""
    import pyarrow as pa

    schema = to_arrow(Schema.of(list(columns.items())))
    arrays = [
        pa.array([_typed(row[index], kind) for row in rows], schema.field(index).type)
        for index, kind in enumerate(columns.values())
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _typed(value: Any, kind: str) -> Any:
    if value is None:
        return None
    match kind.partition("(")[0]:
        case "date":
            return date.fromisoformat(value)
        case "time":
            return time.fromisoformat(value)
        case "timestamp":
            return datetime.fromisoformat(value)
        case "decimal":
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-int(kind.rstrip(")").partition(",")[2])))
        case "number":
            return float(value)
        case "geometry":
            return to_wkb(read_wkt(value))
        case _:
            return value


def _same(got: Any, want: Any) -> bool:
    if isinstance(got, float) and isinstance(want, float):
        return math.isclose(got, want, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(got, bytes) and isinstance(want, bytes) and got != want:
        return _same_geometry(got, want)
    return type(got) is type(want) and got == want


def _same_geometry(got: bytes, want: bytes) -> bool:
    """Bytes that differ may be geometries whose coordinates were calculated."""
    try:
        first, second = read_wkb(got), read_wkb(want)
    except ValueError:
        return False
    ours, theirs = list(first.points()), list(second.points())
    pairs = zip((part for point in ours for part in point), (part for point in theirs for part in point))
    return first.kind == second.kind and len(ours) == len(theirs) and all(math.isclose(*p, rel_tol=1e-9) for p in pairs)
