"""A Spark Connect server for tests: Sail (pysail), which needs no Java. One per test process, started when asked for.

Sail wraps whole numbers that overflow where Spark fails, so that alone is not compared on it.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

_KEPT: list[Any] = []
"""The server ends with its object."""


@cache
def spark_url() -> str:
    """Its address; SPARK_TEST_URL names another one, a real Spark for instance."""
    given = os.environ.get("SPARK_TEST_URL", "")
    if given:
        return given
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _KEPT.append(server)
    host, port = server.listening_address
    return f"sc://{host}:{port}"
