"""A fixed value in a setting (a fill, a default, a value to look for) as an Ibis value of a column's type."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from node_catalog.sdk.contract import BuildContext
from node_catalog.sdk.ports import digits_of, ibis_type, type_of_ibis
from node_catalog.sdk.relation import type_words
from node_catalog.sdk.text import text

Scalar = bool | int | float | str


def constant(context: BuildContext, value: Scalar, kind: Any, pointer: str) -> Any:
    """``value`` as a literal of the Ibis type ``kind``; raises the step's problem when it does not fit.

    Dates and times are written as ISO 8601 text, exact decimals as a number or text.
    """
    import ibis

    ours = type_of_ibis(kind)
    try:
        made = read_scalar(value, ours)
    except ValueError:
        words = type_words(ours)
        message = text(
            f"“{value}” cannot stand in a column of type {words['en']}. Give a value of that type.",
            f"“{value}”不能作为{words['zh-CN']}类型的值，请填写该类型的值。",
        )
        raise context.problem("constant.type", message, pointer) from None
    return ibis.literal(made, type=ibis_type(ours))


def read_scalar(value: Scalar, kind: str) -> Any:
    """``value`` as Python has it for our type ``kind``; raises ValueError when it does not fit."""
    read = _READERS.get(kind.partition("(")[0])
    if read is None:
        raise ValueError(kind)
    try:
        return read(value, kind)
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(kind) from error


def written(value: Any) -> str:
    """A value, as Python has it, in words that the engine casts back to the very same."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _integer(value: Scalar, _kind: str) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    made = int(value)
    if not -(2**63) <= made < 2**63:
        raise ValueError(value)
    return made


def _number(value: Scalar, _kind: str) -> float:
    made = float(value)
    if isinstance(value, bool) or not math.isfinite(made):
        raise ValueError(value)
    return made


def _decimal(value: Scalar, kind: str) -> Decimal:
    digits = digits_of(kind)
    if isinstance(value, bool) or digits is None:
        raise ValueError(value)
    precision, scale = digits
    made = Decimal(str(value))
    exponent = made.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > scale:
        raise ValueError(value)
    if made and made.adjusted() >= precision - scale:
        raise ValueError(value)
    return made


def _boolean(value: Scalar, _kind: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError(value)


def _text(value: Scalar, _kind: str) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _date(value: Scalar, _kind: str) -> datetime.date:
    return datetime.date.fromisoformat(str(value))


def _time(value: Scalar, _kind: str) -> datetime.time:
    return datetime.time.fromisoformat(str(value))


def _timestamp(value: Scalar, _kind: str) -> datetime.datetime:
    """Times are naive UTC; one with an offset is brought there."""
    made = datetime.datetime.fromisoformat(str(value))
    return made.astimezone(datetime.UTC).replace(tzinfo=None) if made.tzinfo else made


_READERS: Mapping[str, Callable[[Scalar, str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "text": _text,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
}
