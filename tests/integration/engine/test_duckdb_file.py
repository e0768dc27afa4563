"""A DuckDB file as a node: its rows as the engine reads them; views that reach for other files fail closed."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from node_catalog.palette import registry
from node_catalog.sdk.access import Attach, DatasetRef
from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_source
from runtime.engine.errors import TextRefusedError
from runtime.engine.work import Limits

LIMITS = Limits(memory_mb=128, threads=1)


@pytest.fixture
def node(tmp_path: Path) -> tuple[Path, ConnectContext]:
    """A database beside a file that it must not read, in one allowed folder."""
    (tmp_path / "other.csv").write_text("a\ncanary\n")
    with closing(duckdb.connect(str(tmp_path / "city.duckdb"))) as connection:
        connection.execute(
            f"""
            create table t (a integer, x double, day date, seen timestamptz, many integer[]);
            insert into t values (1, 'nan', '-infinity', '2024-01-01 10:00:00+08', [1, 2]), (2, 2.5, null, null, null);
            create view evil_csv as select a from read_csv('{tmp_path}/other.csv');
            create view evil_named as select a from '{tmp_path}/other.csv';
            create view evil_text as select content as a from read_text('/etc/hostname');
            create view evil_glob as select file as a from glob('/etc/*');
            create macro secret() as (select content from read_text('/etc/hostname'));
            create view evil_macro as select secret() as a
            """
        )
    return tmp_path / "city.duckdb", ConnectContext(file_roots=(str(tmp_path),))


def attach(node: tuple[Path, ConnectContext], table: str, columns: dict[str, str], *bounds: Bound) -> Attach:
    connector = registry().connectors["duckdb"]
    settings = parse(connector.Settings, {"path": str(node[0])})
    access = connector.access(settings, DatasetRef(("main", table), Schema.of(columns.items()), bounds=bounds), node[1])
    assert isinstance(access, Attach)
    return access


def test_rows_come_in_our_types(node: tuple[Path, ConnectContext]) -> None:
    kinds = {"a": "integer", "x": "number", "day": "date", "seen": "timestamp", "many": "text"}
    with (
        open_source(LIMITS, Cancel(), attach(node, "t", kinds)) as connection,
        open_source(LIMITS, Cancel(), attach(node, "t", {"a": "integer"})) as second,
        connection.run("select * from src order by a", ("src",), 10) as rows,
    ):
        two = dt.datetime(2024, 1, 1, 2)  # noqa: DTZ001
        assert [tuple(row.values()) for row in rows.read_all().to_pylist()] == [
            (1, None, None, two, "[1,2]"),
            (2, 2.5, None, None, None),
        ]
        with second.run("select count(*) as n from src", ("src",), 10) as counted:
            assert counted.read_all().to_pylist() == [{"n": 2}]


@pytest.mark.parametrize(("sign", "value", "wanted"), [(">", "2", [2]), (">", "3", []), ("<", "3", [2])])
def test_bounds_of_a_number_leave_nan_out(
    sign: Any, value: str, wanted: list[int], node: tuple[Path, ConnectContext]
) -> None:
    access = attach(node, "t", {"a": "integer", "x": "number"}, Bound("x", sign, (value,)), Bound("a", "is not null"))
    x = 'CAST("x" AS DOUBLE)'
    assert access.statements[-1].endswith(f" WHERE {x} {sign} CAST('{value}' AS DOUBLE) AND NOT isnan({x})")
    with open_source(LIMITS, Cancel(), access) as connection, connection.run("select a from src", ("src",), 10) as rows:
        assert [row["a"] for row in rows.read_all().to_pylist()] == wanted


@pytest.mark.parametrize("view", ["evil_csv", "evil_named", "evil_text", "evil_glob", "evil_macro"])
def test_views_that_read_other_files_fail_closed(node: tuple[Path, ConnectContext], view: str) -> None:
    access = attach(node, view, {"a": "text"})
    with pytest.raises(TextRefusedError), open_source(LIMITS, Cancel(), access):
        pytest.fail("the view was bound")


def test_views_that_read_other_files_are_shown_without_columns(node: tuple[Path, ConnectContext]) -> None:
    connector = registry().connectors["duckdb"]
    settings = parse(connector.Settings, {"path": str(node[0])})
    found = {dataset.path[1]: dataset for dataset in connector.discover(settings, node[1])}
    assert all(found[name].columns == () and found[name].warnings for name in found if name.startswith("evil"))
    assert not found["t"].warnings
    assert found["t"].rows == 2


def test_a_file_open_elsewhere_is_busy_not_broken(node: tuple[Path, ConnectContext]) -> None:
    code = f"import duckdb, sys; c = duckdb.connect({str(node[0])!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        connector = registry().connectors["duckdb"]
        answer = connector.check(parse(connector.Settings, {"path": str(node[0])}), node[1])
        writer.communicate(b"")
    assert (answer.ok, answer.code) == (False, "duckdb.busy")
