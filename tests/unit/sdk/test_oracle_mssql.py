"""Oracle and SQL Server: the texts they are asked, how their types become ours, and that drivers obey the guard.

No server stands behind these tests; both connectors say so on screen.
"""

from __future__ import annotations

import datetime as dt
import socket
import threading
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import oracledb
import pytds
import pytest

from node_catalog.palette import registry
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import (
    ConnectError,
    NodeTypeError,
    RefusedError,
    SettingsError,
    SourceBusyError,
    SourceError,
)
from node_catalog.sdk.outgoing import guarded
from node_catalog.sdk.ports import Schema, is_type, to_arrow
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors import mssql, oracle
from security.errors import AddressRefusedError
from security.outgoing import OutgoingGuard

ORACLE = oracle.Column
SQL = mssql.Column


@pytest.mark.parametrize(
    ("data_type", "precision", "scale", "wanted"),
    [
        ("NUMBER", None, None, "number"), ("NUMBER", None, 0, "decimal(38,0)"), ("NUMBER", 1, 0, "integer"),
        ("NUMBER", 18, 0, "integer"), ("NUMBER", 19, 0, "decimal(19,0)"), ("NUMBER", 38, 0, "decimal(38,0)"),
        ("NUMBER", 10, 2, "decimal(10,2)"), ("NUMBER", 2, 5, "decimal(5,5)"), ("NUMBER", 5, -2, "integer"),
        ("NUMBER", 20, -10, "decimal(30,0)"), ("NUMBER", 38, -84, "number"), ("NUMBER", 38, 127, "number"),
        ("FLOAT", 126, None, "number"), ("BINARY_DOUBLE", None, None, "number"), ("DATE", None, None, "timestamp"),
        ("TIMESTAMP(6)", None, 6, "timestamp"), ("TIMESTAMP(9) WITH TIME ZONE", None, 9, "timestamp"),
        ("VARCHAR2", None, None, "text"), ("NCLOB", None, None, "text"), ("INTERVAL DAY(2) TO SECOND(6)", 2, 6, "text"),
        ("RAW", None, None, "binary"), ("BLOB", None, None, "binary"), ("BOOLEAN", None, None, "boolean"),
        ("JSON", None, None, "text"), ("XMLTYPE", None, None, "text"), ("SDO_GEOMETRY", None, None, ""),
        ("BFILE", None, None, ""),
    ],
)  # fmt: skip
def test_oracle_types(data_type: str, precision: int | None, scale: int | None, wanted: str) -> None:
    found = oracle.our_type(data_type, precision, scale)
    assert found == wanted
    assert not found or is_type(found)


def test_oracle_text() -> None:
    columns = [
        ORACLE("ID", "NUMBER", 10, 0), ORACLE("Preis \"netto\"", "NUMBER", 12, 2), ORACLE("X", "NUMBER"),
        ORACLE("B", "BINARY_FLOAT"), ORACLE("D", "DATE"), ORACLE("TZ", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
        ORACLE("T", "TIMESTAMP(9)"), ORACLE("NAME", "VARCHAR2"), ORACLE("DOC", "JSON"), ORACLE("XML", "XMLTYPE"),
        ORACLE("SPAN", "INTERVAL YEAR(2) TO MONTH"), ORACLE("RAW1", "RAW"),
    ]  # fmt: skip
    assert oracle.select_sql("CITY", "Orders", columns) == (
        'SELECT "ID" AS "ID", "Preis ""netto""" AS "Preis ""netto""", CAST("X" AS BINARY_DOUBLE) AS "X", '
        'CAST(NANVL("B", NULL) AS BINARY_DOUBLE) AS "B", CAST("D" AS TIMESTAMP(6)) AS "D", '
        'CAST(SYS_EXTRACT_UTC("TZ") AS TIMESTAMP(6)) AS "TZ", CAST("T" AS TIMESTAMP(6)) AS "T", "NAME" AS "NAME", '
        'JSON_SERIALIZE("DOC" RETURNING CLOB) AS "DOC", XMLSERIALIZE(CONTENT "XML" AS CLOB) AS "XML", '
        'TO_CHAR("SPAN") AS "SPAN", "RAW1" AS "RAW1" FROM "CITY"."Orders"'
    )


@pytest.mark.parametrize(
    ("column", "native", "kind", "expression"),
    [
        (SQL("a", "int"), "int", "integer", "[a]"),
        (SQL("a]b", "bit"), "bit", "boolean", "[a]]b]"),
        (SQL("a", "decimal", 38, 10), "decimal(38,10)", "decimal(38,10)", "[a]"),
        (SQL("a", "money"), "money", "decimal(19,4)", "CAST([a] AS decimal(19,4))"),
        (SQL("a", "real"), "real", "number", "CAST([a] AS float(53))"),
        (SQL("a", "nvarchar", length=40), "nvarchar(20)", "text", "[a]"),
        (SQL("a", "varchar", length=-1), "varchar(max)", "text", "[a]"),
        (SQL("a", "ntext"), "ntext", "text", "CAST([a] AS nvarchar(max))"),
        (SQL("a", "uniqueidentifier"), "uniqueidentifier", "text", "CAST([a] AS char(36))"),
        (SQL("a", "geometry"), "geometry", "text", "[a].STAsText()"),
        (SQL("a", "date"), "date", "date", "[a]"),
        (SQL("a", "time"), "time", "time", "CAST([a] AS time(6))"),
        (SQL("a", "datetime2"), "datetime2", "timestamp", "CAST([a] AS datetime2(6))"),
        (
            SQL("a", "datetimeoffset"), "datetimeoffset", "timestamp",
            "CAST(SWITCHOFFSET([a], '+00:00') AS datetime2(6))",
        ),
        (SQL("a", "timestamp"), "timestamp", "binary", "CAST([a] AS binary(8))"),
        (SQL("a", "varbinary", length=16), "varbinary(16)", "binary", "[a]"),
        (SQL("a", "cursor"), "cursor", "", "[a]"),
    ],
)  # fmt: skip
def test_mssql_types(column: mssql.Column, native: str, kind: str, expression: str) -> None:
    assert (column.native, column.type, column.expression) == (native, kind, expression)
    assert not kind or is_type(kind)


def test_mssql_text_and_rows() -> None:
    columns = [SQL("id", "bigint"), SQL("at", "datetime"), SQL("select", "nvarchar")]
    assert mssql.select_sql("dbo", "my]table", columns) == (
        "SELECT [id] AS [id], CAST([at] AS datetime2(6)) AS [at], [select] AS [select] FROM [dbo].[my]]table]"
    )
    schema = to_arrow(Schema.of([("i", "integer"), ("p", "decimal(10,2)"), ("t", "time"), ("b", "boolean")]))
    rows = [(1, Decimal("1.50"), dt.time(1, 2, 3), True), (None, None, None, None)]
    batch = mssql.to_batch(rows, schema)
    assert [tuple(row.values()) for row in batch.to_pylist()] == rows
    assert mssql.to_batch([], schema).num_rows == 0


# ── what the servers say ──────────────────────────────────────────────────────────────────────────────────


def oracle_settings(**more: Any) -> Any:
    values = {"host": "db.example", "service": "CITY", "user": "reader", "password": "canary", **more}
    return parse(registry().connectors["oracle"].Settings, values)


def mssql_settings(**more: Any) -> Any:
    values = {
        "host": "db.example",
        "database": "city",
        "user": "reader",
        "password": "canary",
        "tls": "disable",
        **more,
    }
    return parse(registry().connectors["mssql"].Settings, values)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(1017, RefusedError), (942, SourceError), (904, SourceError), (12541, ConnectError), (18, SourceBusyError)],
)
def test_oracle_words(number: int, kind: type[NodeTypeError]) -> None:
    error = oracle.of_oracle(oracledb.DatabaseError(SimpleNamespace(code=number)), oracle_settings())
    assert type(error) is kind
    assert f"ORA-{number:05d}" in error.message["en"] and f"ORA-{number:05d}" in error.message["zh-CN"]
    assert "canary" not in str(error.message)


@pytest.mark.parametrize(("number", "kind"), [(18456, RefusedError), (208, SourceError), (1205, SourceBusyError)])
def test_mssql_words(number: int, kind: type[NodeTypeError]) -> None:
    said = pytds.DatabaseError("x")
    said.number = number
    error = mssql.of_mssql(said, mssql_settings())
    assert type(error) is kind
    assert str(number) in error.message["en"] and "canary" not in str(error.message)


@pytest.mark.parametrize("key", ["oracle", "mssql"])
def test_they_say_that_they_are_not_tested_and_take_no_options(key: str) -> None:
    connector = registry().connectors[key]
    assert connector.label == {"en": "Not tested against a server", "zh-CN": "未在真实服务器上测试"}
    assert connector.output is None
    values = {"host": "h", "database": "d", "service": "s", "user": "u"}
    for wrong in ({"dsn": "(DESCRIPTION=…)"}, {"host": "h/../x"}, {"include": [""]}, {"user": "a\0b"}):
        with pytest.raises(SettingsError):
            parse(connector.Settings, {**values, **wrong})


# ── the guard ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("make", [oracle_settings, mssql_settings])
def test_closed_addresses_are_refused(make: Any, host: str) -> None:
    connector = registry().connectors["oracle" if make is oracle_settings else "mssql"]
    answer = connector.check(make(host=host), ConnectContext(guard=OutgoingGuard(), connect_timeout=1))
    assert answer.code == "address.refused"


@pytest.mark.parametrize("make", [oracle_settings, mssql_settings])
def test_what_answers_but_is_no_server_is_an_answer(make: Any) -> None:
    connector = registry().connectors["oracle" if make is oracle_settings else "mssql"]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            peer, _ = server.accept()
            peer.recv(100)
            peer.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        context = ConnectContext(guard=OutgoingGuard((f"127.0.0.1/32:{port}",)), connect_timeout=2)
        answer = connector.check(make(host="127.0.0.1", port=port), context)
        thread.join(5)
    assert not answer.ok and answer.code.endswith("unreachable") and answer.message["zh-CN"]


class OnceGuard:
    """Lets the first question pass and refuses the next: what the driver itself opens must ask again."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> str:
        self.asked.append((host, port))
        if len(self.asked) > 1:
            raise AddressRefusedError("address.refused")
        return host


@pytest.mark.parametrize("make", [oracle_settings, mssql_settings])
def test_every_connection_that_a_driver_opens_asks_the_guard(make: Any) -> None:
    connector = registry().connectors["oracle" if make is oracle_settings else "mssql"]
    guard = OnceGuard()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        answer = connector.check(make(host="127.0.0.1", port=port), ConnectContext(guard=guard, connect_timeout=1))
        with pytest.raises(BlockingIOError):
            server.accept()
    assert guard.asked == [("127.0.0.1", port)] * 2
    assert answer.code == "address.refused"


@pytest.mark.parametrize("make", [oracle_settings, mssql_settings])
def test_servers_that_say_nothing_are_left(make: Any) -> None:
    connector = registry().connectors["oracle" if make is oracle_settings else "mssql"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        context = ConnectContext(guard=OutgoingGuard((f"127.0.0.1/32:{port}",)), connect_timeout=0.3)
        answer = connector.check(make(host="127.0.0.1", port=port), context)
    assert not answer.ok and answer.message["zh-CN"]


def test_other_connections_of_the_process_stay_as_they_are() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        with guarded(ConnectContext(guard=OutgoingGuard())), pytest.raises(RefusedError):
            socket.create_connection(place, 1)
        socket.create_connection(place, 1).close()
        found: list[bool] = []

        def elsewhere() -> None:
            socket.create_connection(place, 1).close()
            found.append(True)

        with guarded(ConnectContext(guard=OutgoingGuard())):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join(5)
        assert found == [True]
