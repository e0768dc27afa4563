"""Join: bring the columns of two inputs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.join_keys import JoinKey, check_keys
from node_catalog.sdk.ports import Port, ibis_type, type_of_ibis
from node_catalog.sdk.relation import check_names, common_type, listed
from node_catalog.sdk.text import Text, text

How = Literal["inner", "left", "right", "full", "semi", "anti", "cross"]
_IBIS_HOW = {"full": "outer"}
_LEFT_ONLY = ("semi", "anti")
_WITH_WHERE = ("inner", "left", "semi", "anti")
_HOW_WORDS = {
    "inner": text("only rows that match on both sides", "只保留两边都匹配的行"),
    "left": text("all rows of the left, with what matches", "保留左侧全部行，附上匹配的右侧数据"),
    "right": text("all rows of the right, with what matches", "保留右侧全部行，附上匹配的左侧数据"),
    "full": text("all rows of both sides", "保留两侧全部行"),
    "semi": text("left rows that have a match", "左侧中有匹配的行"),
    "anti": text("left rows that have no match", "左侧中没有匹配的行"),
    "cross": text("every left row with every right row", "左侧每一行与右侧每一行组合"),
}


class JoinSettings(Settings):
    """How rows are matched and which are kept."""

    how: Annotated[How, setting(text("Keep", "保留"), choices=_HOW_WORDS)] = "inner"
    on: Annotated[
        tuple[JoinKey, ...],
        setting(
            text("Match where equal", "匹配条件"),
            text("Rows match when all these pairs are equal.", "以下各对列都相等时，两行匹配。"),
            widget="join-keys",
        ),
    ] = ()
    where: Annotated[
        str,
        setting(
            text("And only where", "附加条件"),
            text(
                "A further condition over both sides; a right column with a taken name is written with the suffix.",
                "对两侧列的进一步条件；与左侧重名的右侧列用加后缀的名称书写。",
            ),
            widget="expression",
            extra={"x-expression-type": "boolean", "x-advanced": True},
        ),
    ] = ""
    nulls_equal: Annotated[
        bool,
        setting(
            text("Empty values match each other", "空值互相匹配"),
            text("Normally a row with an empty key matches nothing.", "默认情况下，键为空的行不与任何行匹配。"),
            extra={"x-advanced": True},
        ),
    ] = False
    suffix: Annotated[
        str,
        setting(
            text("Suffix for taken names", "重名列的后缀"),
            text("Added to right columns whose name the left has too.", "右侧列与左侧重名时，在名称后加上它。"),
            min_length=1,
            max_length=40,
            extra={"x-advanced": True},
        ),
    ] = "_right"

    def problems(self) -> Iterable[Problem]:
        """Keys belong to every kind but cross; a further condition only to some kinds."""
        if self.how == "cross" and self.on:
            message = text("A cross join has no columns to match.", "全组合不需要匹配条件，请移除。")
            yield Problem("/on", "join.cross_keys", message)
        if self.how != "cross" and not self.on:
            message = text("Choose at least one pair of columns to match.", "请至少选择一对用于匹配的列。")
            yield Problem("/on", "join.keys_missing", message)
        if self.where and self.how not in _WITH_WHERE:
            message = text(
                "A further condition is possible for inner, left, semi and anti only. Use a filter behind the join.",
                "附加条件仅适用于内连接、左连接、半连接和反连接，其他情况请在连接之后使用“筛选”。",
            )
            yield Problem("/where", "join.where_impossible", message)


class Join(Transform):
    """Brings the columns of two inputs together where their keys are equal."""

    key = "join"
    title = text("Join", "连接")
    summary = text("Add the columns of a second input by matching keys", "按相同的键把两个输入的列拼在一起")
    help = text(
        "Finds for each row of the left input the rows of the right input whose keys are equal, and puts their "
        "columns side by side. If several right rows match, the left row appears several times. A row with an empty "
        "key matches nothing. “Has a match” and “has no match” only choose left rows and add no columns.",
        "为左侧的每一行查找键相等的右侧行，并把列并排放在一起。若右侧有多行匹配，左侧该行会出现多次；键为空的行不匹配任何行。"
        "“有匹配的行”和“没有匹配的行”只挑选左侧的行，不增加列。",
    )
    icon = "ForkOutlined"
    Settings = JoinSettings
    group = "combine"
    rank = 10
    ports = (
        Port("left", "in", title=text("left", "左侧")),
        Port("right", "in", title=text("right", "右侧")),
        Port("out", "out"),
    )
    examples = (
        Example(
            title=text("Stations with their district", "给站点加上所在区"),
            settings={"how": "left", "on": [{"left": "station", "right": "station"}]},
            inputs={
                "left": ({"station": "text", "name": "text"}, [["a", "x"], ["b", "y"], [None, "z"]]),
                "right": ({"station": "text", "name": "text"}, [["a", "东城"], [None, "?"]]),
            },
            output=(
                {"station": "text", "name": "text", "name_right": "text"},
                [["a", "x", "东城"], ["b", "y", None], [None, "z", None]],
            ),
        ),
        Example(
            title=text("All rows of both sides: the key appears once", "保留两侧全部行，键只出现一次"),
            settings={"how": "full", "on": [{"left": "k", "right": "k"}], "nulls_equal": True},
            inputs={
                "left": ({"k": "integer", "a": "text"}, [[1, "l1"], [None, "l0"]]),
                "right": ({"b": "text", "k": "integer"}, [["r2", 2], ["r0", None]]),
            },
            output=(
                {"k": "integer", "a": "text", "b": "text"},
                [[1, "l1", None], [None, "l0", "r0"], [2, None, "r2"]],
            ),
        ),
        Example(
            title=text("Rows of the right with what matches", "保留右侧全部行"),
            settings={"how": "right", "on": [{"left": "k", "right": "k"}]},
            inputs={
                "left": ({"k": "integer", "a": "text"}, [[1, "l1"], [3, "l3"]]),
                "right": ({"k": "integer", "b": "text"}, [[1, "r1"], [2, "r2"]]),
            },
            output=({"k": "integer", "a": "text", "b": "text"}, [[1, "l1", "r1"], [2, None, "r2"]]),
        ),
        Example(
            title=text("Left rows without a match under a condition", "附加条件下没有匹配的行"),
            settings={"how": "anti", "on": [{"left": "k", "right": "k"}], "where": "limit_value < value"},
            inputs={
                "left": ({"k": "integer", "value": "number"}, [[1, 5.0], [1, 50.0], [None, 1.0]]),
                "right": ({"k": "integer", "limit_value": "number"}, [[1, 10.0]]),
            },
            output=({"k": "integer", "value": "number"}, [[1, 5.0], [None, 1.0]]),
        ),
        Example(
            title=text("Every left row with every right row", "全组合"),
            settings={"how": "cross"},
            inputs={"left": ({"a": "integer"}, [[1], [2]]), "right": ({"a": "integer"}, [[9]])},
            output=({"a": "integer", "a_right": "integer"}, [[1, 9], [2, 9]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: JoinSettings, context: BuildContext) -> Any:
        """Left columns, then right; same-named keys once; other taken names with the suffix."""
        left, right = inputs["left"][0], inputs["right"][0]
        check_keys(left, right, settings.on, context)
        apart = _names_apart(left.columns, right.columns, settings.suffix)
        renamed = right.select(*(right[name].name(apart[name]) for name in right.columns))
        if settings.how == "cross":
            joined = left.cross_join(renamed)
        else:
            how = _IBIS_HOW.get(settings.how, settings.how)
            joined = left.join(renamed, cls._predicates(left, renamed, apart, settings, context), how=how)
        if settings.how in _LEFT_ONLY:
            return joined.select(*left.columns)
        return cls._columns(joined, left, right, apart, settings, context)

    @staticmethod
    def _predicates(
        left: Any, renamed: Any, apart: Mapping[str, str], settings: JoinSettings, context: BuildContext
    ) -> list[Any]:
        made = []
        for key in settings.on:
            a, b = left[key.left], renamed[apart[key.right]]
            made.append(a.identical_to(b) if settings.nulls_equal else a == b)
        if settings.where:
            condition = context.expression(settings.where, left, renamed, pointer="/where")
            if not condition.type().is_boolean():
                message = text("The further condition must be true or false.", "附加条件必须是成立或不成立的判断。")
                raise context.problem("join.not_condition", message, "/where")
            made.append(condition)
        return made

    @staticmethod
    def _columns(
        joined: Any, left: Any, right: Any, apart: Mapping[str, str], settings: JoinSettings, context: BuildContext
    ) -> Any:
        once = {key.right for key in settings.on if key.left == key.right}
        made = []
        for name in left.columns:
            value = joined[name]
            if name in once and settings.how == "right":
                value = joined[apart[name]]
            elif name in once and settings.how == "full":
                wide = common_type(type_of_ibis(left[name].type()), type_of_ibis(right[name].type()))
                target = ibis_type(wide or "text")
                value = joined[name].cast(target).coalesce(joined[apart[name]].cast(target))
            made.append(value.name(name))
        names = list(left.columns)
        for name in right.columns:
            if name not in once:
                shown = name + settings.suffix if name in left.columns else name
                made.append(joined[apart[name]].name(shown))
                names.append(shown)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            message = text(
                f"Even with the suffix “{settings.suffix}” the column name “{twice}” occurs twice. "
                "Choose another suffix, or rename a column before.",
                f"加上后缀“{settings.suffix}”后，列名“{twice}”仍然重复。请更换后缀，或先为列改名。",
            )
            raise context.problem("join.suffix_clash", message, "/suffix")
        check_names(context, names, ["/suffix"] * len(names))
        return joined.select(*made)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Kind and keys."""
        how = str(settings.get("how") or "inner")
        keys = [key for key in settings.get("on") or () if isinstance(key, Mapping)]
        line = listed(
            str(key.get("left"))
            if key.get("left") == key.get("right")
            else f"{key.get('left') or '…'} = {key.get('right') or '…'}"
            for key in keys
        )
        zh = {
            "inner": "内连接",
            "left": "左连接",
            "right": "右连接",
            "full": "全连接",
            "semi": "半连接",
            "anti": "反连接",
        }
        return text(f"{how}: {line or '…'}" if how != "cross" else "cross", f"{zh.get(how, '全组合')} {line}".strip())


def _names_apart(left: Iterable[str], right: Sequence[str], suffix: str) -> dict[str, str]:
    """A name for each right column that neither the left nor another right column has (case ignored).

    It is the name under which ``where`` knows the column: its own, or with the suffix when the left has it too.
    """
    taken = {name.casefold() for name in left}
    free = {name.casefold() for name in right}
    names: dict[str, str] = {}
    for name in right:
        new = name
        while new.casefold() in taken or (new != name and new.casefold() in free):
            new += suffix
        taken.add(new.casefold())
        names[name] = new
    return names
