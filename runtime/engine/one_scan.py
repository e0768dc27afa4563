"""A reader that DuckDB may scan once."""

from __future__ import annotations

import pyarrow as pa

from runtime.engine.streams import Flow


class OneScan:
    """A reader as DuckDB takes it (Arrow's C stream). Without pyarrow.dataset no filter is evaluated twice."""

    def __init__(self, reader: pa.RecordBatchReader, name: str, flow: Flow | None = None) -> None:
        self._reader = reader
        self.flow = flow
        self._scans = 0
        self.name = name

    @property
    def is_scanned_twice(self) -> bool:
        return self._scans > 1

    def __arrow_c_schema__(self) -> object:
        return self._reader.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        self._scans += 1
        if self._scans > 1:
            raise RuntimeError(f"stream {self.name} was scanned twice")
        return self._reader.__arrow_c_stream__(requested_schema)


class Feed:
    """An input of a prepared text: the place into which each run puts a stream of its own."""

    def __init__(self, name: str, schema: pa.Schema) -> None:
        self.name = name
        self._schema = schema
        self._stream: OneScan | None = None

    def is_for(self, schema: pa.Schema) -> bool:
        """Whether streams with these columns may be put here."""
        return self._schema.equals(schema, check_metadata=True)

    def clear(self) -> None:
        """Nothing of a run is left here."""
        self._stream = None

    def give(self, reader: pa.RecordBatchReader, flow: Flow | None = None) -> OneScan:
        """The stream of the next run."""
        self._stream = OneScan(reader, self.name, flow)
        return self._stream

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        if self._stream is None:
            raise RuntimeError(f"no stream was given for {self.name}")
        return self._stream.__arrow_c_stream__(requested_schema)
