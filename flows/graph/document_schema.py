"""JSON Schemas (2020-12) of the four documents: the envelope, and the full one with a branch per step type.

The browser and outside tools validate with them; the server checks the same rules by ``flows.graph.load`` (the
envelope) and by each type's own settings parser, because one big schema takes half a second for 200 steps.
"""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import json_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64
MAX_STEPS = 10_000
MAX_WIRES = 40_000
IDENTIFIER = r"^[a-z][a-z0-9_]*$"
MAX_IDENTIFIER = 60
END_POINT = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"

_EXTENSION: dict[str, Any] = {"^x-": True}
_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"en": {"type": "string", "maxLength": 2000}, "zh-CN": {"type": "string", "maxLength": 2000}},
    "additionalProperties": False,
}
_POSITION: dict[str, Any] = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["x", "y"],
    "additionalProperties": False,
}
_WIRE: dict[str, Any] = {
    "type": "object",
    "properties": {"from": {"type": "string", "pattern": END_POINT}, "to": {"type": "string", "pattern": END_POINT}},
    "required": ["from", "to"],
    "patternProperties": _EXTENSION,
    "additionalProperties": False,
}


def _step_schema(kind: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": kind,
            "version": {"type": "integer", "minimum": 1},
            "settings": settings,
            "title": {"anyOf": [_TEXT, {"type": "null"}]},
        },
        "required": ["type"],
        "patternProperties": _EXTENSION,
        "additionalProperties": False,
    }


def _flow(step: dict[str, Any], identity: str) -> dict[str, Any]:
    names = {"pattern": IDENTIFIER, "maxLength": MAX_IDENTIFIER}
    return {
        "$schema": DRAFT,
        "$id": identity,
        "title": "Flow document",
        "type": "object",
        "properties": {
            "kind": {"const": "flow"},
            "spec": {"const": "1"},
            "title": _TEXT,
            "inputs": {"type": "object"},
            "datasets": {
                "type": "object",
                "propertyNames": names,
                "additionalProperties": {"type": "string", "maxLength": 200},
            },
            "steps": {
                "type": "object",
                "maxProperties": MAX_STEPS,
                "propertyNames": names,
                "additionalProperties": step,
            },
            "wires": {"type": "array", "maxItems": MAX_WIRES, "items": _WIRE},
        },
        "required": ["kind", "spec"],
        "patternProperties": _EXTENSION,
        "additionalProperties": False,
    }


def envelope_schema() -> dict[str, Any]:
    """The flow document without the rules of step types: what L0 checks and a draft must pass to be kept."""
    kind = {"type": "string", "minLength": 1, "maxLength": 100}
    return _flow(_step_schema(kind, {"type": "object"}), "/schema/flow-envelope.json")


def flow_schema(registry: Registry) -> dict[str, Any]:
    """The full flow document for publication: a step's settings by its type; unknown types stay allowed."""
    branches = [
        {
            "if": {"properties": {"type": {"const": key}}, "required": ["type"]},
            "then": _step_schema({"const": key}, json_schema(kind.Settings)),
        }
        for key, kind in sorted(registry.transforms.items())
    ]
    step = {**_step_schema({"type": "string", "minLength": 1, "maxLength": 100}, {"type": "object"}), "allOf": branches}
    return _flow(step, "/schema/flow.json")


def layout_schema() -> dict[str, Any]:
    """Positions, notes, groups and viewport: what a picture needs and a run does not."""
    return {
        "$schema": DRAFT,
        "$id": "/schema/layout.json",
        "title": "Flow layout",
        "type": "object",
        "properties": {
            "positions": {"type": "object", "additionalProperties": _POSITION},
            "viewport": {
                "type": "object",
                "properties": {"x": {"type": "number"}, "y": {"type": "number"}, "zoom": {"type": "number"}},
            },
            "notes": {"type": "array", "items": {"type": "object"}},
            "groups": {"type": "array", "items": {"type": "object"}},
        },
        "patternProperties": _EXTENSION,
        "additionalProperties": False,
    }


def samples_schema() -> dict[str, Any]:
    """Pinned inputs and golden outputs: rows by port, for trying a flow without its sources."""
    rows = {
        "type": "object",
        "properties": {
            "columns": {"type": "object", "additionalProperties": {"type": "string"}},
            "rows": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["columns", "rows"],
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "$id": "/schema/samples.json",
        "title": "Flow samples",
        "type": "object",
        "properties": {
            "inputs": {"type": "object", "additionalProperties": rows},
            "outputs": {"type": "object", "additionalProperties": rows},
        },
        "patternProperties": _EXTENSION,
        "additionalProperties": False,
    }


def bundle_schema() -> dict[str, Any]:
    """One file for export and import: document, layout, samples and the lock (type versions, schemas, digest)."""
    return {
        "$schema": DRAFT,
        "$id": "/schema/bundle.json",
        "title": "Flow bundle",
        "type": "object",
        "properties": {
            "kind": {"const": "bundle"},
            "spec": {"const": "1"},
            "document": {"$ref": "/schema/flow-envelope.json"},
            "layout": {"$ref": "/schema/layout.json"},
            "samples": {"$ref": "/schema/samples.json"},
            "lock": {"type": "object"},
        },
        "required": ["document"],
        "patternProperties": _EXTENSION,
    }
