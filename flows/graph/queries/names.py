"""Which columns the clauses of a SELECT can name: alone, or with the table they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from flows.graph.queries.problems import QueryProblems


def match(names: Iterable[str], wanted: str, is_quoted: bool) -> str | None:
    """The name that is meant: upper and lower case count only in quotes, or when both are there."""
    known = list(names)
    if wanted in known or is_quoted:
        return wanted if wanted in known else None
    return next((name for name in known if name.casefold() == wanted.casefold()), None)


def is_quoted(identifier: exp.Expression) -> bool:
    """Whether a name stands in double quotes."""
    return bool(identifier.args.get("quoted"))


_HELD = "held"


def held(name: str, column: str) -> exp.Column:
    """The column ``name`` that a ``*`` stands for: it is known already which one is meant."""
    node = exp.column(exp.to_identifier(name, quoted=True))
    node.meta[_HELD] = column
    return node


@dataclass(frozen=True)
class Names:
    """Tables of a FROM: name → column → the column of the joined rows that holds it."""

    tables: Mapping[str, Mapping[str, str]]
    merged: Mapping[str, str] = field(default_factory=dict)
    """Columns that USING made one of two."""

    def find(self, node: exp.Column, problems: QueryProblems) -> str | None:
        """The column that ``node`` names, or None when there is none; raises when there are several."""
        if _HELD in node.meta:
            return str(node.meta[_HELD])
        name, quoted = node.this.name, is_quoted(node.this)
        if node.table:
            table = self.table(node, problems)
            found = match(self.tables[table], name, quoted)
            return None if found is None else self.tables[table][found]
        one = match(self.merged, name, quoted)
        if one is not None:
            return self.merged[one]
        having = {table: match(columns, name, quoted) for table, columns in self.tables.items()}
        found_in = {table: column for table, column in having.items() if column is not None}
        if len(found_in) > 1:
            raise problems.ambiguous_column(node, name, found_in)
        return next((self.tables[table][column] for table, column in found_in.items()), None)

    def table(self, node: exp.Column, problems: QueryProblems) -> str:
        """The table that a qualified column names."""
        if node.args.get("db") or node.args.get("catalog"):
            raise problems.not_possible(node)
        found = match(self.tables, node.table, is_quoted(node.args["table"]))
        if found is None:
            raise problems.unknown_alias(node.args["table"], node.table, self.tables)
        return found

    def all(self, table: str = "") -> list[tuple[str, str]]:
        """Name and column of everything that ``*`` (or ``table.*``) stands for."""
        if table:
            return list(self.tables[table].items())
        found: list[tuple[str, str]] = []
        seen: set[str] = set()
        for columns in self.tables.values():
            for name, column in columns.items():
                if name in self.merged and name in seen:
                    continue
                seen.add(name)
                found.append((name, self.merged.get(name, column)))
        return found

    def listed(self) -> list[str]:
        """All column names, for messages."""
        return list(dict.fromkeys(name for columns in self.tables.values() for name in columns))
