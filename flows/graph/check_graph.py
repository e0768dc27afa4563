"""L1: the graph itself. Unknown types, dangling and doubled wires, missing inputs, cycles, steps without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flows.graph.document import Document, Step, Wire
from flows.graph.findings import Finding
from flows.graph.fixes import make_fix
from flows.graph.step_ports import ports_of
from flows.graph.topology import Topology
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.ports import Port
from node_catalog.sdk.text import text

Types = Mapping[str, type[Transform]]
_SHOWN = 6
"""Steps of a circle that its message names."""


def graph_findings(document: Document, topology: Topology, types: Types) -> Iterator[Finding]:
    """Everything wrong with the graph, in the document's order."""
    yield from _unknown_types(document, types)
    yield from _wires(document, types)
    yield from _ports(document, topology, types)
    yield from _cycles(document, topology, types)
    yield from _effect(document, topology, types)
    yield from _limits(document, topology, types)


def step_name(document: Document, step: str, language: str, types: Types) -> str:
    """What people call a step: its title, else what its type is called, as the box on the canvas says it."""
    value = document.steps[step]
    title = value.title or {}
    kind = types.get(value.type)
    given = title.get(language) or title.get("zh-CN") or title.get("en")
    return given or (str(kind.title[language]) if kind is not None else step)


def _unknown_types(document: Document, types: Types) -> Iterator[Finding]:
    for step, value in document.steps.items():
        if value.type not in types:
            message = text(
                f"This studio has no step type “{value.type}”. Its settings are kept; "
                "install the type, or remove the step.",
                f"本平台没有步骤类型“{value.type}”。设置已原样保留，请安装该类型，或删除此步骤。",
            )
            yield Finding("step.unknown_type", "L1", message, pointer=f"/steps/{step}/type", step=step)


# ── wires ─────────────────────────────────────────────────────────────────────────────────────────────────


def _wires(document: Document, types: Types) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    full: dict[str, int] = {}
    for index, wire in enumerate(document.wires):
        pointer = f"/wires/{index}"
        remove = make_fix(
            text("Remove this wire", "删除这条连线"), {"op": "disconnect", "from": wire.source, "to": wire.target}
        )
        if (wire.source, wire.target) in seen:
            message = text("These two ports are connected twice.", "这两个端口重复相连。")
            yield Finding("wire.twice", "L1", message, pointer=pointer, step=wire.target_step, fix=remove)
            continue
        seen.add((wire.source, wire.target))
        missing = [name for name in (wire.source_step, wire.target_step) if name not in document.steps]
        if missing:
            message = text(
                f"A wire leads to a step “{missing[0]}” that does not exist.",
                f"有一条连线指向不存在的步骤“{missing[0]}”。",
            )
            step = wire.target_step if wire.target_step in document.steps else wire.source_step
            yield Finding("wire.dangling", "L1", message, pointer=pointer, step=step, fix=remove)
            continue
        yield from _ends(document, types, wire, pointer, remove, full)


def _ends(
    document: Document, types: Types, wire: Wire, pointer: str, remove: dict[str, object], full: dict[str, int]
) -> Iterator[Finding]:
    source = _port(types, document.steps[wire.source_step], wire.source_port, "out")
    target = _port(types, document.steps[wire.target_step], wire.target_port, "in")
    for step, name, port in (
        (wire.source_step, wire.source_port, source),
        (wire.target_step, wire.target_port, target),
    ):
        if port is None and document.steps[step].type in types:
            message = text(
                f"Step “{step_name(document, step, 'en', types)}” has no port “{name}”. Connect the wire anew.",
                f"步骤“{step_name(document, step, 'zh-CN', types)}”没有端口“{name}”，请重新连线。",
            )
            yield Finding("wire.no_port", "L1", message, pointer=pointer, step=step, port=name, fix=remove)
    if source is not None and target is not None and source.kind != target.kind:
        message = text(
            f"A port of kind “{source.kind}” cannot feed one of kind “{target.kind}”.",
            f"“{source.kind}”类端口不能连接到“{target.kind}”类端口。",
        )
        yield Finding(
            "wire.kind", "L1", message, pointer=pointer, step=wire.target_step, port=wire.target_port, fix=remove
        )
    if target is not None and not target.many:
        full[wire.target] = full.get(wire.target, 0) + 1
        if full[wire.target] == 2:
            message = text(
                f"Port “{_called(target, 'en')}” takes one wire only. Remove the others, or put a union before it.",
                f"端口“{_called(target, 'zh-CN')}”只能接一条连线。请删除多余的连线，或先用“合并”步骤。",
            )
            yield Finding(
                "port.too_many", "L1", message, pointer=pointer, step=wire.target_step, port=target.name, fix=remove
            )


def _port(types: Types, step: Step, port: str, direction: str) -> Port | None:
    return next((item for item in ports_of(types, step) if item.name == port and item.direction == direction), None)


def _ports(document: Document, topology: Topology, types: Types) -> Iterator[Finding]:
    for step, value in document.steps.items():
        kind = types.get(value.type)
        if kind is None:
            continue
        connected = {wire.target_port for wire in topology.into[step]}
        ports = ports_of(types, value)
        for port in ports:
            if port.direction == "in" and port.required and port.name not in connected:
                several = sum(1 for other in ports if other.direction == "in") > 1
                named = (f" “{_called(port, 'en')}”", f"“{_called(port, 'zh-CN')}”") if several else ("", "")
                message = text(
                    f"The input{named[0]} is not connected yet. Draw a wire from another step to it.",
                    f"输入端口{named[1]}尚未连接，请从其他步骤连一条线过来。",
                )
                yield Finding("port.unconnected", "L1", message, pointer=f"/steps/{step}", step=step, port=port.name)
        yield from _unhandled(topology, step, ports)


def _called(port: Port, language: str) -> str:
    return port.title.get(language) or port.name


def _unhandled(topology: Topology, step: str, ports: Sequence[Port]) -> Iterator[Finding]:
    """Rows that went wrong must not vanish in silence."""
    used = {wire.source_port for wire in topology.out_of[step]}
    for port in ports:
        if port.is_error and port.name not in used and used:
            message = text(
                f"Nobody looks at the rows that leave through “{_called(port, 'en')}”. Connect it, say to an output.",
                f"从端口“{_called(port, 'zh-CN')}”出来的数据没有去处。请连接该端口，例如接到一个输出。",
            )
            yield Finding(
                "port.unhandled", "L1", message, "warning", pointer=f"/steps/{step}", step=step, port=port.name
            )


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────


def _cycles(document: Document, topology: Topology, types: Types) -> Iterator[Finding]:
    for cycle in topology.cycles:
        first, last = cycle[0], cycle[-1]
        wire = next(wire for wire in topology.into[first] if wire.source_step == last)
        more = [] if len(cycle) <= _SHOWN else ["…"]
        names_en, names_zh = (
            " → ".join([*(step_name(document, step, language, types) for step in cycle[:_SHOWN]), *more])
            for language in ("en", "zh-CN")
        )
        message = text(
            f"These steps feed each other in a circle: {names_en}. Remove one of the wires.",
            f"这些步骤首尾相接形成了环：{names_zh}。请删除其中一条连线。",
        )
        fix = make_fix(
            text("Remove the wire that closes the circle", "删除形成环的连线"),
            {"op": "disconnect", "from": wire.source, "to": wire.target},
        )
        yield Finding("graph.cycle", "L1", message, pointer=f"/steps/{first}", step=first, fix=fix)


def _effect(document: Document, topology: Topology, types: Types) -> Iterator[Finding]:
    sinks = [step for step, value in document.steps.items() if _role(types, value.type) == "sink"]
    if not sinks and document.steps:
        message = text(
            "The flow has no result yet. End it with “Output” to see rows, or with “Write” to store them.",
            "流程还没有结果。请以“输出”查看数据，或以“写入”保存数据。",
        )
        yield Finding("graph.no_output", "L1", message, severity="warning")
        return
    used = topology.upstream(sinks)
    for step, value in document.steps.items():
        if step not in used and value.type in types:
            message = text(
                "Nothing uses what this step gives, so it will not run. Connect it to an output, or remove it.",
                "没有步骤使用这里的结果，运行时会跳过。请连接到输出，或删除该步骤。",
            )
            yield Finding("step.unused", "L1", message, "warning", pointer=f"/steps/{step}", step=step)


def _role(types: Types, name: str) -> str:
    kind = types.get(name)
    return kind.role if kind is not None else ""


def _limits(document: Document, topology: Topology, types: Types) -> Iterator[Finding]:
    if "limit" not in types or "sort" not in types:
        return
    for step, value in document.steps.items():
        if value.type == "limit" and topology.into[step] and not is_sorted(document, topology, types, step):
            message = text(
                "Without a sort before it, “first rows” may mean other rows each time. Put a sort before it.",
                "前面没有排序，“前几行”每次可能不同。请先添加排序。",
            )
            yield Finding("limit.no_sort", "L1", message, "warning", pointer=f"/steps/{step}", step=step)


def is_sorted(document: Document, topology: Topology, types: Types, step: str) -> bool:
    """Whether the rows that reach ``step`` come in an order that a sort gave and no step on the way may lose."""
    seen: set[str] = set()
    while step not in seen:
        seen.add(step)
        wires = topology.into[step]
        if len(wires) != 1:
            return False
        step = wires[0].source_step
        kind = types.get(document.steps[step].type)
        if kind is None:
            return False
        if kind.orders(document.steps[step].settings):
            return True
        if not kind.keeps_order:
            return False
    return False
