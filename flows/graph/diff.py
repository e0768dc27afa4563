"""What changed between two documents, in words: by step and wire, because steps are kept by id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.graph.document import Document, Step
from node_catalog.sdk.text import Text, text

Entry = dict[str, Any]


def diff(old: Document, new: Document) -> list[Entry]:
    """Entries ``{kind, step, path, before, after, message}``; kind is added, removed, changed, retyped, renamed,
    rewired, dataset, input or title. Equal documents give an empty list.
    """
    return [*_head(old, new), *_steps(old, new), *_wires(old, new)]


def _head(old: Document, new: Document) -> Iterator[Entry]:
    if old.title != new.title:
        yield _entry("title", "", "/title", old.title, new.title, text("The flow's title changed.", "流程标题已修改。"))
    for alias in _keys(old.datasets, new.datasets):
        before, after = old.datasets.get(alias), new.datasets.get(alias)
        if before != after:
            message = text(
                f"Dataset “{alias}” is now {after or 'gone'}.",
                f"数据集“{alias}”{f'改为 {after}' if after else '已移除'}。",
            )
            yield _entry("dataset", "", f"/datasets/{alias}", before, after, message)
    before_inputs, after_inputs = (document.inputs.get("properties") or {} for document in (old, new))
    for name in _keys(before_inputs, after_inputs):
        before, after = before_inputs.get(name), after_inputs.get(name)
        if before != after:
            en = "added" if before is None else "removed" if after is None else "changed"
            zh = "已新增" if before is None else "已删除" if after is None else "已修改"
            message = text(f"Input “{name}” was {en}.", f"参数“{name}”{zh}。")
            yield _entry("input", "", f"/inputs/properties/{name}", before, after, message)


def _steps(old: Document, new: Document) -> Iterator[Entry]:
    for key in _keys(old.steps, new.steps):
        before, after = old.steps.get(key), new.steps.get(key)
        path = f"/steps/{key}"
        if before is None and after is not None:
            yield _entry("added", key, path, None, _plain(after), _said(key, after, "was added", "已新增"))
        elif after is None and before is not None:
            yield _entry("removed", key, path, _plain(before), None, _said(key, before, "was removed", "已删除"))
        elif before is not None and after is not None and before != after:
            yield from _changed(key, before, after)


def _changed(key: str, before: Step, after: Step) -> Iterator[Entry]:
    path = f"/steps/{key}"
    if before.type != after.type:
        message = _said(
            key,
            after,
            f"became “{after.type}” instead of “{before.type}”",
            f"的类型由“{before.type}”改为“{after.type}”",
        )
        yield _entry("retyped", key, f"{path}/type", before.type, after.type, message)
    if (before.title or {}) != (after.title or {}):
        message = _said(key, after, "was renamed", "已改名")
        yield _entry("renamed", key, f"{path}/title", before.title, after.title, message)
    for name in _keys(before.settings, after.settings):
        value, changed = before.settings.get(name), after.settings.get(name)
        if value != changed:
            message = _said(
                key,
                after,
                f"has another “{name}”: {_short(value)} → {_short(changed)}",
                f"的“{name}”已修改：{_short(value)} → {_short(changed)}",
            )
            yield _entry("changed", key, f"{path}/settings/{name}", value, changed, message)


def _wires(old: Document, new: Document) -> Iterator[Entry]:
    """One entry per step whose incoming wires (or their order) differ; new and removed steps explain themselves."""
    before, after = _incoming(old), _incoming(new)
    for key in _keys(before, after):
        if before.get(key) != after.get(key) and key in old.steps and key in new.steps:
            message = _said(key, new.steps[key], "is connected differently", "的连线已修改")
            yield _entry("rewired", key, f"/steps/{key}", before.get(key, []), after.get(key, []), message)


def _incoming(document: Document) -> dict[str, list[str]]:
    incoming: dict[str, list[str]] = {}
    for wire in document.wires:
        incoming.setdefault(wire.target_step, []).append(f"{wire.source} → {wire.target}")
    return incoming


def _said(key: str, step: Step, en: str, zh: str) -> Text:
    title = step.title or {}
    return text(f"Step “{title.get('en') or key}” {en}.", f"步骤“{title.get('zh-CN') or key}”{zh}。")


def _plain(step: Step) -> dict[str, Any]:
    return {"type": step.type, "version": step.version, "settings": step.settings, "title": step.title}


def _short(value: Any) -> str:
    words = "–" if value is None else str(value)
    return words if len(words) <= 60 else words[:57] + "…"


def _keys(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def _entry(kind: str, step: str, path: str, before: Any, after: Any, message: Text) -> Entry:
    return {"kind": kind, "step": step, "path": path, "before": before, "after": after, "message": message}
