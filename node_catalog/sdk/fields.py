"""Words and hints for one setting: what its form field says and which widget edits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from node_catalog.sdk.text import Text


def setting(
    title: Text,
    description: Text | None = None,
    *,
    widget: str = "",
    secret: bool = False,
    choices: Mapping[str, Text] | None = None,
    extra: Mapping[str, Any] | None = None,
    **limits: Any,
) -> msgspec.Meta:
    """Metadata for ``Annotated[type, setting(…)]``.

    ``widget`` names the editor in the browser (``x-widget``), ``choices`` gives the words of a Literal's values,
    ``extra`` adds further ``x-…`` hints, ``limits`` are msgspec's (``min_length``, ``ge``, ``pattern``, …).
    """
    hints: dict[str, Any] = {"x-title": title}
    if description:
        hints["x-description"] = description
    if widget:
        hints["x-widget"] = widget
    if secret:
        hints["x-secret"] = True
    if choices:
        hints["x-choices"] = dict(choices)
    hints.update(extra or {})
    words: dict[str, Any] = {"description": description["en"]} if description else {}
    meta: Any = msgspec.Meta  # its overloads know single limits only
    made: msgspec.Meta = meta(title=title["en"], extra_json_schema=hints, **words, **limits)
    return made


def geometry_column(title: Text, port: str = "") -> msgspec.Meta:
    """Metadata for a setting that names a geometry column; ``port``: of which input, where there are several."""
    extra = {"x-types": ["geometry"], **({"x-port": port} if port else {})}
    return setting(title, widget="column", extra=extra, min_length=1, max_length=200)
