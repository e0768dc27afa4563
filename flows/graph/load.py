"""From bytes or plain JSON to a Document: size, depth and shape (L0), and step settings brought to today's version.

Whatever the input, the answer is findings; nothing else is raised. The rules are those of
``document_schema.envelope_schema``, written out by hand because they must take milliseconds and speak two languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flows.graph.document import Document, Step, Wire
from flows.graph.document_schema import (
    END_POINT,
    IDENTIFIER,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_IDENTIFIER,
    MAX_STEPS,
    MAX_WIRES,
)
from flows.graph.findings import Finding
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text

_IDENTIFIER = re.compile(IDENTIFIER + r"\Z")
_END_POINT = re.compile(END_POINT + r"\Z")
_MAX_FINDINGS = 200
_LANGUAGES = {"en", "zh-CN"}


@dataclass(frozen=True)
class Loaded:
    """The parsed document, or None when it cannot be kept, with what was found on the way."""

    document: Document | None
    findings: list[Finding] = field(default_factory=list)


def read_document(raw: bytes | bytearray | str | Mapping[str, Any], registry: Registry) -> Loaded:
    """Parse a flow document from JSON text or plain JSON.

    ``document`` is None when an L0 error was found. Steps of an unknown type stay as they are (``validate`` reports
    them); settings of older versions are migrated.
    """
    plain, finding = _plain_json(raw)
    if finding is None:
        finding = _measure(plain)
    if finding is not None:
        return Loaded(None, [finding])
    findings = list(_limited(_envelope(plain)))
    if findings:
        return Loaded(None, findings)
    steps: dict[str, Step] = {}
    for key, value in plain.get("steps", {}).items():
        steps[key], problem = _step(key, value, registry)
        if problem is not None:
            findings.append(problem)
    document = Document(
        title=plain.get("title") or {},
        inputs=plain.get("inputs") or {},
        datasets=plain.get("datasets") or {},
        steps=steps,
        wires=tuple(Wire(wire["from"], wire["to"]) for wire in plain.get("wires", [])),
    )
    return Loaded(document, findings)


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _plain_json(raw: Any) -> tuple[Any, Finding | None]:
    if isinstance(raw, Mapping):
        return raw, None
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogatepass")
    if not isinstance(raw, bytes | bytearray):
        return None, _shape("", "a JSON object", "JSON 对象")
    if len(raw) > MAX_BYTES:
        return None, _too_big()
    try:
        return msgspec.json.decode(raw), None
    except RecursionError:
        return None, _too_deep("")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        at = re.search(r"byte (\d+)", str(error))
        place = raw[: int(at[1])].count(b"\n") + 1 if at else 1
        message = text(
            f"This file is no valid JSON: it breaks off or goes wrong in line {place}. "
            "Export the flow again, or mend it there.",
            f"文件不是有效的 JSON：第 {place} 行中断或有误。请重新导出流程，或在该处修正。",
        )
        return None, Finding("document.not_json", "L0", message)


def _measure(plain: Any) -> Finding | None:
    """Size, depth and kinds of values, without recursion."""
    stack: list[tuple[Any, int]] = [(plain, 1)]
    size = 0
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            return _too_deep("")
        if isinstance(value, Mapping):
            for key, item in value.items():
                if not isinstance(key, str):
                    return _no_json()
                size += len(key) + 4
                stack.append((item, depth + 1))
        elif isinstance(value, list | tuple):
            size += len(value)
            stack.extend((item, depth + 1) for item in value)
        elif isinstance(value, str):
            size += len(value) + 2
        elif value is None or isinstance(value, int | float):
            size += 4
        else:
            return _no_json()
        if size > MAX_BYTES:
            return _too_big()
    return None


# ── shape ─────────────────────────────────────────────────────────────────────────────────────────────────


def _envelope(plain: Any) -> Iterator[Finding]:
    if not isinstance(plain, Mapping):
        yield _shape("", "a JSON object", "JSON 对象")
        return
    yield from _unknown(plain, {"kind", "spec", "title", "inputs", "datasets", "steps", "wires"}, "")
    for key, wanted in (("kind", "flow"), ("spec", "1")):
        if plain.get(key) != wanted:
            message = text(
                f"“{key}” must be “{wanted}”. This file is no flow document of this studio.",
                f"“{key}”应为“{wanted}”，该文件不是本平台的流程文档。",
            )
            yield Finding(f"document.{key}", "L0", message, pointer=f"/{key}")
    yield from _title(plain.get("title", {}), "/title")
    if not isinstance(plain.get("inputs", {}), Mapping):
        yield _shape("/inputs", "an object with a JSON Schema", "包含 JSON Schema 的对象")
    yield from _map(plain.get("datasets", {}), "/datasets", _dataset)
    steps = plain.get("steps", {})
    if isinstance(steps, Mapping) and len(steps) > MAX_STEPS:
        yield _too_many("/steps", len(steps), MAX_STEPS, "steps", "个步骤")
        return
    yield from _map(steps, "/steps", _step_shape)
    yield from _wires(plain.get("wires", []))


def _map(value: Any, pointer: str, check: Callable[[Any, str], Iterator[Finding]]) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield _shape(pointer, "an object", "对象")
        return
    for key, item in value.items():
        here = f"{pointer}/{escape(key)}"
        if len(key) > MAX_IDENTIFIER or not _IDENTIFIER.match(key):
            message = text(
                f"The id “{key[:80]}” may hold only small letters, digits and _, must start with a letter "
                f"and have at most {MAX_IDENTIFIER} characters.",
                f"标识“{key[:80]}”只能用小写字母、数字和下划线，以字母开头，最长 {MAX_IDENTIFIER} 个字符。",
            )
            yield Finding("document.id", "L0", message, pointer=here)
        yield from check(item, here)


def _dataset(value: Any, pointer: str) -> Iterator[Finding]:
    if not isinstance(value, str) or len(value) > 200:
        yield _shape(pointer, "a dataset number", "数据集编号")


def _step_shape(value: Any, pointer: str) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield _shape(pointer, "a step", "步骤对象")
        return
    yield from _unknown(value, {"type", "version", "settings", "title"}, pointer)
    kind, version = value.get("type"), value.get("version", 1)
    if not isinstance(kind, str) or not 1 <= len(kind) <= 100:
        yield _shape(f"{pointer}/type", "the name of a step type", "步骤类型名称")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        yield _shape(f"{pointer}/version", "a whole number from 1", "从 1 开始的整数")
    if not isinstance(value.get("settings", {}), Mapping):
        yield _shape(f"{pointer}/settings", "an object", "对象")
    if value.get("title") is not None:
        yield from _title(value["title"], f"{pointer}/title")


def _title(value: Any, pointer: str) -> Iterator[Finding]:
    fits = isinstance(value, Mapping) and set(value) <= _LANGUAGES
    if not fits or not all(isinstance(item, str) and len(item) <= 2000 for item in value.values()):
        yield _shape(pointer, "a text in “en” and “zh-CN”", "含“en”和“zh-CN”的文字")


def _wires(value: Any) -> Iterator[Finding]:
    if not isinstance(value, list | tuple):
        yield _shape("/wires", "a list", "列表")
        return
    if len(value) > MAX_WIRES:
        yield _too_many("/wires", len(value), MAX_WIRES, "wires", "条连线")
        return
    for index, wire in enumerate(value):
        pointer = f"/wires/{index}"
        if not isinstance(wire, Mapping):
            yield _shape(pointer, "a wire with “from” and “to”", "含“from”和“to”的连线")
            continue
        yield from _unknown(wire, {"from", "to"}, pointer)
        for end in ("from", "to"):
            place = wire.get(end)
            if not isinstance(place, str) or not _END_POINT.match(place):
                yield _shape(f"{pointer}/{end}", "“step.port”", "“步骤.端口”的形式")


def _unknown(value: Mapping[str, Any], known: set[str], pointer: str) -> Iterator[Finding]:
    for key in value:
        if key not in known and not key.startswith("x-"):
            message = text(
                f"“{key[:80]}” is no property of a flow document here. Remove it, or name it “x-{key[:80]}” "
                "if it is a note for another tool.",
                f"此处不认识属性“{key[:80]}”。请删除；若是给其他工具的备注，请改名为“x-{key[:80]}”。",
            )
            yield Finding("document.unknown_property", "L0", message, pointer=f"{pointer}/{escape(key)}")


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────


def _step(key: str, value: Mapping[str, Any], registry: Registry) -> tuple[Step, Finding | None]:
    name, version = value["type"], value.get("version", 1)
    settings, title = dict(value.get("settings") or {}), value.get("title")
    kind = registry.transforms.get(name)
    if kind is None or version == kind.version:
        return Step(name, version, settings, title), None
    if version > kind.version:
        message = text(
            f"This step was made with version {version} of “{kind.title['en']}”; this studio has version "
            f"{kind.version}. Update the studio, or set the step up again.",
            f"该步骤由“{kind.title['zh-CN']}”第 {version} 版创建，而本平台为第 {kind.version} 版。"
            "请升级平台，或重新设置该步骤。",
        )
        return Step(name, version, settings, title), Finding(
            "step.newer_version", "L2", message, pointer=f"/steps/{key}/version", step=key
        )
    try:
        return Step(name, kind.version, kind.migrate(settings, version), title), None
    except Exception:  # a type's migration is foreign code, and old settings may hold anything
        message = text(
            f"These settings of version {version} could not be brought to version {kind.version}. "
            "Set the step up again.",
            f"第 {version} 版的设置无法升级到第 {kind.version} 版，请重新设置该步骤。",
        )
        return Step(name, version, settings, title), Finding(
            "step.migration", "L2", message, pointer=f"/steps/{key}/settings", step=key
        )


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def escape(key: str) -> str:
    """A key as a part of an RFC 6901 pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _limited(findings: Iterator[Finding]) -> Iterator[Finding]:
    for _, finding in zip(range(_MAX_FINDINGS), findings):
        yield finding


def _shape(pointer: str, en: str, zh: str) -> Finding:
    where = pointer or "/"
    message = text(f"At {where} there must be {en}.", f"{where} 处应为{zh}。")
    return Finding("document.shape", "L0", message, pointer=pointer)


def _no_json() -> Finding:
    return Finding(
        "document.not_json", "L0", text("The document holds a value that is no JSON.", "文档中含有 JSON 不支持的值。")
    )


def _too_deep(pointer: str) -> Finding:
    message = text(
        f"The document is nested more than {MAX_DEPTH} levels deep. No flow needs that; check how the file was made.",
        f"文档嵌套超过 {MAX_DEPTH} 层。正常流程不会如此，请检查文件的来源。",
    )
    return Finding("document.too_deep", "L0", message, pointer=pointer)


def _too_big() -> Finding:
    message = text(
        f"The document is larger than {MAX_BYTES // 1024 // 1024} MiB. Data belongs into datasets, not into the flow.",
        f"文档超过 {MAX_BYTES // 1024 // 1024} MiB。数据应放在数据集中，而不是写进流程。",
    )
    return Finding("document.too_large", "L0", message)


def _too_many(pointer: str, found: int, most: int, en: str, zh: str) -> Finding:
    message = text(
        f"The document has {found:,} {en}; at most {most:,} are possible. Split it into several flows.",
        f"文档有 {found:,} {zh}，最多 {most:,}。请拆分为几个流程。",
    )
    return Finding("document.too_many", "L0", message, pointer=pointer)
