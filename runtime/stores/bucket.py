"""A bucket of an S3-compatible store: what hosts share that have no folder in common.

A file is one object, or as many as it has parts of 64 MiB; its reference carries its size, so that the record in the
database is its list of parts. Parts are only ever made, never replaced (If-None-Match): their names hold the attempt.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.s3_client import Conflict, S3Client, S3Object
from runtime.errors import StoreError
from runtime.stores.folder import inside, remove_folder, runs_in

PART_BYTES = 64 << 20
MOST_LISTED = 200_000
OPEN_PARTS = 4
"""Parts that one reader keeps connections to."""


@dataclass(frozen=True)
class Bucket:
    """Where the bucket is and who asks; what ``S3Client`` wants of settings."""

    endpoint: str
    bucket: str
    prefix: str
    access_key: str
    secret_key: str
    region: str
    path_style: bool


class BucketStore:
    """References are keys below the prefix, ``@`` and the size in bytes; without a size it is a file of this host."""

    def __init__(self, bucket: Bucket, root: Path, context: ConnectContext, part_bytes: int = PART_BYTES) -> None:
        self.bucket, self._context, self._part_bytes = bucket, context, part_bytes
        self.root = root

    def keep(self, path: Path) -> str:
        """Upload it, part by part; the file stays here for whoever follows on this host."""
        name, size = str(path.resolve().relative_to(self.root.resolve())), path.stat().st_size
        with self._client() as client, path.open("rb") as file:
            for key, length in self._parts(name, size):
                body = file.read(length)
                failpoint("store.part")
                _make(client, key, body)
        failpoint("store.kept")
        return f"{name}@{size}"

    def make_durable(self, references: Iterable[str]) -> None:
        """They are uploaded; those of this machine are copies."""

    def fetch(self, reference: str) -> Path:
        """Download it unless it is here already."""
        name, size = _split(reference)
        path = inside(self.root, name)
        if size is None:
            return path
        if _has_size(path, size):
            os.utime(path.parent)  # in use
            return path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.{uuid4().hex}.part")
        try:
            with self._client() as client, partial.open("wb") as file:
                for key, length in self._parts(name, size):
                    found = client.get(key)
                    if found is None or len(found[0]) != length:
                        return path
                    file.write(found[0])
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def is_there(self, reference: str) -> bool:
        """Whether every part is there, as long as it should be."""
        name, size = _split(reference)
        if size is None:
            return inside(self.root, name).exists()
        with self._client() as client:
            found = ((client.head(key), length) for key, length in self._parts(name, size))
            return all(one is not None and one.size == length for one, length in found)

    def open(self, reference: str) -> Any:
        """Ranges are fetched as they are read."""
        name, size = _split(reference)
        path = inside(self.root, name)
        if size is None or _has_size(path, size):
            return path.open("rb")
        if not self.is_there(reference):
            raise FileNotFoundError(reference)
        parts = [S3Object(self.bucket, self._context, key, length) for key, length in self._parts(name, size)]
        return io.BufferedReader(_Parts(parts, self._part_bytes, size, self._where), 1 << 16)

    def copy(self, reference: str, target: Path) -> str:
        """The store copies by itself, and what is here is linked."""
        name, size = _split(reference)
        if size is None:
            shutil.copyfile(inside(self.root, name), target)
            return self.keep(target)
        new = str(target.resolve().relative_to(self.root.resolve()))
        with self._client() as client:
            for (old_key, _), (new_key, _) in zip(self._parts(name, size), self._parts(new, size), strict=True):
                client.copy(old_key, new_key)
        return f"{new}@{size}"

    def remove(self, reference: str) -> None:
        """All parts, and the copy on this host."""
        name, size = _split(reference)
        inside(self.root, name).unlink(missing_ok=True)
        if size is not None:
            with self._client() as client:
                for key, _ in self._parts(name, size):
                    client.delete(key)

    def runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """By listing the bucket."""
        newest: dict[str, float] = {}
        start = f"{self.bucket.prefix}{kind}/"
        with self._client() as client:
            for one in client.list(start, MOST_LISTED):
                run = one.key[len(start) :].partition("/")[0]
                newest[run] = max(newest.get(run, 0.0), one.modified)
        yield from newest.items()

    def remove_run(self, kind: str, run: str) -> None:
        """Every object below the run's prefix, whichever attempt made it."""
        self.remove_copies(kind, run)
        with self._client() as client:
            for one in client.list(f"{self.bucket.prefix}{kind}/{run}/", MOST_LISTED):
                client.delete(one.key)

    def copied_runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """What was written here, or fetched."""
        return runs_in(self.root / kind)

    def remove_copies(self, kind: str, run: str) -> None:
        """The folder of this host."""
        remove_folder(self.root, f"{kind}/{run}")

    def check(self) -> None:
        """Make an object, see that it cannot be made twice, read it and remove it."""
        key, where = f"{self.bucket.prefix}check/{uuid4().hex}", self._where
        with self._client() as client:
            client.put(key, b"check", is_new=True)
            is_refused = _is_refused(lambda: client.put(key, b"other", is_new=True))
            found = client.get(key)
            client.delete(key)
        if not is_refused or found is None or found[0] != b"check":
            raise StoreError(
                f"{where} ignores conditional writes (If-None-Match): attempts could replace each other's rows",
                f"{where} 不支持条件写入（If-None-Match），多个工作进程可能相互覆盖数据",
            )

    @property
    def _where(self) -> str:
        return f"{self.bucket.endpoint}/{self.bucket.bucket}"

    @contextlib.contextmanager
    def _client(self) -> Iterator[S3Client]:
        with _store_words(self._where), S3Client(self.bucket, self._context) as client:
            yield client

    def _parts(self, name: str, size: int) -> list[tuple[str, int]]:
        """(key, bytes) of every part of a file."""
        count = max(1, -(-size // self._part_bytes))
        key = f"{self.bucket.prefix}{name}"
        return [
            (key if count == 1 else f"{key}.{number:05}", min(self._part_bytes, size - number * self._part_bytes))
            for number in range(count)
        ]


class _Parts(io.RawIOBase):
    """Several objects as one seekable file."""

    def __init__(self, parts: list[S3Object], part_bytes: int, size: int, where: str) -> None:
        self._parts, self._part_bytes, self._size, self._where = parts, part_bytes, size, where
        self._open: OrderedDict[int, Any] = OrderedDict()
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move without fetching."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """At most ``len(buffer)`` bytes, fewer at the end of a part."""
        if self._position >= self._size:
            return 0
        number, at = divmod(self._position, self._part_bytes)
        with _store_words(self._where):
            stream = self._stream(number)
            stream.seek(at)
            count = int(stream.readinto(memoryview(buffer)[: self._parts[number].size - at]))
        self._position += count
        return count

    def close(self) -> None:
        """End the connections."""
        for stream in self._open.values():
            stream.close()
        self._open.clear()
        super().close()

    def _stream(self, number: int) -> Any:
        if number not in self._open:
            while len(self._open) >= OPEN_PARTS:
                self._open.popitem(last=False)[1].close()
            self._open[number] = self._parts[number].open()
        self._open.move_to_end(number)
        return self._open[number]


@contextlib.contextmanager
def _store_words(where: str) -> Iterator[None]:
    """What the client says of a bucket, said of the store: nobody can do anything about it in a flow."""
    try:
        yield
    except NodeTypeError as error:
        said = error.message
        raise StoreError(f"{where}: {said['en']}", f"{where}：{said['zh-CN']}") from error


def _split(reference: str) -> tuple[str, int | None]:
    name, at, size = reference.rpartition("@")
    return (name, int(size)) if at else (reference, None)


def _has_size(path: Path, size: int) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size == size
    return False


def _make(client: S3Client, key: str, body: bytes) -> None:
    """Make an object; one that is there already is ours: an answer got lost and the same was sent again."""
    try:
        client.put(key, body, is_new=True)
    except Conflict:
        found = client.head(key)
        if found is None or found.size != len(body):
            raise StoreError(f"{key} is there already, with other bytes", f"{key} 已存在且内容不同") from None


def _is_refused(put: Callable[[], object]) -> bool:
    try:
        put()
    except Conflict:
        return True
    return False
