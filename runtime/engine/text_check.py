"""What SQL may reach for: a walk over DuckDB's own syntax tree of a text (as JSON), so no second parser can differ.

Allowed is one SELECT over the names it was given and the names it defines itself. Everything else that can stand in
a FROM (files by name, table functions, other catalogues, SHOW, pragmas) is refused, whatever its spelling.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from node_catalog.sdk.memory import Memory
from runtime.engine.translate import refused_error

_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
_SCALARS = frozenset(
    {
        "getenv", "current_setting", "getvariable", "nextval", "currval", "txid_current", "write_log", "current_query",
        "query", "query_table", "read_text", "read_blob", "sql_auto_complete", "json_execute_serialized_sql",
        "st_transform",
    }
)  # fmt: skip
"""Functions that read something else. ``st_transform`` opens files that its text names (PROJ), whatever is locked."""
_RELATIONS = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "PIVOT", "TABLE_FUNCTION"})
"""All that may stand in a FROM; only relations have both ``alias`` and ``sample`` in the tree."""

_DEPTH = 10_000
Tree = Mapping[str, Any]


LONGEST = 20_000
"""Longer texts are not worth their room in ``PASSED``, nor being prepared."""
PASSED: Memory[Tree] = Memory(128)
"""Texts that have passed lately, each with the relations it might name, and their trees: a flow that starts often
brings the same ones each time."""


def check_tree(serialized: str, relations: Collection[str], where: str = "") -> Tree:
    """The one statement of ``serialized`` (json_serialize_sql), when it names nothing but ``relations``.

    Raises TextRefusedError with what was reached for.
    """
    tree = _parse(serialized, where)
    if tree.get("error"):
        raise refused_error(str(tree.get("error_message", "not a SELECT")), where)
    statements = tree.get("statements") or []
    if len(statements) != 1:
        raise refused_error(f"{len(statements)} statements instead of one SELECT", where)
    waiting: list[tuple[Any, frozenset[str]]] = [(statements[0], frozenset(name.lower() for name in relations))]
    while waiting:
        part, names = waiting.pop()
        if isinstance(part, list):
            waiting += [(item, names) for item in part]
        elif isinstance(part, dict):
            inner = names | {str(entry["key"]).lower() for entry in cte_entries(part)}
            _check_node(part, inner, where)
            waiting += [(value, inner) for value in part.values()]
    statement: Tree = statements[0]["node"]
    return statement


def _parse(serialized: str, where: str) -> Tree:
    """JSON as deep as DuckDB allows (1,000 expressions, several levels each): deeper than Python's own limit."""
    if sys.getrecursionlimit() < _DEPTH:
        sys.setrecursionlimit(_DEPTH)
    try:
        tree: Tree = json.loads(serialized)
    except RecursionError:
        raise refused_error("the text is nested too deeply", where) from None
    return tree


def _check_node(part: Tree, names: frozenset[str], where: str) -> None:
    kind = part.get("type") if isinstance(part.get("type"), str) else ""
    if kind == "BASE_TABLE":
        _check_table(part, names, where)
    elif kind == "TABLE_FUNCTION":
        name = str((part.get("function") or {}).get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise refused_error(f"table function {name}", where)
    elif "alias" in part and "sample" in part and kind not in _RELATIONS:
        raise refused_error(str(kind), where)
    if part.get("class") == "FUNCTION" and str(part.get("function_name", "")).lower() in _SCALARS:
        raise refused_error(f"function {part.get('function_name')}", where)


def _check_table(part: Tree, names: frozenset[str], where: str) -> None:
    name = str(part.get("table_name", ""))
    qualified = [str(part.get(key) or "") for key in ("catalog_name", "schema_name")]
    if any(qualified) or name.lower() not in names:
        raise refused_error("relation " + ".".join([*filter(None, qualified), name]), where)


def cte_entries(part: Tree) -> list[Any]:
    """WITH entries of a node.

    A name defined there counts for all that stands below the node: wider than SQL's rule, but a name that SQL does
    not see there reaches nothing either, since every catalogue of ours is empty.
    """
    ctes = part.get("cte_map")
    return list(ctes.get("map") or []) if isinstance(ctes, dict) else []


def names_given(tree: Tree) -> frozenset[str]:
    """The names in a text for which values are given when it runs (``$name``)."""
    return frozenset(str(node["identifier"]) for node in nodes_of(tree) if node.get("type") == "VALUE_PARAMETER")


def nodes_of(tree: Any) -> Iterator[Tree]:
    """Every dictionary of a syntax tree, in no particular order."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            yield part
            waiting += part.values()
