"""Rows on their way to a cluster: Parquet files where it can read them, in a folder or a bucket that it shares with us.

They belong to one attempt and are removed when it ends; what a killed one leaves goes with the rows of its run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.http_url import parse_url
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.s3_client import S3Client
from runtime.engine.exchange import exchange_file
from runtime.engine.work import ClusterSpec
from security.outgoing import OutgoingGuard

FILE_BYTES = 64 << 20
"""Arrow bytes of one file: what one request to a bucket carries, and a share of work for the cluster."""


class SharedFiles:
    """The files of one attempt; ``write`` gives each relation's folder as the cluster calls it."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec
        self._here = Path(spec.root, spec.folder)
        self._kept: list[str] = []
        """Keys of objects in the bucket."""

    def write(self, name: str, batches: Iterable[pa.RecordBatch], schema: Schema) -> str:
        """Write all rows of one relation, file by file, at least one; the address of their folder."""
        number, held, file = 0, 0, None
        for batch in batches:
            if file is None:
                number += 1
                path = self._path(name, number)
                file, held = exchange_file(str(path), schema, 0), 0
            file.write(batch)
            held += batch.nbytes
            if held >= FILE_BYTES:
                file.finish()
                self._share(path)
                file = None
        if file is None and not number:
            path = self._path(name, 1)
            file = exchange_file(str(path), schema, 0)
        if file is not None:
            file.finish()
            self._share(path)
        return f"{self._spec.root_there}/{self._spec.folder}/{name}"

    def address(self, path: str) -> str | None:
        """What the cluster calls a whole file of ours; None where it cannot read it as it is."""
        if self._spec.bucket is not None or not Path(path).is_relative_to(self._spec.root):
            return None
        return f"{self._spec.root_there}/{Path(path).relative_to(self._spec.root).as_posix()}"

    def remove(self) -> None:
        """All of it, as far as that is possible."""
        shutil.rmtree(self._here, ignore_errors=True)
        if self._kept:
            with contextlib.suppress(Exception), self._client() as client:
                for key in self._kept:
                    client.delete(key)

    def _path(self, name: str, number: int) -> Path:
        return self._here / name / f"{number:05}.parquet"

    def _share(self, path: Path) -> None:
        failpoint("engine.cluster_rows")
        if self._spec.bucket is None:
            return
        key = self._spec.bucket.prefix + path.relative_to(self._spec.root).as_posix()
        self._kept.append(key)
        with self._client() as client:
            client.put(key, path.read_bytes())
        os.unlink(path)

    def _client(self) -> S3Client:
        bucket = self._spec.bucket
        assert bucket is not None
        port = parse_url(bucket.endpoint).port
        guard = OutgoingGuard((f"0.0.0.0/0:{port}", f"[::/0]:{port}"))  # named by whoever starts the studio
        return S3Client(bucket, ConnectContext(guard=guard, statement_timeout=120.0))
