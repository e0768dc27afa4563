"""Filling a staging table in bulk: LOAD DATA from memory where the server admits it, else INSERTs of many rows.

LOAD DATA took two thirds of the INSERTs' time and server CPU in a trial of a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.target_words import key_empty, key_twice
from node_catalog.types.connectors.mysql.catalog import quoted
from node_catalog.types.connectors.mysql.connection import Session, connect
from node_catalog.types.connectors.mysql.encoding import encode
from node_catalog.types.connectors.mysql.table import TargetTable

_NAME = "citygo-rows"
"""What the statement calls its file. A server that asks for any other gets nothing."""
_PACKET = 1 << 20
_TWICE, _EMPTY = {1062}, {1048, 1263, 1138, 1364}


class Loader:
    """Sends batches into one staging table, over a connection of its own."""

    def __init__(self, settings: Any, context: ConnectContext, stage: str, table: TargetTable) -> None:
        self._settings, self._context = settings, context
        self._stage, self._target = stage, table.target
        self._load = load_statement(stage, table)
        self._session: Session | None = None
        self._loads = False
        self._most_bytes = 0

    def send(self, batches: Sequence[Any]) -> None:
        """Stage the batches' rows, all of them, unchanged; raises the driver's error or a TargetError otherwise."""
        import pyarrow as pa
        import pymysql

        table = pa.Table.from_batches(batches).combine_chunks()
        try:
            for batch in table.to_batches():
                self._send(batch)
        except pymysql.Error as error:
            raise self._of_key(error) or error from error

    def close(self) -> None:
        """Close; safe to call again."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> Session:
        if self._session is None:
            self._session = connect(self._settings, self._context, read_only=False, make=sending_connection)
            self._loads = bool(int(self._session.value("select @@local_infile")))
            self._most_bytes = int(self._session.value("select @@max_allowed_packet")) * 3 // 4
        return self._session

    def _send(self, batch: Any) -> None:
        session = self._open()
        if self._loads:
            session.load(self._load, encode(batch, "lines"), batch.num_rows)
            return
        block = encode(batch, "values")
        if len(block) > self._most_bytes and batch.num_rows > 1:
            half = batch.num_rows // 2
            self._send(batch.slice(0, half))
            self._send(batch.slice(half))
            return
        listed = ", ".join(map(quoted, self._target.schema.names))
        session.send(f"insert into {quoted(self._stage)} ({listed}) values ".encode() + bytes(block[:-1]))

    def _of_key(self, error: Any) -> NodeTypeError | None:
        """What a refused row means for a table that is changed by key."""
        number = error.args[0] if error.args else 0
        if self._target.mode != "upsert":
            return None
        make: Callable[..., NodeTypeError] | None = (
            key_twice if number in _TWICE else key_empty if number in _EMPTY else None
        )
        return make(".".join(self._target.path), self._target.key) if make else None


def load_statement(stage: str, table: TargetTable) -> str:
    """LOAD DATA for the lines of ``encode``; bytes come as hexadecimal digits, and bits must not come as text."""
    into: list[str] = []
    made: list[str] = []
    for index, field in enumerate(table.target.schema.fields):
        column = table.columns.get(field.name)
        is_bit = column is not None and column.kind == "bit"
        if field.type != "binary" and not is_bit:
            into.append(quoted(field.name))
            continue
        into.append(f"@c{index}")
        value = f"unhex(@c{index})" if field.type == "binary" else f"cast(@c{index} as unsigned)"
        made.append(f"{quoted(field.name)} = {value}")
    return (
        f"load data local infile '{_NAME}' into table {quoted(stage)} character set utf8mb4 "
        "fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' "
        f"({', '.join(into)})" + (f" set {', '.join(made)}" if made else "")
    )


def sending_connection(**options: Any) -> Any:
    """The driver's connection, but what it sends for LOAD DATA is our block and nothing else, whatever is asked for."""
    import pymysql
    from pymysql.connections import LoadLocalPacketWrapper, MySQLResult

    class Result(MySQLResult):
        def _read_load_local_packet(self, first_packet: Any) -> None:
            connection = self.connection
            asked = LoadLocalPacketWrapper(first_packet).filename
            name = asked.decode() if isinstance(asked, bytes) else asked
            block = connection.block if name == _NAME else memoryview(b"")
            connection.block = memoryview(b"")
            for start in range(0, len(block), _PACKET):
                connection.write_packet(bytes(block[start : start + _PACKET]))
            connection.write_packet(b"")
            self._read_ok_packet(connection._read_packet())

    class Connection(pymysql.connections.Connection):
        block = memoryview(b"")

        def _read_query_result(self, unbuffered: bool = False) -> int:
            self._result = None
            result = Result(self)
            result.read()
            self._result = result
            if result.server_status is not None:
                self.server_status = result.server_status
            return int(result.affected_rows)

    return Connection(**{**options, "local_infile": True})
