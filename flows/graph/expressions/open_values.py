"""Values that a plan is made without: the engine is given them when the text runs.

A plan made so holds for all values of an input. It must therefore not depend on any: wherever a constant's value would
decide something (a type, the form of a condition, what a source is asked), asking for it raises ``ValueNeededError``,
and the plan is made anew with that input's value written into it. What does not ask means the same either way.
"""

from __future__ import annotations

from typing import Any

import ibis.expr.datashape as ds
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.values import Value, force
from node_catalog.sdk.ports import ibis_type


class ValueNeededError(BaseException):
    """The plan cannot be made without the value of the input ``name``.

    No Exception: step types and compilers turn those into words for people, and this is no problem of the flow.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class GivenLater(ops.Value):
    """The operation that stands for such a value: ``input`` is the flow's, ``place`` its name in the text."""

    input: str
    place: str
    dtype: dt.DataType

    shape = ds.scalar

    @property
    def name(self) -> str:
        return self.place


class OpenParameter(Parameter):
    """An input whose value is not known to the plan."""

    name: str
    place: str

    def __init__(self, kind: str, name: str, place: str) -> None:
        _fill(self, type=kind, name=name, place=place)

    @property
    def value(self) -> Any:
        """Not known: whoever asks gets a plan of its own for each value."""
        raise ValueNeededError(self.name)

    @property
    def mark(self) -> Any:
        return "given later", self.name, self.place

    @property
    def is_missing(self) -> bool:
        return False

    def as_value(self) -> Value:
        built = GivenLater(self.name, self.place, ibis_type(self.type)).to_expr()
        return OpenValue(self.type, force(built, self.type), self.name)


class OpenValue(Value):
    """A constant of a known type and an unknown value."""

    name: str

    def __init__(self, kind: str, built: Any, name: str) -> None:
        _fill(self, type=kind, built=built, name=name)

    @property
    def literal(self) -> Any:
        raise ValueNeededError(self.name)

    @property
    def is_open(self) -> bool:
        return True


def _fill(frozen: Any, **fields: Any) -> None:
    """Set fields of a frozen class in place of its own ``__init__``, which would also set the one that is a property
    here; those that are not named keep the class's defaults.
    """
    for name, value in fields.items():
        object.__setattr__(frozen, name, value)


def need_values(relation: Any) -> None:
    """Raise ValueNeededError when a relation holds values that are given later: its text is for somebody else."""
    found = relation.op().find(GivenLater)
    if found:
        raise ValueNeededError(found[0].input)
