"""CSV: text with a separator, in any of the usual encodings, plain or compressed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.csv_dialect import find_dialect, names_of
from node_catalog.sdk.csv_read import read_csv
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.csv_types import Inferred, infer_types
from node_catalog.sdk.file_bytes import DataFile, empty_file, is_empty, sample_of
from node_catalog.sdk.formats import DatasetPath, columns_moved
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import Text, text


class CsvFormat:
    """Separator, encoding, header and types are found out; every finding can be corrected."""

    endings: tuple[str, ...] = (".csv", ".tsv", ".txt")

    def describe(self, path: DatasetPath, files: Sequence[DataFile], known: Mapping[str, Any]) -> DiscoveredDataset:
        """Look at the first part of every file, and at all values of the first 64 MB."""
        size = sum(file.size for file in files)
        full = [file for file in files if not is_empty(file)]
        warnings = [empty_file(file).message for file in files if file not in full]
        if not full:
            return DiscoveredDataset(path, "file", (), 0, True, size, settings=dict(known), warnings=tuple(warnings))
        parse(FileSettings, dict(known))
        sample, is_whole = sample_of(full[0])
        settings = find_dialect(sample, is_whole, dict(known))
        named = [(file, names_of(sample_of(file)[0], settings)) for file in full]
        names = named[0][1]
        warnings += [_other_columns(file, full[0]) for file, own in named[1:] if set(own) != set(names)]
        found = infer_types(named, settings)
        settings = _settled(settings, names, found, known)
        warnings += [_broken_rows(name, lines) for name, lines in found.broken.items() if lines]
        rows = found.rows
        if not found.is_whole:
            rows = int(found.rows * _whole_size(full) / max(found.size_bytes, 1))
            warnings.append(LARGE)
        return DiscoveredDataset(
            path,
            "file",
            tuple(DiscoveredColumn(name, "csv", settings.types[name]) for name in names),
            rows,
            found.is_whole,
            size,
            settings=msgspec.to_builtins(settings),
            warnings=tuple(warnings),
        )

    def access(self, files: Sequence[DataFile], dataset: DatasetRef) -> Access:
        """Read here, batch by batch."""
        names = _names(files[0], _settings(dataset))
        missing = [name for name in dataset.schema.names if name not in names]
        if missing:
            raise columns_moved(dataset, missing)
        return Stream()

    def read(self, files: Sequence[DataFile], dataset: DatasetRef, columns: Sequence[str]) -> Iterator[Any]:
        """Each file's own column order is followed."""
        kinds = {field.name: field.type for field in dataset.schema.fields}
        described = _settings(dataset)
        for file in files:
            names = _names(file, described)
            missing = [name for name in columns if name not in names]
            if missing:
                raise columns_moved(dataset, missing, file.name)
            yield from read_csv(file, described, names, kinds, columns)


LARGE: Text = text(
    "The file is large: types come from its first part, and the number of rows is estimated.",
    "文件较大：列类型依据开头部分判断，行数为估算值。",
)


def read_written(files: Sequence[DataFile], kept: Schema, promised: Schema, columns: Sequence[str]) -> Iterator[Any]:
    """Batches of part files that we wrote ourselves: their dialect and columns (``kept``) are known."""
    written = FileSettings(null_values=("",), multiline=True)
    kinds = {field.name: field.type for field in promised.fields}
    for file in files:
        yield from read_csv(file, written, kept.names, kinds, columns, keep_empty_lines=len(kept.names) == 1)


def _settled(settings: FileSettings, names: Sequence[str], found: Inferred, known: Mapping[str, Any]) -> FileSettings:
    """The settings with what was found out, where nobody has said otherwise."""
    fixed = {name: kind for name, kind in settings.types.items() if name in names}
    forms = {**found.formats, **settings.formats}
    nulls = settings.null_values if "null_values" in known else (*settings.null_values, *found.nulls)
    return msgspec.structs.replace(
        settings,
        types={name: fixed.get(name) or found.types.get(name, "text") for name in names},
        formats={name: form for name, form in forms.items() if name in names},
        null_values=tuple(nulls),
        decimal=known.get("decimal", found.decimal),
    )


def _settings(dataset: DatasetRef) -> FileSettings:
    return parse(FileSettings, dict(dataset.settings))


def _names(file: DataFile, settings: FileSettings) -> tuple[str, ...]:
    if is_empty(file):
        raise empty_file(file)
    return names_of(sample_of(file)[0], settings)


def _whole_size(files: Sequence[DataFile]) -> int:
    """About how many bytes of text the files hold; compressed text is about a sixth."""
    return sum(file.size * (6 if file.name.lower().endswith(".gz") else 1) for file in files)


def _other_columns(file: DataFile, first: DataFile) -> Text:
    return text(f"“{file.name}” has other columns than “{first.name}”.", f"“{file.name}”的列与“{first.name}”不同。")


def _broken_rows(name: str, lines: Sequence[int]) -> Text:
    shown = ", ".join(str(line) for line in lines[:5]) + (" …" if len(lines) > 5 else "")
    return text(
        f"“{name}”: line {shown} has another number of values than the header. Reading will stop there.",
        f"“{name}”第 {shown} 行的值的个数与表头不一致，读取到此处会停止。",
    )
