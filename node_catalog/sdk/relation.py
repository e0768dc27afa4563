"""What the relational step types share: finding columns, plain types, sort keys, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Settings
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import ibis_type, is_type, type_of_ibis
from node_catalog.sdk.text import Text, text

NUMERIC = ("integer", "number", "decimal")

TYPE_WORDS: Mapping[str, Text] = {
    "boolean": text("yes/no", "是/否"),
    "integer": text("whole number", "整数"),
    "number": text("number", "数字"),
    "decimal": text("exact decimal", "定点小数"),
    "text": text("text", "文本"),
    "date": text("date", "日期"),
    "time": text("time of day", "时刻"),
    "timestamp": text("date and time", "日期时间"),
    "binary": text("binary", "二进制"),
    "geometry": text("geometry", "几何"),
    "columns": text("further columns from the data", "由数据决定的更多列"),
}


class SortKey(Settings):
    """One column to sort by."""

    column: Annotated[str, setting(text("Column", "列"), widget="column", min_length=1)]
    descending: Annotated[bool, setting(text("Largest first", "从大到小"))] = False
    nulls: Annotated[
        Literal["first", "last"],
        setting(
            text("Empty values", "空值位置"),
            choices={"first": text("at the start", "排在最前"), "last": text("at the end", "排在最后")},
        ),
    ] = "last"


WRITTEN_TYPES = ("boolean", "integer", "decimal", "number", "text", "date", "time", "timestamp")
"""The types that a person may give a column."""


def type_setting(title: Text) -> Any:
    """Metadata for a setting that is the type of a column: see ``WRITTEN_TYPES``."""
    return setting(
        title,
        widget="type",
        extra={
            "x-suggestions": ["decimal(18,2)" if name == "decimal" else name for name in WRITTEN_TYPES],
            "x-choices": {name: TYPE_WORDS[name] for name in WRITTEN_TYPES},
            "x-pattern-words": text("integer, number, decimal(p,s), text …", "integer、number、decimal(p,s)、text 等"),
        },
        pattern=r"^(boolean|integer|number|text|date|time|timestamp|decimal\(\d{1,2},\d{1,2}\))$",
    )


def check_type(context: BuildContext, kind: str, code: str, pointer: str) -> None:
    """Refuse a decimal with more digits than there can be; everything else the setting's pattern has refused."""
    if not is_type(kind):
        message = text(
            f"“{kind}” is no type: a decimal has at most 38 digits, of which not more stand behind the point.",
            f"“{kind}”不是有效类型：定点小数最多 38 位，小数位不能超过总位数。",
        )
        raise context.problem(code, message, pointer)


def kind_of(value: Any) -> str:
    """Our type name of an Ibis value; ``decimal(p,s)`` is shortened to ``decimal``."""
    return type_of_ibis(value.type()).partition("(")[0]


def type_words(kind: str) -> Text:
    """A type in words: ``decimal(10,2)`` is “exact decimal (10,2)”."""
    base, _, rest = kind.partition("(")
    words = TYPE_WORDS.get(base, text(kind, kind))
    return {language: f"{word} ({rest}" if rest else word for language, word in words.items()}


def find_column(context: BuildContext, table: Any, name: str, pointer: str) -> Any:
    """Column ``name`` of ``table``; raises the step's problem with the nearest name when it is not there."""
    if name in table.columns:
        return table[name]
    raise missing_column(context, table.columns, name, pointer)


def condition(context: BuildContext, source: str, table: Any, pointer: str, *, aggregate: bool = False) -> Any:
    """An expression that is true or false; raises the step's problem when it is something else."""
    value = context.expression(source, table, pointer=pointer, aggregate=aggregate)
    if not value.type().is_boolean():
        found = type_words(kind_of(value))
        message = text(
            f"Here a condition is needed that is true or false, but this gives {found['en']}. "
            "Compare it with something, for example “> 0”.",
            f"这里需要一个成立或不成立的条件，而当前得到的是{found['zh-CN']}。请加上比较，例如“> 0”。",
        )
        raise context.problem("condition.type", message, pointer)
    return value


def missing_column(context: BuildContext, columns: Sequence[str], name: str, pointer: str) -> Exception:
    """The problem “no such column”, with a suggestion that the screen can apply in one click."""
    near = nearest(name, columns)
    listed = ", ".join(f"“{column}”" for column in list(columns)[:8]) + (" …" if len(columns) > 8 else "")
    hint_en = f" Did you mean “{near}”?" if near else f" Columns here: {listed}."
    hint_zh = f"是否想用“{near}”？" if near else f"可用的列：{listed}。"
    message = text(f"There is no column “{name}” at this point.{hint_en}", f"这里没有名为“{name}”的列。{hint_zh}")
    fix = {"pointer": pointer, "value": near} if near else None
    return context.problem("column.unknown", message, pointer, fix, column=name)


def nearest(name: str, names: Iterable[str]) -> str:
    """The name most like ``name`` (case is ignored), or nothing."""
    folded = {other.casefold(): other for other in names}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def check_names(context: BuildContext, names: Sequence[str], pointers: Sequence[str]) -> None:
    """Refuse a name given twice, also when only its case differs (the engine could not tell the two apart)."""
    seen: dict[str, str] = {}
    for name, pointer in zip(names, pointers, strict=True):
        other = seen.get(name.casefold())
        if other == name:
            raise _taken(context, name, pointer)
        if other is not None:
            message = text(
                f"The columns “{other}” and “{name}” differ only in upper and lower case. Rename one of them.",
                f"列“{other}”与“{name}”仅大小写不同，无法区分，请为其中一列改名。",
            )
            raise context.problem("column.case", message, pointer)
        seen[name.casefold()] = name


def _taken(context: BuildContext, name: str, pointer: str) -> Exception:
    message = text(
        f"The column name “{name}” is given twice. Choose another name for one of them.",
        f"列名“{name}”重复，请为其中一列另取名称。",
    )
    return context.problem("column.twice", message, pointer)


def plain(context: BuildContext, value: Any, pointer: str) -> Any:
    """``value`` in exactly one of our ten types: whole numbers as int64, numbers as float64, µs timestamps."""
    kind = value.type()
    try:
        ours = type_of_ibis(kind)
    except KeyError:
        message = text(
            f"The result has no usable type ({kind}). Convert it, for example cast(… as text).",
            f"结果的类型（{kind}）不能作为列，请转换类型，例如 cast(… as text)。",
        )
        raise context.problem("expression.type", message, pointer) from None
    target = ibis_type(ours)
    if kind.copy(nullable=True) == target:
        return value
    return value.cast(target)


def sort_keys(context: BuildContext, table: Any, keys: Sequence[SortKey], pointer: str) -> list[Any]:
    """Ibis sort keys with the place of NULLs always said."""
    import ibis

    made = []
    for index, key in enumerate(keys):
        column = find_column(context, table, key.column, f"{pointer}/{index}/column")
        direction = ibis.desc if key.descending else ibis.asc
        made.append(direction(column, nulls_first=key.nulls == "first"))
    return made


def common_type(first: str, second: str) -> str | None:
    """The type that holds values of both, without loss of kind: numbers widen, everything else must be equal."""
    if first == second:
        return first
    a, b = first.partition("(")[0], second.partition("(")[0]
    if a not in NUMERIC or b not in NUMERIC:
        return None
    if "number" in (a, b):
        return "number"
    (p1, s1), (p2, s2) = _digits(first), _digits(second)
    scale = max(s1, s2)
    wide = f"decimal({max(p1 - s1, p2 - s2) + scale},{scale})"
    return wide if is_type(wide) else "number"


def _digits(kind: str) -> tuple[int, int]:
    if kind == "integer":
        return 19, 0
    precision, _, scale = kind[len("decimal(") : -1].partition(",")
    return int(precision), int(scale)


def listed(names: Iterable[Any], most: int = 3) -> str:
    """A few names for a step's one line: ``a, b, c …``."""
    shown = [str(name) for name in names if name]
    return ", ".join(shown[:most]) + (" …" if len(shown) > most else "")


def hidden_name(columns: Iterable[str], wanted: str) -> str:
    """A name for a helper column that no column has (case ignored)."""
    taken = {name.casefold() for name in columns}
    while wanted.casefold() in taken:
        wanted += "_"
    return wanted
