"""The published JSON Schemas by file name: served under /schema/ and written out by `manage.py schemas`."""

from __future__ import annotations

from functools import cache
from typing import Any

from flows.graph.document_schema import bundle_schema, envelope_schema, flow_schema, layout_schema, samples_schema
from node_catalog.palette import palette, registry


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """File name → JSON Schema (2020-12); ``node-types.json`` is the palette itself."""
    return {
        "flow.json": flow_schema(registry()),
        "flow-envelope.json": envelope_schema(),
        "layout.json": layout_schema(),
        "samples.json": samples_schema(),
        "bundle.json": bundle_schema(),
        "node-types.json": palette(),
    }
