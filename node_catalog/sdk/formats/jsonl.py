"""JSON Lines: one JSON object a line, plain or compressed. Nested values are read as their JSON text, as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.csv_dialect import check_width
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.file_bytes import DataFile
from node_catalog.sdk.formats import DatasetPath, columns_moved
from node_catalog.sdk.formats.csv import LARGE
from node_catalog.sdk.jsonl_read import Rows, blocks
from node_catalog.sdk.jsonl_types import Seen
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import text


class JsonLinesFormat:
    """Numbers, booleans and text as JSON tells them; dates and times by the form of their text."""

    endings: tuple[str, ...] = (".jsonl", ".ndjson")

    def describe(self, path: DatasetPath, files: Sequence[DataFile], known: Mapping[str, Any]) -> DiscoveredDataset:
        """Look at all values of the first 32 MB."""
        given = parse(FileSettings, {**known, "format": "jsonl"})
        seen = Seen()
        for file in files:
            seen.look(file)
            if not seen.is_whole:
                break
        check_width(len(seen.columns))
        forms = {name: column.form for name, column in seen.columns.items()}
        settings: dict[str, Any] = {
            "format": "jsonl",
            "types": {name: given.types.get(name) or form[0] for name, form in forms.items()},
            "formats": {name: form[1] for name, form in forms.items() if form[1]} | given.formats,
            "optional": [name for name, column in seen.columns.items() if column.count < seen.rows],
            "null_values": list(given.null_values) if "null_values" in known else [],
        }
        size = sum(file.size for file in files)
        rows = seen.rows
        warnings = list(seen.warnings)
        if not seen.is_whole:
            stored = sum(file.size * (8 if file.name.lower().endswith(".gz") else 1) for file in files)
            rows = int(rows * stored / max(seen.size_bytes, 1))
            warnings.append(LARGE)
        if not forms:
            warnings.append(text("No line holds a name with a value.", "没有任何一行包含字段。"))
        columns = tuple(
            DiscoveredColumn(name, seen.columns[name].native, settings["types"][name]) for name in seen.columns
        )
        return DiscoveredDataset(
            path, "file", columns, rows, seen.is_whole, size, settings=settings, warnings=tuple(warnings)
        )

    def access(self, files: Sequence[DataFile], dataset: DatasetRef) -> Access:
        """Read here, block by block."""
        settings = parse(FileSettings, dict(dataset.settings))
        must = [name for name in dataset.schema.names if name not in settings.optional]
        if must:
            for block in blocks(files[0]):
                found = _keys(block.lines[:1000])
                missing = [name for name in must if name not in found]
                if missing:
                    raise columns_moved(dataset, missing)
                break
        return Stream()

    def read(self, files: Sequence[DataFile], dataset: DatasetRef, columns: Sequence[str]) -> Iterator[Any]:
        """A name that a line lacks is a row without that value."""
        settings = parse(FileSettings, dict(dataset.settings))
        kinds = {one.name: one.type for one in dataset.schema.fields}
        rows = Rows(columns, kinds, settings)
        for file in files:
            for block in blocks(file):
                yield rows.batch(file, block)


def _keys(lines: Sequence[bytes]) -> set[str]:
    found: set[str] = set()
    for line in lines:
        try:
            found.update(msgspec.json.decode(line, type=dict[str, msgspec.Raw]))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return found
