"""A real S3 server for tests (moto's) in a process of its own on a port of this machine."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from node_catalog.sdk.http_url import Url
from node_catalog.sdk.s3_client import signature

SECONDS = 30


@dataclass(frozen=True)
class ObjectStore:
    """A running server. Every caller makes a bucket of its own."""

    port: int
    access_key: str = "testing"
    secret_key: str = "testing-canary"

    def bucket(self) -> str:
        """A new, empty bucket."""
        name = f"b{uuid.uuid4().hex[:16]}"
        assert self.ask("PUT", f"/{name}") == 200
        return name

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object."""
        assert self.ask("PUT", f"/{bucket}/{quote(key)}", body) == 200

    def settings(self, bucket: str, **more: object) -> dict[str, object]:
        """Settings of a node over ``bucket``."""
        return {
            "endpoint": f"http://127.0.0.1:{self.port}", "bucket": bucket, "access_key": self.access_key,
            "secret_key": self.secret_key, **more,
        }  # fmt: skip

    def exchange(self, bucket: str) -> dict[str, str]:
        """Options for a studio whose hosts share rows in ``bucket``."""
        return {
            "EXCHANGE_URL": f"s3://{bucket}/studio", "EXCHANGE_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "EXCHANGE_KEY": self.access_key, "EXCHANGE_SECRET": self.secret_key,
        }  # fmt: skip

    def for_sail(self) -> dict[str, str]:
        """What tells a Sail server of this process where buckets are: it looks into the environment."""
        return {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }  # fmt: skip

    def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """One signed request; its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            url = Url("http", "127.0.0.1", self.port, path)
            now = dt.datetime.now(dt.UTC)
            headers = signature(method, url, path, "", body, "us-east-1", self.access_key, self.secret_key, now)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """Started on first use, ended with the run."""
    with started() as store:
        yield store


@contextmanager
def started() -> Iterator[ObjectStore]:
    """A server that ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            store = ObjectStore(port)
            deadline = time.monotonic() + SECONDS
            while True:
                try:
                    store.ask("GET", "/")
                    break
                except OSError:
                    assert server.poll() is None, "the S3 server did not start"
                    assert time.monotonic() < deadline, "the S3 server does not answer"
                    time.sleep(0.05)
            yield store
        finally:
            server.terminate()
            server.wait()
