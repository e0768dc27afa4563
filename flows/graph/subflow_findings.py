"""What can be wrong with a call, in words, and how findings inside a sub-flow are told at the call."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from flows.graph.document import Step
from flows.graph.findings import Finding, Level
from flows.graph.fixes import make_fix
from flows.graph.subflows import SubFlow
from node_catalog.sdk.text import Text, text

_Words = Callable[[tuple[str, str], int], Text]
_PROBLEMS: dict[str, tuple[Level, str, _Words]] = {
    "call.unknown": (
        "L1",
        "/flow",
        lambda name, most: text(
            "This version of the sub-flow is not there, or you may not see it. Choose the flow again.",
            "该版本的子流程不存在，或您无权查看。请重新选择。",
        ),
    ),
    "call.cycle": (
        "L1",
        "/flow",
        lambda name, most: text(
            f"“{name[0]}” would call itself, directly or through another flow. Choose another flow.",
            f"“{name[1]}”会直接或间接调用自己，形成循环。请另选一个流程。",
        ),
    ),
    "call.too_deep": (
        "L1",
        "/flow",
        lambda name, most: text(
            f"Flows call flows more than {most} levels deep here. Put some of them together.",
            f"流程的调用层级超过 {most} 层，请合并其中一些流程。",
        ),
    ),
    "call.too_large": (
        "L1",
        "/flow",
        lambda name, most: text(
            "With all its sub-flows this flow has too many steps. Split it, and hand rows over through a dataset.",
            "连同子流程在内，该流程的步骤过多。请拆分流程，并通过数据集传递数据。",
        ),
    ),
    "call.digest": (
        "L2",
        "/flow/digest",
        lambda name, most: text(
            f"The version of “{name[0]}” is not the one this step was made with. Choose the version again.",
            f"“{name[1]}”的该版本与步骤创建时的内容不一致，请重新选择版本。",
        ),
    ),
    "call.writes": (
        "L2",
        "/flow",
        lambda name, most: text(
            f"“{name[0]}” writes to a node. A sub-flow only gives rows: take the write step out of it and put it here.",
            f"“{name[1]}”含有写入步骤。子流程只输出数据：请去掉其中的写入，改在这里写入。",
        ),
    ),
    "for_each.nested": (
        "L1",
        "/flow",
        lambda name, most: text(
            "A for-each inside the sub-flow of another for-each is not possible. Join the two lists before instead.",
            "“逐项执行”的子流程中不能再有“逐项执行”。请先把两个列表关联成一个。",
        ),
    ),
    "for_each.decides": (
        "L2",
        "/flow",
        lambda name, most: text(
            f"“{name[0]}” has a step that may stop the run or choose a way: a branch, a check, or a step that reads "
            "geometries and is set to stop. An iteration is computed in one go and would pass it by. Let the step take "
            "rows out or only report, or put it behind the for-each.",
            f"“{name[1]}”中有会停止运行或选择去向的步骤（分支，或设为“停止运行”的检查、解析几何）。每次执行是一次算完的，"
            "这样的步骤不会起作用。请改为分离这些行或仅报告，或把它放到“逐项执行”之后。",
        ),
    ),
    "for_each.output": (
        "L2",
        "/output",
        lambda name, most: text(
            f"Choose which result of “{name[0]}” is collected.", f"请选择收集“{name[1]}”的哪个结果。"
        ),
    ),
}


def problem_of_call(code: str, step: str, flow: SubFlow | None, value: Step, most: int = 0) -> Finding:
    """The finding for a call that cannot be followed."""
    level, pointer, words = _PROBLEMS[code]
    names = (flow.name("en"), flow.name("zh-CN")) if flow is not None else ("", "")
    return Finding(code, level, words(names, most), pointer=f"/steps/{step}/settings{pointer}", step=step)


def inside_finding(finding: Finding, call: str, flow: SubFlow, step: tuple[str, str] | None = None) -> Finding:
    """A finding of an inner step, told at the call. There is nothing to mend here: the version is frozen."""
    at = (f", step “{step[0]}”", f"的步骤“{step[1]}”") if step else ("", "")
    message = text(
        f"In “{flow.name('en')}”{at[0]}: {finding.message['en']}",
        f"“{flow.name('zh-CN')}”{at[1]}：{finding.message['zh-CN']}",
    )
    pointer = f"/steps/{call}/settings/flow"
    return msgspec.structs.replace(finding, message=message, pointer=pointer, step=call, port="", fix=None)


def update_finding(step: str, value: Step, flow: SubFlow) -> Finding:
    """A newer version of the sub-flow is there."""
    number = flow.newest
    message = text(
        f"Version {number} of “{flow.name('en')}” is there; this step uses version {flow.version}.",
        f"“{flow.name('zh-CN')}”已有版本 {number}，此步骤使用的是版本 {flow.version}。",
    )
    fix = None
    if flow.newest_settings is not None:
        settings = {**value.settings, "flow": flow.newest_settings}
        label = text(f"Use version {number}", f"改用版本 {number}")
        fix = make_fix(label, {"op": "set_settings", "id": step, "settings": settings})
    return Finding("call.update", "L5", message, "info", pointer=f"/steps/{step}/settings/flow", step=step, fix=fix)
