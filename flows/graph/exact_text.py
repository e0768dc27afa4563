"""Compilers of sources that compare text by a language's rules, told to compare by code point as the engine does.

Equality with a constant is also written plainly, so that an index still helps; the second test makes it exact where
different texts count as equal (case, accents, spaces at the end).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.operations as ops
import sqlglot.expressions as sge

Exact = Callable[[Any], Any]


def by_code_point(base: Any, dialect: str) -> Any:
    """Ibis' compiler class for ``dialect`` with exact comparisons of texts."""
    extra = _exact_decimals(base) if dialect == "mysql" else {"visit_Mean": _plain_mean}
    return type("CodePointCompiler", (base,), {"__slots__": (), **_comparisons(base, dialect), **extra})


def _collated(value: Any) -> Any:
    return sge.Collate(this=value.copy(), expression=sge.to_identifier("C", quoted=True))


def _utf8_bytes(value: Any) -> Any:
    """The text's UTF-8 bytes: their order is that of the code points, and no space at the end is passed over."""
    charset = sge.DataType(this=sge.DataType.Type.CHARACTER_SET, kind=sge.Var(this="utf8mb4"))
    return sge.cast(sge.Cast(this=value.copy(), to=charset), "binary", dialect="mysql")


def _comparisons(base: Any, dialect: str) -> dict[str, Any]:
    exact: Exact = _utf8_bytes if dialect == "mysql" else _collated
    # A collation on one side of a comparison holds for both; bytes are compared with bytes only.
    other: Exact = _utf8_bytes if dialect == "mysql" else lambda value: value.copy()

    def ordered(name: str, make: Any) -> Any:
        plain = getattr(base, name)

        def visit(self: Any, op: Any, *, left: Any, right: Any) -> Any:
            if not op.left.dtype.is_string():
                return plain(self, op, left=left, right=right)
            return make(this=exact(left), expression=other(right))

        return visit

    def equals(self: Any, op: Any, *, left: Any, right: Any) -> Any:
        if not op.left.dtype.is_string():
            return base.visit_Equals(self, op, left=left, right=right)
        same = sge.EQ(this=exact(left), expression=other(right))
        if not isinstance(op.left, ops.Literal) and not isinstance(op.right, ops.Literal):
            return same
        return sge.paren(sge.and_(sge.EQ(this=left, expression=right), same))

    def in_values(self: Any, op: Any, *, value: Any, options: Any) -> Any:
        found = base.visit_InValues(self, op, value=value, options=options)
        if not op.value.dtype.is_string():
            return found
        same = base.visit_InValues(self, op, value=exact(value), options=tuple(other(option) for option in options))
        return sge.and_(found, same)

    return {
        "visit_Less": ordered("visit_Less", sge.LT),
        "visit_LessEqual": ordered("visit_LessEqual", sge.LTE),
        "visit_Greater": ordered("visit_Greater", sge.GT),
        "visit_GreaterEqual": ordered("visit_GreaterEqual", sge.GTE),
        "visit_NotEquals": ordered("visit_NotEquals", sge.NEQ),
        "visit_Equals": equals,
        "visit_InValues": in_values,
    }


def _plain_mean(self: Any, op: Any, *, arg: Any, where: Any) -> Any:
    """Sum by count, as the engine does: PostgreSQL's AVG of floats squares them on its way, and fails by large ones."""
    return sge.paren(sge.Div(this=self.agg.sum(arg, where=where), expression=self.agg.count(arg, where=where)))


def _exact_decimals(base: Any) -> dict[str, Any]:
    """Decimals as they are written: Ibis would cast them to a DECIMAL without digits behind the point, which rounds."""

    def literal(self: Any, op: Any, *, value: Any, dtype: Any) -> Any:
        if dtype.is_decimal():
            return sge.convert(value)
        return base.visit_NonNullLiteral(self, op, value=value, dtype=dtype)

    return {"visit_NonNullLiteral": literal}
