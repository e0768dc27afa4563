"""The functions of the expression language: one table for checking, compiling and the help page.

A function says what it takes (``params``: kinds, ``…`` repeats the last one, ``?`` marks optional ones) and builds an
Ibis value. Calls go to DuckDB's own function of that meaning through ``native``, with the type DuckDB really gives.
What has no answer (a root of a negative number, a logarithm of zero) is NULL, never an error that stops a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.operations as ops

from flows.graph.expressions.values import Value, force, forced, typed
from node_catalog.sdk.engine_calls import engine_function
from node_catalog.sdk.ports import ibis_type
from node_catalog.sdk.text import Text, text

Build = Callable[[Sequence[Value]], Value]


@dataclass(frozen=True)
class Function:
    """One function: kinds of its parameters, its words for the help page, and how it is built."""

    name: str
    signature: str
    summary: Text
    example: str
    params: tuple[str, ...]
    build: Build
    group: str
    aggregate: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def least(self) -> int:
        return sum(1 for kind in self.params if not kind.endswith("?") and kind != "…")

    @property
    def most(self) -> int:
        return 200 if "…" in self.params else len(self.params)

    def kind(self, index: int) -> str:
        """The kind of the argument at ``index``."""
        fixed = [kind.rstrip("?") for kind in self.params if kind != "…"]
        return fixed[min(index, len(fixed) - 1)]


FUNCTIONS: dict[str, Function] = {}


def function(
    signature: str, en: str, zh: str, example: str, params: Sequence[str], *, group: str, aliases: Sequence[str] = ()
) -> Callable[[Build], Build]:
    """Put a function under its name (and its aliases) into the table."""

    def add(build: Build) -> Build:
        name = signature.partition("(")[0]
        entry = Function(
            name,
            signature,
            text(en, zh),
            example,
            tuple(params),
            build,
            group,
            aggregate=group == "aggregate",
            aliases=tuple(aliases),
        )
        for key in (name, *aliases):
            FUNCTIONS[key] = entry
        return build

    return add


def listed() -> list[dict[str, Any]]:
    """The help page's list: name, signature, one line in both languages, an example, its group."""
    return [
        {
            "name": entry.name,
            "signature": entry.signature,
            "summary": entry.summary,
            "example": entry.example,
            "group": entry.group,
            "aliases": list(entry.aliases),
            "aggregate": entry.aggregate,
        }
        for key, entry in FUNCTIONS.items()
        if key == entry.name
    ]


def native(name: str, result: str, *args: Any) -> Value:
    """A call of DuckDB's function ``name`` that gives ``result``; Python constants are written plainly."""
    kinds = tuple("integer" if isinstance(a, int) else "text" if isinstance(a, str) else a.type for a in args)
    exprs = [a.expr if isinstance(a, Value) else a for a in args]
    return Value(result, engine_function(name, tuple(ibis_type(kind) for kind in kinds), ibis_type(result))(*exprs))


def number(value: Value) -> Value:
    """``value`` as float64."""
    return value if value.type == "number" else forced(value.expr, "number")


def finite(value: Value) -> Value:
    """NULL instead of infinity or NaN."""
    good = native("isfinite", "boolean", value).expr
    return Value(value.type, ibis.ifelse(good, value.expr, ibis.null(ibis_type(value.type))))


def where(condition: Any, value: Value) -> Value:
    """``value`` where the condition holds, else NULL."""
    return Value(value.type, ibis.ifelse(condition, value.expr, ibis.null(ibis_type(value.type))))


def whole(value: Value) -> Value:
    """``value`` as int64, NULL where it does not fit."""
    return Value("integer", ops.TryCast(value.expr, ibis_type("integer")).to_expr())


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────


@function("abs(x)", "The value without its sign.", "绝对值。", "abs(change)", ["number"], group="number")
def _abs(a: Sequence[Value]) -> Value:
    return typed(a[0].expr.abs(), a[0].type)


@function(
    "round(x, digits)",
    "Round to a number of decimals, half away from zero.",
    "四舍五入到指定小数位。",
    "round(pm25, 1)",
    ["number", "digits?"],
    group="number",
)
def _round(a: Sequence[Value]) -> Value:
    digits = int(a[1].literal) if len(a) > 1 else 0
    kind = a[0].type
    if a[0].family == "decimal":
        precision, scale = (int(part) for part in kind[8:-1].split(","))
        kind = f"decimal({precision},{max(min(digits, scale), 0)})"
    if kind == "integer" and digits >= 0:
        return a[0]
    return Value(kind, force(native("round", kind, a[0], digits).expr, kind))


@function(
    "floor(x)",
    "The next whole number below; NULL when too large.",
    "向下取整。",
    "floor(pm25 / 10)",
    ["number"],
    group="number",
)
def _floor(a: Sequence[Value]) -> Value:
    return a[0] if a[0].type == "integer" else whole(native("floor", a[0].type, a[0]))


@function(
    "ceil(x)",
    "The next whole number above; NULL when too large.",
    "向上取整。",
    "ceil(minutes / 60)",
    ["number"],
    group="number",
    aliases=["ceiling"],
)
def _ceil(a: Sequence[Value]) -> Value:
    return a[0] if a[0].type == "integer" else whole(native("ceil", a[0].type, a[0]))


@function(
    "sqrt(x)",
    "Square root; NULL for negative numbers.",
    "平方根；负数得空值。",
    "sqrt(area)",
    ["number"],
    group="number",
)
def _sqrt(a: Sequence[Value]) -> Value:
    x = number(a[0])
    return native("sqrt", "number", where(x.expr >= 0, x))


@function(
    "ln(x)",
    "Natural logarithm; NULL for zero and below.",
    "自然对数；零和负数得空值。",
    "ln(income)",
    ["number"],
    group="number",
)
def _ln(a: Sequence[Value]) -> Value:
    x = number(a[0])
    return native("ln", "number", where(x.expr > 0, x))


@function(
    "log10(x)",
    "Logarithm to base 10; NULL for zero and below.",
    "以 10 为底的对数；零和负数得空值。",
    "log10(population)",
    ["number"],
    group="number",
    aliases=["log"],
)
def _log10(a: Sequence[Value]) -> Value:
    x = number(a[0])
    return native("log10", "number", where(x.expr > 0, x))


@function("exp(x)", "e to the power of x.", "e 的 x 次方。", "exp(rate)", ["number"], group="number")
def _exp(a: Sequence[Value]) -> Value:
    return finite(native("exp", "number", number(a[0])))


@function(
    "power(x, y)",
    "x to the power of y; NULL when undefined.",
    "x 的 y 次方；无意义时得空值。",
    "power(side, 2)",
    ["number", "number"],
    group="number",
    aliases=["pow"],
)
def _power(a: Sequence[Value]) -> Value:
    return finite(native("pow", "number", number(a[0]), number(a[1])))


@function("sign(x)", "-1, 0 or 1.", "正负号：-1、0 或 1。", "sign(change)", ["number"], group="number")
def _sign(a: Sequence[Value]) -> Value:
    return Value("integer", force(native("sign", "integer", a[0]).expr, "integer"))


def _angle(name: str, en: str, zh: str, example: str) -> None:
    @function(f"{name}(x)", en, zh, example, ["number"], group="number")
    def _build(a: Sequence[Value]) -> Value:
        return finite(native(name, "number", where(native("isfinite", "boolean", number(a[0])).expr, number(a[0]))))


_angle("sin", "Sine of an angle in radians.", "正弦（弧度）。", "sin(radians(lat))")
_angle("cos", "Cosine of an angle in radians.", "余弦（弧度）。", "cos(radians(lat))")
_angle("tan", "Tangent of an angle in radians.", "正切（弧度）。", "tan(radians(slope))")
_angle("atan", "Arc tangent, in radians.", "反正切（弧度）。", "atan(slope)")
_angle("radians", "Degrees as radians.", "角度转弧度。", "radians(lon)")
_angle("degrees", "Radians as degrees.", "弧度转角度。", "degrees(angle)")


@function(
    "atan2(y, x)",
    "Angle of the point (x, y), in radians.",
    "点 (x, y) 的方位角（弧度）。",
    "atan2(dy, dx)",
    ["number", "number"],
    group="number",
)
def _atan2(a: Sequence[Value]) -> Value:
    return finite(native("atan2", "number", number(a[0]), number(a[1])))


@function("pi()", "The number π.", "圆周率。", "pi() * power(radius, 2)", [], group="number")
def _pi(a: Sequence[Value]) -> Value:
    return native("pi", "number")
