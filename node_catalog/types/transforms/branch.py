"""Branch: one answer for the whole run decides by which of two ports it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform, Verdict
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import condition
from node_catalog.sdk.text import Text, text

THEN, ELSE = "then", "else"


class BranchSettings(Settings):
    """The question that is asked once."""

    when: Annotated[
        str,
        setting(
            text("Condition", "判断条件"),
            text(
                "One answer for the whole run: of its parameters (:name), or of figures over all rows, for example "
                "count(*) > 0. Uncertain counts as no.",
                "整次运行只判断一次：可用参数（:名称）或对全部行的汇总，例如 count(*) > 0。无法判断视为不成立。",
            ),
            widget="expression",
            extra={"x-expression-type": "boolean", "x-aggregate": True},
            min_length=1,
        ),
    ]


class Branch(Transform):
    """Sends all rows one of two ways; what stands only on the other way is skipped."""

    key = "branch"
    title = text("Branch", "条件分支")
    summary = text("Go one of two ways, for the whole run", "整次运行二选一")
    help = text(
        "Asks one question for the whole run and goes on by “yes” or by “no”. The question may use the run's "
        "parameters (:name) and figures over the rows, such as count(*) > 0 or max(pm25) > 500: over the rows at "
        "“test” when that port is connected, otherwise over the rows that pass. Steps that stand only on the other way "
        "are skipped: they write nothing, not even an empty result. A step that is fed from both ways "
        "(such as “Combine”) gets no rows from the other one. To decide for each row, use “Switch”.",
        "对整次运行只问一个问题，然后走“成立”或“不成立”。"
        "问题可以使用运行参数（:名称）和对行的汇总，例如 count(*) > 0 或 max(pm25) > 500："
        "若连接了“判断数据”端口，则对该端口的数据汇总，否则对流经的数据汇总。只位于另一条路上的步骤会被跳过：不写出任何数据，连空结果也没有。"
        "同时接在两条路上的步骤（如“合并”）从另一条路得不到数据。若要逐行判断，请使用“分流”。",
    )
    icon = "ForkOutlined"
    group = "flow"
    rank = 20
    Settings = BranchSettings
    ports = (
        Port("in", "in"),
        Port("test", "in", required=False),
        Port(THEN, "out", required=False),
        Port(ELSE, "out", required=False),
    )
    keeps_order = True
    takes_unbounded = False
    judges = True
    chooses = True
    examples = (
        Example(
            title=text("Only when there are rows at all", "有数据时才继续"),
            settings={"when": "count(*) > 1"},
            inputs={"in": ({"id": "integer"}, [[1], [2]])},
            outputs={THEN: ({"id": "integer"}, [[1], [2]]), ELSE: ({"id": "integer"}, [])},
        ),
        Example(
            title=text("By what another table says", "依据另一张表判断"),
            settings={"when": "max(level) >= 3"},
            inputs={
                "in": ({"id": "integer"}, [[1], [2]]),
                "test": ({"level": "integer"}, [[1], [2], [None]]),
            },
            outputs={THEN: ({"id": "integer"}, []), ELSE: ({"id": "integer"}, [[1], [2]])},
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: BranchSettings, context: BuildContext) -> Any:
        """All rows at the port that is taken, none at the other."""
        table = inputs["in"][0]
        answer = cls.facts(inputs, settings, context)
        both = table.cross_join(answer.rename({_ANSWER: "answer"}))
        return {
            THEN: both.filter(both[_ANSWER]).select(*table.columns),
            ELSE: both.filter(~both[_ANSWER]).select(*table.columns),
        }

    @classmethod
    def facts(cls, inputs: Mapping[str, Sequence[Any]], settings: BranchSettings, context: BuildContext) -> Any:
        """One row with the answer."""
        table = (inputs.get("test") or inputs["in"])[0]
        when = condition(context, settings.when, table, "/when", aggregate=True)
        if not when.op().relations:
            return table.aggregate(rows=table.count()).select(answer=when.fill_null(False))
        if when.op().shape.is_columnar():
            message = text(
                "Here one answer for all rows is needed. Use a figure such as count(*), max(…) or sum(…), or take "
                "“Switch” to decide for each row.",
                "这里需要对全部行只有一个答案。请使用 count(*)、max(…)、sum(…) 等汇总；若要逐行判断，请改用“分流”。",
            )
            raise context.problem("branch.by_row", message, "/when")
        return table.aggregate(answer=when).select(answer=lambda row: row.answer.fill_null(False))

    @classmethod
    def judge(cls, settings: BranchSettings, facts: Mapping[str, Any]) -> Verdict:
        """The port that is taken."""
        taken = THEN if facts["answer"] else ELSE
        return Verdict(report={"kind": "branch", "taken": taken}, taken=(taken,))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The question."""
        when = str(settings.get("when") or "")
        return text(when or "no question yet", when or "尚未设置条件")


_ANSWER = "__branch_answer"
