"""Check: rules that every row should keep; rows that break one leave by a port of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.choice_words import STOP
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform, Verdict
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import condition, listed
from node_catalog.sdk.text import Text, text

FAILED = "failed"
MOST_RULES = 100


class Rule(Settings):
    """One rule: a condition that rows should fulfil, and how many of them must."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    expression: Annotated[
        str,
        setting(
            text("Rows are right when", "数据正确的条件"),
            widget="expression",
            extra={"x-expression-type": "boolean"},
            min_length=1,
        ),
    ]
    at_least: Annotated[
        float,
        setting(
            text("Share that must be right", "至少应合格的比例"),
            text("From 0 to 1; 1 means every row.", "0 到 1 之间，1 表示每一行都必须合格。"),
            ge=0.0,
            le=1.0,
        ),
    ] = 1.0


class CheckSettings(Settings):
    """The rules, and what happens to rows that break one."""

    rules: Annotated[
        tuple[Rule, ...],
        setting(
            text("Rules", "规则"),
            text(
                "A row breaks a rule when its condition is false, or uncertain because of an empty value.",
                "条件不成立，或因空值无法判断，都算违反规则。",
            ),
            widget="check-rules",
            min_length=1,
            max_length=MOST_RULES,
        ),
    ]
    on_fail: Annotated[
        Literal["stop", "split", "report"],
        setting(
            text("When rows break a rule", "有数据违反规则时"),
            text(
                "Stop: the run fails when a rule's share is missed, and nothing behind this step is delivered.",
                "停止：某条规则未达到比例时运行失败，本步骤之后不会写出任何数据。",
            ),
            choices={
                "stop": STOP,
                "split": text("take these rows out", "分离这些行"),
                "report": text("only report it", "仅报告"),
            },
        ),
    ] = "stop"

    def problems(self) -> Iterable[Problem]:
        """Two rules of one name could not be told apart in the results."""
        seen: set[str] = set()
        for index, rule in enumerate(self.rules):
            if rule.name in seen:
                message = text(
                    f"The rule name “{rule.name}” is used twice. Choose another.",
                    f"规则名“{rule.name}”重复，请换一个。",
                )
                yield Problem(f"/rules/{index}/name", "check.name_twice", message)
            seen.add(rule.name)


class Check(Transform):
    """Counts which rows keep the rules, and sends the others out by a port of their own."""

    key = "check"
    title = text("Check quality", "质量检查")
    summary = text("Test rules, set bad rows apart", "检验规则，分离不合格数据")
    help = text(
        "Tests every row against the rules and shows, for each rule, how many rows keep and how many break it. "
        "“Stop” fails the run before anything is delivered when a rule's share is missed; otherwise all rows go on. "
        "“Take out” lets only rows that keep every rule go on; the others leave by “failed”, so connect that port, for "
        "example to an output. “Only report” lets all rows go on. In every case the rows that break a rule can be read "
        "at “failed”.",
        "用规则检验每一行，并显示每条规则合格与不合格的行数。“停止运行”：某条规则未达到比例时，在写出任何数据之前让运行失败，否则全部数据继续。"
        "“分离这些行”：只有符合全部规则的行继续，其余从“未通过”端口流出，请连接该端口，例如接到一个输出。“仅报告”：全部数据继续。"
        "无论哪种方式，违反规则的行都可以从“未通过”端口读取。",
    )
    icon = "SafetyCertificateOutlined"
    group = "check"
    rank = 10
    Settings = CheckSettings
    ports = (Port("in", "in"), Port("out", "out", required=False), Port(FAILED, "out", required=False, is_error=True))
    keeps_order = True
    judges = True
    examples = (
        Example(
            title=text("Take out readings that cannot be", "分离不可能的读数"),
            settings={
                "on_fail": "split",
                "rules": [
                    {"name": "not negative", "expression": "pm25 >= 0"},
                    {"name": "has a station", "expression": "station is not null"},
                ],
            },
            inputs={
                "in": (
                    {"station": "text", "pm25": "number"},
                    [["a", 80.0], ["b", -1.0], [None, 5.0], ["c", None]],
                )
            },
            outputs={
                "out": ({"station": "text", "pm25": "number"}, [["a", 80.0]]),
                FAILED: ({"station": "text", "pm25": "number"}, [["b", -1.0], [None, 5.0], ["c", None]]),
            },
        ),
        Example(
            title=text("Report, but let all rows go on", "仅报告，全部数据继续"),
            settings={
                "on_fail": "report",
                "rules": [{"name": "below 500", "expression": "pm25 < 500", "at_least": 0.9}],
            },
            inputs={"in": ({"pm25": "number"}, [[80.0], [700.0]])},
            outputs={"out": ({"pm25": "number"}, [[80.0], [700.0]]), FAILED: ({"pm25": "number"}, [[700.0]])},
        ),
    )

    @classmethod
    def ports_of(cls, settings: Mapping[str, Any]) -> Sequence[Port]:
        """Only rows that are taken out would be missed when nobody looks at them."""
        if settings.get("on_fail") == "split":
            return cls.ports
        return (*cls.ports[:2], Port(FAILED, "out", required=False))

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: CheckSettings, context: BuildContext) -> Any:
        """All rows, or those that keep every rule; and those that break one."""
        table = inputs["in"][0]
        kept = _kept(table, settings, context)
        whole = kept[0]
        for one in kept[1:]:
            whole &= one
        return {"out": table.filter(whole) if settings.on_fail == "split" else table, FAILED: table.filter(~whole)}

    @classmethod
    def facts(cls, inputs: Mapping[str, Sequence[Any]], settings: CheckSettings, context: BuildContext) -> Any:
        """The number of rows, and for each rule of those that keep it."""
        table = inputs["in"][0]
        kept = _kept(table, settings, context)
        counts = {f"kept_{index}": table.count(where=one) for index, one in enumerate(kept)}
        return table.aggregate(rows=table.count(), **counts)

    @classmethod
    def decides(cls, settings: Mapping[str, Any]) -> bool:
        """Only when it is to stop the run."""
        return settings.get("on_fail", "stop") == "stop"

    @classmethod
    def judge(cls, settings: CheckSettings, facts: Mapping[str, Any]) -> Verdict:
        """Counts per rule; a failure when a rule is missed and the run shall stop."""
        rows = int(facts["rows"])
        rules = [_result(rule, rows, int(facts[f"kept_{index}"])) for index, rule in enumerate(settings.rules)]
        missed = [rule for rule in rules if not rule["holds"]]
        failure = _failure(missed, rows) if missed and settings.on_fail == "stop" else None
        return Verdict(report={"kind": "check", "rows": rows, "rules": rules}, failure=failure)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The names of the rules."""
        rules = [item for item in settings.get("rules") or () if isinstance(item, Mapping)]
        names = listed(item.get("name") for item in rules)
        return text(names or "no rules yet", names or "尚未设置规则")


def _kept(table: Any, settings: CheckSettings, context: BuildContext) -> list[Any]:
    """For each rule whether a row keeps it; what is uncertain is broken."""
    return [
        condition(context, rule.expression, table, f"/rules/{index}/expression").fill_null(False)
        for index, rule in enumerate(settings.rules)
    ]


def _result(rule: Rule, rows: int, passed: int) -> dict[str, Any]:
    """Without any rows every rule holds."""
    return {
        "name": rule.name,
        "passed": passed,
        "failed": rows - passed,
        "at_least": rule.at_least,
        "holds": passed >= rule.at_least * rows,
    }


def _failure(missed: Sequence[Mapping[str, Any]], rows: int) -> Text:
    en = [_share(rule, rows, "“{name}” {share} of {rows:,} rows, needed {least}") for rule in missed[:5]]
    zh = [_share(rule, rows, "“{name}”{rows:,} 行中合格 {share}，要求 {least}") for rule in missed[:5]]
    return text(
        f"The data break {len(missed)} rule(s): {'; '.join(en)}. Nothing behind this check was delivered. Preview its "
        "port “failed” to see such rows, mend the data, or change the rule.",
        f"数据违反了 {len(missed)} 条规则：{'；'.join(zh)}。本检查之后未写出任何数据。"
        "请预览“未通过”端口查看这些行，修正数据或调整规则。",
    )


def _share(rule: Mapping[str, Any], rows: int, words: str) -> str:
    share = int(rule["passed"] / rows * 1000) / 10  # rounded down: 99.97 % is not 100 %
    return words.format(name=rule["name"], share=f"{share:g} %", rows=rows, least=f"{rule['at_least'] * 100:g} %")
