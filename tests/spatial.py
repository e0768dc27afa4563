"""An open DuckDB for tests of single steps, with the spatial extension only where it is needed (it costs time)."""

from __future__ import annotations

import duckdb

from runtime.engine.extensions import extension_file


def open_duckdb(*, spatial: bool) -> duckdb.DuckDBPyConnection:
    """A connection of its own. The product checks the extension's signature; here that is left out for speed."""
    connection = duckdb.connect(config={"allow_unsigned_extensions": spatial})
    if spatial:
        connection.execute(f"load '{extension_file('spatial')}'")
    return connection
