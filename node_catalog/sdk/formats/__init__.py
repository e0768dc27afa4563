"""File formats, one module each. A format describes files, checks them against a promise, and reads them.

Files of a folder and objects of a store look the same here (``DataFile``); a connector finds them and hands them over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from node_catalog.sdk.access import Access, DatasetRef
from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.file_bytes import DataFile
from node_catalog.sdk.text import text

DatasetPath = tuple[str, ...]


class Format(Protocol):
    """What a connector of files needs of a format."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Lower-case, with the dot; ``.gz`` behind one is taken off before."""

    def describe(self, path: DatasetPath, files: Sequence[DataFile], known: Mapping[str, Any]) -> DiscoveredDataset:
        """Columns, rows and settings of files that belong together; ``known`` settings win. Raises NodeTypeError."""

    def access(self, files: Sequence[DataFile], dataset: DatasetRef) -> Access:
        """How the files are best read. Raises SourceError when promised columns are not there any more."""

    def read(self, files: Sequence[DataFile], dataset: DatasetRef, columns: Sequence[str]) -> Iterator[Any]:
        """Record batches of exactly ``columns`` in the promised types, file by file."""


def ending_of(name: str) -> str:
    """The ending that says the format: ``.csv`` of ``a.csv`` and of ``a.csv.gz``."""
    parts = name.lower().rsplit(".", 2)
    if len(parts) == 3 and parts[2] == "gz":
        return "." + parts[1]
    return "." + name.lower().rpartition(".")[2] if "." in name else ""


def columns_moved(dataset: DatasetRef, missing: Sequence[str], file: str = "") -> SourceError:
    """The error for promised columns that a file does not have."""
    shown = file or "/".join(dataset.path)
    listed = ", ".join(missing[:5])
    message = text(
        f"“{shown}” has no column {listed} any more: its columns have changed. Discover the node again, then "
        "adjust the flow.",
        f"“{shown}”中已没有列 {listed}，文件的列发生了变化。请重新发现该节点，再调整流程。",
    )
    return SourceError("source.columns_moved", message, shown)
