"""Values of inputs as they travel to an engine that runs a text made without them: a type and words for each name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.graph.expressions.parameters import read_parameters, to_python, without_defaults
from node_catalog.sdk.constants import written

Given = dict[str, tuple[str, str]]
"""Name in the text → type and the value in words that the engine reads exactly."""


class OpenInputs:
    """The inputs of a document whose values may be given when its text runs: no lists, which are as long as they are,
    and no durations, which are written into the text by their units.
    """

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        known = read_parameters(without_defaults(inputs))
        self._kinds = {name: one.type for name, one in known.items() if not one.is_list and one.type != "interval"}
        self._places = {name: f"v{number}" for number, name in enumerate(self._kinds)}

    def opened(self, names: Iterable[str]) -> dict[str, str]:
        """Those of ``names`` with what each is called in a text."""
        return {name: self._places[name] for name in names if name in self._places}

    def given(self, values: Mapping[str, Any], opened: Mapping[str, str]) -> Given:
        """The values of ``opened``. Raises ValueError when one does not fit its type, or is empty: a comparison with an
        empty constant is planned as another one (``x is null``).
        """
        return {place: (self._kinds[name], _words(values[name], self._kinds[name])) for name, place in opened.items()}


def _words(value: Any, kind: str) -> str:
    try:
        found = to_python(value, kind)
    except (TypeError, OverflowError):
        raise ValueError(kind) from None
    if found is None:
        raise ValueError(kind)
    words = written(found)
    words.encode()  # half of a pair of surrogates is no text
    return words
