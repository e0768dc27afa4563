"""Calls of the engine's own functions as Ibis values, for what Ibis has no words for."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from node_catalog.sdk.later import ibis


@cache
def engine_function(name: str, kinds: tuple[Any, ...], result: Any) -> Any:
    """A function of the engine: Ibis data types of its arguments and of its result."""

    def stands_for(*_: Any) -> None:
        """Only carries the signature."""

    names = [f"a{index}" for index in range(len(kinds))]
    positional = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
    stands_for.__signature__ = inspect.Signature(positional)  # type: ignore[attr-defined]
    return ibis.udf.scalar.builtin(stands_for, name=name, signature=(kinds, result))


def engine_call(name: str, result: Any, *args: Any) -> Any:
    """``name(args…)`` of Ibis type ``result``; plain Python values are constants."""
    values = [arg if isinstance(arg, ibis.Value) else ibis.literal(arg) for arg in args]
    return engine_function(name, tuple(value.type() for value in values), result)(*values)
