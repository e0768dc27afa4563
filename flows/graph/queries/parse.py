"""From text to the tree of exactly one SELECT, with caps on length and depth."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from flows.graph.errors import ExpressionError
from flows.graph.expressions.parse import check_depth, check_length, parse_trees, too_deep
from flows.graph.queries.problems import QueryProblems
from node_catalog.sdk.text import text

MAX_LENGTH = 20_000


def parse_query(source: str, pointer: str = "") -> exp.Expression:
    """The SELECT (or UNION, INTERSECT, EXCEPT of some); raises ExpressionError with the position."""
    empty = text("The query is empty. Write, for example: select * from in1", "查询为空，例如可写：select * from in1")
    check_length(source, pointer, "query", text("query", "查询"), empty, MAX_LENGTH)
    try:
        trees = [tree for tree in parse_trees(source, pointer) if tree is not None]
        for tree in trees:
            check_depth(tree, pointer)
    except RecursionError:
        raise too_deep(pointer) from None
    if len(trees) != 1:
        message = text(
            f"There are {len(trees)} statements here; exactly one SELECT is possible. Remove the “;” and what follows.",
            f"这里有 {len(trees)} 条语句，只能有一条 SELECT。请去掉“;”及其后的内容。",
        )
        raise ExpressionError("query.many", message, pointer, max(source.find(";"), 0))
    tree = trees[0]
    while isinstance(tree, exp.Subquery) and not _others(tree, "this"):
        tree = tree.this
    if not isinstance(tree, exp.Select | exp.SetOperation):
        message = text(
            "Only a SELECT is possible here: it reads the inputs and changes nothing.",
            "这里只能写 SELECT：它只读取输入，不做任何修改。",
        )
        raise ExpressionError("query.not_select", message, pointer)
    return tree


def only(problems: QueryProblems, node: exp.Expression, *known: str) -> None:
    """Refuse every part of ``node`` but the ``known`` ones: what is not named here is not possible."""
    for key in _others(node, *known):
        raise problems.not_possible(node, key)


def _others(node: exp.Expression, *known: str) -> list[str]:
    return [key for key, value in node.args.items() if key not in known and not _is_nothing(value)]


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value == []
