"""Edits of a document as small operations: pure functions on plain JSON, each with its inverse.

One stream of operations serves saving, undo, audit and co-editing. A batch applies whole or not at all; the inputs
are never changed, and what is not touched is shared between the old and the new document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flows.graph.errors import GraphError
from node_catalog.sdk.text import Text, text

Json = dict[str, Any]


class OperationError(GraphError):
    """An operation does not fit the document; ``index`` says which one of the batch."""

    def __init__(self, code: str, message: Text, index: int = 0) -> None:
        super().__init__(code, message, f"/{index}")
        self.index = index


class _Refused(Exception):
    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.code, self.message = f"operation.{code}", text(en, zh)


class _Draft:
    """Shallow copies of the parts that operations replace."""

    def __init__(self, document: Json, layout: Json) -> None:
        self.document = dict(document)
        self.layout = dict(layout)
        for key in ("steps", "datasets"):
            self.document[key] = dict(document.get(key) or {})
        self.document["wires"] = list(document.get("wires") or [])
        self.layout["positions"] = dict(layout.get("positions") or {})

    @property
    def steps(self) -> Json:
        steps: Json = self.document["steps"]
        return steps

    @property
    def wires(self) -> list[Json]:
        wires: list[Json] = self.document["wires"]
        return wires

    @property
    def positions(self) -> Json:
        positions: Json = self.layout["positions"]
        return positions

    def step(self, operation: Json) -> tuple[str, Json]:
        key = _string(operation, "id")
        if key not in self.steps:
            raise _Refused("no_such_step", f"There is no step “{key}” any more.", f"步骤“{key}”已不存在。")
        return key, self.steps[key]


def apply_operations(document: Json, layout: Json, operations: list[Json]) -> tuple[Json, Json]:
    """The document and layout after ``operations``. Raises OperationError with the index of the one that fails."""
    document, layout, _ = apply_with_inverse(document, layout, operations)
    return document, layout


def apply_with_inverse(document: Json, layout: Json, operations: list[Json]) -> tuple[Json, Json, list[Json]]:
    """As ``apply_operations``, and the operations that lead back (in the order in which to apply them)."""
    draft, inverse = _Draft(document, layout), []
    for index, operation in enumerate(operations):
        try:
            if not isinstance(operation, Mapping):
                raise _Refused("shape", "An operation must be a JSON object.", "操作必须是 JSON 对象。")
            act = _ACTS.get(str(operation.get("op")))
            if act is None:
                name = str(operation.get("op"))[:40]
                raise _Refused("unknown", f"The operation “{name}” is not known.", f"不认识操作“{name}”。")
            inverse.append(act(draft, dict(operation)))
        except _Refused as refused:
            raise OperationError(refused.code, refused.message, index) from None
    return draft.document, draft.layout, [step for batch in reversed(inverse) for step in batch]


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────


def _add_step(draft: _Draft, operation: Json) -> list[Json]:
    key, step = _string(operation, "id"), operation.get("step")
    if key in draft.steps:
        raise _Refused("step_exists", f"A step “{key}” already exists.", f"步骤“{key}”已存在。")
    if not isinstance(step, Mapping) or not isinstance(step.get("type"), str):
        raise _Refused("shape", "“step” must be an object with a type.", "“step”必须是带有类型的对象。")
    draft.steps[key] = {"version": 1, "settings": {}, **step}
    if isinstance(operation.get("position"), Mapping):
        draft.positions[key] = dict(operation["position"])
    return [{"op": "remove_step", "id": key}]


def _remove_step(draft: _Draft, operation: Json) -> list[Json]:
    key, step = draft.step(operation)
    back: Json = {"op": "add_step", "id": key, "step": step}
    if key in draft.positions:
        back["position"] = draft.positions.pop(key)
    touching = [
        (index, wire) for index, wire in enumerate(draft.wires) if key in (_step_of(wire["from"]), _step_of(wire["to"]))
    ]
    del draft.steps[key]
    draft.document["wires"] = [
        wire for wire in draft.wires if key not in (_step_of(wire["from"]), _step_of(wire["to"]))
    ]
    return [back, *({"op": "connect", **wire, "index": index} for index, wire in touching)]


def _set_settings(draft: _Draft, operation: Json) -> list[Json]:
    key, step = draft.step(operation)
    if not isinstance(operation.get("settings"), Mapping):
        raise _Refused("shape", "“settings” must be an object.", "“settings”必须是对象。")
    before = step.get("settings") or {}
    settings = _merged(before, operation)
    draft.steps[key] = {**step, "settings": settings}
    back: Json = {"op": "set_settings", "id": key, "settings": before, "was": settings}
    if isinstance(operation.get("version"), int):
        draft.steps[key]["version"] = operation["version"]
        back["version"] = step.get("version", 1)
    return [back]


def _merged(now: Json, operation: Json) -> Json:
    """The settings that an edit leads to.

    With ``was`` (what its author saw) only the properties change that the author changed: what somebody else has set
    beside them in the meantime stays.
    """
    settings = dict(operation["settings"])
    was = operation.get("was")
    if not isinstance(was, Mapping):
        return settings
    merged = dict(now)
    for name in dict.fromkeys([*was, *settings]):
        if name not in settings:
            merged.pop(name, None)
        elif name not in was or was[name] != settings[name]:
            merged[name] = settings[name]
    return merged


def _set_title(draft: _Draft, operation: Json) -> list[Json]:
    key, step = draft.step(operation)
    title = operation.get("title")
    changed = {name: value for name, value in step.items() if name != "title"}
    draft.steps[key] = {**changed, "title": title} if title else changed
    return [{"op": "set_title", "id": key, "title": step.get("title")}]


# ── wires ─────────────────────────────────────────────────────────────────────────────────────────────────


def _connect(draft: _Draft, operation: Json) -> list[Json]:
    wire = {"from": _string(operation, "from"), "to": _string(operation, "to")}
    for end in wire.values():
        if _step_of(end) not in draft.steps:
            name = _step_of(end)
            raise _Refused("no_such_step", f"There is no step “{name}” any more.", f"步骤“{name}”已不存在。")
    if _position(draft, wire) is not None:
        raise _Refused("wire_exists", "These two ports are already connected.", "这两个端口已经相连。")
    index = operation.get("index")
    whole = isinstance(index, int) and not isinstance(index, bool)
    notes = {key: value for key, value in operation.items() if key.startswith("x-")}
    place = min(max(int(index or 0), 0), len(draft.wires)) if whole else len(draft.wires)
    draft.wires.insert(place, {**wire, **notes})
    return [{"op": "disconnect", **wire}]


def _disconnect(draft: _Draft, operation: Json) -> list[Json]:
    wire = {"from": _string(operation, "from"), "to": _string(operation, "to")}
    index = _position(draft, wire)
    if index is None:
        raise _Refused("no_such_wire", "This wire does not exist any more.", "这条连线已不存在。")
    removed = draft.wires.pop(index)
    return [{"op": "connect", **removed, "index": index}]


def _position(draft: _Draft, wire: Json) -> int | None:
    return next(
        (
            index
            for index, other in enumerate(draft.wires)
            if other["from"] == wire["from"] and other["to"] == wire["to"]
        ),
        None,
    )


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────


def _move(draft: _Draft, operation: Json) -> list[Json]:
    positions = operation.get("positions")
    if not isinstance(positions, Mapping):
        raise _Refused("shape", "“positions” must be an object.", "“positions”必须是对象。")
    before = {key: draft.positions.get(key) for key in positions}
    for key, place in positions.items():
        if place is None:
            draft.positions.pop(key, None)
        elif not isinstance(place, Mapping) or not all(_is_number(place.get(axis)) for axis in ("x", "y")):
            raise _Refused("shape", "A position needs the numbers x and y.", "位置需要数字 x 和 y。")
        elif key in draft.steps:
            draft.positions[key] = {"x": place["x"], "y": place["y"]}
    return [{"op": "move", "positions": before}]


def _set_dataset(draft: _Draft, operation: Json) -> list[Json]:
    alias, number = _string(operation, "alias"), operation.get("number")
    before = draft.document["datasets"].pop(alias, None)
    if number is not None:
        draft.document["datasets"][alias] = _string(operation, "number")
    return [{"op": "set_dataset", "alias": alias, "number": before}]


def _set_inputs(draft: _Draft, operation: Json) -> list[Json]:
    if not isinstance(operation.get("inputs"), Mapping):
        raise _Refused("shape", "“inputs” must be an object.", "“inputs”必须是对象。")
    before = draft.document.get("inputs") or {}
    draft.document["inputs"] = dict(operation["inputs"])
    return [{"op": "set_inputs", "inputs": before}]


def _set_flow_title(draft: _Draft, operation: Json) -> list[Json]:
    if not isinstance(operation.get("title"), Mapping):
        raise _Refused("shape", "“title” must hold the texts by language.", "“title”应按语言给出文字。")
    before = draft.document.get("title") or {}
    draft.document["title"] = dict(operation["title"])
    return [{"op": "set_flow_title", "title": before}]


def _set_layout(draft: _Draft, operation: Json) -> list[Json]:
    key = _string(operation, "key")
    if key not in ("viewport", "notes", "groups") and not key.startswith("x-"):
        raise _Refused("shape", f"“{key}” is no part of the layout.", f"布局中没有“{key}”。")
    before = draft.layout.pop(key, None)
    if operation.get("value") is not None:
        draft.layout[key] = operation["value"]
    return [{"op": "set_layout", "key": key, "value": before}]


def _set_item(draft: _Draft, operation: Json) -> list[Json]:
    """A note or a group of the layout by its id; without a value it is removed. So two editors' notes never clash."""
    kind = str(operation["op"]).removeprefix("set_")
    key, value = _string(operation, "id"), operation.get(kind)
    if value is not None and (not isinstance(value, Mapping) or value.get("id", key) != key):
        raise _Refused("shape", f"“{kind}” must be an object with the same id.", f"“{kind}”必须是 id 相同的对象。")
    items = list(draft.layout.get(f"{kind}s") or [])
    index = next((at for at, item in enumerate(items) if item.get("id") == key), None)
    back: Json = {"op": operation["op"], "id": key, kind: None if index is None else items[index]}
    if index is not None and value is None:
        back["index"] = index
    if index is not None:
        del items[index]
    if value is not None:
        wanted = operation.get("index") if index is None else index
        whole = isinstance(wanted, int) and not isinstance(wanted, bool)
        place = min(max(int(wanted or 0), 0), len(items)) if whole else len(items)
        items.insert(place, {**value, "id": key})
    if items:
        draft.layout[f"{kind}s"] = items
    else:
        draft.layout.pop(f"{kind}s", None)
    return [back]


_ACTS: dict[str, Callable[[_Draft, Json], list[Json]]] = {
    "add_step": _add_step,
    "remove_step": _remove_step,
    "set_settings": _set_settings,
    "set_title": _set_title,
    "connect": _connect,
    "disconnect": _disconnect,
    "move": _move,
    "set_dataset": _set_dataset,
    "set_inputs": _set_inputs,
    "set_flow_title": _set_flow_title,
    "set_layout": _set_layout,
    "set_note": _set_item,
    "set_group": _set_item,
}


def _string(operation: Json, name: str) -> str:
    value = operation.get(name)
    if not isinstance(value, str) or not value:
        raise _Refused("shape", f"“{name}” must be a text.", f"“{name}”必须是文字。")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _step_of(end: str) -> str:
    return end.partition(".")[0]
