"""From what a problem suggests to operations that mend it in one click.

Step types suggest ``{"pointer", "value"}`` (put a value into the settings); expressions suggest ``{"start", "end",
"text"}`` (replace a part of the text) or ``{"cast": {"column", "type"}}`` (convert a column before the step). A step
type may also ask for a whole step before one of its ports: ``{"before": {"type", "port", "settings"}}``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from flows.graph.document import Document, Wire
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import Text, text

Fix = dict[str, Any]


def make_fix(label: Text, *operations: dict[str, Any]) -> Fix:
    """A fix as findings carry it."""
    return {"label": label, "operations": list(operations)}


def fix_for(
    suggestion: Mapping[str, Any] | None,
    document: Document,
    step: str,
    pointer: str,
    schemas: Mapping[str, Schema],
    types: Mapping[str, Any],
) -> Fix | None:
    """The operations behind ``suggestion`` for a problem at ``pointer`` inside the settings of ``step``."""
    if not suggestion:
        return None
    if "operations" in suggestion:
        return dict(suggestion)
    label = suggestion.get("label")
    settings = copy.deepcopy(document.steps[step].settings)
    if "cast" in suggestion:
        return _cast_before(document, step, suggestion["cast"], schemas, types, label)
    if "before" in suggestion:
        wanted = suggestion["before"]
        wire = next((w for w in document.wires if w.target == f"{step}.{wanted['port']}"), None)
        return _step_before(document, wire, wanted["type"], wanted["settings"], types, label) if wire else None
    if "value" in suggestion and "pointer" in suggestion:
        value, at = suggestion["value"], str(suggestion["pointer"])
        if not put(settings, at, value):
            return None
        return make_fix(label or text(f"Change to {value}", f"改为 {value}"), _set(step, settings))
    if {"start", "end", "text"} <= set(suggestion):
        old = get(settings, pointer)
        if not isinstance(old, str):
            return None
        new = old[: suggestion["start"]] + suggestion["text"] + old[suggestion["end"] :]
        if not put(settings, pointer, new):
            return None
        return make_fix(label or text(f"Change to {new}", f"改为 {new}"), _set(step, settings))
    return None


def _set(step: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"op": "set_settings", "id": step, "settings": settings}


def _cast_before(
    document: Document,
    step: str,
    cast: Mapping[str, str],
    schemas: Mapping[str, Schema],
    types: Mapping[str, Any],
    label: Text | None,
) -> Fix | None:
    """Put a step that converts the column onto the wire by which it comes."""
    for wire in document.wires:
        schema = schemas.get(wire.source)
        if wire.target_step == step and schema is not None and schema.get(cast["column"]) is not None:
            column = {"column": cast["column"], "type": cast["type"], "on_error": "null"}
            label = label or text("Convert the column before", "先转换该列的类型")
            return _step_before(document, wire, "cast", {"columns": [column]}, types, label)
    return None


def _step_before(
    document: Document,
    wire: Wire,
    kind: str,
    settings: Mapping[str, Any],
    types: Mapping[str, Any],
    label: Text | None,
) -> Fix | None:
    """Put a new step onto a wire, in its place among the wires of that port."""
    if kind not in types:
        return None
    name = free_id(document, kind)
    return make_fix(
        label or types[kind].title,
        {
            "op": "add_step",
            "id": name,
            "step": {"type": kind, "version": types[kind].version, "settings": dict(settings)},
        },
        {"op": "disconnect", "from": wire.source, "to": wire.target},
        {"op": "connect", "from": f"{name}.out", "to": wire.target, "index": document.wires.index(wire)},
        {"op": "connect", "from": wire.source, "to": f"{name}.in"},
    )


def free_id(document: Document, stem: str) -> str:
    """An id that no step has yet."""
    number = 1
    while f"{stem}_{number}" in document.steps:
        number += 1
    return f"{stem}_{number}"


# ── pointers ──────────────────────────────────────────────────────────────────────────────────────────────


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def get(value: Any, pointer: str) -> Any:
    """What stands at an RFC 6901 pointer, None when nothing does."""
    for part in _parts(pointer):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def put(value: Any, pointer: str, new: Any) -> bool:
    """Replace (or add) what stands at a pointer; False when its parent does not exist."""
    parts = _parts(pointer)
    if not parts:
        return False
    parent = get(value, pointer.rpartition("/")[0])
    if isinstance(parent, dict):
        parent[parts[-1]] = new
        return True
    if isinstance(parent, list) and parts[-1].isdigit() and int(parts[-1]) < len(parent):
        parent[int(parts[-1])] = new
        return True
    return False
