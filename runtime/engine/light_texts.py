"""Texts that do so little that something lighter may take their place: read from their syntax trees.

Nothing is decided here about what a text may reach; that is ``text_check``'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sqlglot
import sqlglot.expressions as sge

from flows.graph.plan import Stage
from flows.graph.relation_text import parser_name

LONGEST = 20_000
"""Characters up to which a text is looked at: longer ones do more than this."""
_OVER_ROWS = (sge.AggFunc, sge.Window, sge.SetOperation, sge.With, sge.TableSample)
_ROW_BY_ROW = frozenset({"expressions", "from_", "where"})
_HANDING_ON = frozenset({"expressions", "from_", "with_"})


def is_handed_on(stage: Stage) -> bool:
    """Whether the stage's rows are columns of its only source as they come: then the engine has nothing to do."""
    if len(stage.bindings) != 1 or stage.outlets or stage.extensions or len(stage.text) > LONGEST:
        return False
    binding = stage.bindings[0]
    return _columns_handed_on(stage.text, binding.alias, binding.schema.names) == stage.schema.names


@lru_cache(maxsize=128)
def _columns_handed_on(text: str, relation: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    return _handed_on(sqlglot.parse_one(text, dialect="duckdb"), {relation: names})


def _handed_on(tree: sge.Expr, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The columns of a SELECT that does nothing but choose columns of one of the relations ``known``."""
    if not isinstance(tree, sge.Select) or not _has_only(tree, _HANDING_ON):
        return None
    names = dict(known)
    for entry in tree.ctes:
        columns = _handed_on(entry.this, names)
        if columns is None or entry.alias_column_names:
            return None
        names[entry.alias] = columns
    source = tree.args["from_"].this if tree.args.get("from_") else None
    if not isinstance(source, sge.Table) or source.name not in names or not _has_only(source, {"this", "alias"}):
        return None
    chosen: list[str] = []
    for one in tree.expressions:
        if isinstance(one, sge.Star) and _has_only(one, frozenset()):
            chosen += names[source.name]
        elif isinstance(one, sge.Column) and one.name in names[source.name]:
            chosen.append(one.name)
        else:
            return None
    return tuple(chosen)


def is_row_by_row(text: str, dialect: str) -> bool:
    """Whether a text says of each row by itself whether and how it comes: no limit, order, grouping, join or window."""
    if len(text) > LONGEST:
        return False
    tree = sqlglot.parse_one(text, dialect=parser_name(dialect))
    if not isinstance(tree, sge.Select) or tree.find(*_OVER_ROWS) or len(list(tree.find_all(sge.Table))) != 1:
        return False
    selects = (_has_only(select, _ROW_BY_ROW) for select in tree.find_all(sge.Select))
    inner = (_has_only(part, {"this", "alias"}) for part in tree.find_all(sge.Subquery))
    return all(selects) and all(inner)


def _has_only(part: sge.Expr, names: frozenset[str] | set[str]) -> bool:
    """Whether no part of a clause is there but these."""
    return all(name in names for name, value in part.args.items() if value)
