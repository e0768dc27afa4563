"""Two states of a flow side by side: one drawing that holds both, and in words what is different about each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.checking import draft_document, step_summaries
from flows.graph.diff import diff
from flows.graph.document import Document
from flows.models import Flow, Version
from node_catalog.palette import registry
from node_catalog.sdk.schema import json_schema
from node_catalog.sdk.text import Text, shortened, text

Json = dict[str, Any]
LONGEST = 80
EMPTY: Json = {"document": {"kind": "flow", "spec": "1"}, "layout": {}}
KINDS = {"added": "added", "removed": "removed"}
NAMING = ("name", "column", "as", "left", "value")
"""Members by which an entry of a list is called."""


def compare(flow: Flow, old: Version, new: Version | None) -> Json:
    """``{"document", "layout", "steps", "wires", "entries", "summaries"}``: ``new`` None is the draft.

    The document holds the steps and wires of both; ``steps`` and ``wires`` say which are added, removed or changed.
    """
    before = old.document["flows"].get(flow.key, EMPTY)
    after = {"document": flow.draft.document, "layout": flow.draft.layout} if new is None else _parts(new, flow.key)
    first, second = draft_document(before["document"]), draft_document(after["document"])
    entries = [_worded(entry, first, second) for entry in diff(first, second)]
    both = _both(before["document"], after["document"], first, second)
    return {
        "document": both,
        "layout": {"positions": _positions(before, after)},
        "steps": _marks(entries),
        "wires": _wires(first, second),
        "entries": entries,
        "summaries": step_summaries(both),
    }


def _parts(version: Version, key: str) -> Json:
    found: Json = version.document["flows"].get(key, EMPTY)
    return found


def _both(old: Json, new: Json, first: Document, second: Document) -> Json:
    gone = {key: step for key, step in (old.get("steps") or {}).items() if key not in second.steps}
    wires = [{"from": wire.source, "to": wire.target} for wire in second.wires]
    removed = [one for one in ({"from": w.source, "to": w.target} for w in first.wires) if one not in wires]
    return {**new, "steps": {**(new.get("steps") or {}), **gone}, "wires": [*wires, *removed]}


def _positions(before: Json, after: Json) -> Json:
    """The newer places; a removed step stays where it was, or below when somebody stands there now."""
    places = dict((after.get("layout") or {}).get("positions") or {})
    taken = {(place["x"], place["y"]) for place in places.values()}
    for key, place in ((before.get("layout") or {}).get("positions") or {}).items():
        if key not in places:
            while (place["x"], place["y"]) in taken:
                place = {"x": place["x"], "y": place["y"] + 96}
            taken.add((place["x"], place["y"]))
            places[key] = place
    return places


def _wires(first: Document, second: Document) -> list[Json]:
    old, new = ({(wire.source, wire.target) for wire in document.wires} for document in (first, second))
    return [
        *({"from": a, "to": b, "kind": "added"} for a, b in sorted(new - old)),
        *({"from": a, "to": b, "kind": "removed"} for a, b in sorted(old - new)),
    ]


def _marks(entries: Iterable[Json]) -> dict[str, Json]:
    """Per step: added, removed or changed, and the lines that say how."""
    marks: dict[str, Json] = {}
    for entry in entries:
        if entry["step"]:
            mark = marks.setdefault(entry["step"], {"kind": KINDS.get(entry["kind"], "changed"), "lines": []})
            mark["lines"].append(entry["line"])
    return marks


# ── in words ──────────────────────────────────────────────────────────────────────────────────────────────


def _worded(entry: Json, first: Document, second: Document) -> Json:
    """The entry with a short ``line`` for the step's box."""
    kind, before, after = entry["kind"], entry["before"], entry["after"]
    if kind == "changed":
        step = second.steps[entry["step"]]
        name = str(entry["path"]).rpartition("/")[2]
        title = _setting_title(step.type, name)
        line = text(*(f"{title[language]}{colon}{_change(before, after, language)}" for language, colon in _COLONS))
    elif kind == "retyped":
        line = text(*(f"{_type_title(before, one)} → {_type_title(after, one)}" for one, _ in _COLONS))
    elif kind == "renamed":
        line = text(*(f"{_title(before, one)} → {_title(after, one)}" for one, _ in _COLONS))
    elif kind == "rewired":
        line = text("connected differently", "连线已修改")
    else:
        line = entry["message"]
    return {**entry, "line": line}


_COLONS = (("en", ": "), ("zh-CN", "："))


def _title(value: Any, language: str) -> str:
    return str((value or {}).get(language) or (value or {}).get("en") or "–")


def _type_title(key: Any, language: str) -> str:
    kind = registry().transforms.get(str(key))
    return kind.title[language] if kind is not None else str(key)


def _setting_title(type_key: str, name: str) -> Text:
    """What the form of a step type calls a setting."""
    kind = registry().transforms.get(type_key)
    found: Mapping[str, Any] = json_schema(kind.Settings)["properties"].get(name, {}) if kind is not None else {}
    title = found.get("x-title") or {}
    return text(title.get("en") or name, title.get("zh-CN") or name)


def _change(before: Any, after: Any, language: str) -> str:
    if isinstance(before, list) and isinstance(after, list):
        gone = [_short(one, language) for one in before if one not in after]
        come = [_short(one, language) for one in after if one not in before]
        if not gone and not come:
            return {"en": "another order", "zh-CN": "顺序已调整"}[language]
        signs = [*(f"+ {one}" for one in come), *(f"− {one}" for one in gone)]
        return (", " if language == "en" else "，").join(signs)
    return f"{_short(before, language)} → {_short(after, language)}"


def _short(value: Any, language: str) -> str:
    if value is None or value == "":
        return {"en": "nothing", "zh-CN": "无"}[language]
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "zh-CN": ("否", "是")}[language][value]
    if isinstance(value, Mapping):
        names = [str(value[name]) for name in NAMING if value.get(name)]
        rest = [str(one) for key, one in value.items() if key not in NAMING and isinstance(one, str | int | float)]
        return shortened(" ".join([*names[:2], *rest[:2]]) or str(dict(value)), LONGEST)
    if isinstance(value, list):
        return shortened(", ".join(_short(one, language) for one in value), LONGEST)
    return shortened(str(value), LONGEST)
