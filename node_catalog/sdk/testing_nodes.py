"""Contract suite for connectors, usable by packages outside this one.

A suite gets a ``NodeCase``: settings of a real system, the context, and a way to read a dataset back. Every function
raises AssertionError with words. ``CONNECTOR_CHECKS`` lists them all; outputs: ``testing_outputs``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from node_catalog.sdk.access import DatasetRef
from node_catalog.sdk.contract import ConnectContext, Connector, DiscoveredDataset, Output
from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.ports import Schema, is_type, to_arrow
from node_catalog.sdk.schema import parse, secret_fields
from node_catalog.sdk.text import LANGUAGES

Rows = list[tuple[Any, ...]]


@dataclass
class NodeCase:
    """A real system to test against.

    ``read(connector, settings, dataset, context)`` gives all rows of a dataset through the connector's own access, as
    an Arrow table. ``target`` is a path that does not exist yet. ``wrong`` maps a name to settings that cannot work.
    """

    connector: type[Connector]
    settings: Mapping[str, Any]
    context: ConnectContext
    read: Callable[[type[Connector], Any, DatasetRef, ConnectContext], Any]
    target: tuple[str, ...] = ("made",)
    expected: Mapping[tuple[str, ...], int | None] = field(default_factory=dict)
    wrong: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def parsed(self) -> Any:
        """The settings struct."""
        return parse(self.connector.Settings, self.settings)

    @property
    def output(self) -> type[Output]:
        """The connector's output."""
        assert self.connector.output is not None
        return self.connector.output

    def found(self) -> dict[tuple[str, ...], DiscoveredDataset]:
        """What discovery finds now, by path."""
        return {dataset.path: dataset for dataset in self.connector.discover(self.parsed, self.context)}

    def table(self, path: tuple[str, ...]) -> Any:
        """All rows of a dataset as an Arrow table, or None when it is not there (or not visible yet)."""
        dataset = next((d for p, d in self.found().items() if p[-len(path) :] == path), None)
        if dataset is None or not dataset.columns:
            return None
        return self.read(self.connector, self.parsed, reference(dataset), self.context)

    def rows(self) -> Rows | None:
        """The rows of the target."""
        table = self.table(self.target)
        return None if table is None else [tuple(row.values()) for row in table.to_pylist()]


def reference(dataset: DiscoveredDataset) -> DatasetRef:
    """A discovered dataset as the catalogue hands it back."""
    schema = Schema.of((column.name, column.type) for column in dataset.columns)
    return DatasetRef(dataset.path, schema, dataset.settings)


# ── connectors ────────────────────────────────────────────────────────────────────────────────────────────


def check_answers(case: NodeCase) -> None:
    """A test of the connection succeeds, with facts that are plain JSON and no secret."""
    answer = case.connector.check(case.parsed, case.context)
    assert answer.ok, answer
    words(answer.message)
    _no_secret(case, json.dumps(dict(answer.facts)) + json.dumps(answer.message))


def check_wrong_settings(case: NodeCase) -> None:
    """What cannot work is an answer in both languages, never an exception and never a secret."""
    for name, change in case.wrong.items():
        settings = parse(case.connector.Settings, {**case.settings, **change})
        answer = case.connector.check(settings, case.context)
        assert not answer.ok, f"{name}: {answer}"
        words(answer.message)
        assert answer.code, name
        _no_secret(case, json.dumps(answer.message) + json.dumps(dict(answer.facts)))


def check_discovery(case: NodeCase) -> None:
    """Paths are unique, types are ours, dataset settings parse, and exact row counts are true."""
    found = case.found()
    assert len(found) == len(list(case.connector.discover(case.parsed, case.context)))
    for path, rows in case.expected.items():
        assert path in found, f"{path} is not among {list(found)}"
        assert found[path].rows == rows, f"{path}: {found[path].rows} rows instead of {rows}"
    for dataset in found.values():
        assert all(is_type(column.type) for column in dataset.columns), dataset
        assert all(column.native_type for column in dataset.columns), dataset
        parse(case.connector.DatasetSettings, dict(dataset.settings))
        msgspec.json.encode(dataset)
        for warning in dataset.warnings:
            words(warning)


def check_reading(case: NodeCase) -> None:
    """What is read has exactly the promised columns and types, and as many rows as were counted."""
    for dataset in case.found().values():
        if not dataset.columns:
            continue
        table = case.read(case.connector, case.parsed, reference(dataset), case.context)
        wanted = to_arrow(reference(dataset).schema)
        assert table.schema.equals(wanted), f"{dataset.path}: {table.schema} instead of {wanted}"
        if dataset.rows_exact:
            assert table.num_rows == dataset.rows, f"{dataset.path}: {table.num_rows} of {dataset.rows} rows"
        for name, kind in zip(wanted.names, wanted.types, strict=True):
            if str(kind) == "double":
                values = table.column(name).drop_null().to_pylist()
                assert all(value == value for value in values), f"{dataset.path}.{name} has NaN, which must be NULL"


def check_vanished(case: NodeCase) -> None:
    """A dataset or a column that is gone is a SourceError in words."""
    some = next(dataset for dataset in case.found().values() if dataset.columns)
    gone = DatasetRef((*some.path[:-1], "no_such_" + some.path[-1]), reference(some).schema, some.settings)
    moved = DatasetRef(some.path, Schema.of([("no such column", "integer")]), some.settings)
    for dataset in (gone, moved):
        try:
            case.read(case.connector, case.parsed, dataset, case.context)
        except SourceError as error:
            words(error.message)
        else:
            raise AssertionError(f"reading {dataset.path} {dataset.schema.names} should have failed")


CONNECTOR_CHECKS = (check_answers, check_wrong_settings, check_discovery, check_reading, check_vanished)


def words(message: Mapping[str, str]) -> None:
    """Both languages are there, and no traceback is told."""
    assert all(message.get(language) for language in LANGUAGES), f"a language is missing: {message}"
    assert "Traceback" not in message["en"]


def _no_secret(case: NodeCase, said: str) -> None:
    for name in secret_fields(case.connector.Settings):
        secret = case.settings.get(name)
        assert not secret or str(secret) not in said, f"the secret {name} is told"
