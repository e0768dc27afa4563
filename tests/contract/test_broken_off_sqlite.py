"""A SQLite file whose writer was killed in the middle of a change: the next delivery takes that back; readers wait."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext, DatasetRef, Delivery
from node_catalog.sdk.errors import SourceBusyError
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.sqlite.writing import SqliteOutput

BREAKING_OFF = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma cache_size = 10")  # changed pages are written at once, so that there is much to take back
connection.execute("begin immediate")
connection.execute("update words set word = 'lost'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def broken_off(tmp_path: Path) -> Path:
    path = tmp_path / "words.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table words (id integer primary key, word text)")
        connection.executemany("insert into words values (?, ?)", ((n, "kept" * 100) for n in range(5000)))
    subprocess.run([sys.executable, "-c", BREAKING_OFF, str(path)])
    assert path.with_name(f"{path.name}-journal").exists()
    return path


def test_the_next_delivery_takes_back_what_was_broken_off(broken_off: Path) -> None:
    sqlite_node = registry().connectors["sqlite"]
    settings = parse(sqlite_node.Settings, {"path": str(broken_off)})
    context = ConnectContext(file_roots=(str(broken_off.parent),))
    assert SqliteOutput.committed(settings, Delivery("s", "r", "t", 2), context) is None
    with closing(sqlite3.connect(f"file:{broken_off}?mode=ro", uri=True)) as connection:
        assert connection.execute("select count(*), min(word) = 'lost' from words").fetchall() == [(5000, 0)]


def test_readers_are_told_who_can_take_it_back(broken_off: Path) -> None:
    sqlite_node = registry().connectors["sqlite"]
    settings = parse(sqlite_node.Settings, {"path": str(broken_off)})
    dataset = DatasetRef(("words",), Schema.of([("id", "integer")]))
    with pytest.raises(SourceBusyError) as caught:
        sqlite_node.access(settings, dataset, ConnectContext(file_roots=(str(broken_off.parent),)))
    assert caught.value.code == "sqlite.unfinished" and caught.value.message["zh-CN"]
