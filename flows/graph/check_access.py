"""L4: the right to every dataset and column that is read, and to every place that is written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flows.graph.document import Document
from flows.graph.findings import Finding
from flows.graph.fixes import make_fix
from flows.graph.guard import narrowed_schema
from flows.graph.sources import DatasetInfo, NodeInfo, title_of
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.geometry import crs_of
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text

Datasets = Mapping[str, DatasetInfo]
Grants = Mapping[str, GrantSpec]
Modes = Callable[[str], Sequence[str]]
USABLE = ("published", "")


def readable_schema(info: DatasetInfo, grant: GrantSpec | None, wanted: Any = ()) -> Schema:
    """The columns a read may offer to the type check.

    Without a (usable) grant all columns: L4 says that the right is missing; everything behind the step can still be
    checked. Columns that are asked for by name and not granted likewise stay, so that only L4 speaks about them.
    """
    narrowed = _granted(info, grant)
    if isinstance(narrowed, NodeTypeError):
        return info.schema
    known = {field.name: field for field in narrowed.fields}
    named = set(wanted or ())
    return Schema(tuple(known.get(field.name, field) for field in info.schema.fields if field.name in {*known, *named}))


def _granted(info: DatasetInfo, grant: GrantSpec | None) -> Schema | NodeTypeError:
    if grant is None:
        return info.schema
    try:
        return narrowed_schema(info, grant)
    except NodeTypeError as error:
        return error


def read_findings(
    document: Document, step: str, settings: Any, datasets: Datasets, grants: Grants
) -> Iterator[Finding]:
    """The dataset behind a read: is it there, is it granted, are all its chosen columns granted?"""
    pointer = f"/steps/{step}/settings/dataset"
    number = document.dataset_number(settings.dataset)
    info = datasets.get(number)
    if info is None:
        message = text(
            f"The catalogue has no dataset “{number}” (any more). Choose another one.",
            f"目录中没有数据集“{number}”，可能已被移除。请另选一个。",
        )
        yield Finding("dataset.unknown", "L3", message, pointer=pointer, step=step)
        return
    names = title_of(info.title, number, "en"), title_of(info.title, number, "zh-CN")
    if info.state not in USABLE:
        message = text(
            f"“{names[0]}” is not available any more (it vanished from its source or was withdrawn). "
            "Ask its department, or choose another dataset.",
            f"“{names[1]}”已不可用（数据源中已不存在或已下架）。请联系提供部门，或另选数据集。",
        )
        yield Finding("dataset.gone", "L4", message, pointer=pointer, step=step)
        return
    grant = grants.get(number)
    if grant is None:
        message = text(
            f"You have no right to read “{names[0]}” yet. Request it from its department; "
            "this step turns green when it is granted.",
            f"您还没有“{names[1]}”的使用权限。请向提供部门申请，批准后该步骤即可使用。",
        )
        yield Finding("grant.missing", "L4", message, pointer=pointer, step=step)
        return
    yield from _columns(document, step, settings, info, grant)


def _columns(document: Document, step: str, settings: Any, info: DatasetInfo, grant: GrantSpec) -> Iterator[Finding]:
    pointer = f"/steps/{step}/settings"
    narrowed = _granted(info, grant)
    if isinstance(narrowed, NodeTypeError):
        yield Finding(narrowed.code, "L4", narrowed.message, pointer=f"{pointer}/dataset", step=step)
        return
    granted = set(narrowed.names)
    chosen = list(getattr(settings, "columns", ()) or ())
    refused = [name for name in chosen if name not in granted and info.schema.get(name) is not None]
    if refused:
        kept = [name for name in chosen if name not in refused]
        raw = {**document.steps[step].settings, "columns": kept}
        fix = make_fix(
            text("Leave these columns out", "去掉这些列"), {"op": "set_settings", "id": step, "settings": raw}
        )
        message = text(
            f"Your right does not cover {', '.join(refused[:5])}. Leave them out, or request them too.",
            f"您的授权不包含 {'、'.join(refused[:5])}。请去掉这些列，或另行申请。",
        )
        yield Finding(
            "grant.columns", "L4", message, pointer=f"{pointer}/columns", step=step, fix=fix if kept else None
        )


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────


def write_findings(
    document: Document,
    step: str,
    settings: Any,
    schema: Schema | None,
    datasets: Datasets,
    nodes: Mapping[str, NodeInfo],
    modes: Modes,
) -> Iterator[Finding]:
    """The target of a write: is it there, may it be written to, can it do that, do the columns fit (L3)?

    ``modes`` gives what the outputs of a node type can do.
    """
    pointer = f"/steps/{step}/settings"
    if settings.dataset:
        number = document.dataset_number(settings.dataset)
        info = datasets.get(number)
        if info is None:
            message = text(f"The catalogue has no dataset “{number}”.", f"目录中没有数据集“{number}”。")
            yield Finding("dataset.unknown", "L3", message, pointer=f"{pointer}/dataset", step=step)
            return
        if not info.can_write or info.state not in USABLE:
            name = title_of(info.title, number, "en"), title_of(info.title, number, "zh-CN")
            yield _no_write(f"{pointer}/dataset", step, *name)
        yield from _can(f"{pointer}/mode", step, settings.mode, modes(info.node_type), info.title, number)
        if schema is not None:
            yield from _fits(step, schema, info, settings)
    elif settings.node:
        node = nodes.get(settings.node)
        if node is None:
            message = text(f"There is no node “{settings.node}”.", f"没有节点“{settings.node}”。")
            yield Finding("node.unknown", "L3", message, pointer=f"{pointer}/node", step=step)
        elif not node.can_write:
            name = title_of(node.title, node.number, "en"), title_of(node.title, node.number, "zh-CN")
            yield _no_write(f"{pointer}/node", step, *name)
        else:
            yield from _can(f"{pointer}/mode", step, settings.mode, modes(node.node_type), node.title, node.number)
            if schema is not None and node.node_type not in _FILES:
                yield from _no_geometries(step, schema)


_FILES = ("files", "s3")
"""Node types whose Parquet files take geometries."""


def _no_geometries(step: str, schema: Schema) -> Iterator[Finding]:
    name = next((field.name for field in schema.fields if crs_of(field.type) is not None), None)
    if name is not None:
        message = text(
            f"“{name}” is a geometry, which only Parquet files in a folder or an object store take. Choose such a "
            "node, or turn it into text with “Geometry to text” before.",
            f"“{name}”是几何列，只能写入文件夹或对象存储中的 Parquet 文件。请选择这类节点，"
            "或先用“几何转文本”转换为文本。",
        )
        yield Finding("write.geometry", "L3", message, pointer=f"/steps/{step}/settings/node", step=step)


def _no_write(pointer: str, step: str, en: str, zh: str) -> Finding:
    message = text(
        f"You may not write to “{en}”. Choose a dataset or node of your own department.",
        f"您没有写入“{zh}”的权限，请选择本部门的数据集或节点。",
    )
    return Finding("write.no_right", "L4", message, pointer=pointer, step=step)


def _can(pointer: str, step: str, mode: str, known: Sequence[str], title: Any, number: str) -> Iterator[Finding]:
    if mode in known:
        return
    name = title_of(title, number, "en"), title_of(title, number, "zh-CN")
    if not known:
        message = text(f"“{name[0]}” can only be read.", f"“{name[1]}”只能读取，不能写入。")
    else:
        message = text(
            f"Rows of “{name[0]}” cannot be changed by key: it is made of files, which are only added to or replaced.",
            f"“{name[1]}”由文件组成，只能追加或整体替换，不能按键更新。",
        )
    yield Finding("write.mode", "L3", message, pointer=pointer, step=step)


def _fits(step: str, schema: Schema, info: DatasetInfo, settings: Any) -> Iterator[Finding]:
    pointer = f"/steps/{step}/settings/dataset"
    lost = [name for name in settings.key if info.schema.get(name) is None] if settings.mode == "upsert" else []
    if lost:
        message = text(
            f"The target has no column {', '.join(lost)}, so it cannot be its key.",
            f"目标中没有列 {'、'.join(lost)}，不能作为键。",
        )
        yield Finding("write.key", "L3", message, pointer=f"/steps/{step}/settings/key", step=step)
    extra = [field.name for field in schema.fields if info.schema.get(field.name) is None]
    if extra:
        message = text(
            f"The target has no column {', '.join(extra[:5])}. Leave it out or rename it before.",
            f"目标中没有列 {'、'.join(extra[:5])}，请先去掉或改名。",
        )
        yield Finding("write.extra_column", "L3", message, pointer=pointer, step=step)
    for field in schema.fields:
        target = info.schema.get(field.name)
        if target is not None and not _storable(field.type, target.type):
            message = text(
                f"Column {field.name} is {field.type}, but the target stores {target.type}. Convert it before.",
                f"列 {field.name} 的类型是 {field.type}，而目标为 {target.type}，请先转换。",
            )
            yield Finding("write.type", "L3", message, pointer=pointer, step=step)


def _storable(kind: str, target: str) -> bool:
    family, other = kind.partition("(")[0], target.partition("(")[0]
    if family == other:
        return True
    return (family, other) in {
        ("integer", "decimal"),
        ("integer", "number"),
        ("decimal", "number"),
        ("date", "timestamp"),
    }


def is_write(kind: type[Transform], settings: Any) -> bool:
    """Whether a sink stores rows in a node (rather than as a named result)."""
    return kind.role == "sink" and hasattr(settings, "mode") and hasattr(settings, "node")
