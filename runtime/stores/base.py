"""What a store of files can do. References are what the database keeps; they never lead out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol


class Store(Protocol):
    """Files by ``kind/run/name``: written once, never changed."""

    root: Path
    """Where an attempt writes; on this machine, unless the folder is a shared one."""

    def keep(self, path: Path) -> str:
        """Make a whole file under ``root`` reachable for every host; its reference."""

    def make_durable(self, references: Iterable[str]) -> None:
        """Kept files that were written without being synced outlive a loss of power from now on."""

    def fetch(self, reference: str) -> Path:
        """The file on this machine; the path of nothing when it is gone."""

    def is_there(self, reference: str) -> bool:
        """Whether the file can be read."""

    def open(self, reference: str) -> Any:
        """The file as a seekable binary stream, of which no more is fetched than is read; OSError when it is gone."""

    def copy(self, reference: str, target: Path) -> str:
        """The same bytes under the name of ``target`` (a path under ``root``); the new reference."""

    def remove(self, reference: str) -> None:
        """Remove the file, when it is there."""

    def runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """The runs that have files of a kind, each with when the newest of them was written (seconds since 1970)."""

    def remove_run(self, kind: str, run: str) -> None:
        """Remove all files of one run."""

    def copied_runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """The runs of which this machine has copies, each with when they were last used (seconds since 1970)."""

    def remove_copies(self, kind: str, run: str) -> None:
        """Remove what only saves this machine from fetching again."""

    def check(self) -> None:
        """Try writing and reading; raises StoreError, which says what is wrong."""
