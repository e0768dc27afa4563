"""Nearest join: for each left row the right row that is nearest in time (or in another ordered value)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.durations import NOT_A_DURATION, Duration, moved, parse_duration
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.join_keys import JoinKey, check_keys
from node_catalog.sdk.ports import Port, ibis_type, type_of_ibis
from node_catalog.sdk.relation import (
    NUMERIC,
    check_names,
    common_type,
    find_column,
    hidden_name,
    kind_of,
    listed,
    type_words,
)
from node_catalog.sdk.text import Text, text

Direction = Literal["backward", "forward", "nearest"]
_MOMENTS = ("date", "timestamp")
_DIRECTION_WORDS = {
    "backward": text("the last one before or at the same time", "之前最近的一行（含同时）"),
    "forward": text("the first one after or at the same time", "之后最近的一行（含同时）"),
    "nearest": text("the nearest on either side", "前后最近的一行"),
}


class OrderedPair(Settings):
    """The pair of columns that is compared: dates and times, or numbers."""

    left: Annotated[str, setting(text("Left column", "左侧列"), widget="column-left", min_length=1)]
    right: Annotated[str, setting(text("Right column", "右侧列"), widget="column-right", min_length=1)]


class NearestJoinSettings(Settings):
    """What must be equal, what must be near, and how near."""

    by: Annotated[
        OrderedPair,
        setting(
            text("Match what is nearest", "按最接近匹配"),
            text("Usually the times of both sides.", "通常是两侧的时间列。"),
        ),
    ]
    on: Annotated[
        tuple[JoinKey, ...],
        setting(
            text("Among rows where equal", "仅在相等的行之间匹配"),
            text("For example the station. Empty: among all rows.", "例如站点；不选则在全部行之间匹配。"),
            widget="join-keys",
        ),
    ] = ()
    direction: Annotated[Direction, setting(text("Which row", "取哪一行"), choices=_DIRECTION_WORDS)] = "backward"
    tolerance: Annotated[
        str,
        setting(
            text("At most this far away", "最大间隔"),
            text("A row further away does not match. Empty: any distance.", "间隔更大的行不匹配；留空则不限。"),
            widget="duration",
        ),
    ] = ""
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
        """The tolerance is a length of time, not a negative one."""
        if self.tolerance:
            duration = parse_duration(self.tolerance)
            if duration is None or duration.months < 0 or duration.microseconds < 0:
                yield Problem("/tolerance", "duration.invalid", NOT_A_DURATION)


class NearestJoin(Transform):
    """Adds to each left row the columns of the right row that is nearest in time."""

    key = "nearest_join"
    title = text("Nearest join", "就近连接")
    summary = text("Add the row that is nearest in time", "附上时间上最接近的一行")
    help = text(
        "For each row of the left input finds the one row of the right input that is nearest: the last before, the "
        "first after, or the nearest on either side (of two equally near ones the earlier). Every left row appears "
        "exactly once; where nothing is near, the right columns are empty. A distance exactly as large as allowed "
        "still matches. An empty key or an empty time matches nothing.",
        "为左侧的每一行找到右侧最接近的一行：之前最近、之后最近，或前后最近（同样近时取较早的）。左侧每一行恰好出现一次；"
        "没有足够接近的行时，右侧各列为空。间隔恰好等于最大间隔时仍算匹配；键或时间为空时不匹配任何行。",
    )
    icon = "FieldTimeOutlined"
    Settings = NearestJoinSettings
    group = "combine"
    rank = 20
    takes_unbounded = False
    ports = (
        Port("left", "in", title=text("left", "左侧")),
        Port("right", "in", title=text("right", "右侧")),
        Port("out", "out"),
    )
    examples = (
        Example(
            title=text("The last weather report, at most an hour old", "一小时以内最近一次天气记录"),
            settings={
                "on": [{"left": "station", "right": "station"}],
                "by": {"left": "ts", "right": "at"},
                "direction": "backward",
                "tolerance": "PT1H",
            },
            inputs={
                "left": (
                    {"station": "text", "ts": "timestamp"},
                    [
                        ["a", "2024-01-01T10:00:00"],
                        ["a", "2024-01-01T11:30:00"],
                        ["a", "2024-01-01T11:30:01"],
                        ["b", "2024-01-01T10:00:00"],
                        [None, "2024-01-01T10:00:00"],
                        ["a", None],
                    ],
                ),
                "right": (
                    {"station": "text", "at": "timestamp", "wind": "number"},
                    [
                        ["a", "2024-01-01T09:00:00", 1.0],
                        ["a", "2024-01-01T10:30:00", 2.0],
                        ["b", "2024-01-01T10:00:01", 3.0],
                        [None, "2024-01-01T10:00:00", 4.0],
                        ["a", None, 5.0],
                    ],
                ),
            },
            output=(
                {"station": "text", "ts": "timestamp", "at": "timestamp", "wind": "number"},
                [
                    ["a", "2024-01-01T10:00:00", "2024-01-01T09:00:00", 1.0],
                    ["a", "2024-01-01T11:30:00", "2024-01-01T10:30:00", 2.0],
                    ["a", "2024-01-01T11:30:01", None, None],
                    ["b", "2024-01-01T10:00:00", None, None],
                    [None, "2024-01-01T10:00:00", None, None],
                    ["a", None, None, None],
                ],
            ),
        ),
        Example(
            title=text("The nearest number; of two equally near the smaller", "最接近的数，同样近时取较小的"),
            settings={"by": {"left": "x", "right": "x"}, "direction": "nearest"},
            inputs={
                "left": ({"x": "integer"}, [[0], [5], [8], [99]]),
                "right": ({"x": "integer", "w": "text"}, [[2, "two"], [8, "eight"]]),
            },
            output=(
                {"x": "integer", "x_right": "integer", "w": "text"},
                [[0, 2, "two"], [5, 2, "two"], [8, 8, "eight"], [99, 8, "eight"]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: NearestJoinSettings, context: BuildContext) -> Any:
        """Left columns, then right; same-named equal keys once; other taken names with the suffix.

        The nearest row before and the nearest after are found without a tolerance, then refused when too far away:
        when the nearest is too far, so is every other.
        """
        import ibis

        left, right = inputs["left"][0], inputs["right"][0]
        check_keys(left, right, settings.on, context)
        kind = cls._ordered_type(left, right, settings, context)
        shown = cls._shown(left, right, settings, context)
        at = hidden_name([*left.columns, *right.columns], "__at")
        base = left.mutate(left[settings.by.left].cast(ibis_type(kind)).name(at))
        unique = _unique(right, settings, ibis_type(kind), at)
        joined: Any = base
        sides = ("forward", "backward") if settings.direction == "nearest" else (settings.direction,)
        apart: dict[str, dict[str, str]] = {}
        for side in sides:
            apart[side] = {name: f"{at}_{side}_{index}" for index, name in enumerate(unique.columns)}
            renamed = unique.select(*(unique[name].name(new) for name, new in apart[side].items()))
            there = renamed[apart[side][at]]
            near = base[at] >= there if side == "backward" else base[at] <= there
            equal = [base[pair.left] == renamed[apart[side][pair.right]] for pair in settings.on]
            joined = joined.asof_join(renamed, near, predicates=equal)
        # a plain relation before the choice: what follows is arithmetic on its columns
        joined = joined.select(*(joined[name] for name in joined.columns))
        duration = parse_duration(settings.tolerance) if settings.tolerance else None
        choices = _choices(joined, at, apart, duration)
        made = [joined[name].name(name) for name in left.columns]
        for name, new in shown.items():
            made.append(ibis.cases(*((test, joined[apart[side][name]]) for side, test in choices)).name(new))
        return joined.select(*made)

    @staticmethod
    def _ordered_type(left: Any, right: Any, settings: NearestJoinSettings, context: BuildContext) -> str:
        """The type in which both sides are compared: dates as timestamps."""
        a = find_column(context, left, settings.by.left, "/by/left")
        b = find_column(context, right, settings.by.right, "/by/right")
        kinds = kind_of(a), kind_of(b)
        if all(kind in _MOMENTS for kind in kinds):
            return "timestamp"
        if all(kind in NUMERIC for kind in kinds):
            if settings.tolerance:
                message = text(
                    "A largest distance can be given for dates and times only. Leave it empty for numbers.",
                    "只有日期和时间可以设置最大间隔，数字请留空。",
                )
                raise context.problem("nearest_join.tolerance_numbers", message, "/tolerance")
            wide = common_type(type_of_ibis(a.type()), type_of_ibis(b.type())) or "number"
            return "decimal(19,0)" if wide == "integer" else wide
        words = [type_words(kind) for kind in kinds]
        message = text(
            f"“{settings.by.left}” is {words[0]['en']} and “{settings.by.right}” is {words[1]['en']}: nearness needs "
            "two dates or times, or two numbers. Change the type before.",
            f"“{settings.by.left}”是{words[0]['zh-CN']}，“{settings.by.right}”是{words[1]['zh-CN']}："
            "需要两个日期时间列，或两个数字列。请先转换类型。",
        )
        raise context.problem("nearest_join.types", message, "/by/right")

    @staticmethod
    def _shown(left: Any, right: Any, settings: NearestJoinSettings, context: BuildContext) -> dict[str, str]:
        """Right columns that come out, with the names they get."""
        once = {pair.right for pair in settings.on if pair.left == pair.right}
        shown = {
            name: name + settings.suffix if name in left.columns else name for name in right.columns if name not in once
        }
        names = [*left.columns, *shown.values()]
        check_names(context, names, ["/suffix"] * len(names))
        return shown

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Which way, and how far."""
        by = settings.get("by")
        pair = f"{by.get('left') or '…'} ~ {by.get('right') or '…'}" if isinstance(by, Mapping) else "…"
        on = listed(one.get("left") for one in settings.get("on") or () if isinstance(one, Mapping))
        far = f" ≤ {settings['tolerance']}" if settings.get("tolerance") else ""
        way = str(settings.get("direction") or "backward")
        zh = {"forward": "之后最近", "nearest": "前后最近"}.get(way, "之前最近")
        return text(f"{way}: {pair}{far}{f' by {on}' if on else ''}", f"{zh} {pair}{far}{f'，按 {on}' if on else ''}")


def _unique(right: Any, settings: NearestJoinSettings, kind: Any, at: str) -> Any:
    """The right rows with their ordered value in ``at``; of several at the same place always the same one stays."""
    import ibis

    with_at = right.mutate(right[settings.by.right].cast(kind).name(at))
    with_at = with_at.filter(with_at[at].notnull())
    keys = [pair.right for pair in settings.on]
    rest = [name for name in right.columns if name not in keys]
    rank = hidden_name(with_at.columns, f"{at}_rank")
    order = [ibis.asc(with_at[name], nulls_first=False) for name in rest]
    numbered = with_at.mutate(
        ibis.row_number().over(group_by=[*(with_at[name] for name in keys), with_at[at]], order_by=order).name(rank)
    )
    return numbered.filter(numbered[rank] == 0).drop(rank)


def _choices(
    joined: Any, at: str, apart: Mapping[str, Mapping[str, str]], duration: Duration | None
) -> list[tuple[str, Any]]:
    """For each direction that was searched: when its row is taken, the first that holds."""
    tests: dict[str, Any] = {}
    for side, names in apart.items():
        there = joined[names[at]]
        tests[side] = there.notnull()
        if duration is not None and side == "backward":
            tests[side] &= there >= moved(joined[at], duration, -1)
        elif duration is not None:
            tests[side] &= there <= moved(joined[at], duration)
    if len(tests) == 1:
        return list(tests.items())
    before, after = (joined[apart[side][at]] for side in ("backward", "forward"))
    is_earlier = ~tests["forward"] | (_distance(before, joined[at]) <= _distance(joined[at], after))
    return [("backward", tests["backward"] & is_earlier), ("forward", tests["forward"])]


def _distance(start: Any, end: Any) -> Any:
    return end.delta(start, unit="microsecond") if end.type().is_timestamp() else end - start
