"""Bundles: one JSON with a flow's document, layout and a lock section, for export and import."""

from __future__ import annotations

from typing import Any

from flows.errors import BundleError
from flows.graph.load import read_document
from flows.graph.plan import digest_of
from flows.models import Flow
from node_catalog.palette import registry
from node_catalog.sdk.text import text


def make_bundle(flow: Flow) -> dict[str, Any]:
    """The draft of a flow as one portable JSON; it holds catalogue numbers, never connections or secrets."""
    document = flow.draft.document
    types = sorted({step["type"] for step in document.get("steps", {}).values()})
    known = registry().transforms
    return {
        "kind": "bundle",
        "spec": "1",
        "title": flow.app.title,
        "document": document,
        "layout": flow.draft.layout,
        "lock": {
            "digest": digest_of(document),
            "types": {name: known[name].version for name in types if name in known},
        },
    }


def read_bundle(raw: Any) -> dict[str, Any]:
    """Check an imported bundle (or a bare flow document); raises BundleError with the reason."""
    if not isinstance(raw, dict):
        raise _wrong("the file holds no JSON object", "文件内容不是 JSON 对象")
    if raw.get("kind") == "flow":
        raw = {"kind": "bundle", "title": raw.get("title"), "document": raw, "layout": {"positions": {}}}
    if raw.get("kind") != "bundle":
        raise _wrong("“kind” is neither bundle nor flow", "“kind” 既不是 bundle 也不是 flow")
    loaded = read_document(raw.get("document") or {}, registry())
    errors = [finding for finding in loaded.findings if finding.severity == "error" and finding.level == "L0"]
    if loaded.document is None or errors:
        raise _wrong(errors[0].message["en"], errors[0].message["zh-CN"], errors[0].pointer)
    layout = raw.get("layout") if isinstance(raw.get("layout"), dict) else {"positions": {}}
    title = raw.get("title") if isinstance(raw.get("title"), dict) else {"en": "Imported app", "zh-CN": "导入的应用"}
    return {"title": title, "document": raw["document"], "layout": layout}


def _wrong(en: str, zh: str, where: str = "") -> BundleError:
    return BundleError(
        "bundle.wrong",
        text(
            f"This file cannot be imported: {en}. Choose a file made by “Export”.",
            f"无法导入该文件：{zh}。请选择由“导出”生成的文件。",
        ),
        where,
    )
