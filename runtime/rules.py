"""A flow's run settings as people fill them in: how many runs at once, what becomes of one more, and time limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.db import transaction

from flows.models import Flow
from node_catalog.sdk.contract import Settings
from node_catalog.sdk.fields import setting
from node_catalog.sdk.schema import json_schema, parse
from node_catalog.sdk.text import Text, text
from runtime.admission import admit_waiting
from runtime.models import Pool, RunRule
from runtime.pools import steps_to_choose, words_of
from security import audit
from security.access import Principal
from security.errors import ForbiddenError, InvalidError, NotFoundError, Problem
from security.policy import PLATFORM_ADMIN

WEEK = 7 * 24 * 60
PRIORITIES = {"high": RunRule.Priority.HIGH, "normal": RunRule.Priority.NORMAL, "low": RunRule.Priority.LOW}


class RuleSettings(Settings, frozen=True):
    """The form."""

    most: Annotated[
        int,
        setting(
            text("Runs at the same time", "同时运行数"),
            text(
                "How many runs of this flow may be at work at once. 0: any number.",
                "该流程最多同时执行几个运行，0 表示不限。",
            ),
            ge=0,
            le=1000,
        ),
    ] = 0
    key: Annotated[
        str,
        setting(
            text("Counted per value of", "按参数分别计数"),
            text(
                "The name of a parameter: runs with the same value of it are counted together. Empty: all runs.",
                "填写参数名：该参数取值相同的运行一起计数。留空表示所有运行一起计数。",
            ),
            max_length=60,
        ),
    ] = ""
    when_full: Annotated[
        Literal["wait", "skip", "replace"],
        setting(
            text("When there are enough", "已达上限时"),
            choices={
                "wait": text("the further run waits its turn", "新的运行排队等待"),
                "skip": text("the further run is not started", "不启动新的运行"),
                "replace": text("it waits, in place of those that wait", "新的运行排队，取代正在等待的运行"),
            },
        ),
    ] = "wait"
    priority: Annotated[
        Literal["high", "normal", "low"],
        setting(
            text("Priority", "优先级"),
            text("High is for platform admins to give.", "“高”只能由平台管理员设置。"),
            choices={"high": text("high", "高"), "normal": text("normal", "普通"), "low": text("low", "低")},
        ),
    ] = "normal"
    pool: Annotated[
        str,
        setting(
            text("Pool", "资源池"),
            text(
                "Stages at work take places of this pool; without a free place they wait. Operators define pools.",
                "执行中的阶段占用该资源池的名额，名额不足时排队等待。资源池由运维人员定义。",
            ),
            max_length=36,
        ),
    ] = ""
    pool_places: Annotated[
        int,
        setting(
            text("Places", "占用名额"),
            text(
                "How many places each stage takes. More than there are: all of them.",
                "每个阶段占用的名额数；超过总数时占用全部名额。",
            ),
            ge=1,
            le=10_000,
        ),
    ] = 1
    pool_steps: Annotated[
        tuple[str, ...],
        setting(
            text("Only for these steps", "仅限这些步骤"),
            text(
                "Only stages that do one of these steps take places. Empty: every stage.",
                "只有包含这些步骤的阶段才占用名额。留空表示所有阶段。",
            ),
        ),
    ] = ()
    run_minutes: Annotated[
        int,
        setting(
            text("Longest run, in minutes", "单次运行最长时间（分钟）"),
            text(
                "After that the run is stopped and fails. 0: only the platform's own limit.",
                "超过后停止并失败。0 表示只受平台上限约束。",
            ),
            ge=0,
            le=WEEK,
        ),
    ] = 0
    stage_minutes: Annotated[
        int,
        setting(
            text("Longest stage, in minutes", "单个阶段最长时间（分钟）"),
            text("How long one try of a stage may take. 0: no limit.", "阶段每次执行的最长时间，0 表示不限。"),
            ge=0,
            le=WEEK,
        ),
    ] = 0
    compute: Annotated[
        Literal["auto", "here", "cluster"],
        setting(
            text("Where stages are worked out", "计算引擎"),
            text(
                "When a Spark cluster is set up, automatic leaves large stages to it. Whatever would come out "
                "differently there is worked out on the worker's machine in any case; the plan says why.",
                "配置了 Spark 集群时，“自动”会把大数据量的阶段交给集群。若某一步骤在集群上结果会不同，"
                "则始终在工作进程所在的机器上计算，原因见执行计划。",
            ),
            choices={
                "auto": text("automatic", "自动"),
                "here": text("on the worker's machine", "工作进程所在的机器"),
                "cluster": text("on the cluster", "集群"),
            },
        ),
    ] = "auto"


OF_POOLS = ("pool", "pool_places", "pool_steps")


def rule_as_json(principal: Principal, flow: Flow) -> dict[str, Any]:
    """The flow's run settings (the defaults when it has none), and the schema of their form."""
    rule = RunRule.objects.filter(flow=flow).first() or RunRule(flow=flow)
    values = {name: getattr(rule, name) for name in RuleSettings.__struct_fields__ if name != "compute"}
    values["priority"] = RunRule.Priority(rule.priority).name.lower()
    values["pool"] = str(rule.pool_id or "")
    schema = json_schema(RuleSettings)
    pools = {str(pool.pk): words_of(pool) for pool in Pool.objects.visible_to(principal)}
    steps = steps_to_choose(flow)
    if pools and steps:
        schema["properties"]["pool"] |= choices({"": text("none", "不使用"), **pools})
        schema["properties"]["pool_steps"]["uniqueItems"] = True
        schema["properties"]["pool_steps"]["items"] |= choices(steps)
        for name in ("pool_places", "pool_steps"):  # without a pool there is nothing to say about it
            schema["properties"][name]["x-when"] = {"pool": [*pools]}
        values["pool_steps"] = [step for step in values["pool_steps"] if step in steps]
    else:  # there is nothing to choose from
        for name in OF_POOLS:
            del schema["properties"][name], values[name]
    if settings.OPTIONS["SPARK_URL"]:
        values["compute"] = flow.compute
    else:  # there is nothing to choose from
        del schema["properties"]["compute"]
    return {"settings": values, "schema": schema}


def choices(words: Mapping[str, Text]) -> dict[str, Any]:
    """A schema's part for what is chosen from a list that this moment knows."""
    return {"enum": list(words), "x-choices": dict(words)}


@transaction.atomic
def change_rule(principal: Principal, flow: Flow, values: Mapping[str, Any]) -> None:
    """Set the flow's run settings and look at the runs that wait.

    Raises SettingsError for wrong values, InvalidError for a parameter that the flow does not have, ForbiddenError for
    a priority that is not the person's to give.
    """
    wanted = parse(RuleSettings, values)
    if wanted.priority == "high" and not principal.has_role(PLATFORM_ADMIN):
        raise ForbiddenError(
            "rule.high",
            text("Only platform admins let a flow go before all others.", "只有平台管理员可以将流程设为最高优先级。"),
        )
    known = (flow.draft.document.get("inputs") or {}).get("properties") or {}
    if wanted.key and wanted.key not in known:
        message = text("The flow has no parameter with this name.", "该流程没有这个名称的参数。")
        raise InvalidError(problems=[Problem("/key", "rule.no_parameter", message)])
    fields = {**msgspec.to_builtins(wanted), "priority": PRIORITIES[wanted.priority]}
    fields["pool"] = _chosen_pool(principal, flow, wanted)
    compute = fields.pop("compute")
    if "compute" in values:
        Flow.objects.filter(pk=flow.pk).update(compute=compute)
    RunRule.objects.update_or_create(flow=flow, defaults=fields)
    audit.record("run_rule.change", "flow", str(flow.pk), principal=principal, detail=msgspec.to_builtins(wanted))
    transaction.on_commit(admit_waiting, robust=True)


def _chosen_pool(principal: Principal, flow: Flow, wanted: RuleSettings) -> Pool | None:
    unknown = [step for step in wanted.pool_steps if step not in steps_to_choose(flow)]
    if unknown:
        message = text(f"The flow has no step “{unknown[0]}”.", f"流程中没有步骤“{unknown[0]}”。")
        raise InvalidError(problems=[Problem("/pool_steps", "rule.no_step", message)])
    if not wanted.pool:
        return None
    try:
        found: Pool = Pool.objects.get_visible(principal, pk=wanted.pool)
    except NotFoundError as error:
        message = text("There is no such pool any more.", "该资源池已不存在。")
        raise InvalidError(problems=[Problem("/pool", "rule.no_pool", message)]) from error
    return found
