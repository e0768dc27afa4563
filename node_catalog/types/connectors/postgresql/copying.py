"""Filling a table by binary COPY: Arrow batches are encoded as a whole, outside Python, and streamed to the server.

The encoder is pgpq (MIT). In a trial of a million rows of seven columns it and psycopg's COPY took 55 % of the CPU
that ADBC's ingestion took, both ends counted. Encoding and sending overlap: the server, whose work is the longest of
all, would wait for the encoder otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from node_catalog.sdk.errors import TargetError
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.server_words import value_does_not_fit
from node_catalog.sdk.sql_node import quoted
from node_catalog.types.connectors.postgresql.catalog import Column

_SAME = {
    "boolean": ("boolean",),
    "integer": ("bigint", "integer", "smallint"),
    "number": ("double precision",),
    "date": ("date",),
    "binary": ("bytea",),
    "text": ("text", "character varying"),
    "decimal": ("numeric",),
    # Both are microseconds of UTC; one of fewer digits or of one day with a zone is left to the server's own cast.
    "timestamp": ("timestamp without time zone", "timestamp with time zone"),
    "time": ("time without time zone",),
}
"""Our types, and the native ones that take their binary form as it is (``varchar(n)`` and ``numeric(p,s)`` besides)."""
_NARROW = {"integer": "int32", "smallint": "int16"}


def takes_directly(schema: Schema, columns: Mapping[str, Column]) -> bool:
    """Whether rows of ``schema`` may be copied into a table of these columns without a cast in between."""
    return all(_is_same(field.type, columns[field.name].native) for field in schema.fields)


def _is_same(kind: str, native: str) -> bool:
    plain = native.partition("(")[0] if native.startswith(("character varying(", "numeric(")) else native
    return plain in _SAME.get(kind.partition("(")[0], ())


class CopyIn:
    """Sends batches of ``schema`` into ``table`` (quoted): what was added is encoded at once, what was sent is copied
    by a thread of its own, one COPY after the other.

    ``columns`` are those of a table that was made before; without them it has the types that ``schema`` asks for.
    Nobody else may use the connection between ``send`` and ``settle``.
    """

    def __init__(
        self, connection: Any, table: str, schema: Schema, columns: Mapping[str, Column] | None = None
    ) -> None:
        import pyarrow as pa

        listed = ", ".join(map(quoted, schema.names))
        self._statement = f"copy {table} ({listed}) from stdin (format binary)"
        self._connection = connection
        self._arrow = to_arrow(schema)
        for index, field in enumerate(schema.fields):
            narrow = _NARROW.get(columns[field.name].native) if columns else None
            if narrow:
                self._arrow = self._arrow.set(index, pa.field(field.name, pa.type_for_alias(narrow)))
        self._beside = ThreadPoolExecutor(1, "copy")
        self._copying: Future[None] | None = None
        self._encoder: Any = None
        self._chunks: list[bytes] = []
        self.held_bytes = 0
        """Encoded, and not yet sent."""

    def add(self, batch: Any) -> None:
        """Encode a batch for the next ``send``; raises TargetError for what does not fit."""
        from pgpq import ArrowToPostgresBinaryEncoder

        if self._encoder is None:
            self._encoder = ArrowToPostgresBinaryEncoder(self._arrow)
            self._hold(self._encoder.write_header())
        self._hold(self._encoder.write_batch(self._fitting(batch)))

    def send(self) -> None:
        """Begin to copy what was added, all of it or none, once the rows sent before are in the table.

        Raises the driver's error about those.
        """
        self.settle()
        if self._encoder is None:
            return
        self._hold(self._encoder.finish())
        self._copying = self._beside.submit(self._copy, self._chunks)
        self._encoder, self._chunks, self.held_bytes = None, [], 0

    def settle(self) -> None:
        """Wait until what was sent is in the table; raises the driver's error when it does not get there."""
        if self._copying is not None:
            copying, self._copying = self._copying, None
            copying.result()

    def close(self) -> None:
        """Wait for what is being copied, and forget the rest."""
        with suppress(Exception):
            self.settle()
        self._beside.shutdown()

    def _hold(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self.held_bytes += len(chunk)

    def _copy(self, chunks: list[bytes]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(self._statement) as copy:
            for place, chunk in enumerate(chunks):
                copy.write(chunk)
                chunks[place] = b""  # let go of it: the next ones are being encoded meanwhile

    def _fitting(self, batch: Any) -> Any:
        import pyarrow as pa

        try:
            return batch.cast(self._arrow)
        except pa.ArrowInvalid as error:
            kind, code, message = value_does_not_fit()
            assert issubclass(kind, TargetError)
            raise kind(code, message, "", str(error)[:400]) from error
