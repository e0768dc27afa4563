"""Replacing all rows of a SQLite table by another table that takes its name.

The new table is made from the old one's own text and filled in short transactions, between which everybody reads and
writes; the last one drops the old table, gives its name to the new one and makes the indexes again from their texts.
Views and the foreign keys of other tables mean a table by its name, so they stay. A table with triggers of its own is
left as it is: they are to see the rows come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from node_catalog.sdk.sql_node import quoted

_HEAD = re.compile(
    r"""CREATE TABLE ("(?:[^"]|"")*"|`(?:[^`]|``)*`|'(?:[^']|'')*'|\[[^\]]*\]|[^\s("'`\[]+)\s*(\(.*)""", re.S
)
"""How SQLite keeps the text of a table: the name as it was written, without a schema, then the columns."""


@dataclass(frozen=True)
class Definition:
    """What a table is made of: its name, the text behind it, and the texts of its indexes."""

    name: str
    body: str
    indexes: tuple[str, ...]


def definition_of(connection: Any, name: str) -> Definition | None:
    """The definition of a table that may be replaced by another one; None for any other."""
    found = connection.execute(
        "select type, name, sql from main.sqlite_master where tbl_name = ? collate nocase order by rowid", (name,)
    ).fetchall()
    tables = [(its_name, _HEAD.fullmatch(sql or "")) for kind, its_name, sql in found if kind == "table"]
    if len(tables) != 1 or any(kind == "trigger" for kind, _, _ in found):
        return None
    its_name, head = tables[0]
    indexes = tuple(sql for kind, _, sql in found if kind == "index" and sql)
    return Definition(its_name, head[2], indexes) if head is not None else None


def make_like(connection: Any, definition: Definition, new: str) -> None:
    """Make ``new``, an empty table, from a definition; its indexes come when it takes the name."""
    connection.execute(f"drop table if exists main.{quoted(new)}")
    connection.execute(f"create table main.{quoted(new)} {definition.body}")


def exchange(connection: Any, definition: Definition, new: str) -> None:
    """``new`` takes the place of the table so defined, in the caller's transaction."""
    name = definition.name
    counter = _counter(connection, name)
    connection.execute(f"drop table main.{quoted(name)}")
    connection.execute(f"alter table main.{quoted(new)} rename to {quoted(name)}")
    for index in definition.indexes:
        connection.execute(index)
    if counter is not None:
        # Numbers that AUTOINCREMENT has given are never given again.
        connection.execute("delete from main.sqlite_sequence where name = ? and seq <= ?", (name, counter))
        if _counter(connection, name) is None:
            connection.execute("insert into main.sqlite_sequence (name, seq) values (?, ?)", (name, counter))


def prepare(connection: Any) -> None:
    """Renaming changes no other text, and dropping deletes no row of others (to be said outside a transaction)."""
    connection.execute("pragma legacy_alter_table = on")
    connection.execute("pragma foreign_keys = off")


def _counter(connection: Any, name: str) -> int | None:
    if not connection.execute("select 1 from main.sqlite_master where name = 'sqlite_sequence'").fetchone():
        return None
    row = connection.execute("select seq from main.sqlite_sequence where name = ?", (name,)).fetchone()
    return int(row[0]) if row else None
