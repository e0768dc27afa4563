"""The palette: what the browser needs to know about every type. The one place that builds the registry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import msgspec

from node_catalog.sdk.contract import Connector, Example, Group, Transform
from node_catalog.sdk.load_limits import limits_schema
from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import json_schema, secret_fields

GROUPS: tuple[str, ...] = get_args(Group)


@cache
def registry() -> Registry:
    """All node types, built once per process."""
    return load_registry()


def palette(types: Registry | None = None) -> dict[str, Any]:
    """Step types and connectors with their words (both languages), ports, schemas and examples, as JSON."""
    types = types or registry()
    steps = sorted(types.transforms.values(), key=lambda step: (GROUPS.index(step.group), step.rank, step.key))
    return {
        "steps": [step_entry(step) for step in steps],
        "connectors": [connector_entry(connector) for connector in types.connectors.values()],
    }


def step_entry(step: type[Transform]) -> dict[str, Any]:
    """One step type as the palette shows it."""
    return {
        **_words(step),
        "group": step.group,
        "role": step.role,
        "ports": [msgspec.to_builtins(port) for port in step.ports],
        "port_lists": [msgspec.to_builtins(rule) for rule in step.port_lists],
        "takes_unbounded": step.takes_unbounded,
        "schema": json_schema(step.Settings),
        "examples": [_example(example) for example in step.examples],
    }


def connector_entry(connector: type[Connector]) -> dict[str, Any]:
    """One connector as the catalogue's form needs it; ``writes`` lists the modes of its output."""
    return {
        **_words(connector),
        "kind_code": connector.kind_code,
        "schema": json_schema(connector.Settings),
        "dataset_schema": json_schema(connector.DatasetSettings),
        "limits_schema": limits_schema(connector),
        "secret_fields": list(secret_fields(connector.Settings)),
        "writes": list(connector.output.modes) if connector.output else [],
        "delivery_label": delivery_label(connector.key, {connector.key: connector}),
        "label": connector.label,
    }


def delivery_label(node_type: str, connectors: Mapping[str, type[Connector]] | None = None) -> str:
    """What is promised of rows written to a node of this type (a DeliveryLabel); empty when none can be written."""
    connector = (registry().connectors if connectors is None else connectors).get(node_type)
    return connector.output.delivery_label if connector and connector.output else ""


def _words(kind: type[Transform] | type[Connector]) -> dict[str, Any]:
    return {
        "key": kind.key,
        "version": kind.version,
        "title": kind.title,
        "summary": kind.summary,
        "help": kind.help,
        "icon": kind.icon,
    }


def _example(example: Example) -> dict[str, Any]:
    def rows(table: Any) -> Any:
        return None if table is None else {"columns": dict(table[0]), "rows": [list(row) for row in table[1]]}

    return {
        "title": example.title,
        "settings": msgspec.to_builtins(dict(example.settings)),
        "inputs": {port: rows(table) for port, table in example.inputs.items()},
        "output": rows(example.output),
        "outputs": {port: rows(table) for port, table in example.outputs.items()},
        "ordered": example.ordered,
        "version": example.version,
    }
