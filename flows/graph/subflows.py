"""Flows that other flows use: what a call refers to, and which ports and parameters a flow offers as a sub-flow.

A sub-flow is one flow of a saved version. Its parameters become settings of the call, its named outputs become out
ports, and every alias in its ``datasets`` that a read uses becomes an in port (docs/adr/sub-flows-are-expanded.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from flows.graph.document import Document, Step
from node_catalog.sdk.contract import Transform

Key = tuple[str, int, str]
"""App id, version number, flow key."""
Types = Mapping[str, type[Transform]]


class SubFlow(msgspec.Struct, frozen=True):
    """A flow of a saved version as a call finds it. ``newest`` is the number of the app's newest saved version."""

    app: str
    version: int
    flow: str
    digest: str
    document: Document
    title: dict[str, str] = {}
    newest: int = 0
    newest_settings: dict[str, Any] | None = None
    """The ``flow`` setting of a call that uses the newest version; None when it no longer has this flow."""

    @property
    def key(self) -> Key:
        return self.app, self.version, self.flow

    def name(self, language: str) -> str:
        """What people call it."""
        return self.title.get(language) or self.title.get("zh-CN") or self.title.get("en") or self.flow


SubFlows = Mapping[Key, SubFlow]


def reference_of(settings: Mapping[str, Any]) -> Key | None:
    """What the settings of a call refer to; None while they are half-filled."""
    flow = settings.get("flow")
    if not isinstance(flow, Mapping):
        return None
    app, version, key = flow.get("app"), flow.get("version"), flow.get("flow")
    if not isinstance(app, str) or not isinstance(key, str) or isinstance(version, bool):
        return None
    return (app, version, key) if isinstance(version, int) and app and key else None


def references(document: Document, types: Types) -> Iterator[tuple[str, Key]]:
    """The steps of a document that use another flow, with what they refer to."""
    for name, step in document.steps.items():
        kind = types.get(step.type)
        reference = reference_of(step.settings) if kind is not None and kind.calls else None
        if reference is not None:
            yield name, reference


def takes_of(document: Document, types: Types) -> tuple[str, ...]:
    """Aliases of datasets that a caller may bind by a wire: those that a read uses, in the document's order."""
    used = {step.settings.get("dataset") for step in document.steps.values() if _role(step, types) == "source"}
    return tuple(alias for alias in document.datasets if alias in used)


def gives_of(document: Document, types: Types) -> tuple[tuple[str, str], ...]:
    """The named outputs: the step's id, which is the port's name, and the result's name."""
    return tuple(
        (name, str(step.settings.get("name") or name)) for name, step in document.steps.items() if is_named(step, types)
    )


def writing_steps(document: Document, types: Types) -> tuple[str, ...]:
    """Steps that change something outside; a called flow may have none."""
    return tuple(
        name for name, step in document.steps.items() if _role(step, types) == "sink" and not is_named(step, types)
    )


def deciding_steps(document: Document, types: Types) -> tuple[str, ...]:
    """Steps that may end the run or choose a way once they have seen all rows; no iteration may have one."""
    return tuple(
        name
        for name, step in document.steps.items()
        if (kind := types.get(step.type)) is not None and kind.decides(step.settings)
    )


def flow_settings(app: str, version: int, flow: str, digest: str, document: Document, types: Types) -> dict[str, Any]:
    """The ``flow`` setting of a call: what it is pinned to, and the ports that follow from it."""
    return {
        "app": app,
        "version": version,
        "flow": flow,
        "digest": digest,
        "takes": list(takes_of(document, types)),
        "gives": [{"port": port, "name": name} for port, name in gives_of(document, types)],
    }


def is_named(step: Step, types: Types) -> bool:
    """Whether the step keeps a named result (rather than writing to a node)."""
    kind = types.get(step.type)
    return kind is not None and kind.role == "sink" and "name" in kind.Settings.__struct_fields__


def _role(step: Step, types: Types) -> str:
    kind = types.get(step.type)
    return kind.role if kind is not None else ""
