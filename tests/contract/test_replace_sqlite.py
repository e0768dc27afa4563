"""Replacing all rows of a SQLite table in use: nothing that belongs to it is lost, and readers go on meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext, Delivery, Target
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.sqlite import writing

SCHEMA = Schema.of([("id", "integer"), ("word", "text")])
FILE = """
create table [Old one] (id integer primary key autoincrement check (id >= 0), word varchar(20) default 'none' unique,
  twice int as (id * 2), parent references "Old one" (id));
create index by_word on "Old one" (lower(word)) where id > 3;
create unique index "both, of them" on "Old one" (id, word);
create view seen as select count(*) as n from "Old one";
create table child (id int references "Old one" (id) on delete cascade);
insert into "Old one" (id, word) values (1, 'old 1'), (2, 'old 2'), (99, 'old 99');
insert into child values (1);
"""


class SqliteFile:
    """A file with the table, and what is looked for in it."""

    def __init__(self, path: Path, *more: str) -> None:
        self.path = path
        connector = registry().connectors["sqlite"]
        assert connector.output is not None
        self.output = connector.output
        self.settings = parse(connector.Settings, {"path": str(path)})
        self.context = ConnectContext(file_roots=(str(path.parent),))
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(FILE)
            for statement in more:
                connection.execute(statement)
            connection.commit()

    def all(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.path, timeout=0)) as connection:
            return connection.execute(query).fetchall()

    def words(self) -> list[str]:
        return [row[0] for row in self.all('select word from "Old one" order by id')]

    def schema(self) -> list[Any]:
        """Everything of the schema; how a name was quoted is no matter."""
        rows = self.all("select type, name, tbl_name, sql from sqlite_master where tbl_name not like 'citygo%'")
        return sorted(
            (kind, name, table, (sql or "").replace("[Old one]", '"Old one"')) for kind, name, table, sql in rows
        )

    def place(self) -> int:
        return int(self.all("select rootpage from sqlite_master where name = 'Old one'")[0][0])

    def replace(self, rows: int = 3) -> None:
        target = Target(("Old one",), SCHEMA, "replace")
        writer = self.output.open(self.settings, target, Delivery("suite", str(rows), "task", 1), self.context)
        try:
            columns = [pa.array(range(10, 10 + rows)), pa.array([f"new {i}" for i in range(rows)])]
            writer.write(pa.RecordBatch.from_arrays(columns, names=["id", "word"]))
            writer.commit()
        finally:
            writer.abort()


def test_a_sqlite_table_is_exchanged_and_readers_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SqliteFile(tmp_path / "city.db")
    before, was = file.schema(), file.place()
    seen: list[Any] = []

    def look(name: str) -> None:
        if name.startswith("sqlite.swap"):
            seen.append((name, file.words()))

    monkeypatch.setattr(writing, "failpoint", look)
    monkeypatch.setattr(writing, "PORTION_ROWS", 2)
    file.replace(5)
    assert [name for name, _ in seen] == ["sqlite.swap.fill"] * 3 + ["sqlite.swap.filled"]
    assert all(words == ["old 1", "old 2", "old 99"] for _, words in seen)
    assert file.words() == [f"new {i}" for i in range(5)]
    assert file.schema() == before and file.place() != was
    assert file.all("select n from seen") == [(5,)] and file.all("select id from child") == [(1,)]
    assert file.all('pragma foreign_key_list("child")')[0][2] == "Old one"
    assert file.all("select seq from sqlite_sequence where name = 'Old one'") == [(99,)]
    assert file.all("pragma integrity_check") == [("ok",)]
    assert file.all("select name from sqlite_master where name like 'citygo_stage%'") == []


def test_triggers_of_a_sqlite_table_stay_and_see_the_rows(tmp_path: Path) -> None:
    file = SqliteFile(
        tmp_path / "city.db",
        "create table told (id int)",
        'create trigger tells after insert on "Old one" begin insert into told values (new.id); end',
    )
    before, was = file.schema(), file.place()
    file.replace()
    assert file.words() == ["new 0", "new 1", "new 2"] and file.all("select id from told") == [(10,), (11,), (12,)]
    assert file.schema() == before and file.place() == was
