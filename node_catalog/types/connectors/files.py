"""Files: a folder is the node; its CSV and Parquet files, globs and written datasets are the datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from node_catalog.sdk.contract import (
    Access,
    Attach,
    Check,
    ConnectContext,
    Connector,
    DatasetRef,
    DiscoveredColumn,
    DiscoveredDataset,
    Settings,
    Stream,
)
from node_catalog.sdk.csv_dialect import find_dialect, names_of
from node_catalog.sdk.csv_read import read_csv
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.csv_types import infer_types
from node_catalog.sdk.errors import NodeTypeError, Problem, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.file_bytes import empty_file, is_empty, sample_of
from node_catalog.sdk.file_output import FilesOutput
from node_catalog.sdk.manifest import LOCK, MANIFEST, Manifest, read_manifest
from node_catalog.sdk.parquet_read import parquet_columns, parquet_footer, parquet_view
from node_catalog.sdk.paths import allowed_path, inside, is_within
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import Text, text

MAX_FILES, MAX_DEPTH = 10_000, 8
_CSV, _PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")


class FilesSettings(Settings):
    """The folder, and which files belong together."""

    folder: Annotated[
        str,
        setting(
            text("Folder", "文件夹"),
            text(
                "Full path; it must lie under a file root of the studio.",
                "完整路径，必须位于平台允许的文件根目录之下。",
            ),
            widget="folder",
            min_length=1,
            max_length=1000,
        ),
    ]
    patterns: Annotated[
        tuple[str, ...],
        setting(
            text("Files that belong together", "合并读取的文件"),
            text(
                "Each pattern is one dataset, for example air/*.csv.gz: its files have the same columns.",
                "每个通配符对应一个数据集，例如 air/*.csv.gz，其中各文件的列相同。",
            ),
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Patterns stay inside the folder."""
        for index, pattern in enumerate(self.patterns):
            parts = pattern.split("/")
            if (
                not pattern
                or pattern.startswith("/")
                or "\\" in pattern
                or any(part in ("", ".", "..") for part in parts)
            ):
                message = text(
                    f"“{pattern}” is no pattern inside the folder. Write it like air/*.csv.",
                    f"“{pattern}”不是文件夹内的通配符，请写成 air/*.csv 的形式。",
                )
                yield Problem(f"/patterns/{index}", "files.pattern", message)


class Files(Connector):
    """A folder with CSV and Parquet files. One file, one pattern or one written folder is a dataset."""

    key = "files"
    kind_code = "FL"
    title = text("Files", "文件")
    summary = text("CSV and Parquet files in a folder", "文件夹中的 CSV 和 Parquet 文件")
    help = text(
        "Reads CSV (also .tsv, .txt, and compressed with .gz) and Parquet files of a folder and its subfolders. "
        "Separator, "
        "encoding (UTF-8, GB18030 …), words for “no value” and column types are found out and can be corrected on each "
        "dataset's page. Give patterns for files that belong together. New datasets are written as a folder of "
        "part files.",
        "读取文件夹及其子文件夹中的 CSV（含 .tsv、.txt 及 .gz 压缩）和 Parquet 文件。分隔符、编码（UTF-8、"
        "GB18030 等）、空值写法和列类型会自动识别，"
        "也可以在数据集页面修正。可用通配符把多个文件合并为一个数据集。写入的新数据集以文件夹形式保存。",
    )
    icon = "FolderOpenOutlined"
    Settings = FilesSettings
    DatasetSettings = FileSettings
    output = FilesOutput

    @classmethod
    def check(cls, settings: FilesSettings, context: ConnectContext) -> Check:
        """Whether the folder is allowed, there and readable; counts its files."""
        try:
            folder = _folder(settings, context)
            count = sum(1 for _ in _walk(folder))
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        if not os.access(folder, os.R_OK | os.X_OK):
            message = text(f"The studio may not read “{folder.name}”.", f"平台没有读取“{folder.name}”的权限。")
            return Check(False, "files.forbidden", message)
        facts = {"files": count, "writable": os.access(folder, os.W_OK)}
        return Check(
            True, "ok", text(f"The folder is there, with {count} files.", f"文件夹可用，共 {count} 个文件。"), facts
        )

    @classmethod
    def discover(
        cls,
        settings: FilesSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Patterns first, then written folders and single files by name."""
        folder = _folder(settings, context)
        known = known or {}
        grouped: set[Path] = set()
        for pattern in settings.patterns:
            path = tuple(pattern.split("/"))
            files = _matching(folder, path)
            grouped.update(files)
            yield _described(path, files, known.get(path, {}), title=pattern)
        for file in _walk(folder):
            path = file.relative_to(folder).parts
            if file in grouped:
                continue
            if file.is_dir():
                yield _written(path, file)
            else:
                yield _described(path, [file], known.get(path, {}), title=file.name)

    @classmethod
    def access(cls, settings: FilesSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """Parquet is scanned by the engine, text is read here."""
        files, manifest = _files_of(_folder(settings, context), dataset.path)
        if _format(files, manifest) == "csv":
            if not manifest:
                _check_columns(files, _csv_settings(dataset), dataset)
            return Stream()
        if not files:
            return Stream()
        arrow = parquet_footer(files[0])[1]
        missing = [name for name in dataset.schema.names if name not in arrow.names]
        if missing:
            raise _moved(dataset, missing)
        folders = tuple(sorted({str(file.parent) for file in files}))
        return Attach((parquet_view(files, arrow, dataset.schema),), folders=folders)

    @classmethod
    def read(
        cls, settings: FilesSettings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """Batches of a text dataset, file by file; each file's own column order is followed."""
        files, manifest = _files_of(_folder(settings, context), dataset.path)
        kinds = {field.name: field.type for field in dataset.schema.fields}
        if manifest:
            written = FileSettings(null_values=("",), multiline=True)
            for file in files:
                names = manifest.schema.names
                yield from read_csv(file, written, names, kinds, columns, keep_empty_lines=len(names) == 1)
            return
        described = _csv_settings(dataset)
        for file in files:
            names = _names(file, described)
            missing = [name for name in columns if name not in names]
            if missing:
                raise _moved(dataset, missing, file.name)
            yield from read_csv(file, described, names, kinds, columns)


# ── finding files ─────────────────────────────────────────────────────────────────────────────────────────


def _folder(settings: FilesSettings, context: ConnectContext) -> Path:
    folder = allowed_path(settings.folder, context.file_roots)
    if not folder.is_dir():
        message = text(f"“{folder.name}” is a file, not a folder.", f"“{folder.name}”是文件，不是文件夹。")
        raise SourceError("files.no_folder", message, folder.name)
    return folder


def _walk(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Data files and written folders, sorted; without hidden names (``.`` or ``_`` first) and links that lead out."""
    count = 0
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith((".", "_")) or not is_within(Path(os.path.realpath(path)), folder):
            continue
        if entry.is_dir():
            if (path / MANIFEST).is_file():
                yield path
            elif (path / LOCK).exists():
                continue  # being written for the first time: nothing in it is delivered yet
            elif depth < MAX_DEPTH and not entry.is_symlink():
                yield from _walk(path, depth + 1)
        elif _kind(path):
            yield path
        count += 1
        if count >= MAX_FILES:
            return


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    if last in _CSV:
        return "csv"
    return "parquet" if last in _PARQUET else ""


def _matching(folder: Path, path: Sequence[str]) -> list[Path]:
    """Files of a pattern inside ``folder``, sorted by name."""
    found = [file for file in folder.glob("/".join(path)) if file.is_file() and not file.name.startswith((".", "_"))]
    return sorted(file for file in found if is_within(Path(os.path.realpath(file)), folder) and _kind(file))


def _files_of(folder: Path, path: tuple[str, ...]) -> tuple[list[Path], Manifest | None]:
    """The files of a dataset and, for a written one, its manifest. Raises SourceError when it is gone."""
    if any(char in part for part in path for char in "*?["):
        files = _matching(folder, [part for part in path if part not in (".", "..", "")])
        if not files:
            raise _gone(path)
        return files, None
    real = inside(folder, path)
    manifest = read_manifest(real) if real.is_dir() else None
    if manifest:
        return [inside(real, (part.name,)) for part in manifest.parts], manifest
    if not real.is_file():
        raise _gone(path)
    return [real], None


def _format(files: Sequence[Path], manifest: Manifest | None) -> str:
    return manifest.format if manifest else _kind(files[0])


def _gone(path: Sequence[str]) -> SourceError:
    name = "/".join(path)
    message = text(
        f"“{name}” is not in the folder any more. Put it back, or discover the node again.",
        f"文件夹中已没有“{name}”。请恢复该文件，或重新发现该节点。",
    )
    return SourceError("file.missing", message, name)


# ── describing ────────────────────────────────────────────────────────────────────────────────────────────


def _described(path: tuple[str, ...], files: list[Path], known: Mapping[str, Any], title: str) -> DiscoveredDataset:
    if not files:
        words = text(f"No file matches “{title}”.", f"没有文件与“{title}”匹配。")
        return DiscoveredDataset(path, "file", (), 0, True, 0, warnings=(words,))
    size = sum(file.stat().st_size for file in files)
    try:
        if _kind(files[0]) == "parquet":
            return _parquet(path, files, size)
        return _csv(path, files, size, dict(known))
    except NodeTypeError as error:
        return DiscoveredDataset(path, "file", (), None, False, size, settings=dict(known), warnings=(error.message,))


def _parquet(path: tuple[str, ...], files: list[Path], size: int) -> DiscoveredDataset:
    footers = [parquet_footer(file) for file in files]
    columns = parquet_columns(footers[0][1])
    rows = sum(metadata.num_rows for metadata, _ in footers)
    names = [column.name for column in columns]
    warnings = tuple(
        text(f"“{file.name}” has other columns than the first file.", f"“{file.name}”的列与第一个文件不同。")
        for file, (_, arrow) in zip(files, footers, strict=True)
        if [part.name for part in arrow] != names
    )
    return DiscoveredDataset(path, "file", columns, rows, True, size, settings={"format": "parquet"}, warnings=warnings)


def _csv(path: tuple[str, ...], files: list[Path], size: int, known: dict[str, Any]) -> DiscoveredDataset:
    warnings: list[Text] = []
    full = [file for file in files if not is_empty(file)]
    warnings += [empty_file(file).message for file in files if file not in full]
    if not full:
        return DiscoveredDataset(path, "file", (), 0, True, size, settings=known, warnings=tuple(warnings))
    parse(FileSettings, known)
    sample, is_whole = sample_of(full[0])
    settings = find_dialect(sample, is_whole, known)
    named = [(file, names_of(sample_of(file)[0], settings)) for file in full]
    names = named[0][1]
    for file, own in named[1:]:
        if set(own) != set(names):
            warnings.append(
                text(
                    f"“{file.name}” has other columns than “{full[0].name}”.",
                    f"“{file.name}”的列与“{full[0].name}”不同。",
                )
            )
    found = infer_types(named, settings)
    fixed = {name: kind for name, kind in settings.types.items() if name in names}
    types = {name: fixed.get(name) or found.types.get(name, "text") for name in names}
    nulls = settings.null_values if "null_values" in known else (*settings.null_values, *found.nulls)
    formats = {name: form for name, form in {**found.formats, **settings.formats}.items() if name in names}
    settings = msgspec.structs.replace(
        settings,
        types=types,
        formats=formats,
        null_values=tuple(nulls),
        decimal=known.get("decimal", found.decimal),
    )
    for name, lines in found.broken.items():
        if lines:
            shown = ", ".join(str(line) for line in lines[:5]) + (" …" if len(lines) > 5 else "")
            warnings.append(
                text(
                    f"“{name}”: line {shown} has another number of values than the header. Reading will stop there.",
                    f"“{name}”第 {shown} 行的值的个数与表头不一致，读取到此处会停止。",
                )
            )
    rows = found.rows
    if not found.is_whole:
        rows = int(found.rows * _whole_size(full) / max(found.size_bytes, 1))
        warnings.append(
            text(
                "The file is large: types come from its first part, and the number of rows is estimated.",
                "文件较大：列类型依据开头部分判断，行数为估算值。",
            )
        )
    columns = tuple(DiscoveredColumn(name, "csv", types[name]) for name in names)
    return DiscoveredDataset(
        path,
        "file",
        columns,
        rows,
        found.is_whole,
        size,
        settings=msgspec.to_builtins(settings),
        warnings=tuple(warnings),
    )


def _whole_size(files: Sequence[Path]) -> int:
    """About how many bytes of text the files hold; compressed text is about a sixth."""
    return sum(file.stat().st_size * (6 if file.suffix == ".gz" else 1) for file in files)


def _written(path: tuple[str, ...], folder: Path) -> DiscoveredDataset:
    try:
        manifest = read_manifest(folder)
    except NodeTypeError as error:
        return DiscoveredDataset(path, "file", (), None, False, None, warnings=(error.message,))
    assert manifest is not None
    columns = tuple(DiscoveredColumn(part.name, part.type, part.type) for part in manifest.schema.fields)
    settings = {"format": manifest.format}
    return DiscoveredDataset(path, "file", columns, manifest.rows, True, manifest.size_bytes, settings=settings)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────


def _csv_settings(dataset: DatasetRef) -> FileSettings:
    return parse(FileSettings, dict(dataset.settings))


def _names(file: Path, settings: FileSettings) -> tuple[str, ...]:
    if is_empty(file):
        raise empty_file(file)
    return names_of(sample_of(file)[0], settings)


def _check_columns(files: Sequence[Path], settings: FileSettings, dataset: DatasetRef) -> None:
    names = _names(files[0], settings)
    missing = [name for name in dataset.schema.names if name not in names]
    if missing:
        raise _moved(dataset, missing)


def _moved(dataset: DatasetRef, missing: Sequence[str], file: str = "") -> SourceError:
    shown = file or "/".join(dataset.path)
    listed = ", ".join(missing[:5])
    message = text(
        f"“{shown}” has no column {listed} any more: its columns have changed. Discover the node again, then "
        "adjust the flow.",
        f"“{shown}”中已没有列 {listed}，文件的列发生了变化。请重新发现该节点，再调整流程。",
    )
    return SourceError("source.columns_moved", message, shown)
