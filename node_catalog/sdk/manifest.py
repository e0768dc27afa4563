"""A dataset of part files behind one manifest: readers see exactly the files that the manifest names.

``_manifest.json`` is replaced by one atomic rename under an operating-system lock on ``_lock``; it also is the ledger
of deliveries. ``_fence.json`` holds the highest attempt seen per delivery. Part files carry the delivery and attempt
in their names, so attempts never touch each other's files.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text

MANIFEST, FENCE, LOCK = "_manifest.json", "_fence.json", "_lock"
KEPT_COMMITS = 10_000
"""So many deliveries are remembered; older ones belong to runs that have long ended."""


class Part(msgspec.Struct, frozen=True):
    """One file of the dataset."""

    name: str
    rows: int
    size_bytes: int


class Commit(msgspec.Struct, frozen=True):
    """A delivery that has been made visible."""

    delivery: str
    attempt: int
    rows: int
    size_bytes: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """What readers see: the parts, in order, with their schema. ``previous`` may still be open in a reader."""

    format: str
    schema: Schema
    parts: tuple[Part, ...] = ()
    commits: tuple[Commit, ...] = ()
    previous: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)

    def commit_of(self, delivery: str) -> Commit | None:
        """The ledger entry of a delivery."""
        return next((commit for commit in reversed(self.commits) if commit.delivery == delivery), None)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a dataset folder, or None when it is none. Raises DataError when it cannot be read."""
    try:
        raw = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        message = text(
            f"The list of files of “{folder.name}” ({MANIFEST}) is damaged. Restore it, or write the dataset anew.",
            f"“{folder.name}”的文件清单（{MANIFEST}）已损坏，请恢复该清单或重新写入数据集。",
        )
        raise DataError("file.manifest", message, folder.name) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one atomic, durable step (the caller holds the lock)."""
    replace_file(folder / MANIFEST, msgspec.json.encode(manifest), "files.manifest")


def read_fences(folder: Path) -> dict[str, int]:
    """The highest attempt seen per delivery."""
    try:
        return msgspec.json.decode((folder / FENCE).read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}


def write_fences(folder: Path, fences: dict[str, int]) -> None:
    """Replace the fences (the caller holds the lock)."""
    kept = dict(list(fences.items())[-KEPT_COMMITS:])
    replace_file(folder / FENCE, msgspec.json.encode(kept), "files.fence")


def replace_file(path: Path, content: bytes, name: str) -> None:
    """Write, flush to disk, rename over ``path``, flush the folder. ``name`` prefixes the failpoints."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as file:
            failpoint(f"{name}.write")
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        failpoint(f"{name}.before_rename")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    failpoint(f"{name}.after_rename")
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the dataset's lock across processes (released by the system when the process dies)."""
    with (folder / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
