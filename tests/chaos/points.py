"""The names of all failpoints: read from the product's source, so that a new one is struck without being listed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("node_catalog", "runtime")
PREFIXED_BY = "replace_file"
"""Its last argument is the first part of the names of the failpoints inside it."""


def all_points(root: Path) -> set[str]:
    """Every name that ``failpoint`` is called with anywhere in the product."""
    names: set[str] = set()
    prefixes: set[str] = set()
    suffixes: set[str] = set()
    for call in _calls(root):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if not call.args:
            continue
        last = call.args[-1]
        if name == PREFIXED_BY and isinstance(last, ast.Constant):
            prefixes.add(str(last.value))
        elif name == "failpoint" and isinstance(last, ast.Constant):
            names.add(str(last.value))
        elif name == "failpoint" and isinstance(last, ast.JoinedStr):
            suffixes.update(str(part.value) for part in last.values if isinstance(part, ast.Constant))
    return names | {prefix + suffix for prefix in prefixes for suffix in suffixes}


def _calls(root: Path) -> Iterator[ast.Call]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield from (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))
