"""Views fetch objects for a person only: a small lint over the API code of every package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("security", "node_catalog", "flows", "runtime", "studio")
FETCHES = {"all", "get", "filter", "exclude", "first", "last", "values", "values_list", "in_bulk", "iterator", "count"}
VISIBLE = {"visible_to", "get_visible"}


def chain_of(node: ast.AST) -> tuple[list[str], bool]:
    """Names of an attribute and call chain from its start, and whether it starts at ``Something.objects``."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            break
    names.reverse()
    return names, isinstance(node, ast.Name) and bool(names) and names[0] == "objects"


def unguarded(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Chains from a manager that fetch without visible_to; one that only prepares (select_related) may go on later."""
    inner = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Call)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.Attribute | ast.Call) and (isinstance(node, ast.Attribute) or child is node.func)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or id(node) in inner:
            continue
        names, is_manager = chain_of(node)
        if is_manager and FETCHES & set(names) and not VISIBLE & set(names):
            yield node.lineno, ".".join(names)


API_FILES = sorted(path for package in PACKAGES for path in (ROOT / package).glob("**/api/**/*.py"))


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_views_fetch_through_visible_to(path: Path) -> None:
    found = [f"{path.relative_to(ROOT)}:{line} {chain}" for line, chain in unguarded(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)


def test_the_lint_sees_what_it_should() -> None:
    bad = "User.objects.all()\nNode.objects.filter(a=1).first()\nx = A.objects.select_related('b').get(pk=1)\n"
    assert [line for line, _ in unguarded(ast.parse(bad))] == [1, 2, 3]
    good = "A.objects.visible_to(p).filter(a=1)\nA.objects.select_related('b').get_visible(p, pk=1)\nd.get('x')\n"
    assert list(unguarded(ast.parse(good))) == []
