"""Include and exclude patterns of discovery, alone and on a real SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.schema import parse
from node_catalog.sdk.table_patterns import TablePatterns


@pytest.mark.parametrize(
    ("include", "exclude", "wanted"),
    [
        ((), (), ["Sales_2024", "sales_tmp", "people", "a.b"]),
        (("sales_*",), (), ["Sales_2024", "sales_tmp"]),
        (("SALES_*",), ("*_tmp",), ["Sales_2024"]),
        ((), ("*",), []),
        (("main.p*",), (), ["people"]),
        (("other.*",), (), []),
        (("*.people", "a.b"), (), ["people", "a.b"]),
        (("sales_202[34]",), (), ["Sales_2024"]),
        (("peopl?",), (), ["people"]),
    ],
)
def test_patterns(include: Sequence[str], exclude: Sequence[str], wanted: list[str]) -> None:
    patterns = TablePatterns(include, exclude)
    assert [name for name in ("Sales_2024", "sales_tmp", "people", "a.b") if patterns.wants("main", name)] == wanted


@pytest.mark.parametrize("key", ["sqlite", "postgresql", "mysql", "oracle", "mssql"])
def test_every_database_has_them(key: str) -> None:
    connector = registry().connectors[key]
    values = {"host": "h", "database": "d", "service": "s", "user": "u", "path": "/x"}
    known = {name: value for name, value in values.items() if name in connector.Settings.__struct_fields__}
    assert parse(connector.Settings, {**known, "include": ["a*"], "exclude": ["b.c"]}).include == ("a*",)
    with pytest.raises(SettingsError) as caught:
        parse(connector.Settings, {**known, "exclude": ["ok", " "]})
    assert [problem.pointer for problem in caught.value.problems] == ["/exclude/1"]


def test_discovery_keeps_to_them(tmp_path: Path) -> None:
    path = tmp_path / "city.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "create table a1 (x); create table a2 (x); create table b (x); create view a_v as select 1;"
        )
    connector = registry().connectors["sqlite"]
    settings = parse(connector.Settings, {"path": str(path), "include": ["a*"], "exclude": ["a2"]})
    found = connector.discover(settings, ConnectContext(file_roots=(str(tmp_path),)))
    assert [dataset.path for dataset in found] == [("a1",), ("a_v",)]
